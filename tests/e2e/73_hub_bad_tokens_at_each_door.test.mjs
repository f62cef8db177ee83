// Tokens that must not be taken, at each door of Hub that takes tokens: CONNECT of a user on both
// transports, CONNECT of an engine, and the refresh. Each is refused by its rule, is counted, and
// leaves the good ones good.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { startBroker, temporaryFolder } from './harness.mjs';
import { kActionSecret, kEngineSecret, serveHub } from './hub_client.mjs';
import { kIssuer, newTokenKey, showBadTokens, token, writeKeys } from './token_maker.mjs';

const keys = { rs: newTokenKey('RS256'), ed: newTokenKey('EdDSA'), es: newTokenKey('ES256') };
const good = Object.values(keys);
const wordOf = (rule) => (/_claim$/.test(rule) ? 'INVALID_TOKEN_PAYLOAD' : 'INVALID_TOKEN');
const ofEngines = { sub: 'engineId', also: { role: 'engine' } };

// As an operator sets it up: dev mode takes engines without an issuer. No rate stops who tries.
async function startTokenHub(t) {
  const folder = temporaryFolder();
  const put = (name, text) => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  writeKeys(join(folder, 'keys.json'), good);
  const file = put('signet.toml', `
[server]
listen = ["127.0.0.1:0"]
[tokens]
keys = "${join(folder, 'keys.json')}"
issuer = "${kIssuer}"
[hub]
action_secret_file = "${put('actions', kActionSecret)}"
engine_secret_file = "${put('engines', kEngineSecret)}"
[limits]
penalty_failures = 0
requests_per_second_address = 0
hellos_per_second_address = 0
hellos_per_second_member = 0
[[mesh]]
slug = "lab"
`);
  return serveHub(t, await startBroker(t, { command: ['run', '--config', file], data: join(folder, 'data') }));
}

for (const transport of ['websocket', 'polling']) {
  test(`a user by ${transport}: CONNECT is refused with one word`, async (t) => {
    const hub = await startTokenHub(t);
    await showBadTokens(t, hub, keys, (bad, rule, what) => assert.rejects(
      hub.enter('/', { token: bad }, { transports: [transport] }), { message: wordOf(rule) }, what));
    for (const key of good) {
      const user = await hub.user('mirror', { token: token(key, 'mirror'), transports: [transport] });
      await user.act('click', key.alg, { secret: user.context.actionKey });
    }
  });
}

test('an engine: it is disconnected', async (t) => {
  const hub = await startTokenHub(t);
  await showBadTokens(t, hub, keys, (bad, rule, what) => assert.rejects(
    hub.enter('/engine', { token: bad }), { message: 'io server disconnect' }, what), ofEngines);
  for (const key of good) {
    await hub.engine('forge', { token: token(key, undefined, { engineId: 'forge', role: 'engine' }) });
  }
});

test('a refresh: the rule is told, and the token before it still counts', async (t) => {
  const hub = await startTokenHub(t);
  const user = await hub.user('mirror', { token: token(keys.ed, 'mirror') });
  await showBadTokens(t, hub, keys, async (bad, rule, what) => {
    assert.deepEqual(await user.ask('token_refresh', { token: bad }, 'token_error'), { error: rule }, what);
  });
  await user.act('click', 'still here', { secret: user.context.actionKey });
  for (const key of good) {
    assert.ok((await user.ask('token_refresh', { token: token(key, 'mirror') }, 'token_ok')).exp);
  }
});

test('a refresh of an engine: likewise', async (t) => {
  const hub = await startTokenHub(t);
  const ofForge = (key) => token(key, undefined, { engineId: 'forge', role: 'engine' });
  const engine = await hub.engine('forge', { token: ofForge(keys.ed) });
  await showBadTokens(t, hub, keys, async (bad, rule, what) => {
    assert.deepEqual(await engine.ask('token_refresh', { token: bad }, 'token_error'), { error: rule }, what);
  }, ofEngines);
  for (const key of good) {
    assert.ok((await engine.ask('token_refresh', { token: ofForge(key) }, 'token_ok')).exp);
  }
});
