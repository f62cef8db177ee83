// A subject that a token brings is a member like others: the operator sends it away for good, are no
// more of them than allowed, and no role of a token makes an operator.
import assert from 'node:assert/strict';
import test from 'node:test';
import { entriesOf } from './audit_reader.mjs';
import { changeSource, nodePath } from './pulse_client.mjs';
import { connectByToken, endOf, newTokenKey, refusedAtTheDoor, startTokenBroker, token } from './token_maker.mjs';
import { sleep } from './harness.mjs';

const key = newTokenKey('EdDSA');

test('it is one, and sent away for good whatever tokens it has', async (t) => {
  const broker = await startTokenBroker(t, [key]);
  const from = (await entriesOf(broker)).length;
  const [one, two] = await Promise.all([1, 2].map(() => connectByToken(broker, 'mirror', token(key, 'mirror'))));
  const other = await connectByToken(broker, 'other', token(key, 'other'));
  const added = (await entriesOf(broker, from)).filter(({ event }) => event === 'member_added');
  assert.equal(added.length, 2, 'two at once made one');
  const answer = await changeSource(broker, 'mirror', 'standing', { standing: 'revoked' });
  assert.equal(answer.status, 200, answer.text);
  for (const peer of [one, two]) assert.equal((await endOf(peer)).close, 4004);
  for (let i = 0; i < 2; ++i) {
    assert.equal((await refusedAtTheDoor(broker, 'mirror', token(key, 'mirror'))).code, 'not_permitted');
    if (i === 0) assert.equal(other.isClosed, false);
    await broker.restartAfterKill();
  }
});

test('no more of them than tokens.subjects_per_mesh', async (t) => {
  const broker = await startTokenBroker(t, [key], { set: { 'tokens.subjects_per_mesh': 2 } });
  for (const source of ['a', 'b']) await connectByToken(broker, source, token(key, source));
  const { close, code } = await refusedAtTheDoor(broker, 'c', token(key, 'c'));
  assert.deepEqual([close, code], [1013, 'unavailable']);
  await connectByToken(broker, 'a', token(key, 'a'));
});

test('a token is no word of an operator, whatever its roles', async (t) => {
  const broker = await startTokenBroker(t, [key]);
  const shown = token(key, 'mirror', { roles: ['admin', 'operator', 'administrator'] });
  await connectByToken(broker, 'mirror', shown);
  for (const path of ['/meshes', `/meshes/${broker.mesh.slug}/members`, '/audit/entries', '/decisions']) {
    const headers = { authorization: `Bearer ${shown}` };
    assert.equal((await broker.request('GET', `/api/signet/v1${path}`, { headers })).status, 403, path);
  }
});

test('between nodes, too: a refresh is for the broker and never forwarded', async (t) => {
  const broker = await startTokenBroker(t, [key]);
  const [a, b] = [await connectByToken(broker, 'a', token(key, 'a'), nodePath('a')),
                  await connectByToken(broker, 'b', token(key, 'b'), nodePath('b'))];
  a.say({ target: 'b', n: 1 });
  assert.equal((await b.next((frame) => frame.n === 1)).n, 1);
  await a.ask({ type: 'token_refresh', target: 'b', token: token(key, 'a') }, 'token_ok');
  await sleep(100);
  assert.deepEqual(b.inbox, []);
  a.say({ type: 'token_refresh', target: 'b', token: token(key, 'b') });
  assert.equal((await endOf(a)).code, 'wrong_subject');
  assert.deepEqual(b.inbox, []);
});
