// The operator takes back a token, or all of a subject: its sockets are closed within two seconds,
// it is refused from then on, also after a crash, and nobody else notices.
import assert from 'node:assert/strict';
import test from 'node:test';
import { nodePath } from './pulse_client.mjs';
import { connectByToken, endOf, newTokenKey, nowSeconds, refusedAtTheDoor, revokeTokens, startTokenBroker, token }
  from './token_maker.mjs';

const key = newTokenKey('ES256');
const kRevoked = [4003, 'token_revoked'];

async function revoke(broker, what) {
  const answer = await revokeTokens(broker, what);
  assert.equal(answer.status, 200, answer.text);
}
async function endsByRevocation(broker, peers, what) {
  const began = Date.now();
  await revoke(broker, what);
  for (const peer of peers) {
    const { close, code } = await endOf(peer);
    assert.deepEqual([close, code], kRevoked);
  }
  assert.ok(Date.now() - began < 2_000, `after ${Date.now() - began} ms`);
}
async function isRefused(broker, source, shown) {
  const { close, code } = await refusedAtTheDoor(broker, source, shown);
  assert.deepEqual([close, code], kRevoked);
  const headers = { authorization: `Bearer ${shown}` };
  assert.equal((await broker.request('GET', '/api/mesh/history', { headers })).status, 403);
}

test('one token, then its subject', async (t) => {
  const broker = await startTokenBroker(t, [key]);
  const one = token(key, 'mirror', { jti: 'one' });
  const two = token(key, 'mirror', { jti: 'two' });
  const other = token(key, 'other', { jti: 'other' });
  const ends = [await connectByToken(broker, 'mirror', one),
                await connectByToken(broker, 'mirror', one, nodePath('mirror'))];
  const lives = await connectByToken(broker, 'mirror', two);
  const stranger = await connectByToken(broker, 'other', other);
  await endsByRevocation(broker, ends, { id: 'one' });
  await isRefused(broker, 'mirror', one);
  assert.equal(lives.isClosed, false);
  lives.say({ n: 1 });
  assert.equal((await stranger.pulses(1))[0].n, 1);

  const unnamed = token(key, 'mirror', { jti: undefined, iat: undefined });
  const without = await connectByToken(broker, 'mirror', unnamed);
  await endsByRevocation(broker, [lives, without], { subject: 'mirror' });
  assert.deepEqual([stranger.isClosed, stranger.inbox], [false, []]);

  for (let i = 0; i < 2; ++i) {
    for (const shown of [one, two, unnamed]) await isRefused(broker, 'mirror', shown);
    await connectByToken(broker, 'other', other);
    await broker.restartAfterKill();
  }
  // By the clock of an issuer that is ahead, this one is from before it, too.
  await isRefused(broker, 'mirror', token(key, 'mirror', { iat: nowSeconds() + 1 }));
});

test('of a subject before a moment', async (t) => {
  const broker = await startTokenBroker(t, [key]);
  const at = nowSeconds() - 60;
  const before = await connectByToken(broker, 'mirror', token(key, 'mirror', { iat: at - 1 }));
  const after = await connectByToken(broker, 'mirror', token(key, 'mirror', { iat: at }));
  await endsByRevocation(broker, [before], { subject: 'mirror', issuedBefore: new Date(at * 1000).toISOString() });
  assert.equal(after.isClosed, false);
  // What is issued later counts again, until that is taken back as well.
  await isRefused(broker, 'mirror', token(key, 'mirror', { iat: at - 1 }));
  const fresh = await connectByToken(broker, 'mirror', token(key, 'mirror'));
  await endsByRevocation(broker, [after, fresh], { subject: 'mirror' });
});

test('what names nothing, or too much, is no revocation', async (t) => {
  const broker = await startTokenBroker(t, [key]);
  const peer = await connectByToken(broker, 'mirror', token(key, 'mirror', { jti: 'one' }));
  const far = new Date(Date.now() + 3_600_000).toISOString();
  for (const what of [{}, { id: '' }, { id: 'one', subject: 'mirror' }, { subject: 'a b' }, { id: 7 },
                      { id: 'x'.repeat(257) }, { id: 'one', issuedBefore: far }, { jti: 'one' },
                      { subject: 'mirror', issuedBefore: 'yesterday' }, { subject: 'mirror', issuedBefore: far }]) {
    assert.equal((await revokeTokens(broker, what)).status, 400, JSON.stringify(what));
  }
  const headers = { authorization: 'Bearer wrong' };
  const path = `/api/signet/v1/meshes/${broker.mesh.slug}/tokens/revoke`;
  assert.equal((await broker.request('POST', path, { body: { id: 'one' }, headers })).status, 403);
  peer.say({ n: 1 });
  assert.equal(peer.isClosed, false);
});
