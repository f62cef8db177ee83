// Hub outside of dev mode: secrets in files, tokens of the operator's own key, no published secret,
// no token for whoever asks. And dev mode, where there are.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { cleanEnvironment, signetd, startBroker, temporaryFolder } from './harness.mjs';
import { signet } from './cli.mjs';
import { action, envelope, HubSocket, newNonce, startHub } from './hub_client.mjs';
import { io } from 'socket.io-client';

const kActions = 'the heron waits at the third lock';
const kEngines = 'an otter sleeps below the second weir';
const kPublished = ['microbridge_jwt_secret_dev_12345', 'JWT_SECRET_123456789', 'HMAC_SECRET_987654321',
                    'engine_shared_secret_mno345', 'ENGINE_SHARED_SECRET_123'];

function writeSecret(folder, name, text) {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, 0o600);
  return path;
}

// A folder with a key for tokens, and the lines of a configuration that is good.
function makeSetup(t) {
  const folder = temporaryFolder();
  const cli = (...words) => execFileSync(signet, words, { env: cleanEnvironment(), encoding: 'utf8' });
  const key = join(folder, 'issuer.jwk');
  writeFileSync(join(folder, 'keys.json'), cli('token', 'key', 'new', '--out', key));
  const issue = (...words) =>
    cli('token', 'issue', '--key', key, '--issuer', 'ops', '--audience', 'lab', ...words).trim();
  const lines = ['[server]', 'listen = ["127.0.0.1:0"]', '[admin]', 'listen = "none"', '[store]', 'reserve_bytes = 0',
                 '[tokens]', `keys = "${join(folder, 'keys.json')}"`, 'issuer = "ops"', '[hub]',
                 `action_secret_file = "${writeSecret(folder, 'actions', kActions)}"`,
                 `engine_secret_file = "${writeSecret(folder, 'engines', kEngines)}"`,
                 '[[mesh]]', 'slug = "lab"'];
  const write = (change = (text) => text, name = 'signet.toml') => {
    writeFileSync(join(folder, name), change(lines.join('\n')));
    return join(folder, name);
  };
  return { folder, file: write(), write, issue };
}

function enter(t, broker, namespace, token) {
  const socket = io(broker.http + namespace, { auth: { token }, transports: ['websocket'], forceNew: true,
                                               reconnection: false });
  t.after(() => socket.disconnect());
  const hub = new HubSocket(socket);
  return new Promise((done, failed) => {
    socket.on('connect', () => done(hub));
    socket.on('connect_error', failed);
    socket.on('disconnect', (reason) => failed(new Error(reason)));
  });
}

test('users and engines come by tokens of the operator, and nobody gets one for the asking', async (t) => {
  const { file, folder, issue } = makeSetup(t);
  const broker = await startBroker(t, { command: ['run', '--config', file], data: join(folder, 'data') });
  for (const [method, path] of [['POST', '/auth/token'], ['GET', '/auth/engine-token']]) {
    const answer = await broker.ask(method, path, { body: method === 'POST' ? '{"userId":"alice"}' : undefined });
    assert.equal(answer.status, 404, path);
  }
  const user = await enter(t, broker, '/', issue('--subject', 'alice', '--role', 'user'));
  const { userId, role, actionKey } = await user.next('auth_context');
  assert.deepEqual([userId, role], ['alice', 'user']);
  user.say('action', action('click', null, { secret: kActions }));
  assert.equal((await user.next('action_error')).error, 'invalid_signature', 'the secret of all is nobody\'s');
  user.say('action', action('click', null, { secret: actionKey }));
  assert.equal((await user.next('action_update')).type, 'click');

  const engine = await enter(t, broker, '/engine', issue('--subject', 'forge-1', '--engine'));
  assert.equal((await engine.ask('engine_ready', {}, 'ready_ack')).status, 'acknowledged');
  const said = envelope({ jobId: 'none', status: 'ok' }, { secret: kEngines, nonce: newNonce() });
  assert.equal((await engine.ask('job_ack', said, 'ack_received')).jobId, 'none');
  await assert.rejects(enter(t, broker, '/', issue('--subject', 'forge-1', '--engine')));
  await assert.rejects(enter(t, broker, '/engine', issue('--subject', 'alice', '--role', 'engine')));
});

test('it does not start with a published secret, and does not say it', async (t) => {
  const { folder, write } = makeSetup(t);
  const places = [
    (text, name) => text.replace(/action_secret_file = .*/, `action_secret_file = ${name}`),
    (text, name) => text.replace(/engine_secret_file = .*/, `engine_secret_file = ${name}`),
    (text, name) => text.replace(/keys = .*/, `secret_file = ${name}`),
  ];
  await Promise.all(places.map(async (change, i) => {
    const secret = kPublished[i + 1];
    const file = write((text) => change(text, `"${writeSecret(folder, `published${i}`, secret)}"`), `${i}.toml`);
    const daemon = spawn(signetd, ['run', '--config', file, '--data', join(folder, `data${i}`)],
                         { env: cleanEnvironment() });
    t.after(() => daemon.kill('SIGKILL'));
    let said = '';
    daemon.stderr.on('data', (bytes) => { said += bytes; });
    const [code] = await once(daemon, 'close');
    assert.notEqual(code, 0, said);
    assert.match(said, /everybody can look this one up/);
    assert.ok(!said.includes(secret), said);
  }));
});

test('dev mode hands out tokens to programs and listed pages, also without any setting', async (t) => {
  const broker = await startBroker(t);
  const origin = 'http://localhost:5173';
  const post = (body, headers = {}) => broker.ask('POST', '/auth/token', { body: JSON.stringify(body), headers });
  const answer = await post({ userId: 'alice' }, { origin });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['access-control-allow-origin'], origin);
  assert.equal(answer.headers['access-control-allow-credentials'], 'true');
  assert.equal((await post({ userId: 'alice' }, { origin: 'https://evil.example' })).status, 403);
  const foreign = await broker.ask('GET', '/auth/engine-token', { headers: { origin: 'https://evil.example' } });
  assert.equal(foreign.status, 403);
  assert.equal((await post({})).status, 400);

  const user = await enter(t, broker, '/', answer.json().token);
  assert.equal((await user.next('auth_context')).userId, 'alice');
  const { token } = (await broker.ask('GET', '/auth/engine-token')).json();
  const engine = await enter(t, broker, '/engine', token);
  assert.equal((await engine.ask('engine_ready', {}, 'ready_ack')).status, 'acknowledged');
});

test('dev mode takes the published secrets by the variables of the original', async (t) => {
  const hub = await startHub(t, { env: { SIGNET_JWT_SECRET: kPublished[1], SIGNET_HMAC_SECRET: kPublished[2],
                                         SIGNET_ENGINE_SECRET: kPublished[4] } });
  const { token } = (await hub.ask('POST', '/auth/token', { body: '{"userId":"alice"}' })).json();
  const user = await hub.user('alice', { token });
  const update = await user.act('click', null, { secret: kPublished[2] });
  assert.equal(update.userId, 'alice');
});
