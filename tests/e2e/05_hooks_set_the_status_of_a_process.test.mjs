// POST /hook/set-status names a process by pid and cwd; only programs of this machine may post.
import assert from 'node:assert/strict';
import test from 'node:test';
import { eventually, sleep, startBroker } from './harness.mjs';

const hook = (broker, body, headers) =>
  broker.request('POST', '/hook/set-status', { body, headers });
const statusOf = async (peer) => (await peer.roundTrip())[0].status;
const kHere = { pid: 4711, cwd: '/work/here' };

test('a hook sets the status of that pid and cwd, and of no other', async (t) => {
  const broker = await startBroker(t);
  const { peer } = await broker.joined('member', kHere);
  const answer = (await hook(broker, { ...kHere, status: 'working' })).json();
  assert.deepEqual(answer, { ok: true, presence_id: peer.presence });
  assert.equal(await statusOf(peer), 'working');
  for (const elsewhere of [{ pid: 4711, cwd: '/x' }, { pid: 4712, cwd: '/work/here' }]) {
    const pending = await hook(broker, { ...elsewhere, status: 'dnd' });
    assert.deepEqual(pending.json(), { ok: true, pending: true });
  }
  assert.equal(await statusOf(peer), 'working');
});

test('a hook before its process connects waits for it, for a while', async (t) => {
  const broker = await startBroker(t, { set: { 'claudemesh.hook_pending': '700ms' } });
  const member = await broker.join('member');
  await hook(broker, { ...kHere, status: 'working' });
  const intime = await broker.connect(member, kHere);
  assert.equal(await statusOf(intime), 'working');
  await intime.leave();
  await hook(broker, { pid: 1, cwd: '/late', status: 'working' });
  await sleep(1000);
  const late = await broker.connect(member, { pid: 1, cwd: '/late' });
  await eventually('the first is gone', async () => (await late.roundTrip()).length === 1);
  assert.equal(await statusOf(late), 'idle');
});

test('dnd of the person is sticky against hooks; the person lifts it', async (t) => {
  const broker = await startBroker(t);
  const { peer } = await broker.joined('member', kHere);
  await peer.status('dnd');
  for (const status of ['working', 'idle']) {
    await hook(broker, { ...kHere, status });
    assert.equal(await statusOf(peer), 'dnd');
  }
  await peer.status('idle');
  await hook(broker, { ...kHere, status: 'working' });
  assert.equal(await statusOf(peer), 'working');
});

test('a hook refreshes working before it falls back', async (t) => {
  const broker = await startBroker(t, { set: { 'claudemesh.working_ttl': '1500ms' } });
  const { peer } = await broker.joined('member', kHere);
  for (let i = 0; i < 4; ++i) {
    await hook(broker, { ...kHere, status: 'working' });
    await sleep(700);
    assert.equal(await statusOf(peer), 'working', `after refresh ${i}`);
  }
  await eventually('idle', async () => (await statusOf(peer)) === 'idle');
});
