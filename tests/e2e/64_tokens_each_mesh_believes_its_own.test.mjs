// `signetd run` with several meshes: a token of one is none for another, whether they believe keys of
// their own or the same ones; a mesh's own file is read again, too; who guesses has to wait.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { knock, topicPath } from './pulse_client.mjs';
import { endOf, kIssuer, newTokenKey, shows, token, writeKeys } from './token_maker.mjs';
import { cleanEnvironment, signetd, startBroker, temporaryFolder } from './harness.mjs';

const kToken = 'operator-token-of-this-test-0123456789';
// The topics of a mesh begin with its name.
const kBindings = '["pulsemesh/ws/mesh/lab.=lab", "pulsemesh/ws/mesh/plant.=plant"]';

async function run(t, folder, meshes, { tokens = '', set = {} } = {}) {
  const file = join(folder, 'signet.toml');
  writeFileSync(file, `[server]\nlisten = ["127.0.0.1:0"]\nbindings = ${kBindings}\n[tokens]\nissuer = "${kIssuer}"\n` +
    `${tokens}\n${meshes.map(([slug, more]) => `[[mesh]]\nslug = "${slug}"\n${more}\n`).join('')}`);
  const broker = await startBroker(t, {
    command: ['run', '--config', file], data: join(folder, 'data'), env: { SIGNET_ADMIN_TOKEN: kToken },
    set: { 'limits.penalty_failures': '0', 'tls.check_every': '200ms', ...set } });
  broker.operator_token = kToken;
  return broker;
}
// How a token does at the door of that mesh: 'handshake_ok', or the code and rule of its refusal.
async function shownAt(broker, slug, source, shown) {
  const peer = await knock(broker, topicPath(`${slug}.intent`));
  peer.say(shows(source, shown));
  const { type } = await Promise.race([peer.closed.then(() => ({ type: 'closed' })),
                                       peer.next('handshake_ok').catch(() => ({ type: 'closed' }))]);
  if (type === 'handshake_ok') return { peer, said: type };
  const { code, message } = await endOf(peer);
  return { said: `${code} ${/\((\w+):/.exec(message)?.[1] ?? ''}`.trim() };
}

test('keys, issuer and audience of its own', { timeout: 60_000 }, async (t) => {
  const folder = temporaryFolder();
  const [lab, plant] = [newTokenKey('EdDSA', 'one'), newTokenKey('EdDSA', 'one')];
  writeKeys(join(folder, 'lab.json'), [lab]);
  writeKeys(join(folder, 'plant.json'), [plant]);
  const broker = await run(t, folder, [
    ['lab', `token_keys = "${folder}/lab.json"\ntoken_audience = "the-lab"`],
    ['plant', `token_keys = "${folder}/plant.json"\ntoken_issuer = "another"`]]);
  const at = async (...args) => (await shownAt(broker, ...args)).said;
  assert.equal(await at('lab', 'mirror', token(lab, 'mirror', { aud: 'the-lab' })), 'handshake_ok');
  assert.equal(await at('lab', 'mirror', token(lab, 'mirror', { aud: 'lab' })), 'bad_token wrong_audience');
  assert.equal(await at('lab', 'mirror', token(lab, 'mirror', { iss: 'another' })), 'bad_token wrong_issuer');
  assert.equal(await at('plant', 'mirror', token(lab, 'mirror', { iss: 'another' })), 'bad_token bad_signature');
  assert.equal(await at('plant', 'mirror', token(plant, 'mirror', { iss: 'another' })), 'handshake_ok');
  assert.equal(await at('plant', 'mirror', token(plant, 'mirror')), 'bad_token wrong_issuer');

  const { peer } = await shownAt(broker, 'lab', 'mirror', token(lab, 'mirror'));
  const next = newTokenKey('ES256', 'two');
  const from = broker.log.length;
  writeKeys(join(folder, 'lab.json'), [next]);
  await broker.logged('tokens.reloaded', from);
  assert.equal((await endOf(peer)).code, 'bad_token');
  assert.equal(await at('lab', 'mirror', token(next, 'mirror')), 'handshake_ok');
});

test('where two believe the same keys, a token names the one that it is for', async (t) => {
  const folder = temporaryFolder();
  const key = newTokenKey('RS256');
  writeKeys(join(folder, 'keys.json'), [key]);
  const broker = await run(t, folder, [['lab', ''], ['plant', '']], { tokens: `keys = "${folder}/keys.json"` });
  const at = async (slug, claims) => (await shownAt(broker, slug, 'mirror', token(key, 'mirror', claims))).said;
  assert.equal(await at('lab', {}), 'bad_token missing_claim');
  assert.equal(await at('lab', { aud: 'lab' }), 'handshake_ok');
  assert.equal(await at('plant', { aud: 'lab' }), 'bad_token wrong_audience');
  assert.equal(await at('plant', { aud: ['lab', 'plant'] }), 'handshake_ok');

  // What was taken back in one of them was taken back there.
  const both = token(key, 'mirror', { aud: ['lab', 'plant'], jti: 'both' });
  assert.equal((await broker.operator('POST', '/meshes/lab/tokens/revoke', { id: 'both' })).status, 200);
  assert.equal((await shownAt(broker, 'lab', 'mirror', both)).said, 'token_revoked revoked');
  assert.equal((await shownAt(broker, 'plant', 'mirror', both)).said, 'handshake_ok');
});

test('who shows one bad token after the other has to wait', async (t) => {
  const folder = temporaryFolder();
  const key = newTokenKey('HS256');
  writeKeys(join(folder, 'keys.json'), [key]);
  const set = { 'limits.penalty_failures': '3' };
  const broker = await run(t, folder, [['lab', '']], { tokens: `keys = "${folder}/keys.json"`, set });
  const early = [];
  for (let i = 0; i < 12; ++i) early.push(await knock(broker, topicPath('lab.intent')));
  const said = [];
  for (const peer of early) {
    peer.say(shows('mirror', 'x.y.z'));
    said.push((await endOf(peer)).code);
  }
  assert.deepEqual(said.slice(0, 3), Array(3).fill('bad_token')); // each shard counts for itself
  assert.equal(said.at(-1), 'rate_limited', 'also on a connection from before');
  await assert.rejects(knock(broker, topicPath('lab.intent')), /429/);
});

test('without an issuer, or with a secret that others can read, it does not start', (t) => {
  const folder = temporaryFolder();
  const path = join(folder, 'keys.json');
  writeKeys(path, [newTokenKey('HS256')]);
  const starts = (...set) => {
    const args = ['dev', '--listen', '127.0.0.1:0', '--data', join(folder, 'data'),
                  ...['store.reserve_bytes=0', ...set].flatMap((each) => ['--set', each])];
    const { status, stderr } = spawnSync(signetd, args, { env: cleanEnvironment(), encoding: 'utf8', timeout: 20_000 });
    assert.equal(status, 1, stderr);
    return stderr;
  };
  assert.match(starts(`tokens.keys=${path}`), /tokens\.issuer/);
  chmodSync(path, 0o640);
  assert.match(starts(`tokens.keys=${path}`, `tokens.issuer=${kIssuer}`), /keys\.json.*others than its owner/);
});
