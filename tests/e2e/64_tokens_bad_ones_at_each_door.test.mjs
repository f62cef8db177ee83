// Tokens that must not be taken, at each door that takes tokens: the handshake, the refresh and
// HTTP. Each is refused by its rule, is counted, and leaves the good ones good; no URL in a token is
// ever asked.
import assert from 'node:assert/strict';
import test from 'node:test';
import { connectByToken, endOf, newTokenKey, refusedAtTheDoor, showBadTokens, startTokenBroker, token }
  from './token_maker.mjs';

const keys = { rs: newTokenKey('RS256'), ed: newTokenKey('EdDSA'), es: newTokenKey('ES256') };
const codeOf = (rule) => (rule === 'expired' ? 'token_expired' : 'bad_token');

// Shows each bad token to `refuses(broker, token, rule, what)`; the good ones stay good.
async function showThemAll(t, refuses) {
  const broker = await startTokenBroker(t, Object.values(keys));
  await connectByToken(broker, 'mirror', token(keys.ed, 'mirror')); // from here on it is a member
  await showBadTokens(t, broker, keys, (...bad) => refuses(broker, ...bad));
  for (const key of Object.values(keys)) await connectByToken(broker, 'mirror', token(key, 'mirror'));
}

test('the handshake: one frame that names the rule, and 4003', async (t) => {
  await showThemAll(t, async (broker, bad, rule, what) => {
    const { close, code, message } = await refusedAtTheDoor(broker, 'mirror', bad);
    assert.deepEqual([close, code], [4003, codeOf(rule)], what);
    assert.match(message, new RegExp(`\\b${rule}\\b`), what);
    assert.ok(bad === '..' || !message.includes(bad), what);
  });
});

test('a refresh: the same, and the session is over', async (t) => {
  await showThemAll(t, async (broker, bad, rule, what) => {
    const peer = await connectByToken(broker, 'mirror', token(keys.ed, 'mirror'));
    peer.say({ type: 'token_refresh', token: bad });
    const { close, code, message } = await endOf(peer);
    assert.deepEqual([close, code], [4003, codeOf(rule)], what);
    assert.match(message, new RegExp(`\\b${rule}\\b`), what);
  });
});

test('HTTP: nothing to read', async (t) => {
  const ask = (broker, bearer) => broker.request('GET', '/api/mesh/history',
                                                 { headers: { authorization: `Bearer ${bearer}` } });
  await showThemAll(t, async (broker, bad, rule, what) => {
    const answer = await ask(broker, bad.trim() === bad ? bad : ` ${bad}`);
    assert.equal(answer.status, 403, `${what}: ${answer.text}`);
    assert.ok(!answer.text.includes('messages'), what);
    assert.equal((await ask(broker, token(keys.ed, 'mirror'))).status, 200, what);
  });
});
