// Who comes reads from then on; who goes, of its own or by force, gets nothing more, not even the
// key: what is said next is under another one.
import assert from 'node:assert/strict';
import test from 'node:test';
import { startBroker } from './harness.mjs';
import { startLibrary } from './library.mjs';
import { startMiddle } from './middle.mjs';
import { keyIdOf, NodeMember } from './sealed_channel.mjs';

async function channelOf(t, ...names) {
  const broker = await startBroker(t);
  const middle = await startMiddle(t, broker);
  const ada = await startLibrary(t, broker, 'ada', { url: middle.ws });
  const nodes = {};
  for (const name of names) {
    nodes[name] = await NodeMember.join(broker, name);
    await nodes[name].channel('ops');
  }
  return { broker, middle, ada, ...nodes };
}
const sendsTo = (middle, ada, member) =>
  middle.sendsOf(ada.pubkey).filter((frame) => frame.targetSpec === member.pubkey).length;

async function reads(node, text) {
  const got = await node.next();
  assert.deepEqual([got.kind, got.text], ['many', text]);
  return keyIdOf(got.push);
}

test('a newcomer reads from then on, under the same key and with one key message', async (t) => {
  const { broker, middle, ada, ben } = await channelOf(t, 'ben');
  await ada.mail('#ops', 'before');
  const id = await reads(ben, 'before');
  const cem = await NodeMember.join(broker, 'cem');
  await cem.channel('ops');
  assert.equal((await ada.mail('#ops', 'after')).recipients, 2);
  assert.equal(await reads(ben, 'after'), id);
  assert.equal(await reads(cem, 'after'), id);
  await ada.mail('#ops', 'again');
  assert.equal(await reads(cem, 'again'), id);
  for (const each of [ben, cem]) assert.equal(sendsTo(middle, ada, each), 1);
});

const kWaysToGo = [
  ['leaves', (_, node) => node.peer.ask({ type: 'channel_leave', name: 'ops' }, 'channel_left')],
  ['is revoked', (broker, node) => broker.setStanding(node.member, 'revoked')],
];
for (const [how, go] of kWaysToGo) {
  test(`who ${how} gets neither the next message nor its key`, async (t) => {
    const { broker, middle, ada, ben, cem } = await channelOf(t, 'ben', 'cem');
    await ada.mail('#ops', 'for both');
    const id = await reads(ben, 'for both');
    assert.equal(await reads(cem, 'for both'), id);
    const before = sendsTo(middle, ada, cem);

    await go(broker, cem);
    assert.equal((await ada.mail('#ops', 'for ben')).recipients, 1);
    assert.notEqual(await reads(ben, 'for ben'), id);
    assert.equal(sendsTo(middle, ada, cem), before);
    await cem.peer.none('push');
    assert.equal(sendsTo(middle, ada, ben), 2); // a key each time it changed
  });
}

test('who went and came back reads again, under a third key or the second', async (t) => {
  const { ada, ben, cem } = await channelOf(t, 'ben', 'cem');
  await ada.mail('#ops', 'one');
  const first = await reads(cem, 'one');
  await cem.peer.ask({ type: 'channel_leave', name: 'ops' }, 'channel_left');
  await ada.mail('#ops', 'two');
  await cem.channel('ops');
  await ada.mail('#ops', 'three');
  const last = await reads(cem, 'three'); // and never 'two'
  assert.notEqual(last, first);
  for (const text of ['one', 'two']) await reads(ben, text);
  assert.equal(await reads(ben, 'three'), last);
});

test('a member that goes while messages are under way reads none that was sealed after', async (t) => {
  const { middle, ada, ben, cem } = await channelOf(t, 'ben', 'cem');
  await ada.mail('#ops', 'zero');
  const tickets = [];
  for (let n = 0; n < 60; ++n) {
    tickets.push(await ada.send('#ops', `n${n}`));
    if (n === 30) await cem.peer.ask({ type: 'channel_leave', name: 'ops' }, 'channel_left');
  }
  for (const ticket of tickets) assert.equal((await ada.waitSent(ticket)).state, 'stored');
  await reads(ben, 'zero');
  const ids = [];
  for (let n = 0; n < 60; ++n) ids.push(await reads(ben, `n${n}`));
  const changes = ids.filter((id, n) => n > 0 && id !== ids[n - 1]).length;
  assert.ok(changes <= 1, `${changes} changes`);
  await reads(cem, 'zero');
  const known = new Set(cem.keys.keys());
  const afterwards = ids.filter((id) => !known.has(id)).length;
  assert.ok(afterwards >= 20, `${afterwards} of 60 under the new key`);
  assert.ok(sendsTo(middle, ada, cem) <= 1);
});
