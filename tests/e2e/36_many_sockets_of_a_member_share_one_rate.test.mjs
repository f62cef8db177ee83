// Fifty connections of one member, on all shards, send as fast as they can: together they get the
// rate of one, within 5 %, and somebody else his own.
import assert from 'node:assert/strict';
import test from 'node:test';
import { sleep, startBroker, unique } from './harness.mjs';

const kSockets = 50, kRate = 100, kBurst = 50;
const kMs = Number(process.env.SIGNET_TEST_MS ?? 4_000);

test('fifty sockets are one member', async (t) => {
  const broker = await startBroker(t, { set: {
    'limits.sends_per_second': kRate, 'limits.sends_burst': kBurst } });
  const receiver = await broker.join('receiver'); // away: its mailbox is long enough
  const { member, peer: first } = await broker.joined('eager');
  const sockets = [first];
  while (sockets.length < kSockets) sockets.push(await broker.connect(member));
  const { peer: calm } = await broker.joined('calm');

  let accepted = 0, refused = 0, isRunning = true;
  const began = Date.now();
  const senders = sockets.map(async (socket) => {
    while (isRunning) {
      const answer = await socket.mail(receiver, 'x', { id: unique() });
      if (answer.type === 'ack') { accepted += 1; continue; }
      assert.equal(answer.code, 'rate_limited');
      refused += 1;
      await sleep(20);
    }
  });
  for (let i = 0; i < 10; ++i) {
    await sleep(kMs / 10);
    assert.equal((await calm.mail(receiver, 'calm')).type, 'ack');
  }
  isRunning = false;
  await Promise.all(senders);
  const seconds = (Date.now() - began) / 1000;
  const expected = kBurst + kRate * seconds;
  t.diagnostic(`${accepted} accepted, ${refused} refused in ${seconds} s; ${expected} expected`);
  assert.ok(refused > accepted / 10, 'they tried harder than they may');
  assert.ok(accepted <= 1.05 * expected + 1, `${accepted} of ${expected}`);
  assert.ok(accepted >= 0.95 * (expected - kBurst), `${accepted} of ${expected}`);
});
