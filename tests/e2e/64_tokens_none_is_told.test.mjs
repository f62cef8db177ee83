// Tokens come by the handshake, by a refresh and by HTTP, good ones and bad ones; neither they nor the
// secret that signs them are in a line of the log, a figure, an answer or the Merkle log.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { badTokens, connectByToken, endOf, newTokenKey, refusedAtTheDoor, revokeTokens, startTokenBroker, token,
         writeKeys } from './token_maker.mjs';

const filesBelow = (folder) => readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((each) => each.isFile()).map((each) => readFileSync(join(each.path, each.name)));

test('no token and no secret of them is told or kept', async (t) => {
  const key = newTokenKey('HS256', 'the-one');
  const broker = await startTokenBroker(t, [key],
                                        { set: { 'server.log_level': 'debug', 'tls.check_every': '200ms' } });
  const canaries = new Map([['secret', key.jwk.k], ['secret as hex', Buffer.from(key.jwk.k, 'base64url').toString('hex')]]);
  const made = (what, subject, claims, header) => {
    const shown = token(key, subject, claims, header);
    canaries.set(what, shown).set(`signature: ${what}`, shown.split('.')[2]).set(`claims: ${what}`, shown.split('.')[1]);
    return shown;
  };
  const peer = await connectByToken(broker, 'mirror', made('token', 'mirror'));
  await peer.ask({ type: 'token_refresh', token: made('refresh', 'mirror') }, 'token_ok');
  peer.say({ type: 'token_refresh', token: made('refused refresh', 'other') });
  await endOf(peer);
  await refusedAtTheDoor(broker, 'mirror', made('expired', 'mirror', { iat: 1, exp: 2 }));
  await refusedAtTheDoor(broker, 'other', made('wrong subject', 'mirror'));
  const others = { rs: newTokenKey('RS256'), ed: newTokenKey('EdDSA'), es: newTokenKey('ES256') };
  for (const [what, bad] of badTokens(others, 'http://127.0.0.1:9/')) {
    await refusedAtTheDoor(broker, 'mirror', bad);
    if (bad.length >= 64) canaries.set(what, bad);
  }
  const bearer = { headers: { authorization: `Bearer ${made('bearer', 'mirror')}` } };
  const answers = [];
  for (const path of ['/', '/api/mesh/topics', '/api/mesh/history', '/api/signet/v1/meshes', '/metrics', '/nowhere']) {
    answers.push((await broker.request('GET', path, bearer)).text);
    answers.push((await broker.request('GET', `${path}?token=${bearer.headers.authorization.slice(7)}`)).text);
  }
  const revoked = made('taken back', 'mirror', { jti: 'taken-back' });
  answers.push((await revokeTokens(broker, { id: 'taken-back' })).text);
  await refusedAtTheDoor(broker, 'mirror', revoked);

  const next = newTokenKey('HS256', 'the-next');
  canaries.set('next secret', next.jwk.k);
  const from = broker.log.length;
  writeKeys(broker.keyFile, [key, next]);
  await broker.logged('tokens.reloaded', from);
  writeKeys(broker.keyFile, JSON.stringify({ keys: [key.jwk, next.jwk, { kty: 'oct', k: 'c2hvcnQgY2FuYXJ5' }] }));
  canaries.set('short secret', 'c2hvcnQgY2FuYXJ5');
  await broker.logged('tokens.kept_last_good', from);
  const { slug } = broker.mesh;
  for (const path of ['/meshes', `/meshes/${slug}`, `/meshes/${slug}/members`, `/meshes/${slug}/sources`, '/decisions',
                      '/audit/entries']) {
    answers.push((await broker.operator('GET', path)).text);
  }
  await broker.stop();

  const told = [...broker.log, ...answers].join('\n');
  const kept = Buffer.concat(filesBelow(broker.data));
  for (const [what, secret] of canaries) {
    assert.ok(secret.length >= 16, `${what} is too short to look for`);
    assert.ok(!told.includes(secret), `${what} is told`);
    assert.ok(!kept.includes(secret), `${what} is kept`);
  }
});
