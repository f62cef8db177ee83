// A default install listens where it says and nowhere else: peers at one door, operators at another,
// and neither serves what is the other's. Beyond loopback nothing is served that nobody allowed.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import test from 'node:test';
import WebSocket from 'ws';
import { cleanEnvironment, request, signetd, startBroker, temporaryFolder } from './harness.mjs';

const kToken = 'operator-token-of-this-test-0123456789';
const kApi = '/api/signet/v1/meshes';
const bearer = { authorization: `Bearer ${kToken}` };

function configIn(folder, more = '') {
  const file = join(folder, 'signet.toml');
  writeFileSync(file, `[server]\nlisten = ["127.0.0.1:0"]\n[[mesh]]\nslug = "team"\n${more}`);
  return file;
}
function runBroker(t, set = {}, more) {
  const folder = temporaryFolder();
  return startBroker(t, { command: ['run', '--config', configIn(folder, more)], data: join(folder, 'data'),
                          env: { SIGNET_ADMIN_TOKEN: kToken }, set });
}

// The TCP addresses that a process listens at: "127.0.0.1:80", "00000000:80" for what is no IPv4.
function listeningAt(pid) {
  const sockets = new Set(readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try { return [/^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1]]; } catch { return []; }
  }));
  return ['tcp', 'tcp6'].flatMap((family) => readFileSync(`/proc/${pid}/net/${family}`, 'utf8').split('\n')
    .slice(1).map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === '0A' && sockets.has(fields[9]))
    .map(([, local]) => {
      const [host, port] = local.split(':');
      const address = host.length === 8 ? Buffer.from(host, 'hex').reverse().join('.') : host;
      return `${address}:${parseInt(port, 16)}`;
    }));
}

const upgrade = (base) => new Promise((resolve) => {
  const socket = new WebSocket(`${base.replace(/^http/, 'ws')}/ws`);
  socket.on('open', () => { socket.terminate(); resolve(101); });
  socket.on('unexpected-response', (_, answer) => { answer.resume(); resolve(answer.statusCode); });
  socket.on('error', () => {});
});

test('by default it listens at two addresses of loopback', async (t) => {
  const shown = spawnSync(signetd, ['config', 'show'], { env: cleanEnvironment(), encoding: 'utf8' });
  assert.match(shown.stdout, /^\[server\][^[]*^listen = \["127\.0\.0\.1:8088"\]/m);
  assert.match(shown.stdout, /^\[admin\][^[]*^listen = "127\.0\.0\.1:8089"/m);
  const broker = await runBroker(t);
  const expected = [broker.http, broker.operators].map((base) => new URL(base).host).sort();
  let found;
  try { found = listeningAt(broker.pid).sort(); } catch (error) {
    return t.skip(`only root may look: ${error.code}`); // the daemon hides its descriptors
  }
  assert.deepEqual(found, expected);
});

// method, path, at the public door, at the operator's
const kServed = [
  ['GET', '/livez', 200, 200], ['GET', '/health', 200, 200], ['GET', '/readyz', 200, 200],
  ['GET', '/metrics', 404, 200], ['HEAD', '/metrics', 404, 200], ['POST', '/metrics', 404, 405],
  ['GET', kApi, 404, 200], ['POST', kApi, 404, 400], ['OPTIONS', kApi, 204, 404], ['GET', '/api/signet/v1/x', 404, 404],
  ['POST', '/join', 400, 404], ['OPTIONS', '/join', 204, 404], ['POST', '/hook/set-status', 200, 404],
  ['GET', '/', 200, 404], ['GET', '/api/mesh/topics', 200, 404], ['GET', '/nothing', 404, 404],
];

test('each door serves its own', async (t) => {
  const broker = await runBroker(t);
  for (const [method, path, here, there] of kServed) {
    for (const [base, status] of [[broker.http, here], [broker.operators, there]]) {
      const answer = await request(base, method, path, { headers: bearer, body: method === 'POST' ? '{}' : undefined });
      assert.equal(answer.status, status, `${method} ${base === broker.http ? 'public' : 'operators'} ${path}: ${answer.text}`);
    }
  }
  assert.equal(await upgrade(broker.http), 101);
  assert.equal(await upgrade(broker.operators), 404);
  assert.equal((await request(broker.operators, 'GET', kApi)).status, 401, 'the token is needed there, too');
  assert.equal((await request(broker.operators, 'GET', kApi, { headers: { authorization: 'Bearer x' } })).status, 403);
});

test('no page and no rebound name comes to the operators', async (t) => {
  const broker = await runBroker(t, { 'server.origins': 'loopback', 'server.hosts': 'broker.internal' });
  const { port } = new URL(broker.operators);
  const ask = async (headers) => (await request(broker.operators, 'GET', '/metrics', { headers })).status;
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`, 'broker.internal', 'broker.internal:1']) {
    assert.equal(await ask({ host }), 200, host);
  }
  for (const host of [`evil.example:${port}`, 'localhost.evil.example', '127.0.0.1.evil.example', 'evil.localhost', '0.0.0.0']) {
    assert.equal(await ask({ host }), 403, host);
  }
  for (const origin of ['https://evil.example', 'null', 'http://localhost', broker.operators]) {
    assert.equal(await ask({ origin }), 403, origin);
  }
});

test('admin.listen = none leaves the Unix socket', async (t) => {
  const broker = await runBroker(t, { 'admin.listen': 'none' });
  for (const path of ['/metrics', kApi]) {
    assert.equal((await broker.request('GET', path, { headers: bearer })).status, 404, path);
  }
  const { path: socketPath } = await broker.logged('server.socket');
  const [answer] = await once(http.get({ socketPath, path: kApi, agent: false }), 'response');
  assert.equal(JSON.parse(await text(answer)).meshes.length, 1);
  assert.ok(!broker.log.some((line) => line.includes('server.operators')));
});

test('in dev mode all is on one port, unless there is an operator\'s', async (t) => {
  const one = await startBroker(t);
  for (const [path, status] of [['/metrics', 200], [kApi, 401]]) {
    assert.equal((await one.request('GET', path)).status, status, path);
  }
  const two = await startBroker(t, { set: { 'admin.listen': '127.0.0.1:0' } });
  for (const path of ['/metrics', kApi]) {
    assert.equal((await two.request('GET', path)).status, 404, path);
    assert.notEqual((await two.ask('GET', path)).status, 404, path);
  }
});

// settings, what the sentence names; an empty list of words: it starts
const kBeyond = [
  [['run'], {}, ['server.listen', 'server.allow_plain', 'tls.certificate']],
  [['run'], { 'server.allow_plain': true, 'claudemesh.legacy_join': true }, ['claudemesh.legacy_join', 'server.allow_open']],
  [['run'], { 'server.allow_plain': true, 'simpatico.open': true }, ['simpatico.open', 'server.allow_open']],
  [['dev'], { 'server.allow_plain': true }, ['dev mode', 'server.allow_open']],
  [['dev'], {}, ['dev mode', 'server.allow_open', 'server.allow_plain']],
];
const kAnywhere = ['0.0.0.0:0', '[::]:0', '192.0.2.1:0'];

test('beyond loopback it starts only where somebody said so', async (t) => {
  const folder = temporaryFolder();
  const start = (command, set) => spawnSync(
    signetd, [...command, '--data', join(folder, 'data'),
              ...Object.entries({ 'admin.listen': 'none', ...set }).flatMap(([key, value]) => ['--set', `${key}=${value}`])],
    { env: cleanEnvironment(), encoding: 'utf8', timeout: 20_000 });
  for (const [command, set, words] of kBeyond) {
    for (const address of kAnywhere) {
      const { status, stderr } = start(command, { ...set, 'server.listen': address });
      assert.equal(status, 1, `${command} ${JSON.stringify(set)} ${address}: ${stderr}`);
      const said = stderr.trim().split('\n');
      assert.equal(said.length, 1, stderr);
      for (const word of words) assert.ok(said[0].includes(word), `${word} in ${said[0]}`);
    }
  }
  for (const address of kAnywhere) {
    const { status, stderr } = start(['run'], { 'server.listen': '127.0.0.1:0', 'admin.listen': address });
    assert.equal(status, 1, stderr);
    assert.match(stderr, /admin\.listen/);
  }
  const checked = start(['config', 'check'], { 'server.listen': '0.0.0.0:0' });
  assert.equal(checked.status, 1);
  assert.match(checked.stderr, /server\.allow_plain/);
});
