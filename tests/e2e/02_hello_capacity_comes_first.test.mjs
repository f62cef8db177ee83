// A full mesh says so before anything else of a hello is looked at, and has room again at once.
import assert from 'node:assert/strict';
import test from 'node:test';
import { eventually, hello, startBroker } from './harness.mjs';

const kRejected = 'broker_connections_rejected_total{reason="capacity"}';

test('the connection over the limit of the mesh is refused with capacity', async (t) => {
  const broker = await startBroker(t, { set: { 'claudemesh.max_connections': 2 } });
  const member = await broker.join('member');
  const first = await broker.connect(member);
  await broker.connect(member);

  for (const stale of [{}, { timestamp: 1, pubkey: 'x' }]) {
    const third = await broker.open();
    third.say(hello(member, stale));
    assert.equal((await third.next('error')).message, 'hello rejected: capacity');
    assert.deepEqual(await third.closed, { code: 1008, reason: 'capacity' });
  }
  assert.equal(await broker.metric(kRejected), 2);

  await first.vanish();
  await eventually('a place is free again', async () =>
    (await broker.metric('broker_connections_active')) === 1);
  await broker.connect(member);
});
