// A browser sends any page's WebSocket anywhere and says in Origin whose it is: only pages that are
// listed connect. Who sends no Origin is no page.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import test from 'node:test';
import { text } from 'node:stream/consumers';
import WebSocket from 'ws';
import { eventually, startBroker, temporaryFolder } from './harness.mjs';
import { knock as askHub, kPolling, kSocket, RawHub, RawPolls, startHub, userToken } from './hub_client.mjs';

// The status of an upgrade: 101 where it is granted.
const knock = (broker, origin) => new Promise((resolve) => {
  const headers = origin === undefined ? {} : { origin };
  const socket = new WebSocket(broker.ws, { headers });
  socket.on('open', () => { socket.terminate(); resolve(101); });
  socket.on('unexpected-response', (_, answer) => {
    answer.resume();
    answer.on('end', () => resolve(answer.statusCode));
  });
  socket.on('error', () => {});
});

const kForeign = ['https://evil.example', 'null', '', 'http://127.0.0.1.evil.example', 'http://localhost.evil.example',
  'http://evil-localhost', 'http://evil.localhost', 'http://localhost.', 'http://LOCALHOST', 'HTTP://localhost',
  'http://127.0.0.1@evil.example', 'http://127.0.0.1:0', 'http://127.0.0.1:80', 'http://127.0.0.1:', 'http://127.1',
  'http://2130706433', 'http://0x7f000001', 'http://0.0.0.0:3000', 'http://[::]', 'http://[::ffff:7f00:1]',
  'http://[0:0:0:0:0:0:0:1]', 'ws://localhost', 'file://', 'localhost', '*', 'http://xn--lcalhost-9db.example',
  'http://localhost/', 'http://localhost, http://evil.example', 'http://localhost http://evil.example',
  'http://192.168.0.7:5173', `https://${'a'.repeat(6000)}.example`];
const kOwn = ['http://localhost', 'http://localhost:5173', 'https://localhost:8443', 'http://127.0.0.1:8080',
  'http://127.8.9.1', 'http://[::1]', 'https://[::1]:9443'];

test('dev mode takes pages of this machine and no others', async (t) => {
  const broker = await startBroker(t);
  assert.equal(await knock(broker), 101, 'no page');
  for (const origin of kOwn) assert.equal(await knock(broker, origin), 101, origin);
  for (const origin of kForeign) assert.equal(await knock(broker, origin), 403, origin.slice(0, 80));
  assert.equal(await broker.metric('signet_net_origins_refused_total'), kForeign.length);

  const line = await broker.logged('origin.refused');
  assert.ok(line.origin === kForeign[0] && line.peer.startsWith('127.0.0.1:'), JSON.stringify(line));
  for (const each of broker.log) assert.ok(!each.includes('a'.repeat(129)), each);
});

test('two Origin headers are refused', async (t) => {
  const broker = await startBroker(t);
  const { port } = new URL(broker.http);
  const socket = net.connect(Number(port), '127.0.0.1');
  socket.end(['GET /ws HTTP/1.1', 'Host: localhost', 'Upgrade: websocket', 'Connection: Upgrade',
    'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Origin: http://localhost', 'Origin: http://localhost', '', ''].join('\r\n'));
  assert.match(await text(socket), /^HTTP\/1\.1 400 /);
});

test('what every page may ask stays as it was, what is no page\'s is refused', async (t) => {
  const broker = await startBroker(t);
  const headers = { origin: 'https://evil.example' };
  const ask = async (method, path, body) => (await broker.request(method, path, { headers, body })).status;
  assert.equal(await ask('GET', '/health'), 200);
  assert.equal(await ask('OPTIONS', '/join'), 204);
  assert.equal(await ask('POST', '/join', '{}'), 400, 'its body proves it: protocol/claudemesh.md');
  assert.equal(await ask('POST', '/hook/set-status', '{}'), 403);
  assert.equal(await ask('POST', '/api/signet/v1/meshes', '{}'), 403);
  assert.equal((await broker.request('POST', '/api/signet/v1/meshes', { body: '{}' })).status, 401);
});

// Polling reads with GET what its page's reader is told, and /auth/ hands out tokens.
test('a foreign page has neither way of Socket.IO', async (t) => {
  const hub = await startHub(t);
  const from = (origin) => ({ headers: { origin } });
  const polls = await RawPolls.open(hub);
  for (const origin of ['https://evil.example', 'null', 'http://localhost.evil.example', 'http://localhost.']) {
    const page = from(origin);
    for (const method of ['GET', 'OPTIONS']) {
      assert.equal((await askHub(hub, method, kPolling, page)).status, 403, `${method} ${origin}`);
    }
    const opening = { ...page, body: `40${JSON.stringify({ token: userToken('ann') })}` };
    assert.equal((await askHub(hub, 'POST', polls.query, opening)).status, 403, origin);
    assert.equal((await polls.poll(page)).status, 403, 'what waits for the session is not read');
    for (const query of [kSocket, `${kSocket}&sid=${polls.sid}`]) {
      assert.equal((await RawHub.dial(hub, query, page)).refused?.status, 403, `${query} ${origin}`);
    }
    assert.equal((await hub.request('GET', '/auth/engine-token', page)).status, 403, origin);
  }
  assert.equal(await hub.metric('signet_net_origins_refused_total'), 4 * 7);
  assert.equal(await hub.metric('signet_hub_users'), 0);

  const own = from('http://localhost:5173');
  await polls.post(`40${JSON.stringify({ token: userToken('ann') })}`, own);
  await polls.until(/"auth_context"/);
  assert.equal((await askHub(hub, 'OPTIONS', kPolling, own)).status, 204);
  const socket = await RawHub.dial(hub, kSocket, own);
  assert.match(await socket.next(/^0/), /"sid"/);
  assert.equal((await hub.request('GET', '/auth/engine-token', own)).status, 200);
});

test('run takes no page until one is listed, and SIGHUP changes the list', async (t) => {
  const folder = temporaryFolder();
  const file = join(folder, 'signet.toml');
  const write = (origins) => writeFileSync(file,
    `[server]\nlisten = ["127.0.0.1:0"]\norigins = ${JSON.stringify(origins)}\n[[mesh]]\nslug = "team"\n`);
  write([]);
  const broker = await startBroker(t, { command: ['run', '--config', file], data: join(folder, 'data') });
  assert.equal(await knock(broker), 101, 'no page');
  for (const origin of ['http://localhost', 'https://app.example', broker.http]) {
    assert.equal(await knock(broker, origin), 403, origin);
  }

  const reload = async (origins, event) => {
    const from = broker.log.length;
    write(origins);
    broker.process.kill('SIGHUP');
    await broker.logged(event, from);
  };
  await reload(['https://app.example', 'https://other.example:8443'], 'policy.reloaded');
  await eventually('it may', async () => await knock(broker, 'https://app.example') === 101);
  assert.equal(await knock(broker, 'https://other.example:8443'), 101);
  for (const origin of ['https://app.example:8443', 'https://other.example', 'http://app.example',
                        'https://app.example.evil.example', 'https://app.example/', 'http://localhost']) {
    assert.equal(await knock(broker, origin), 403, origin);
  }
  await reload(['https://new.example', 'new.example'], 'config.kept_last_good');
  assert.equal(await knock(broker, 'https://app.example'), 101, 'the last good list');
  assert.equal(await knock(broker, 'https://new.example'), 403);
});
