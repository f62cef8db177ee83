// Hundreds of connections that trickle, or say nothing, hold nobody up, and each is gone at its
// deadline. SIGNET_TEST_SLOW=400 opens so many of each kind (60).
import assert from 'node:assert/strict';
import net from 'node:net';
import test from 'node:test';
import { closeOf, eventually, sleep, startBroker } from './harness.mjs';

const kEach = Number(process.env.SIGNET_TEST_SLOW ?? 60);
const kHeadMs = 1_500, kHelloMs = 2_000;
const kLateMs = 4_000; // of a sanitized build on a busy machine
const kSet = { 'net.head_timeout': `${kHeadMs}ms`, 'claudemesh.hello_timeout': `${kHelloMs}ms`,
               'net.idle_http_timeout': `${kHeadMs}ms`, 'net.close_timeout': '300ms',
               'net.max_unproven': 20_000 }; // each is to meet its deadline, not to be displaced

const kUpgrade = 'GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n' +
  'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';
const kPost = 'POST /join HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n{';
const kPingBit = Buffer.from([0x89, 0x80, 0, 0, 0, 0]); // a masked ping without a payload
const kFirstByte = Buffer.from([0x01, 0xfe, 0x3f, 0x00, 0, 0, 0, 0]); // a long text frame begins

// What each says at once, and what it goes on trickling; and when it must be gone.
const kModes = [
  ['half a head', kHeadMs, 'GET /health HTTP/1.1\r\nHost: loc', ''],
  ['a trickled head', kHeadMs, 'GET /health HTTP/1.1\r\nHost: localhost\r\nX: ', 'y'],
  ['a trickled body', kHeadMs, kPost, ' '],
  ['nothing at all', kHeadMs, '', ''],
  ['nothing after the upgrade', kHelloMs, kUpgrade, ''],
  ['pings and no hello', kHelloMs, kUpgrade, kPingBit],
  ['a trickled hello', kHelloMs, [kUpgrade, kFirstByte], 'x'],
  ['nothing after an answer', kHeadMs, 'GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n', ''],
];

function slow(broker, [what, deadline, first, then]) {
  const { hostname, port } = new URL(broker.http);
  const socket = net.connect(Number(port), hostname);
  socket.on('error', () => {});
  socket.resume();
  const began = Date.now();
  for (const part of [first].flat()) if (part.length) socket.write(part);
  const trickle = setInterval(() => { if (then.length) socket.write(then); }, 250);
  socket.on('end', () => socket.end()); // as a peer that answers a close
  return closeOf(socket).then(() => {
    clearInterval(trickle);
    return { what, deadline, took: Date.now() - began };
  });
}

test('each slow one is gone at its deadline, and a good client meanwhile served', async (t) => {
  const broker = await startBroker(t, { set: kSet });
  const { peer: early } = await broker.joined('early');
  const { member } = await broker.joined('receiver');
  const before = broker.residentBytes();
  const gone = kModes.flatMap((mode) => Array.from({ length: kEach }, () => slow(broker, mode)));
  let cut = 0;
  for (const each of gone) each.then(() => { cut += 1; });

  let served = 0;
  do { // somebody who is in, somebody who comes, and somebody who asks
    assert.equal((await early.mail(member, `n${served}`)).type, 'ack');
    const { peer } = await broker.joined(`late${served}`);
    assert.ok((await peer.roundTrip()).length >= 3);
    assert.equal((await broker.request('GET', '/health')).status, 200);
    await peer.leave();
    served += 1;
    await sleep(20);
  } while (cut < gone.length);
  assert.ok(served >= 3, `${served} rounds`);

  for (const { what, deadline, took } of await Promise.all(gone)) {
    assert.ok(took >= deadline - 200, `${what}: cut after ${took} ms, before its time`);
    assert.ok(took <= deadline + kLateMs, `${what}: cut after ${took} ms`);
  }
  await eventually('only the good are left', async () =>
    (await broker.metric('broker_connections_active')) === 2);
  const grown = broker.residentBytes() - before;
  const bound = gone.length * 64 * 1024 + 64 * 2 ** 20;
  assert.ok(grown < bound, `${grown} bytes for ${gone.length} connections`);
});
