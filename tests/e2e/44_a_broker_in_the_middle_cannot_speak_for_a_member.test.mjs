// What a malicious broker tries with the messages of others, one way each: none is shown as a
// sealed text that its sender did not mean for this place, or twice.
import assert from 'node:assert/strict';
import test from 'node:test';
import { base64, seal, startBroker, unique } from './harness.mjs';
import { Driver, memberOf, newStateFile, openLibrary, startLibrary } from './library.mjs';
import { startMiddle } from './middle.mjs';
import { keyGrant, newChannelKey, NodeMember, sealToMany } from './sealed_channel.mjs';

const newId = () => unique() + unique();

// Ada behind the broker; bob and cem write to her with a key of theirs for `#ops` each.
async function scene(t) {
  const broker = await startBroker(t);
  const middle = await startMiddle(t, broker);
  const state = newStateFile(t);
  const ada = await startLibrary(t, broker, 'ada', { url: middle.ws, state });
  const [bob, cem] = [await NodeMember.join(broker, 'bob'), await NodeMember.join(broker, 'cem')];
  await ada.join('#ops');
  await ada.join('#dev');
  const scene = { broker, middle, ada, bob, cem, state };
  scene.push = (fields, to = ada) => {
    const frame = { type: 'push', messageId: newId(), meshId: bob.member.meshId, priority: 'next',
                    createdAt: new Date().toISOString(), targetSpec: ada.pubkey, ...fields };
    middle.linkOf(to.pubkey).tell(frame);
    return frame.messageId;
  };
  // A message that is in order, behind which all that was pushed before has been taken in.
  scene.settled = async () => {
    const text = `in order ${unique()}`;
    scene.push({ senderPubkey: bob.pubkey, ...seal(bob.member, ada.pubkey, text) });
    await ada.message(text);
    return ada.messages.filter((message) => !message.text?.startsWith('in order'));
  };
  return scene;
}
// Pushes it; it must be shown without a text, for that reason, or (null) not at all.
async function isRefused(scene, fields, why) {
  const before = (await scene.settled()).length;
  const id = scene.push(fields);
  const shown = (await scene.settled()).slice(before);
  const expected = why === null ? [] : [[id, null, false, why]];
  assert.deepEqual(shown.map((m) => [m.id, m.text, m.sealed, m.why]), expected);
}

test('her own box, reflected as the other side\'s', async (t) => {
  const all = await scene(t);
  const { middle, ada, bob } = all;
  const rows = [[{}, 'reflected'], [{ targetSpec: undefined }, 'reflected'],
                [{ senderPubkey: ada.pubkey }, 'reflected'],
                [{ targetSpec: '#ops' }, 'body_malformed']];
  for (const [change, why] of rows) { // a box each: the same one again is not even looked at
    await ada.mail(bob.pubkey, 'ada owes bob nothing');
    const { nonce, ciphertext } = middle.sendsOf(ada.pubkey).at(-1);
    await isRefused(all, { nonce, ciphertext, senderPubkey: bob.pubkey, ...change }, why);
  }
});

test('her own box, after she lost her state', async (t) => {
  const all = await scene(t);
  const { middle, ada, bob, broker } = all;
  await ada.mail(bob.pubkey, 'from before');
  const [sent] = middle.sendsOf(ada.pubkey);
  await ada.close();
  const again = await openLibrary(ada.driver, broker, ada.member, { url: middle.ws, as: 'again' });
  await again.connected();
  all.push({ nonce: sent.nonce, ciphertext: sent.ciphertext, senderPubkey: bob.pubkey }, again);
  assert.equal((await again.message((message) => message.text === null)).why, 'reflected');
});

test('the same message again: under its id, another one, and after a restart', async (t) => {
  const all = await scene(t);
  const { middle, ada, bob, broker, state } = all;
  const key = newChannelKey();
  const grant = seal(bob.member, ada.pubkey, keyGrant(bob.member.meshId, '#ops', bob.pubkey, key));
  const bodies = [
    { senderPubkey: bob.pubkey, targetSpec: ada.pubkey, ...seal(bob.member, ada.pubkey, 'pay 5') },
    { senderPubkey: bob.pubkey, targetSpec: '#ops', ...sealToMany(bob.member, '#ops', key, 'go') },
  ];
  all.push({ senderPubkey: bob.pubkey, ...grant });
  for (const body of bodies) {
    const messageId = all.push(body);
    for (let n = 0; n < 3; ++n) {
      all.push({ ...body, messageId });
      all.push(body);
      all.push({ ...body, messageId: messageId.toUpperCase() });
      all.push({ ...body, senderPubkey: body.senderPubkey.toUpperCase() });
    }
  }
  all.push({ ...bodies[0], targetSpec: undefined });
  all.push({ ...bodies[0], targetSpec: ada.pubkey.toUpperCase() });
  assert.deepEqual((await all.settled()).map((m) => [m.text, m.sealed]), [['pay 5', true], ['go', true]]);

  await ada.close();
  const again = await openLibrary(ada.driver, broker, ada.member, { url: middle.ws, state });
  await again.connected();
  for (const body of bodies) all.push(body);
  all.push({ senderPubkey: bob.pubkey, ...seal(bob.member, ada.pubkey, 'new') });
  await again.message('new');
  assert.deepEqual(again.texts, ['new']);
});

test('a body under another sender', async (t) => {
  const all = await scene(t);
  const { ada, bob, cem } = all;
  const key = newChannelKey();
  const body = seal(bob.member, ada.pubkey, 'from bob');
  await isRefused(all, { ...body, senderPubkey: cem.pubkey }, 'does_not_open');
  await isRefused(all, { ...sealToMany(bob.member, '#ops', key, 'from bob'), targetSpec: '#ops',
                         senderPubkey: cem.pubkey }, 'bad_signature');
});

test('a body in another place', async (t) => {
  const all = await scene(t);
  const { ada, bob } = all;
  const key = newChannelKey();
  const grantOf = (target) => ({ senderPubkey: bob.pubkey, ...seal(
    bob.member, ada.pubkey, keyGrant(bob.member.meshId, target, bob.pubkey, key)) });
  for (const target of ['#ops', '#dev', '*']) all.push(grantOf(target)); // the same key for all
  const toOps = () => sealToMany(bob.member, '#ops', key, 'for ops');
  const toAda = () => seal(bob.member, ada.pubkey, 'for ada alone');
  const rows = [
    ...['#dev', '*', 'tag:ops', '#Ops'].map((place) =>
      [toOps(), { targetSpec: place }, 'bad_signature']),
    [toOps(), { targetSpec: ada.pubkey }, 'does_not_open'],
    [toOps(), { targetSpec: undefined }, 'does_not_open'],
    [toOps(), { targetSpec: '#ops', meshId: 'another' }, null],
    [toAda(), { targetSpec: '#ops' }, 'body_malformed'],
    [toAda(), { targetSpec: bob.pubkey }, 'misdirected'],
    [toAda(), { meshId: 'another' }, null],
    [toAda(), { targetSpec: '?' }, 'misdirected'],
  ];
  for (const [body, place, why] of rows) {
    await isRefused(all, { senderPubkey: bob.pubkey, ...body, ...place }, why);
  }
});

test('a text in the clear is never taken for a sealed one', async (t) => {
  const all = await scene(t);
  const { ada, bob } = all;
  const clear = (targetSpec) => ({ senderPubkey: bob.pubkey, targetSpec,
                                   nonce: base64(Buffer.from(unique() + unique()).subarray(0, 24)),
                                   ciphertext: base64('bob says: pay eve') });
  for (const target of [ada.pubkey, undefined]) await isRefused(all, clear(target), 'does_not_open');
  for (const target of ['*', '#ops', 'tag:gpu']) all.push(clear(target));
  const shown = (await all.settled()).filter((message) => message.text !== null);
  assert.deepEqual(shown.map((m) => [m.text, m.sealed]), Array(3).fill(['bob says: pay eve', false]));
});

test('keys that were made up, moved, or are somebody else\'s', async (t) => {
  const all = await scene(t);
  const { ada, bob, cem } = all;
  const key = newChannelKey();
  const grant = keyGrant(bob.member.meshId, '#ops', bob.pubkey, key);
  all.push({ senderPubkey: cem.pubkey, ...seal(cem.member, ada.pubkey, grant) }); // cem hands on bob's
  await isRefused(all, { senderPubkey: bob.pubkey, targetSpec: '#ops',
                         ...sealToMany(bob.member, '#ops', key, 'not yet') }, 'key_missing');
  const shown = await all.settled();
  assert.equal(shown.filter((message) => message.text !== null).length, 0);
  assert.ok(shown.some((message) => message.from === cem.pubkey && message.why === 'body_malformed'));
});

test('a push before the hello was answered is one like any other', async (t) => {
  const all = await scene(t);
  const { broker, middle, bob } = all;
  const member = await memberOf(broker, 'dee');
  let isFirst = true;
  middle.rewrite.down = (frame, link) => {
    if (frame.type !== 'hello_ack' || link.pubkey !== member.pubkey || !isFirst) return frame;
    isFirst = false;
    const body = { senderPubkey: bob.pubkey, ...seal(bob.member, member.pubkey, 'early') };
    return [{ type: 'push', messageId: newId(), meshId: member.meshId, priority: 'next',
              createdAt: '', targetSpec: member.pubkey, ...body }, frame];
  };
  const dee = await openLibrary(new Driver(t), broker, member, { url: middle.ws });
  await dee.connected();
  assert.equal((await dee.message('early')).sealed, true);
});
