// A broker that lists another key under a name that was used before: the client says so, and sends
// nothing to it. Two people who compare safety numbers see it also at the first use.
import assert from 'node:assert/strict';
import test from 'node:test';
import { eventually, newKeys, startBroker } from './harness.mjs';
import { newStateFile, openLibrary, startLibrary } from './library.mjs';
import { startMiddle } from './middle.mjs';
import { audienceOf, NodeMember } from './sealed_channel.mjs';

// Lists `eve` where `bob` was, with the audience of this list.
function swap(middle, bob, eve) {
  middle.rewrite.down = (frame) => {
    if (frame.type !== 'members_list') return frame;
    const members = frame.members.map((member) =>
      (member.pubkey === bob.pubkey ? { ...member, pubkey: eve.pubkey } : member));
    return { ...frame, members, audience: audienceOf(members.map((member) => member.pubkey)) };
  };
}

async function scene(t) {
  const broker = await startBroker(t);
  const middle = await startMiddle(t, broker);
  const state = newStateFile(t);
  const bob = await NodeMember.join(broker, 'bob');
  const ada = await startLibrary(t, broker, 'ada', { url: middle.ws, state });
  return { broker, middle, state, bob, ada, eve: newKeys() };
}
const sentTo = (middle, ada, key) =>
  middle.sendsOf(ada.pubkey).filter((frame) => frame.targetSpec === key).length;

test('a name that was found once keeps its key', async (t) => {
  const { broker, middle, state, bob, ada, eve } = await scene(t);
  assert.equal(await ada.do('find', { who: 'bob' }), bob.pubkey);
  await ada.mail('bob', 'to the true bob');
  swap(middle, bob, eve);
  await assert.rejects(ada.do('find', { who: 'bob' }), { code: 'peer_key_changed' });
  await assert.rejects(ada.send('bob', 'for bob alone'), { code: 'peer_key_changed' });
  assert.equal(sentTo(middle, ada, eve.pubkey), 0);
  assert.deepEqual((await ada.do('pins')).map(({ name, key }) => [name, key]), [['bob', bob.pubkey]]);

  await ada.close(); // also another day, with a broker that lies from the start
  const again = await openLibrary(ada.driver, broker, ada.member, { url: middle.ws, state });
  await again.connected();
  const told = await eventually('the change is told', () => again.changes[0]);
  assert.deepEqual(told, { name: 'bob', pinned: bob.pubkey, seen: eve.pubkey });
  await assert.rejects(again.send('bob', 'for bob alone'), { code: 'peer_key_changed' });
  assert.equal(sentTo(middle, ada, eve.pubkey), 0);

  await again.do('trust', { name: 'bob', key: eve.pubkey, verified: true }); // a person's word
  assert.equal(await again.do('find', { who: 'bob' }), eve.pubkey);
});

test('a sender\'s name is pinned by its first message', async (t) => {
  const { middle, bob, ada, eve } = await scene(t);
  await bob.direct(ada, 'hello from the true bob');
  assert.equal((await ada.message('hello from the true bob')).from, bob.pubkey);
  await eventually('bob is pinned', async () =>
    (await ada.do('pins')).some(({ name, key }) => name === 'bob' && key === bob.pubkey));
  swap(middle, bob, eve);
  await assert.rejects(ada.do('find', { who: 'bob' }), { code: 'peer_key_changed' });
});

test('a message under the swapped key is not shown under the name', async (t) => {
  const { broker, middle, bob, ada } = await scene(t);
  assert.equal(await ada.do('find', { who: 'bob' }), bob.pubkey);
  const eve = await NodeMember.join(broker, 'eve'); // a member of the broker's own making
  middle.rewrite.down = (frame) => {
    if (frame.type !== 'members_list') return frame;
    const members = frame.members.filter((member) => member.pubkey !== bob.pubkey)
      .map((member) => (member.pubkey === eve.pubkey ? { ...member, displayName: 'bob' } : member));
    return { ...frame, members, audience: audienceOf(members.map((member) => member.pubkey)) };
  };
  await assert.rejects(ada.do('find', { who: 'bob' }), { code: 'peer_key_changed' });
  await eve.direct(ada, 'I am bob');
  const got = await ada.message('I am bob');
  assert.deepEqual([got.from, got.name, got.sealed], [eve.pubkey, '', true]);
});

test('at the first use the safety numbers differ', async (t) => {
  const { broker, middle, bob, ada, eve } = await scene(t);
  const bobs = await startLibrary(t, broker, 'bob2');
  swap(middle, bob, eve);
  const believed = await ada.do('find', { who: 'bob' });
  assert.equal(believed, eve.pubkey); // nothing could know better
  assert.notEqual(await ada.do('safety_number', { key: believed }),
                  await ada.do('safety_number', { key: bob.pubkey }));
  assert.equal(await ada.do('safety_number', { key: bobs.pubkey }),
               await bobs.do('safety_number', { key: ada.pubkey }));
});
