// Who comes back under a known name with another key is not written to until a person says so.
import assert from 'node:assert/strict';
import test from 'node:test';
import { joinedHome } from './cli.mjs';
import { eventually, startBroker } from './harness.mjs';

test('a pinned name with another key is refused, shown, and trusted only on purpose', async (t) => {
  const broker = await startBroker(t);
  const ada = await joinedHome(t, broker, 'ada');
  const bob = await joinedHome(t, broker, 'bob');
  await ada.ok('send', 'bob', 'the first bob');
  await broker.setStanding({ pubkey: bob.member.publicKey }, 'revoked');
  const other = await joinedHome(t, broker, 'bob');
  const here = other.listen();
  await here.connected();
  const told = await ada.fails(6, 'peer_key_changed', 'send', 'bob', 'secret');
  assert.match(told.advice, /`signet peers trust bob`/);
  await ada.fails(6, 'peer_key_changed', 'peers', 'verify', 'bob');
  const seen = (await ada.json('peers', '--all')).peers.find(({ name }) => name === 'bob');
  assert.deepEqual([seen.key, seen.pinned], [other.member.publicKey, 'CHANGED']);
  await ada.fails(2, 'usage', 'peers', 'trust', 'bob'); // nobody can be asked
  await ada.fails(6, 'peer_key_changed', 'send', 'bob', 'secret');
  const trusted = await ada.json('peers', 'trust', 'bob', '--yes');
  assert.deepEqual([trusted.key, trusted.before], [other.member.publicKey, bob.member.publicKey]);
  await ada.ok('send', 'bob', 'the second bob');
  await here.message('the second bob');
  await ada.fails(3, 'no_such_member', 'peers', 'trust', 'nobody', '--yes');
});

test('two of one name are told apart by their keys', async (t) => {
  const broker = await startBroker(t);
  const ada = await joinedHome(t, broker, 'ada');
  const [one, two] = [await joinedHome(t, broker, 'twin'), await joinedHome(t, broker, 'twin')];
  await ada.fails(6, 'ambiguous_name', 'send', 'twin', 'x');
  await ada.ok('send', two.member.publicKey.slice(0, 12), 'to the second');
  assert.equal((await two.json('inbox')).messages[0].text, 'to the second');
  assert.deepEqual((await one.json('inbox')).messages, []);
});

test('who listens is warned of a name that has another key, and does not see that name on it', async (t) => {
  const broker = await startBroker(t);
  const ada = await joinedHome(t, broker, 'ada');
  const bob = await joinedHome(t, broker, 'bob');
  await ada.ok('send', 'bob', 'pins');
  await broker.setStanding({ pubkey: bob.member.publicKey }, 'revoked');
  const other = await joinedHome(t, broker, 'bob');
  const listening = ada.listen();
  await other.ok('send', 'ada', 'trust me');
  const message = await listening.message('trust me');
  assert.deepEqual([message.from, message.fromName], [other.member.publicKey, null]);
  await eventually('a warning', () => /WARNING: bob shows up with another key/.test(listening.notes()));
});
