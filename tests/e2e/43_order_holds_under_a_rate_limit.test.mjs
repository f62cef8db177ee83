// A broker that takes a few messages a second: those over its limit wait and go later, in order.
import assert from 'node:assert/strict';
import test from 'node:test';
import { startBroker } from './harness.mjs';
import { arrive, assertEachOnceInOrder } from './arrivals.mjs';
import { startLibrary } from './library.mjs';

const kMessages = 150;

test('what is refused for its rate arrives later, once and in order', async (t) => {
  const broker = await startBroker(t, { set: { 'limits.sends_per_second': 50, 'limits.sends_burst': 20 } });
  const ada = await startLibrary(t, broker, 'ada');
  const bob = await startLibrary(t, broker, 'bob');
  await bob.join('#ops');
  const sent = [];
  for (let n = 0; n < kMessages; ++n) {
    sent.push(`${n % 2 === 0 ? 'direct' : 'channel'}-${n}`);
    await ada.send(n % 2 === 0 ? bob.pubkey : '#ops', sent.at(-1));
  }
  assertEachOnceInOrder(sent, await arrive(bob, kMessages));
  const limited = await broker.metric('broker_messages_rejected_total{reason="rate_limited"}');
  t.diagnostic(`${limited} were refused at first`);
});
