// The members of a tag are an audience too. What v0.1 sends in the clear is read, and marked.
import assert from 'node:assert/strict';
import test from 'node:test';
import { base64, startBroker } from './harness.mjs';
import { startLibrary } from './library.mjs';
import { NodeMember } from './sealed_channel.mjs';

test('tag:x is sealed to who has the tag', async (t) => {
  const broker = await startBroker(t);
  const ada = await startLibrary(t, broker, 'ada');
  const [ben, cem] = [await NodeMember.join(broker, 'ben'), await NodeMember.join(broker, 'cem')];
  for (const key of [ben.pubkey, ada.pubkey]) {
    const path = `/meshes/${broker.mesh.slug}/members/${key}/role`;
    const answer = await broker.operator('POST', path, { role: 'member', tags: ['gpu'] });
    assert.equal(answer.status, 200);
  }
  assert.equal((await ada.mail('tag:gpu', 'to the tag')).recipients, 1);
  assert.deepEqual((await ben.next()).text, 'to the tag');
  assert.equal((await cem.send('tag:gpu', 'from outside of it')).type, 'ack');
  const got = await ada.message('from outside of it');
  assert.deepEqual([got.kind, got.sealed, got.target], ['broadcast', true, 'tag:gpu']);
  await cem.peer.none('push');
});

const kTextOfV01 = 'plain as in v0.1, 世界';
const kBodies = [['base64 of the text', base64(kTextOfV01)], ['the text itself', kTextOfV01]];
for (const target of ['*', '#ops']) {
  for (const [name, ciphertext] of kBodies) {
    test(`to ${target}, ${name}: shown, and marked as not sealed`, async (t) => {
      const broker = await startBroker(t);
      const ada = await startLibrary(t, broker, 'ada');
      const node = await NodeMember.join(broker, 'node');
      await ada.join('#ops');
      assert.equal((await node.peer.mail(target, ciphertext)).type, 'ack');
      const got = await ada.message(kTextOfV01);
      assert.equal(got.sealed, false);
      assert.equal(got.from, node.pubkey);
    });
  }
}

test('in the clear is said in the clear where that is asked for, and only there', async (t) => {
  const broker = await startBroker(t);
  const ada = await startLibrary(t, broker, 'ada');
  const node = await NodeMember.join(broker, 'node');
  assert.equal((await ada.mail('*', kTextOfV01, { sealed: false })).recipients, 1);
  const got = await node.next();
  assert.deepEqual([got.kind, got.text], ['clear', kTextOfV01]);
  await ada.mail(node.pubkey, 'a direct one is sealed all the same', { sealed: false });
  assert.equal((await node.next()).kind, 'direct');
});
