// The sealed format for many, held against a second implementation that was written from the page
// alone: each opens what the other sends to a channel, to a tag's members and to everybody.
import assert from 'node:assert/strict';
import test from 'node:test';
import { startBroker } from './harness.mjs';
import { startLibrary } from './library.mjs';
import { keyIdOf, NodeMember } from './sealed_channel.mjs';

const kText = 'all hands, 世界';

for (const [target, kind] of [['#ops', 'channel'], ['*', 'broadcast']]) {
  test(`to ${target}, both ways`, async (t) => {
    const broker = await startBroker(t);
    const ada = await startLibrary(t, broker, 'ada');
    const node = await NodeMember.join(broker, 'node');
    await ada.join('#ops');
    await node.channel('ops');

    assert.equal((await ada.mail(target, kText)).recipients, 1);
    const got = await node.next();
    assert.deepEqual([got.kind, got.text, got.push.senderPubkey], ['many', kText, ada.pubkey]);

    assert.equal((await node.send(target, 'and back')).type, 'ack');
    const back = await ada.message('and back');
    assert.deepEqual({ ...back, id: '', name: '' }, { id: '', from: node.pubkey, name: '', why: '', kind,
                                            target, sealed: true, text: 'and back' });
    assert.equal(ada.messages.length, 1); // the key's message is never shown
  });
}

test('two senders have two keys, and each reads the other', async (t) => {
  const broker = await startBroker(t);
  const ada = await startLibrary(t, broker, 'ada');
  const bob = await startLibrary(t, broker, 'bob');
  const node = await NodeMember.join(broker, 'node');
  for (const each of [ada, bob]) await each.join('#ops');
  await node.channel('ops');
  const ids = new Set();
  for (let n = 0; n < 3; ++n) {
    for (const sender of [ada, bob]) {
      assert.equal((await sender.mail('#ops', `${sender.as}-${n}`)).recipients, 2);
      const got = await node.next();
      assert.equal(got.text, `${sender.as}-${n}`);
      ids.add(`${sender.as} ${keyIdOf(got.push)}`);
    }
  }
  assert.equal(ids.size, 2);
  assert.equal((await ada.message('bob-2')).sealed, true);
  assert.deepEqual(ada.texts, ['bob-0', 'bob-1', 'bob-2']);
  assert.deepEqual(bob.texts, ['ada-0', 'ada-1', 'ada-2']);
});
