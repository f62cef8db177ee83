// Root can force a core out of any process. The daemon's holds no anonymous memory at all (core(5),
// coredump_filter). Should somebody set that filter back, a core still holds neither the operator's
// token, nor the webhook's secret, nor the key of tokens, nor a token that was shown, nor the two
// secrets of Hub, nor the keys of the overlay, the log and the relay. Only the filter stands for the
// secrets of PulseMesh, which lie in the store as they are and so in its cache, and for the key that
// Hub makes for each user and tells it, which lies in what was written to the user.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { canBeRead, timesInCore } from './core.mjs';
import { startBroker, temporaryFolder } from './harness.mjs';
import { action, envelope, serveHub } from './hub_client.mjs';
import { connect, handshake, knock, topicPath } from './pulse_client.mjs';
import { connectByToken, kIssuer, kTopic, newTokenKey, token, writeKeys } from './token_maker.mjs';

const canary = () => randomBytes(24).toString('base64url');

async function startWithSecrets(t) {
  const folder = temporaryFolder();
  const put = (name, text) => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const key = newTokenKey('HS256', 'canary');
  writeKeys(join(folder, 'keys.json'), [key]);
  const secrets = { admin: canary(), webhook: canary(), key: key.jwk.k, actions: canary(), engines: canary(),
                    overlay: randomBytes(32).toString('hex') };
  const shared = canary();
  const config = put('signet.toml', `
[server]
listen = ["127.0.0.1:0"]
[admin]
token_file = "${put('admin', `${secrets.admin}\n`)}"
[alerts]
webhook = "http://127.0.0.1:9/hook"
webhook_secret_file = "${put('webhook', secrets.webhook)}"
[tokens]
keys = "${join(folder, 'keys.json')}"
issuer = "${kIssuer}"
[hub]
action_secret_file = "${put('actions', secrets.actions)}"
engine_secret_file = "${put('engines', secrets.engines)}"
[overlay]
key_file = "${put('overlay', secrets.overlay)}"
[policy]
file = "${put('policy.toml', '[[rule]]\nid = "all"\nallow = ["connect", "subscribe", "publish", "read_history"]\n')}"
[[mesh]]
slug = "lab"
`);
  const broker = await startBroker(t, { command: ['run', '--config', config], data: join(folder, 'data'),
                                        set: { 'server.log_level': 'debug', 'alerts.every': '100ms' },
                                        env: { SIGNET_PULSEMESH_SECRET: shared } });
  broker.operator_token = secrets.admin;
  for (const name of ['audit.key', 'audit.names.key', 'relay.key']) {
    secrets[name] = readFileSync(join(folder, 'data', name), 'utf8').trim();
  }
  serveHub(t, broker);
  return { broker, key, secrets, shared };
}

test('no secret that is in use is in a core, a log line or a figure', async (t) => {
  if (!canBeRead) return t.skip('only root reads the memory of a process that may not be dumped');
  const { broker, key, secrets, shared } = await startWithSecrets(t);
  const proc = (name) => readFileSync(`/proc/${broker.pid}/${name}`, 'utf8');
  assert.match(proc('coredump_filter'), /^0+\n$/);
  assert.match(proc('limits'), /Max core file size +0 +0 /);
  assert.ok(!proc('environ').includes(shared), 'it is wiped there');
  const needles = Object.fromEntries(Object.entries(secrets).map(([what, text]) => [what, Buffer.from(text)]));
  needles['key as bytes'] = Buffer.from(secrets.key, 'base64url');
  for (const what of ['overlay', 'audit.key', 'relay.key']) {
    needles[`${what} as bytes`] = Buffer.from(secrets[what], 'hex');
  }
  const none = (when) => assert.deepEqual(
    timesInCore(broker.pid, needles), Object.fromEntries(Object.keys(needles).map((what) => [what, 0])), when);
  none('before anybody came');

  // Each is used, and tried in vain.
  const peer = await connect(broker, kTopic, 'old-1', { secret: shared, form: 'hmac' });
  peer.say({ said: 'a pulse' });
  const stranger = await knock(broker, topicPath(kTopic));
  stranger.say(handshake('old-2', { secret: 'another secret altogether', form: 'hmac' }));
  await stranger.closed;
  const shown = token(key, 'mirror');
  needles.token = Buffer.from(shown);
  needles['signature of the token'] = Buffer.from(shown.split('.')[2]);
  const mirror = await connectByToken(broker, 'mirror', shown);
  const user = await broker.user('mirror', { token: shown });
  await user.act('click', 1, { secret: user.context.actionKey });
  user.say('action', action('click', 1, { secret: secrets.actions }));
  assert.equal((await user.next('action_error')).error, 'invalid_signature', 'which is nobody\'s own');
  const polling = await broker.user('mirror', { token: shown, transports: ['polling'] });
  const ofEngine = token(key, undefined, { role: 'engine', engineId: 'forge' });
  needles['token of an engine'] = Buffer.from(ofEngine);
  const engine = await broker.engine('forge', { token: ofEngine });
  await engine.ask('job_ack', envelope({ jobId: 'none' }, { secret: secrets.engines }), 'ack_received');
  const answers = [(await broker.operator('GET', '/meshes')).text];
  assert.match(answers[0], /"lab"/, 'the operator token is good');
  const headers = { authorization: `Bearer ${shown}` };
  for (const path of ['/api/mesh/topics', '/health']) {
    answers.push((await broker.request('GET', path, { headers })).text);
  }
  for (const path of ['/metrics', '/api/signet/v1/decisions', '/api/signet/v1/audit/entries']) {
    answers.push((await broker.ask('GET', path, { headers: { authorization: `Bearer ${secrets.admin}` } })).text);
  }
  broker.process.kill('SIGHUP');
  await broker.logged('policy.reloaded');
  none('while it is in use');
  for (const each of [user, polling, engine]) each.leave();
  await mirror.leave();
  await peer.leave();
  await broker.operator('GET', '/meshes');
  none('after it was used');

  const there = Buffer.from('server.listening'); // and the search would find what is there
  assert.ok(timesInCore(broker.pid, { there }).there > 0);
  const told = [...broker.log, ...answers].join('\n');
  for (const needle of [...Object.values(needles), shared]) assert.ok(!told.includes(needle));
});
