// One message to many: everybody, those joined to a channel, those with a tag; never the sender.
import assert from 'node:assert/strict';
import test from 'node:test';
import { startBroker } from './harness.mjs';

async function four(t) {
  const broker = await startBroker(t);
  const peers = {};
  for (const name of ['ann', 'ben', 'cem', 'dee']) peers[name] = await broker.joined(name);
  return { broker, ...peers };
}
async function reached(target, sender, others) {
  const ack = await sender.peer.mail(target, 'to many');
  assert.equal(ack.type, 'ack', JSON.stringify(ack));
  for (const { peer } of others) {
    const push = await peer.next('push');
    assert.deepEqual([push.messageId, push.targetSpec], [ack.messageId, target]);
  }
}
const nobodyElse = (all) => Promise.all(all.map(({ peer }) => peer.none('push')));

test('* reaches every other member once, the absent too, and never the sender', async (t) => {
  const { broker, ann, ben, cem, dee } = await four(t);
  await dee.peer.leave();
  await reached('*', ann, [ben, cem]);
  const back = await broker.connect(dee.member);
  assert.deepEqual(await back.texts(1), ['to many']);
  await nobodyElse([ann, ben, cem, { peer: back }]);
});

test('#channel reaches those who joined it, until they leave', async (t) => {
  const { ann, ben, cem, dee } = await four(t);
  const join = (who, name) => who.peer.ask({ type: 'channel_join', name }, 'channel_joined');
  for (const who of [ann, ben, cem]) assert.equal((await join(who, 'build')).name, 'build');
  await reached('#build', ann, [ben, cem]);
  await reached('#build', dee, [ann, ben, cem]); // one need not be in it to speak to it
  await cem.peer.ask({ type: 'channel_leave', name: 'build' }, 'channel_left');
  await reached('#build', ann, [ben]);
  await nobodyElse([ann, ben, cem, dee]);
});

test('channel_list shows names, sizes and whether one is in', async (t) => {
  const { broker, ann, ben } = await four(t);
  await ann.peer.ask({ type: 'channel_join', name: 'one' }, 'channel_joined');
  await ben.peer.ask({ type: 'channel_join', name: '#two' }, 'channel_joined');
  await ann.peer.ask({ type: 'channel_join', name: 'two' }, 'channel_joined');
  const list = async (peer) => (await peer.ask({ type: 'channel_list' }, 'channel_list')).channels;
  const expected = [{ name: 'one', members: 1, joined: false },
                    { name: 'two', members: 2, joined: true }];
  assert.deepEqual(await list(ben.peer), expected);
  await broker.restartAfterKill();
  assert.deepEqual(await list(await broker.connect(ben.member)), expected);
});

test('an empty channel takes a message for nobody; a bad name is a bad frame', async (t) => {
  const { ann, ben, cem, dee } = await four(t);
  await reached('#empty', ann, []);
  for (const name of ['', '#', 'a b', 'x'.repeat(200), 7, null]) {
    assert.equal((await ann.peer.ask({ type: 'channel_join', name }, 'error')).code, 'bad_frame');
  }
  await nobodyElse([ann, ben, cem, dee]);
});

test('tag:x reaches those whom the operator gave it, and a hello cannot claim one', async (t) => {
  const { broker, ann, ben, cem, dee } = await four(t);
  for (const who of [ann, ben, cem]) {
    const path = `/meshes/demo/members/${who.member.pubkey}/role`;
    const tags = who === cem ? ['gpu', 'night'] : ['gpu'];
    assert.equal((await broker.operator('POST', path, { role: 'member', tags })).status, 200);
  }
  const claimant = await broker.connect(dee.member, { groups: ['gpu'], tags: ['gpu'] });
  await reached('tag:gpu', ann, [ben, cem]);
  await reached('tag:night', dee, [cem]);
  await nobodyElse([ann, ben, cem, dee, { peer: claimant }]);
});
