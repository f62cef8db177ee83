// Thousands of handshakes that fail, each from another address: the log grows by little, and every one
// is counted in it. SIGNET_TEST_FLOOD=20000 is the long form.
import assert from 'node:assert/strict';
import net from 'node:net';
import test from 'node:test';
import { handshake, topicPath } from './pulse_client.mjs';
import { entriesOf, linesOf } from './audit_reader.mjs';
import { closeOf, startBroker } from './harness.mjs';
import { frame, kClose, kText } from './raw_socket.mjs';

const kFlood = Number(process.env.SIGNET_TEST_FLOOD ?? 3_000);
const kAtOnce = 60;
const kMostBytes = 100_000;
const kUpgrade = `GET ${topicPath('mirror.intent')} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n` +
  'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

// Each loopback address is another machine to the broker.
const addressOf = (n) => `127.${1 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`;

async function fails(broker, n) {
  const { hostname, port } = new URL(broker.http);
  const socket = net.connect({ port: Number(port), host: hostname, localAddress: addressOf(n) });
  socket.on('error', () => {});
  socket.resume();
  socket.on('end', () => socket.end());
  socket.write(Buffer.concat([Buffer.from(kUpgrade), frame(kText, JSON.stringify(handshake(`source-${n}`))),
                              frame(kClose, '')]));
  await closeOf(socket);
}

test(`${kFlood} refusals`, async (t) => {
  const set = { 'audit.entries_per_second': 50, 'server.log_level': 'error' };
  const broker = await startBroker(t, { set });
  const before = (await linesOf(broker)).length;
  let said = 0;
  const attacker = async () => { while (said < kFlood) await fails(broker, (said += 1)); };
  await Promise.all(Array.from({ length: kAtOnce }, attacker));
  const refused = await broker.metric('signet_handshakes_refused_total{reason="bad_signature"}');
  assert.ok(refused >= kFlood, `${refused} of ${kFlood}`);
  assert.ok((await linesOf(broker)).join('\n').length < kMostBytes);
  await broker.restart(); // what is only counted so far is written at the end

  const lines = (await linesOf(broker)).slice(before);
  const added = lines.join('\n').length;
  const counted = (await entriesOf(broker, before))
    .filter(({ event, code }) => (event === 'refused' && code === 'bad_signature') ||
                                 (event === 'suppressed' && code === 'refused.bad_signature'))
    .reduce((sum, { count }) => sum + (count ?? 1), 0);
  t.diagnostic(`${refused} refusals, ${lines.length} entries, ${added} bytes`);
  assert.equal(counted, refused);
  assert.ok(added < kMostBytes, `${added} bytes`);
  assert.equal(await broker.metric('signet_audit_dropped_total'), 0);
});
