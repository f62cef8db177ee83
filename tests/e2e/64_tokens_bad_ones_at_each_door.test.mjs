// Tokens that must not be taken, at each door that takes tokens: the handshake, the refresh and
// HTTP. Each is refused by its rule, is counted, and leaves the good ones good; no URL in a token is
// ever asked.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import test from 'node:test';
import { badTokens, connectByToken, endOf, newTokenKey, refusedAtTheDoor, startTokenBroker, token }
  from './token_maker.mjs';

const keys = { rs: newTokenKey('RS256'), ed: newTokenKey('EdDSA'), es: newTokenKey('ES256') };
const codeOf = (rule) => (rule === 'expired' ? 'token_expired' : 'bad_token');
const counters = async (broker) => new Map([...await broker.metrics()]
  .filter(([series]) => series.startsWith('signet_tokens_refused_total')));

// Shows each bad token to `refuses(broker, token, rule, what)`, and looks at what was counted.
async function showThemAll(t, refuses) {
  let asked = 0;
  const canary = http.createServer((_, answer) => { asked += 1; answer.end('{"keys":[]}'); });
  canary.listen(0, '127.0.0.1');
  await once(canary, 'listening');
  t.after(() => canary.close());
  const broker = await startTokenBroker(t, Object.values(keys));
  const table = badTokens(keys, `http://127.0.0.1:${canary.address().port}/keys.json`);
  assert.ok(table.length >= 20);
  const wanted = new Map();
  await connectByToken(broker, 'mirror', token(keys.ed, 'mirror')); // from here on it is a member
  for (const [what, bad, rule] of table) {
    await refuses(broker, bad, rule, what);
    const series = `signet_tokens_refused_total{rule="${rule}"}`;
    wanted.set(series, (wanted.get(series) ?? 0) + 1);
  }
  const counted = await counters(broker);
  for (const [series, count] of counted) assert.equal(count, wanted.get(series) ?? 0, series);
  assert.equal([...counted.values()].reduce((sum, n) => sum + n), table.length);
  for (const key of Object.values(keys)) await connectByToken(broker, 'mirror', token(key, 'mirror'));
  assert.equal(asked, 0, 'a URL of a token was asked');
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
