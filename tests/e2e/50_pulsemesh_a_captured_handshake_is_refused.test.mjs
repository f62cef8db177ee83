// Fresh and new, or 4003: the clock of the message is checked, and a digest is good once, also after
// a restart. Who switches that off is warned.
import assert from 'node:assert/strict';
import test from 'node:test';
import { connect, handshake, isoAt, kForms, knock, kSecret, nodePath, refusalOf, startPulseBroker,
         topicPath } from './pulse_client.mjs';
import { freshTimestamp } from './harness.mjs';

const kPath = topicPath('mirror.intent');

async function verdict(broker, frame, path = kPath) {
  const peer = await knock(broker, path);
  peer.say(frame);
  const said = await peer.next(() => true);
  if (said.type === 'handshake_ok') { await peer.leave(); return 'in'; }
  return [(await peer.closed).code, said.code];
}
const kStale = [4003, 'stale'];
const kReplayed = [4003, 'replayed'];

// The verdict on a message that is `offset` ms from now while it is judged: a busy machine asks again.
async function verdictAt(broker, offset, patience = 900) {
  for (let tries = 0; tries < 20; ++tries) {
    const at = Date.now() + offset;
    const peer = await knock(broker, kPath);
    const began = Date.now();
    peer.say(handshake('c', { message: { timestamp: isoAt(at), n: freshTimestamp() } }));
    const said = await peer.next(() => true);
    if (Date.now() - (at - offset) > patience || began < at - offset) continue;
    return said.type === 'handshake_ok' ? 'in' : [(await peer.closed).code, said.code];
  }
  assert.fail('this machine is too busy to tell a second from another');
}

test('the window is 60 s to both sides', async (t) => {
  const broker = await startPulseBroker(t);
  for (const [seconds, expected] of [[-59, 'in'], [59, 'in'], [-61, kStale], [61, kStale],
                                     [-3_600, kStale], [3_600, kStale], [-86_400 * 365, kStale]]) {
    assert.deepEqual(await verdictAt(broker, seconds * 1_000), expected, `${seconds} s`);
  }
});

test('the window is what the operator sets', async (t) => {
  const broker = await startPulseBroker(t, { maxSkew: 10 });
  for (const [seconds, expected] of [[-9, 'in'], [9, 'in'], [-11, kStale], [11, kStale]]) {
    assert.deepEqual(await verdictAt(broker, seconds * 1_000), expected, `${seconds} s`);
  }
});

// The same moment, written in the ways of ISO 8601.
const zoned = (ms, hours, zone) => isoAt(ms + hours * 3_600_000).replace('Z', zone);
const kTimes = [
  ['milliseconds and Z', (ms) => isoAt(ms)], ['no zone', (ms) => isoAt(ms).replace('Z', '')],
  ['seconds', (ms) => isoAt(ms).replace(/\.\d+Z/, 'Z')], ['microseconds', (ms) => isoAt(ms).replace('Z', '123')],
  ['an offset', (ms) => zoned(ms, 2, '+02:00')], ['an offset to the west', (ms) => zoned(ms, -5, '-05:00')],
  ['zero as an offset', (ms) => zoned(ms, 0, '+00:00')],
];
const kNoTimes = [undefined, null, '', 'now', 1_763_762_400_000, '2025', '21:52:00', true, {},
                  'Fri, 31 Oct 2025 20:00:00 GMT', '2026-02-30T00:00:00Z', '2026-13-01T00:00:00Z'];
test('a timestamp is ISO 8601, with or without a zone, and has to be there', async (t) => {
  const broker = await startPulseBroker(t);
  for (const [what, write] of kTimes) {
    const message = { timestamp: write(Date.now()), n: freshTimestamp() };
    assert.equal(await verdict(broker, handshake('c', { message })), 'in', `${what}: ${message.timestamp}`);
  }
  for (const timestamp of kNoTimes) {
    const frame = handshake('c', { message: { timestamp, n: freshTimestamp() } });
    assert.deepEqual(await verdict(broker, frame), kStale, JSON.stringify(timestamp));
  }
  const abroad = { timestamp: zoned(Date.now(), 0, '+02:00'), n: freshTimestamp() }; // two hours ago
  assert.deepEqual(await verdict(broker, handshake('c', { message: abroad })), kStale);
});

test('a handshake is good once: on any topic, in any form, after a restart and a crash', async (t) => {
  const broker = await startPulseBroker(t);
  const frames = Object.keys(kForms).map((form) => handshake('c', { form }));
  for (const frame of frames) assert.equal(await verdict(broker, frame), 'in');
  const refuseAll = async () => {
    for (const frame of frames) {
      assert.deepEqual(await verdict(broker, frame), kReplayed);
      assert.deepEqual(await verdict(broker, frame, topicPath('core.reply')), kReplayed);
      assert.deepEqual(await verdict(broker, frame, nodePath('c')), kReplayed);
    }
    // The same message under another of its signatures is the same message.
    const [{ message }] = frames;
    for (const form of Object.keys(kForms)) {
      assert.deepEqual(await verdict(broker, { message, ...kForms[form](message, kSecret) }), kReplayed, form);
    }
  };
  await refuseAll();
  await broker.restart();
  await refuseAll();
  await broker.restartAfterKill();
  await refuseAll();
  await connect(broker, 'mirror.intent', 'c'); // a new one is welcome all the time
});

test('two hundred at once, on all shards: one is in', async (t) => {
  const broker = await startPulseBroker(t);
  const frame = handshake('c');
  const peers = await Promise.all(Array.from({ length: 200 }, () => knock(broker, kPath)));
  for (const peer of peers) peer.say(frame);
  const said = await Promise.all(peers.map(async (peer) => (await peer.next(() => true)).type));
  assert.equal(said.filter((type) => type === 'handshake_ok').length, 1);
});

test('a refused handshake uses nothing up', async (t) => {
  const broker = await startPulseBroker(t);
  const frame = handshake('c');
  const forged = { ...frame, signature: 'a'.repeat(64) };
  assert.deepEqual(await verdict(broker, forged), [4003, 'bad_signature']);
  assert.equal(await verdict(broker, frame), 'in');
});

test('0 switches window and memory off, and says so', async (t) => {
  const broker = await startPulseBroker(t, { maxSkew: 0 });
  const old = handshake('c', { message: { timestamp: '2025-10-31T20:00:00Z' } });
  const none = handshake('c', { message: { timestamp: undefined } });
  for (const frame of [old, old, none, none, old]) assert.equal(await verdict(broker, frame), 'in');
  assert.deepEqual(await refusalOf(broker, { ...old, signature: 'a'.repeat(64) }), [4003, 'bad_signature']);
  assert.ok(broker.log.some((line) => line.includes('"warn"') && line.includes('max_skew')), 'a warning');
});
