// Strangers flood the broker with hellos that fail, each on a connection of its own: members still
// come in within seconds, nothing is remembered of the flood, and memory stays where it was.
// SIGNET_TEST_FLOOD=100000 is the long form (1500 hellos).
import assert from 'node:assert/strict';
import net from 'node:net';
import test from 'node:test';
import { closeOf, hello, newKeys, sleep, startBroker } from './harness.mjs';
import { frame, kClose, kText } from './raw_socket.mjs';

const kHellos = Number(process.env.SIGNET_TEST_FLOOD ?? 1_500);
const kAtOnce = 60;
const kSecondsToComeIn = 5; // of a sanitized build; without the flood it is milliseconds
// A sanitizer keeps what was freed for a while; that is not the broker's memory.
const kLean = { ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:quarantine_size_mb=1` };
const kUpgrade = 'GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n' +
  'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

// One hello and a close, without waiting for the upgrade; resolves when the broker closed.
async function bad(broker, said) {
  const { hostname, port } = new URL(broker.http);
  const socket = net.connect(Number(port), hostname);
  socket.on('error', () => {});
  socket.resume();
  socket.on('end', () => socket.end());
  socket.write(Buffer.concat([Buffer.from(kUpgrade), frame(kText, JSON.stringify(said)),
                              frame(kClose, '')]));
  await closeOf(socket);
}

// Keeps `kAtOnce` of them going until all were said; answers how many.
async function flood(broker, make) {
  let said = 0;
  const attacker = async () => { while (said < kHellos) { said += 1; await bad(broker, make(said)); } };
  await Promise.all(Array.from({ length: kAtOnce }, attacker));
  return said;
}

async function rejected(broker, reason) {
  return broker.metric(`broker_connections_rejected_total{reason="${reason}"}`);
}

const kFloods = [
  // Each costs a signature check and ends there.
  ['bad_signature', (member) => () => hello(member, {}, { signature: '5a'.repeat(64) })],
  // Each is well signed, by a key that is nobody: never remembered, however many nonces it shows.
  ['unauthorized', (member) => { const keys = { ...member, ...newKeys() }; return () => hello(keys); }],
];
for (const [reason, maker] of kFloods) {
  test(`members come in through a flood of ${reason}`, async (t) => {
    const set = { 'limits.hellos_per_second_address': 0, 'net.max_unproven': 2_000 };
    const broker = await startBroker(t, { set, env: kLean });
    const member = await broker.join('member');
    const { peer: early, member: receiver } = await broker.joined('early');
    const warm = await flood(broker, maker(member));
    const before = broker.residentBytes();

    const flooding = flood(broker, maker(member));
    let isOver = false;
    flooding.then(() => { isOver = true; });
    let slowest = 0, rounds = 0;
    do {
      const began = Date.now();
      const peer = await broker.connect(member);
      assert.equal((await peer.mail(receiver, `n${rounds}`)).type, 'ack');
      slowest = Math.max(slowest, Date.now() - began);
      await peer.leave();
      rounds += 1;
      await sleep(50);
    } while (!isOver);
    t.diagnostic(`${rounds} members came in, the slowest in ${slowest} ms`);
    assert.ok(slowest < 1000 * kSecondsToComeIn, `a good hello took ${slowest} ms`);

    assert.equal(await rejected(broker, reason), warm + await flooding);
    const grown = broker.residentBytes() - before;
    assert.ok(grown < 64 * 2 ** 20, `the flood grew the broker by ${grown} bytes`);
    assert.equal((await early.roundTrip()).length, 1);
    const told = broker.log.filter((line) => line.includes('hello.rejected')).length;
    assert.ok(told < 200, `${told} lines for ${warm} and more refusals`);
  });
}

