// A client that reads up to some byte, answers pings as any client does, and is gone: what it had
// not read whole comes again, under the same id, and what it confirmed does not.
// SIGNET_TEST_LONG=1 stops at every byte instead of some.
import assert from 'node:assert/strict';
import test from 'node:test';
import { eventually, hello, startBroker, unique } from './harness.mjs';
import { kText, RawSocket } from './raw_socket.mjs';

const kMessages = 3;

// Reads `limit` bytes behind the upgrade and nothing after them.
async function readUntil(broker, member, limit) {
  const raw = await RawSocket.connect(broker);
  let left = limit;
  raw.total = 0;
  const take = raw.take.bind(raw);
  raw.take = (bytes) => {
    raw.total += bytes.length;
    if (left > 0) take(bytes.subarray(0, left));
    left -= bytes.length;
    if (left <= 0) raw.socket.destroy();
  };
  raw.say(hello(member));
  return raw;
}
const pushesOf = (raw) => raw.frames.filter(({ opcode }) => opcode === kText)
  .map(({ payload }) => JSON.parse(payload)).filter(({ type }) => type === 'push');

test('at whatever byte it dies, nothing is lost and nothing comes under another id', async (t) => {
  const broker = await startBroker(t);
  const { peer: sender } = await broker.joined('sender');
  const receiver = await broker.join('receiver');
  const send = async () => {
    const ids = new Map();
    for (let i = 0; i < kMessages; ++i) {
      const text = unique();
      ids.set((await sender.mail(receiver, text)).messageId, text);
    }
    return ids;
  };
  await send(); // once in full, for its length
  const whole = await readUntil(broker, receiver, Infinity);
  await whole.until(() => pushesOf(whole).length === kMessages);
  await eventually('all confirmed', async () => await broker.metric('broker_queue_depth') === 0);
  const length = whole.total;
  await whole.end();

  const step = process.env.SIGNET_TEST_LONG ? 1 : Math.ceil(length / 60);
  let repeats = 0, confirmed = 0;
  for (let limit = 1; limit <= length + step; limit += step) {
    const ids = await send();
    const raw = await readUntil(broker, receiver, limit);
    await raw.until(() => raw.isClosed || pushesOf(raw).length === kMessages);
    await raw.end();
    const read = new Map(pushesOf(raw).map((push) => [push.messageId, push.ciphertext]));
    await eventually('it is gone', async () => (await sender.roundTrip()).length === 1);
    const back = await broker.connect(receiver);
    await eventually('all confirmed', async () => await broker.metric('broker_queue_depth') === 0);
    await back.roundTrip();
    const pushed = back.inbox.filter(({ type }) => type === 'push');
    const again = new Map(pushed.map((push) => [push.messageId, push.ciphertext]));
    assert.equal(again.size, pushed.length, `twice at byte ${limit}`);
    await back.leave();
    const seen = new Map([...read, ...again]);
    assert.deepEqual([...seen].sort(), [...ids].sort(), `died at byte ${limit}`);
    repeats += read.size + again.size - kMessages;
    confirmed += kMessages - again.size;
  }
  t.diagnostic(`${length} bytes; ${repeats} came again, ${confirmed} had been confirmed`);
  assert.ok(repeats > 0, 'some were read and not confirmed');
});
