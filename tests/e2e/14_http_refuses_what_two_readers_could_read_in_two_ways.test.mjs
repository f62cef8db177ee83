// Heads that smuggle, flood or trickle are refused and closed; the broker goes on.
import assert from 'node:assert/strict';
import net from 'node:net';
import test from 'node:test';
import { closeOf, startBroker } from './harness.mjs';

// What comes back until the server closes.
async function exchange(broker, text) {
  const { hostname, port } = new URL(broker.http);
  const socket = net.connect(Number(port), hostname);
  socket.on('error', () => {});
  let received = '';
  socket.on('data', (bytes) => { received += bytes; });
  socket.write(text, 'latin1');
  await closeOf(socket);
  return received;
}
const head = (lines, first = 'GET /health HTTP/1.1') =>
  [first, 'Host: localhost', 'Connection: close', ...lines, '', ''].join('\r\n');
const post = (lines) => head(lines, 'POST /join HTTP/1.1');
const smuggled = 'GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n';

const kRows = [
  ['two lengths', 400, post(['Content-Length: 2', 'Content-Length: 50']) + '{}' + smuggled],
  ['the same length twice', 400, post(['Content-Length: 2', 'Content-Length: 2']) + '{}'],
  ['a list of lengths', 400, post(['Content-Length: 2, 2']) + '{}'],
  ['a signed length', 400, post(['Content-Length: +2']) + '{}'],
  ['length and chunks', 501, post(['Content-Length: 2', 'Transfer-Encoding: chunked']) + '0\r\n\r\n' + smuggled],
  ['chunks', 501, post(['Transfer-Encoding: chunked']) + '0\r\n\r\n' + smuggled],
  ['chunks in disguise', 501, post(['Transfer-Encoding: xchunked']) + smuggled],
  ['a space before the colon', 400, head(['X : y'])],
  ['a folded line', 400, head(['X: y', ' z'])],
  ['a bare line feed', 400, 'GET /health HTTP/1.1\nHost: localhost\n\n'],
  ['a bare carriage return', 400, head(['X: a\rb'])],
  ['NUL in a value', 400, head(['X: a\0b'])],
  ['two hosts', 400, head(['Host: evil'])],
  ['no host', 400, 'GET /health HTTP/1.1\r\nConnection: close\r\n\r\n'],
  ['an absolute target', 400, head([], 'GET http://evil/health HTTP/1.1')],
  ['a body of a GET', 400, head(['Content-Length: 5']) + 'GET /'],
  ['another protocol', 505, head([], 'GET /health HTTP/2.0')],
  ['no HTTP', 400, '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n'],
  ['an unknown method', 501, head([], 'BREW /health HTTP/1.1')],
  ['a header flood', 431, head(Array.from({ length: 101 }, (_, i) => `X-${i}: 1`))],
  ['a head over 16 KiB', 431, head([`X: ${'y'.repeat(17_000)}`])],
  ['a target over 2 KiB', 414, head([], `GET /${'y'.repeat(2_100)} HTTP/1.1`)],
  ['a body over the limit, announced only', 413, post(['Content-Length: 999999999'])],
];

test('each is refused with its status, and nothing after it is read', async (t) => {
  const broker = await startBroker(t);
  for (const [what, status, text] of kRows) {
    const answer = await exchange(broker, text);
    assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `), what);
    assert.equal(answer.match(/HTTP\/1\.1 \d/g).length, 1, `${what}: a second answer`);
  }
  assert.equal((await broker.request('GET', '/health')).status, 200);
});

test('a head that trickles in is 408', async (t) => {
  const broker = await startBroker(t, { set: { 'net.head_timeout': '300ms' } });
  assert.match(await exchange(broker, 'GET /health HTTP/1.1\r\nHost: loc'), /^HTTP\/1\.1 408 /);
  assert.match(await exchange(broker, post(['Content-Length: 9']) + '{'), /^HTTP\/1\.1 408 /);
});
