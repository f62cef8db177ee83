// Who is here, as the server itself saw it: two sockets of one user are one, and it is gone with
// the last; a lost heartbeat makes it inactive, then ends it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { eventually } from './harness.mjs';
import { startHub, userToken } from './hub_client.mjs';

test('several sockets of a user', async (t) => {
  const hub = await startHub(t);
  const admin = await hub.user('root', { token: userToken('root', { roles: ['admin'] }) });
  const latest = () => admin.inbox.filter(({ event }) => event === 'presence_update').at(-1)?.data ?? {};
  const shows = (what, names) => eventually(what, () => Object.keys(latest()).sort().join() === names);
  const [one, two] = [await hub.user('ann'), await hub.user('ann', { transports: ['polling'] })];
  await shows('both are one', 'ann,root');
  const plain = await hub.user('root');
  await plain.act('click', 1); // an admin's other socket, by a token that is none's
  for (const { data } of plain.inbox.filter(({ event }) => event === 'presence_update')) {
    assert.deepEqual(Object.keys(data), ['root']);
  }
  plain.leave();
  const own = await one.next('presence_update');
  assert.deepEqual([Object.keys(own), own.ann.role, own.ann.state], [['ann'], 'user', 'active']);
  // What one does, the other hears.
  one.inbox.length = two.inbox.length = 0;
  await one.act('click', 1);
  const heard = await two.next('action_update');
  assert.equal(heard.payload, 1);
  assert.deepEqual(one.inbox.map(({ event }) => event).slice(0, 1), ['presence_update']);
  one.leave();
  await two.act('click', 2);
  assert.ok('ann' in latest());
  two.leave();
  await shows('gone with the last', 'root');
});

test('silence', async (t) => {
  const hub = await startHub(t, { set: { 'hub.inactive_after': '1s', 'hub.disconnect_after': '3s', 'hub.idle_after': '300ms' } });
  const [silent, alive] = [await hub.user('ann'), await hub.user('bob')];
  const beating = setInterval(() => alive.say('heartbeat', { ts: 1 }), 300);
  t.after(() => clearInterval(beating));
  const { userId, ok, ts } = await alive.next('heartbeat_result');
  assert.deepEqual([userId, ok, ts], ['bob', true, 1]);
  await silent.next('presence_update', (map) => map.ann.state === 'idle');
  await silent.next('presence_update', (map) => map.ann.state === 'inactive');
  assert.equal(await silent.disconnected, 'io server disconnect');
  await alive.next('presence_update', (map) => map.bob.state === 'idle');
  alive.say('presence', 'active');
  await alive.next('presence_update', (map) => map.bob.state === 'active');
  assert.equal(alive.isOver, false);
});
