// `signet token` and a broker mean the same: what the one issues the other takes until it is revoked,
// what others sign is checked alike, and a token that is shown acts on no terminal.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { badTokens, connectByToken, endOf, kIssuer, kTokenPolicy, newTokenKey, refusedAtTheDoor, startTokenBroker,
         token } from './token_maker.mjs';
import { Home } from './cli.mjs';

for (const alg of ['EdDSA', 'HS256']) {
  test(`${alg}: issued, believed, and taken back`, async (t) => {
    const home = new Home(t);
    const out = join(home.folder, 'issuer.jwk');
    const shownSet = await home.ok('token', 'key', 'new', '--alg', alg, '--out', out);
    const set = alg === 'HS256' ? readFileSync(out, 'utf8') : shownSet;
    const broker = await startTokenBroker(t, set, { policy: kTokenPolicy });
    const issue = async (...more) => (await home.ok('token', 'issue', '--key', out, '--issuer', kIssuer, '--subject',
      'mirror', '--audience', broker.mesh.slug, ...more)).trim();
    const one = await issue('--role', 'engine', '--id', 'one');
    const speaks = await connectByToken(broker, 'mirror', one);
    const hears = await connectByToken(broker, 'mirror', await issue());
    speaks.say({ n: 1 });
    assert.equal((await hears.pulses(1))[0].n, 1);
    assert.equal((await hears.ask({ n: 2 }, 'error')).code, 'denied');

    const env = { SIGNET_OPERATOR_SOCKET: broker.ready.socket };
    const revoke = async (...what) => {
      const args = ['--mesh', broker.mesh.slug, 'token', 'revoke', ...what, '--yes'];
      const { status, stderr } = await home.run(args, { env });
      assert.equal(status, 0, stderr);
    };
    await revoke('--id', 'one');
    assert.equal((await endOf(speaks)).code, 'token_revoked');
    assert.equal((await refusedAtTheDoor(broker, 'mirror', one)).code, 'token_revoked');
    assert.equal(hears.isClosed, false);
    await revoke('--subject', 'mirror');
    assert.equal((await endOf(hears)).code, 'token_revoked');
  });
}

const kChecked = ['unsupported_algorithm', 'bad_signature', 'wrong_issuer', 'expired', 'malformed'];
test('what others sign is checked by the rules of a broker', async (t) => {
  const home = new Home(t);
  const keys = { rs: newTokenKey('RS256'), ed: newTokenKey('EdDSA'), es: newTokenKey('ES256') };
  const file = join(home.folder, 'keys.json');
  writeFileSync(file, JSON.stringify({ keys: Object.values(keys).map(({ jwk }) => jwk) }));
  const check = async (shown) => {
    const args = ['-o', 'json', 'token', 'verify', '--keys', file, '--issuer', kIssuer, '-'];
    const { status, stdout } = await home.run(args, { input: `${shown}\n` });
    return { status, ...JSON.parse(stdout) };
  };
  const table = badTokens(keys, 'http://127.0.0.1:9/');
  await Promise.all([...Object.values(keys).map(async (key) => {
    const { status, verified, subject } = await check(token(key, 'mirror', { roles: ['engine'] }));
    assert.deepEqual([status, verified, subject], [0, true, 'mirror']);
  }), ...kChecked.map(async (wanted) => {
    const [what, bad] = table.find(([, , rule]) => rule === wanted);
    const { status, ok, error } = await check(bad);
    assert.deepEqual([status === 0, ok, error], [false, false, wanted], what);
  })]);
});

test('what a token says acts on no terminal', async (t) => {
  const home = new Home(t);
  const shown = token(newTokenKey('EdDSA'), 'mirror', { note: '\u001b[31mred\u202e', '\u0007': 1 });
  const { status, stdout, stderr } = await home.run(['token', 'show', '-'], { input: shown });
  assert.equal(status, 0, stderr);
  assert.match(stdout, /mirror/);
  assert.doesNotMatch(stdout + stderr, /[\u0007\u001b\u202e]/);
});
