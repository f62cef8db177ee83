// On its Unix socket the daemon serves its own user and root, without a token, and no peer.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { join } from 'node:path';
import test from 'node:test';
import WebSocket from 'ws';
import { eventually, startBroker, temporaryFolder } from './harness.mjs';

function ask(socketPath, method, path, { body, headers = {} } = {}) {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const length = text === undefined ? {} : { 'content-length': Buffer.byteLength(text) };
  return new Promise((resolve, reject) => {
    const options = { socketPath, method, path, agent: false, headers: { ...length, ...headers } };
    const asked = http.request(options, async (answer) => {
      let received = '';
      for await (const part of answer) received += part;
      resolve({ status: answer.statusCode, text: received, json: () => JSON.parse(received) });
    });
    asked.on('error', reject);
    asked.end(text);
  });
}

test('it needs no token there, is for its owner alone, and the log says who did what', async (t) => {
  const broker = await startBroker(t);
  assert.equal(broker.socket, join(broker.data, 'signet.sock'));
  const file = lstatSync(broker.socket);
  assert.ok(file.isSocket());
  assert.equal(file.mode & 0o777, 0o600);
  const member = await broker.join('someone');
  const api = (method, path, body) => ask(broker.socket, method, `/api/signet/v1${path}`, { body });
  assert.equal((await api('GET', '/meshes')).json().meshes[0].slug, 'demo');
  const set = await api('POST', `/meshes/demo/members/${member.pubkey}/standing`, { standing: 'revoked' });
  assert.equal(set.status, 200);
  assert.equal((await broker.logged('standing.set')).by, `unix:${process.getuid()}`);
  for (const path of ['/health', '/livez', '/readyz', '/metrics']) {
    assert.equal((await ask(broker.socket, 'GET', path)).status, 200, path);
  }
});

test('no peer is served there', async (t) => {
  const broker = await startBroker(t);
  for (const [method, path] of [['GET', '/ws'], ['POST', '/join'], ['POST', '/hook/set-status']]) {
    const body = method === 'GET' ? undefined : {};
    assert.equal((await ask(broker.socket, method, path, { body })).status, 404, path);
  }
  const socket = new WebSocket(`ws+unix://${broker.socket}:/ws`);
  const refused = await new Promise((resolve) => {
    socket.on('unexpected-response', (_, answer) => resolve(answer.statusCode));
    socket.on('open', () => resolve('open'));
    socket.on('error', () => {});
  });
  assert.equal(refused, 404);
});

test('nothing that is said over TCP makes a peer local', async (t) => {
  const broker = await startBroker(t);
  const claims = ['x-forwarded-for: unix:0', 'forwarded: for="unix:0"', 'host: unix:0', 'x-real-ip: ::',
                  'authorization: unix:0', 'host: localhost'];
  for (const claim of claims) {
    const [name, value] = claim.split(/: (.*)/);
    const answer = await broker.request('GET', '/api/signet/v1/meshes', { headers: { [name]: value } });
    assert.ok([401, 403].includes(answer.status), claim);
  }
});

test('limits per address and of the process do not hold there', async (t) => {
  const broker = await startBroker(t, { set: { 'limits.requests_per_second_address': 1, 'limits.requests_burst_address': 1, 'net.max_connections': 1,
                                               'net.max_local_connections': 2 } });
  const taken = net.connect(Number(broker.listen.split(':')[1]), '127.0.0.1');
  await eventually('it is in', async () => (await ask(broker.socket, 'GET', '/metrics')).text.includes('signet_connections 2'));
  for (let i = 0; i < 20; ++i) assert.equal((await ask(broker.socket, 'GET', '/health')).status, 200);
  const idle = [net.connect(broker.socket), net.connect(broker.socket)];
  for (const each of idle) each.on('error', () => {});
  await eventually('it has its own limit', async () =>
    ask(broker.socket, 'GET', '/health').then(() => false, () => true));
  for (const each of [taken, ...idle]) each.destroy();
  await eventually('there is room', async () =>
    ask(broker.socket, 'GET', '/health').then(() => true, () => false));
});

test('a killed daemon leaves a socket that the next one replaces; a stopped one leaves none', async (t) => {
  const broker = await startBroker(t);
  await broker.kill();
  assert.ok(existsSync(broker.socket));
  await broker.start();
  assert.equal((await ask(broker.socket, 'GET', '/health')).status, 200);
  await broker.stop();
  assert.ok(!existsSync(broker.socket));
});

test('what is in the way, too long or off is said and touched by nobody', async (t) => {
  const folder = temporaryFolder();
  const data = join(folder, 'data');
  const flags = (socket) => ['dev', '--data', data, '--listen', '127.0.0.1:0', '--set', `admin.socket=${socket}`];
  const fails = (socket) => {
    try {
      execFileSync(process.env.SIGNETD, flags(socket), { stdio: 'pipe', timeout: 20_000 });
    } catch (error) { return error.stderr.toString(); }
    return assert.fail('it started');
  };
  const precious = join(folder, 'precious');
  writeFileSync(precious, 'kept');
  assert.match(fails(precious), /can't start: the socket .*precious can't be made: a file that is no socket is there/);
  assert.equal(readFileSync(precious, 'utf8'), 'kept');
  assert.match(fails(`/tmp/${'a'.repeat(103)}`), /has a path of 108 bytes; the system takes 107/);
  assert.match(fails(join(folder, 'none', 'x')), /can't be made: No such file or directory/);
  mkdirSync(join(folder, 'sockets'));
  const broker = await startBroker(t, { set: { 'admin.socket': join(folder, 'sockets', 'named') } });
  assert.equal((await ask(join(folder, 'sockets', 'named'), 'GET', '/health')).status, 200);
  assert.match(fails(join(folder, 'sockets', 'named')), /is in use by another process/);
  assert.equal((await ask(broker.socket, 'GET', '/health')).status, 200);
  const without = await startBroker(t, { set: { 'admin.socket': '' } });
  assert.equal(without.ready.socket, undefined);
  assert.ok(!existsSync(join(without.data, 'signet.sock')));
});
