// What the broker sees in proven sessions lowers a score; what anybody can send does not.
import assert from 'node:assert/strict';
import test from 'node:test';
import { eventually, freshTimestamp, hello, newKeys, sleep } from './harness.mjs';
import { action, engineToken, envelope, smallWorld, startHub, userToken } from './hub_client.mjs';
import { Node } from './overlay_node.mjs';

const env = { SIGNET_OVERLAY_EPOCH_SECONDS: '2', SIGNET_OVERLAY_ALLOW_UNSIGNED: '1' };
const set = { 'overlay.per_lost_lease': '0.3', 'overlay.per_failed_proof': '0.3', 'overlay.per_replay': '0.3' };

async function allowedNode(broker, name) {
  const node = new Node(broker, name, await broker.join(name));
  assert.equal((await node.register()).status, 200);
  assert.equal((await node.submit(0.92)).status, 200);
  await eventually(`${name} is allowed`, async () => (await node.config()).allowed === true);
  return node;
}
// The reason of the first denial of the node, as the log has it.
const denial = (broker, name) => eventually(`${name} is denied`, () => {
  const verdicts = broker.log.filter((line) => line.includes('"event":"overlay.verdict"')).map((line) => JSON.parse(line));
  return verdicts.find(({ node, verdict }) => node === name && verdict === 'DENIED')?.reason;
});

test('who loses its leases falls below the threshold, and others do not', async (t) => {
  const hub = await startHub(t, { env, set });
  const [worker, other] = [await allowedNode(hub, 'worker'), await allowedNode(hub, 'other')];
  const bystander = await hub.engine('other');
  const engine = await hub.engine('worker');
  const ann = await hub.user('ann');
  ann.say('generate_world', { config: smallWorld(6) });
  await eventually('it has a job', () => engine.inbox.some(({ event }) => event === 'engine_job'));
  engine.socket.io.engine.close(); // and with it the lease
  assert.match(await denial(hub, 'worker'), /^score 0\.\d+ < threshold 0\.70 \[minus \d\.\d+ for \d+ lost leases?\]$/);
  assert.equal((await other.config()).allowed, true, 'who kept its leases stays');
  bystander.leave();
  await eventually('it comes back', async () => (await worker.config()).allowed === true);
});

test('bad signatures and replays of a proven session count, each in its own name', async (t) => {
  const hub = await startHub(t, { env, set });
  const [liar, parrot] = [await allowedNode(hub, 'liar'), await allowedNode(hub, 'parrot')];
  assert.ok(liar && parrot);
  const engine = await hub.engine('liar');
  engine.say('job_started', envelope({ job_id: 'none' }, { secret: 'another-secret-that-is-long-enough' }));
  await engine.next('job_started_rejected');
  assert.match(await denial(hub, 'liar'), /\[minus 0\.30 for 1 failed proof\]$/);

  const twice = await hub.engine('parrot');
  const said = envelope({ job_id: 'none' });
  twice.say('job_started', said);
  twice.say('job_started', said);
  await twice.next('job_started_rejected', ({ reason }) => reason === 'ENGINE_NONCE_REPLAY');
  assert.match(await denial(hub, 'parrot'), /\[minus 0\.30 for 1 replay\]$/);
});

test('a user of Hub that is an original node answers for what it signs', async (t) => {
  const hub = await startHub(t, { env, set });
  const body = () => ({ node_id: 'old', timestamp: new Date().toISOString(), suite_version: 'p', scores: { overall: 0.9 } });
  assert.equal((await hub.request('POST', '/v1/benchmarks/old', { body: body() })).status, 200);
  await eventually('it is allowed', async () => (await hub.request('GET', '/v1/config/old')).json().allowed === true);
  const user = await hub.user('old');
  user.say('action', action('click', {}, { secret: 'another-secret-that-is-long-enough' }));
  await user.next('action_error');
  assert.match(await denial(hub, 'old'), /\[minus 0\.30 for 1 failed proof\]$/);
});

test('nobody reports without a signature in the name of a user of Hub', async (t) => {
  const hub = await startHub(t, { env, set });
  const user = await hub.user('ann');
  for (const overall of [0.9, 0.1]) {
    const body = { node_id: 'ann', timestamp: new Date().toISOString(), suite_version: 'p', scores: { overall } };
    const answer = await hub.request('POST', '/v1/benchmarks/ann', { body });
    assert.deepEqual([answer.status, answer.json().code], [400, 'unsigned']);
  }
  const { allowed, reason } = (await hub.request('GET', '/v1/config/ann')).json();
  assert.deepEqual([allowed, reason], [null, 'no membership decision'], 'it is no node');
  user.say('action', action('click', {}));
  assert.equal((await user.next('action_update')).type, 'click');
});

test('what strangers send in the name of a node changes nothing', async (t) => {
  const hub = await startHub(t, { env, set });
  const ann = await allowedNode(hub, 'ann');
  const stranger = newKeys();
  for (let i = 0; i < 5; ++i) {
    // A hello that names ann's key, signed by another; the same captured twice; tokens of no issuer.
    const peer = await hub.open();
    peer.say(hello({ ...ann.member, secretKey: stranger.secretKey }, { timestamp: freshTimestamp() }));
    await peer.closed;
    for (const [namespace, token] of [['/engine', engineToken('ann', {}, 'no-secret-of-this-hub-at-all-32b')],
                                      ['/', userToken('ann', {}, 'no-secret-of-this-hub-at-all-32b')]]) {
      await assert.rejects(hub.enter(namespace, { token }));
    }
  }
  // A user whose name is that of a registered node is another member, whoever gave it the name.
  const namesake = await hub.user('ann');
  namesake.say('action', action('click', {}, { secret: 'another-secret-that-is-long-enough' }));
  await namesake.next('action_error');
  const before = (await hub.request('GET', '/v1/epoch')).json().epoch_id;
  await eventually('three more decisions', async () => {
    await sleep(200);
    await ann.submit(0.92);
    return (await hub.request('GET', '/v1/epoch')).json().epoch_id >= before + 3;
  });
  const { allowed, reason } = await ann.config();
  assert.deepEqual([allowed, reason], [true, 'score 0.92 >= 0.70, fresh']);
  assert.ok(!hub.log.some((line) => line.includes('overlay.verdict') && line.includes('DENIED')));
});
