// Before anybody is served, every thread gives up what the daemon never does, and can't get it back;
// whoever switches that off is told so.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { startBroker } from './harness.mjs';

const threadsOf = (broker) => readdirSync(`/proc/${broker.pid}/task`).map((thread) =>
  Object.fromEntries(readFileSync(`/proc/${broker.pid}/task/${thread}/status`, 'utf8').split('\n')
    .map((line) => line.split(/:\s+/))));

test('a filter holds for every thread', async (t) => {
  const broker = await startBroker(t);
  const log = broker.log.join('\n');
  if (log.includes('server.no_sandbox')) return t.skip('this kernel has no filters');
  assert.match(log, /"event":"server.sandbox"/);
  const { peer, member } = await broker.joined('member'); // all that serve are at work
  assert.equal((await peer.mail(member, 'x')).type, 'ack');
  const threads = threadsOf(broker);
  assert.ok(threads.length >= 4, `${threads.length} threads`);
  for (const { Name, Seccomp, NoNewPrivs } of threads) {
    assert.deepEqual({ Name, Seccomp, NoNewPrivs }, { Name, Seccomp: '2', NoNewPrivs: '1' });
  }
});

test('server.sandbox = false is said', async (t) => {
  const broker = await startBroker(t, { set: { 'server.sandbox': 'false' } });
  await broker.logged('server.no_sandbox');
  const { peer, member } = await broker.joined('member');
  assert.equal((await peer.mail(member, 'x')).type, 'ack');
  const [{ NoNewPrivs }] = threadsOf(broker);
  assert.equal(NoNewPrivs, '1', 'that is given up in any case');
});
