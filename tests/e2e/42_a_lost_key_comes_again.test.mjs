// Who lost its state asks the sender for the key and gets it; who is not of the audience asks in
// vain, and so does who asks in a circle.
import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import test from 'node:test';
import { eventually, startBroker } from './harness.mjs';
import { Driver, memberOf, newStateFile, openLibrary, startLibrary } from './library.mjs';
import { startMiddle } from './middle.mjs';
import { keyIdOf, keyRequest, newChannelKey, NodeMember, sealToMany } from './sealed_channel.mjs';

test('a client whose state file is gone reads the channel again', async (t) => {
  const broker = await startBroker(t);
  const middle = await startMiddle(t, broker);
  const ada = await startLibrary(t, broker, 'ada', { url: middle.ws });
  const member = await memberOf(broker, 'bob');
  const state = newStateFile(t);
  const driver = new Driver(t);
  const bob = await openLibrary(driver, broker, member, { state });
  await bob.connected();
  await bob.join('#ops');
  await ada.mail('#ops', 'one');
  await bob.message('one');

  await bob.close();
  rmSync(dirname(state), { recursive: true });
  const again = await openLibrary(driver, broker, member, { state: newStateFile(t), reads: false });
  await again.connected();
  await ada.mail('#ops', 'two');
  const got = await eventually('the text, once the key is here', async () =>
    (await again.do('unread')).find((message) => message.text === 'two'));
  assert.equal(got.sealed, true);
  await ada.mail('#ops', 'three');
  await eventually('three', async () =>
    (await again.do('unread')).some((message) => message.text === 'three'));
  const keys = middle.sendsOf(ada.pubkey).filter((frame) => frame.targetSpec === member.pubkey);
  assert.equal(keys.length, 2); // one at first, one for the asking
});

test('a handler is given the message with its text, once the key has come', async (t) => {
  const broker = await startBroker(t);
  const ada = await startLibrary(t, broker, 'ada');
  const member = await memberOf(broker, 'bob');
  const driver = new Driver(t);
  const bob = await openLibrary(driver, broker, member); // nothing on disk
  await bob.connected();
  await bob.join('#ops');
  await ada.mail('#ops', 'one');
  await bob.message('one');
  await bob.close();
  const again = await openLibrary(driver, broker, member, { as: 'again' });
  await again.connected();
  for (const text of ['two', 'three']) await ada.mail('#ops', text);
  await again.message('three');
  assert.deepEqual(again.messages.map((m) => [m.text, m.sealed]), [['two', true], ['three', true]]);
});

test('what nobody has a key for holds up the others once, and briefly', async (t) => {
  const broker = await startBroker(t);
  const ada = await startLibrary(t, broker, 'ada');
  const [ben, cem] = [await NodeMember.join(broker, 'ben'), await NodeMember.join(broker, 'cem')];
  await ada.join('#ops');
  const began = Date.now();
  for (let n = 0; n < 5; ++n) {
    const body = sealToMany(ben.member, '#ops', newChannelKey(), 'under a key that is nobody\'s');
    assert.equal((await ben.peer.mail('#ops', '', body)).type, 'ack');
  }
  await cem.direct(ada, 'behind it');
  await ada.message('behind it');
  const took = Date.now() - began;
  assert.deepEqual(ada.messages.map((message) => message.why), [...Array(5).fill('key_missing'), '']);
  assert.ok(took < 5_000, `${took} ms`);
});

test('a stranger who asks gets nothing', async (t) => {
  const broker = await startBroker(t);
  const middle = await startMiddle(t, broker);
  const ada = await startLibrary(t, broker, 'ada', { url: middle.ws });
  const [ben, eve] = [await NodeMember.join(broker, 'ben'), await NodeMember.join(broker, 'eve')];
  await ben.channel('ops');
  await ada.mail('#ops', 'for ben');
  const id = keyIdOf((await ben.next()).push);
  for (let n = 0; n < 5; ++n) await eve.direct(ada, keyRequest('#ops', id));
  await ben.direct(ada, keyRequest('#ops', id)); // one of the audience: the same question, an answer
  await ben.direct(ada, keyRequest('#ops', '00'.repeat(16))); // no key of hers
  await ada.mail(ben.pubkey, 'afterwards');
  assert.equal((await ben.next()).text, 'afterwards');
  await eve.peer.none('push');
  const to = (member) => middle.sendsOf(ada.pubkey).filter((f) => f.targetSpec === member.pubkey);
  assert.equal(to(eve).length, 0);
  assert.equal(to(ben).length, 3); // the key, the key again, the text
  assert.deepEqual(ada.texts, []); // nothing of the asking is shown
});

test('who asks again and again on one connection is answered once', async (t) => {
  const broker = await startBroker(t);
  const middle = await startMiddle(t, broker);
  const ada = await startLibrary(t, broker, 'ada', { url: middle.ws });
  const ben = await NodeMember.join(broker, 'ben');
  await ben.channel('ops');
  await ada.mail('#ops', 'for ben');
  const id = keyIdOf((await ben.next()).push);
  for (let n = 0; n < 20; ++n) {
    await ben.direct(ada, keyRequest('#ops', id));
    if (n % 5 === 0) await ada.mail('#ops', `between ${n}`);
  }
  await ada.mail(ben.pubkey, 'afterwards');
  const toBen = middle.sendsOf(ada.pubkey).filter((frame) => frame.targetSpec === ben.pubkey);
  assert.ok(toBen.length <= 4, `${toBen.length} direct messages`); // key, once more, the text
});
