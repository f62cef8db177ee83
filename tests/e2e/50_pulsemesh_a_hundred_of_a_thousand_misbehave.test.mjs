// 1,000 clients, of which 100 send noise, floods, bad handshakes and halves of frames: the 900 lose
// nothing, and get nothing that they should not.
import assert from 'node:assert/strict';
import net from 'node:net';
import test from 'node:test';
import { handshake, startPulseBroker, topicPath } from './pulse_client.mjs';
import { light, randomness, several } from './pulse_crowd.mjs';
import { closeOf, eventually, sleep } from './harness.mjs';
import { frame, kBinary, kPing, kText } from './raw_socket.mjs';

const kSeed = Number(process.env.SIGNET_TEST_SEED ?? Date.now() % 2 ** 31);
const kTopics = 90, kOfATopic = 10, kRounds = 3;
const kMiB = 2 ** 20;
const kLean = { ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:quarantine_size_mb=4` };

const upgrade = (topic) => `GET ${topicPath(topic)} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n` +
  'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
const firstFrame = (how = {}) => frame(kText, JSON.stringify(handshake('mallory', how)));

// A connection that says these pieces, a little time apart, and waits for its end for a while.
async function say(broker, pieces, pauseMs = 5, lingerMs = 200) {
  const { hostname, port } = new URL(broker.http);
  const socket = net.connect(Number(port), hostname);
  socket.on('error', () => {});
  socket.resume();
  const closed = closeOf(socket);
  for (const piece of pieces) {
    if (socket.destroyed) break;
    socket.write(piece);
    await sleep(pauseMs);
  }
  await Promise.race([closed, sleep(lingerMs)]);
  socket.destroy();
}

const kMischief = [
  // Noise: before and after the upgrade, and behind a good handshake.
  (random) => [random.bytes(1 + random.below(3_000))],
  (random) => [upgrade('t1'), random.bytes(1 + random.below(3_000))],
  (random) => [upgrade('t1'), firstFrame(), random.bytes(1 + random.below(3_000))],
  (random) => [upgrade('t1'), firstFrame(), frame(kText, random.bytes(500))],
  // Halves: of a request, of a frame, of a message, of a handshake.
  (random) => [upgrade('t1').slice(0, random.below(120))],
  (random) => [upgrade('t1'), firstFrame().subarray(0, 1 + random.below(100))],
  () => [upgrade('t1'), firstFrame(), frame(kText, '{"half":', { fin: false })],
  (random) => [upgrade('t1'), frame(kText, 'x', { length: 60_000 }), random.bytes(100)],
  // Bad handshakes.
  () => [upgrade('t1'), firstFrame({ secret: 'guessed, as anybody may' })],
  () => [upgrade('t1'), frame(kText, '{"message":{"source":"mallory"},"signature":"' + 'a'.repeat(64) + '"}')],
  () => [upgrade('t1'), frame(kText, '['.repeat(4_000))],
  () => [upgrade('t1'), frame(kBinary, 'x'.repeat(4_000))],
  // Floods: of pulses on a topic of its own, of pings, of one-byte frames, of frames too long.
  () => [upgrade('flood'), firstFrame(), Buffer.concat(Array(2_000).fill(frame(kText, '{"flood":1}')))],
  () => [upgrade('t1'), firstFrame(), Buffer.concat(Array(2_000).fill(frame(kPing, 'p')))],
  () => [upgrade('t1'), firstFrame(), Buffer.concat(Array(3_000).fill(frame(kText, 'x', { fin: false })))],
  () => [upgrade('t1'), firstFrame(), frame(kText, `{"x":"${'x'.repeat(80_000)}"}`)],
  () => [upgrade('t1'), firstFrame(), frame(kText, '{"a":1}', { mask: false })],
  () => [upgrade('t1'), firstFrame(), frame(kText, '{"a":1}', { reserved: 4 })],
];

test('the 900 that behave lose nothing', async (t) => {
  t.diagnostic(`SIGNET_TEST_SEED=${kSeed}`);
  const broker = await startPulseBroker(t, { env: kLean });
  const topicOf = (i) => `honest.t${i % kTopics}`;
  const honest = await several(kTopics * kOfATopic, (i) => light(broker, topicOf(i), `h${i}`));
  const heard = honest.map(() => []);
  honest.forEach((client, i) => { client.heard = (text) => heard[i].push(text); });

  let isOver = false, tricks = 0;
  const rogues = Array.from({ length: 100 }, async (_, i) => {
    const random = randomness(kSeed + i);
    for (let turn = i; !isOver; turn += 7) {
      await say(broker, kMischief[turn % kMischief.length](random));
      tricks += 1;
    }
  });
  await eventually('they are at it', () => tricks >= 50);
  const before = broker.residentBytes();
  for (let round = 0; round < kRounds; ++round) {
    for (const [i, client] of honest.entries()) {
      client.say(`{"by":${i},"round":${round}}`);
      if (i % 60 === 59) await sleep(10);
    }
    const expected = (round + 1) * (kOfATopic - 1);
    const done = () => heard.every((texts) => texts.length >= expected);
    await eventually('everybody hears this round', done, 60_000);
  }
  await eventually('each trick is played', () => tricks >= 3 * kMischief.length);
  isOver = true;
  await Promise.all(rogues);
  t.diagnostic(`${tricks} tricks were played`);
  await sleep(200);

  for (const [i, texts] of heard.entries()) {
    const pulses = texts.map((text) => JSON.parse(text));
    assert.ok(pulses.every(({ _mesh_topic }) => _mesh_topic === topicOf(i)), 'only of its own topic');
    const got = pulses.map(({ by, round }) => `${by}-${round}`).sort();
    const others = honest.map((_, j) => j).filter((j) => j !== i && j % kTopics === i % kTopics);
    const expected = others.flatMap((j) => Array.from({ length: kRounds }, (_, round) => `${j}-${round}`)).sort();
    assert.deepEqual(got, expected, `what ${i} heard`);
    for (const j of others) {
      assert.deepEqual(pulses.filter(({ by }) => by === j).map(({ round }) => round), [0, 1, 2], 'in order');
    }
  }
  assert.ok(honest.every((client) => !client.isClosed), 'and all are still there');
  const grown = broker.residentBytes() - before;
  assert.ok(grown < 64 * kMiB, `${grown} bytes for what was refused`);
  for (const client of honest) client.socket.terminate();
});
