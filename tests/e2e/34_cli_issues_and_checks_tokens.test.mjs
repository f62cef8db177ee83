// Tokens from the making of their key to their check, without a broker: what is printed is what
// another library makes of it, secrets stay in private files, and each refusal has its code.
import assert from 'node:assert/strict';
import { createHmac, createPublicKey, verify } from 'node:crypto';
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { Home } from './cli.mjs';

const decoded = (part) => JSON.parse(Buffer.from(part, 'base64url'));

// Whether Node finds the signature of the token good.
function holds(token, jwk) {
  const [header, claims, signature] = token.split('.');
  const text = Buffer.from(`${header}.${claims}`);
  const bytes = Buffer.from(signature, 'base64url');
  if (jwk.alg === 'HS256') {
    return createHmac('sha256', Buffer.from(jwk.k, 'base64url')).update(text).digest().equals(bytes);
  }
  const key = { key: createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' };
  return verify(jwk.alg === 'EdDSA' ? null : 'sha256', text, key, bytes);
}

test('tokens of each algorithm are what others take', async (t) => {
  const home = new Home(t);
  for (const alg of ['EdDSA', 'ES256', 'RS256', 'HS256']) {
    const file = join(home.folder, `${alg}.jwk`);
    const keys = join(home.folder, `${alg}.json`);
    const said = await home.ok('token', 'key', 'new', '--alg', alg, '--kid', `k-${alg}`, '--out', file);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const key = JSON.parse(readFileSync(file, 'utf8'));
    if (alg === 'HS256') {
      assert.ok(!said.includes(key.k), 'a secret is not printed');
      writeFileSync(keys, readFileSync(file), { mode: 0o600 });
    } else {
      assert.deepEqual(Object.keys(JSON.parse(said).keys[0]).filter((name) => name.startsWith('d')), []);
      writeFileSync(keys, said);
    }
    const token = (await home.ok('token', 'issue', '--key', file, '--issuer', 'ops', '--subject',
                                 'gauge-1', '--role', 'sensor', '--audience', 'lab')).trimEnd();
    const [header, claims] = token.split('.').map((part, i) => (i < 2 ? decoded(part) : null));
    assert.deepEqual(header, { alg, typ: 'JWT', kid: `k-${alg}` });
    assert.equal(claims.exp - claims.iat, 3600);
    assert.ok(holds(token, key));
    const check = ['token', 'verify', '--keys', keys, '--issuer', 'ops', '--audience', 'lab'];
    const facts = await home.json(...check, token);
    assert.deepEqual([facts.verified, facts.subject, facts.roles, facts.id],
                     [true, 'gauge-1', ['sensor'], claims.jti]);
    const { status } = await home.run([...check, '-'], { input: `${token}\n` });
    assert.equal(status, 0);
    const forged = [...token.split('.').slice(0, 2), 'AAAA'].join('.');
    await home.fails(4, 'bad_signature', ...check, forged);
  }
});

test('a key takes the place of another with an overlap', async (t) => {
  const home = new Home(t);
  for (const name of ['may', 'june']) {
    await home.ok('token', 'key', 'new', '--kid', name, '--out', `${name}.jwk`);
  }
  const both = await home.ok('token', 'key', 'public', 'may.jwk', 'june.jwk');
  assert.deepEqual(JSON.parse(both).keys.map(({ kid, d }) => [kid, d]),
                   [['may', undefined], ['june', undefined]]);
  writeFileSync(join(home.folder, 'both.json'), both);
  writeFileSync(join(home.folder, 'later.json'), await home.ok('token', 'key', 'public', 'june.jwk'));
  const token = (await home.ok('token', 'issue', '--key', 'may.jwk', '--issuer', 'ops',
                               '--subject', 'ada')).trimEnd();
  await home.ok('token', 'verify', '--keys', 'both.json', '--issuer', 'ops', token);
  await home.fails(4, 'unknown_key', 'token', 'verify', '--keys', 'later.json', '--issuer', 'ops', token);
  await home.fails(4, 'wrong_issuer', 'token', 'verify', '--keys', 'both.json', '--issuer', 'x', token);
  await home.fails(4, 'missing_claim', 'token', 'verify', '--keys', 'both.json', '--issuer', 'ops',
                   '--audience', 'lab', token);
  await home.fails(1, 'bad_key_file', 'token', 'verify', '--keys', 'may.jwk', '--issuer', 'ops', token);

  const shown = await home.run(['token', 'show', '-'], { input: token });
  assert.match(shown.stderr, /Nobody has checked/);
  assert.match(shown.stdout, /"sub":"ada"/);
  assert.match(shown.stdout, /in (59|60) minutes/);
  assert.ok(!shown.stdout.includes(token.split('.')[2]), 'no signature is shown');
});

test('what a token of the other kind lacks is named', async (t) => {
  const home = new Home(t);
  writeFileSync(join(home.folder, 'keys.json'), await home.ok('token', 'key', 'new', '--out', 'k.jwk'));
  const issue = async (...more) =>
    (await home.ok('token', 'issue', '--key', 'k.jwk', '--issuer', 'ops', '--subject', 'x', ...more)).trimEnd();
  const verify = ['token', 'verify', '--keys', 'keys.json', '--issuer', 'ops'];
  const [user, engine] = [await issue(), await issue('--engine')];
  await home.ok(...verify, user);
  await home.ok(...verify, '--engine', engine);
  const ofUser = await home.fails(4, 'missing_claim', ...verify, '--engine', user);
  assert.match(ofUser.message, /It lacks engineId, role\./);
  assert.match(ofUser.advice, /leave --engine out/);
  const ofEngine = await home.fails(4, 'missing_claim', ...verify, engine);
  assert.match(ofEngine.message, /It lacks sub\./);
  assert.match(ofEngine.advice, /say --engine/);
  const unaimed = await home.fails(4, 'missing_claim', ...verify, '--audience', 'lab', user);
  assert.match(unaimed.message, /It lacks aud\./);
});

test('a token that no broker takes by default is issued with a word', async (t) => {
  const home = new Home(t);
  await home.ok('token', 'key', 'new', '--out', 'k.jwk');
  const issue = ['token', 'issue', '--key', 'k.jwk', '--issuer', 'ops', '--subject', 'x', '--ttl'];
  assert.match((await home.run([...issue, '99d'])).stderr, /lives_too_long.*tokens\.max_lifetime/);
  assert.equal((await home.run([...issue, '1d'])).stderr, '');
});

test('what would give a secret away is refused', async (t) => {
  const home = new Home(t);
  await home.ok('token', 'key', 'new', '--out', 'k.jwk');
  await home.ok('token', 'key', 'new', '--alg', 'HS256', '--out', 's.jwk');
  await home.fails(6, 'file_exists', 'token', 'key', 'new', '--out', 'k.jwk');
  await home.fails(1, 'bad_key_file', 'token', 'key', 'public', 's.jwk');
  await home.fails(2, 'usage', 'token', 'key', 'new', '--kid', '../k', '--alg', 'none', '--out', 'x');
  await home.fails(2, 'usage', 'token', 'key', 'new', '--kid', 'a b', '--out', 'x');
  const issue = ['token', 'issue', '--issuer', 'ops', '--subject'];
  await home.fails(2, 'usage', ...issue, 'a b', '--key', 'k.jwk');
  await home.fails(2, 'usage', ...issue, 'ada', '--key', 'k.jwk', '--ttl', 'soon');
  await home.fails(3, 'file_missing', ...issue, 'ada', '--key', 'none.jwk');
  for (const name of ['k.jwk', 's.jwk']) chmodSync(join(home.folder, name), 0o644);
  await home.fails(4, 'key_file_readable', ...issue, 'ada', '--key', 'k.jwk');
  await home.fails(4, 'key_file_readable', 'token', 'verify', '--keys', 's.jwk', '--issuer', 'ops', 'a.b.c');
  await home.fails(1, 'malformed', 'token', 'show', 'a.b');
  await home.fails(2, 'usage', 'token', 'revoke');
});
