// A session that a token proved lives as long as the token: at its end it is told so and closed, and
// a refresh before that takes its place, with whatever roles the new one has.
import assert from 'node:assert/strict';
import test from 'node:test';
import { addSource, connect, topicPath } from './pulse_client.mjs';
import { claimsOf, compact, connectByToken, endOf, kTokenPolicy, kTopic, newTokenKey, nowSeconds, revokeTokens,
         startTokenBroker, token } from './token_maker.mjs';
import { sleep } from './harness.mjs';

const key = newTokenKey('EdDSA');
const until = (seconds) => ({ exp: nowSeconds() + seconds });
const refresh = (peer, shown) => peer.ask({ type: 'token_refresh', token: shown }, 'token_ok');

test('at its end 4010; a refresh before it lives on', async (t) => {
  const broker = await startTokenBroker(t, [key], { set: { 'tokens.leeway': '2s' } });
  const begins = async (source, claims) => connectByToken(broker, source, token(key, source, claims));
  const short = until(2);
  const ends = await begins('ends', short);
  const stays = await begins('stays', short);
  const renewed = until(600);
  assert.deepEqual(await refresh(stays, token(key, 'stays', renewed)), { type: 'token_ok', exp: renewed.exp });
  const shortened = await begins('shortened');
  await refresh(shortened, token(key, 'shortened', short)); // the last one counts, also when it ends sooner
  // By our clock it is over, by its issuer's perhaps not: taken for the rest of the leeway alone.
  const past = { iat: nowSeconds() - 60, exp: nowSeconds() };
  const late = await begins('late', past);

  for (const [peer, from, to] of [[ends, short.exp, short.exp], [shortened, short.exp, short.exp],
                                  [late, past.exp, past.exp + 2]]) {
    const { close, code } = await endOf(peer);
    assert.deepEqual([close, code], [4010, 'session_expired']);
    const after = Date.now() / 1000;
    assert.ok(from <= after && after < to + 1.5, `${peer.source}: ${after} of ${from} to ${to}`);
  }
  assert.equal(stays.isClosed, false);
  await begins('ends'); // and comes again with another
});

test('a refresh changes what the session may do', async (t) => {
  const broker = await startTokenBroker(t, [key], { policy: kTokenPolicy });
  const hears = await connectByToken(broker, 'hears', token(key, 'hears'));
  const peer = await connectByToken(broker, 'engine', token(key, 'engine', { roles: ['engine'] }));
  peer.say({ n: 1 });
  await refresh(peer, token(key, 'engine', { roles: [] }));
  assert.equal((await peer.ask({ n: 2 }, 'error')).code, 'denied');
  await refresh(peer, token(key, 'engine', { roles: ['x', 'engine'] }));
  peer.say({ n: 3 });
  assert.deepEqual((await hears.pulses(2)).map(({ n }) => n), [1, 3]);
});

test('a refresh that does not hold ends the session, and none is ever a pulse', async (t) => {
  const broker = await startTokenBroker(t, [key]);
  const hears = await connectByToken(broker, 'hears', token(key, 'hears'));
  const revoked = token(key, 'mirror', { jti: 'taken-back' });
  assert.equal((await revokeTokens(broker, { id: 'taken-back' })).status, 200);
  const forged = compact({ alg: 'EdDSA', kid: key.kid }, claimsOf('mirror'), newTokenKey('EdDSA').sign);
  for (const [shown, code] of [[forged, 'bad_token'], [token(key, 'other'), 'wrong_subject'], ['', 'bad_token'],
                               [null, 'bad_token'], [7, 'bad_token'], [revoked, 'token_revoked'],
                               [token(key, 'mirror', { iat: 1, exp: 2 }), 'token_expired']]) {
    const peer = await connectByToken(broker, 'mirror', token(key, 'mirror'));
    peer.say({ type: 'token_refresh', token: shown });
    const end = await endOf(peer);
    assert.deepEqual([end.close, end.code], [4003, code], `${shown}`);
  }
  await sleep(100);
  assert.deepEqual(hears.inbox, []);
});

test('who came by a secret has nothing to refresh, and stays', async (t) => {
  const broker = await startTokenBroker(t, [key]);
  const { secret } = await addSource(broker, 'mirror');
  const peer = await connect(broker, kTopic, 'mirror', { secret });
  const hears = await connectByToken(broker, 'hears', token(key, 'hears'), topicPath(kTopic));
  const shown = { type: 'token_refresh', token: token(key, 'mirror') };
  assert.equal((await peer.ask(shown, 'error')).code, 'unknown_type');
  peer.say({ n: 1 });
  assert.equal((await hears.pulses(1))[0].n, 1);
});
