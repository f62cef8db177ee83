// What is not known is not claimed: a broker that takes a message and says nothing, one that refuses
// it, and an output that nobody got.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { joinedHome, redirect, signet, startMute } from './cli.mjs';
import { startBroker } from './harness.mjs';

test('a message that may have arrived is not called lost, and comes once', async (t) => {
  const broker = await startBroker(t);
  const ada = await joinedHome(t, broker, 'ada');
  const bob = await joinedHome(t, broker, 'bob');
  const mute = await startMute(t);
  const back = redirect(ada, mute.url);
  const told = await ada.fails(5, 'not_acknowledged', 'send', bob.member.publicKey, 'maybe', '--timeout', '2');
  assert.match(told.advice, /outbox/);
  assert.ok(mute.seen.some(({ type }) => type === 'send'));
  back();
  await ada.ok('inbox');
  await ada.ok('inbox');
  assert.deepEqual((await bob.json('inbox')).messages.map(({ text }) => text), ['maybe']);
});

test('what the broker refuses is a failure with its code', async (t) => {
  const broker = await startBroker(t);
  const ada = await joinedHome(t, broker, 'ada');
  const bob = await joinedHome(t, broker, 'bob');
  await broker.setStanding({ pubkey: bob.member.publicKey }, 'revoked');
  await ada.fails(3, 'no_such_member', 'send', bob.member.publicKey, 'x');
});

test('what was not shown stays unread', async (t) => {
  const broker = await startBroker(t);
  const ada = await joinedHome(t, broker, 'ada');
  const bob = await joinedHome(t, broker, 'bob');
  await ada.ok('send', 'bob', 'kept');
  for (const command of ['inbox', 'listen --count 1']) {
    const lost = spawnSync('bash', ['-c', `"${signet}" ${command} > /dev/full`],
                           { env: bob.env, encoding: 'utf8', timeout: 60_000 });
    assert.notEqual(lost.status, 0, command);
  }
  assert.deepEqual((await bob.json('inbox')).messages.map(({ text }) => text), ['kept']);
});
