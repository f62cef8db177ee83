// A key is 32 bytes, however its hex is written: every way to write it is one member with one
// mailbox, and what is no hex of 32 bytes is nobody.
import assert from 'node:assert/strict';
import test from 'node:test';
import { hello, newKeys, startBroker } from './harness.mjs';

// A key with at least six letters in its hex.
function lettered() {
  for (;;) {
    const keys = newKeys();
    if (keys.pubkey.match(/[a-f]/g)?.length >= 6) return keys;
  }
}
// All 2^6 ways to write the first six letters.
function spellings(hex) {
  const places = [...hex.matchAll(/[a-f]/g)].slice(0, 6).map(({ index }) => index);
  return Array.from({ length: 64 }, (_, bits) => [...hex].map((c, i) =>
    ((bits >> places.indexOf(i)) & 1 && places.includes(i) ? c.toUpperCase() : c)).join(''));
}

test('64 spellings of one key are one member, one mailbox and one presence', async (t) => {
  const broker = await startBroker(t);
  const { peer: watcher, member: own } = await broker.joined('watcher');
  const keys = lettered();
  const all = spellings(keys.pubkey);
  assert.equal(new Set(all).size, 64);
  const ids = new Set();
  for (const pubkey of all) ids.add((await broker.join('shouting', { ...keys, pubkey })).memberId);
  assert.equal(ids.size, 1);
  const { members } = (await broker.operator('GET', '/meshes/demo/members')).json();
  assert.equal(members.length, 2);

  const member = { ...keys, meshId: broker.mesh.id, memberId: [...ids][0] };
  for (const pubkey of all) {
    const peer = await broker.open();
    await peer.ask(hello({ ...member, pubkey }), 'hello_ack'); // signed as it is written
    const present = (await watcher.roundTrip()).map((each) => each.pubkey);
    assert.deepEqual(present.sort(), [own.pubkey, keys.pubkey].sort());
    assert.equal((await watcher.mail(pubkey, pubkey)).recipients, 1);
    assert.deepEqual(await peer.texts(1), [pubkey]);
    await peer.leave();
    while ((await watcher.roundTrip()).length > 1);
  }
});

test('what looks like the key and is not written in 64 ASCII digits is refused', async (t) => {
  const broker = await startBroker(t);
  const keys = lettered();
  const member = await broker.join('member', keys);
  const { pubkey } = keys;
  const letter = pubkey.match(/[a-f]/);
  const fullWidth = String.fromCodePoint(pubkey.codePointAt(letter.index) + 0xfee0);
  const swapped = (by) => pubkey.slice(0, letter.index) + by + pubkey.slice(letter.index + 1);
  for (const odd of [` ${pubkey}`, `${pubkey} `, `${pubkey}\n`, `${pubkey}\0`, `0x${pubkey}`,
                     `\ufeff${pubkey}`, `${pubkey}\u200b`, swapped(fullWidth), swapped('а'),
                     `${letter[0]}\u0301${pubkey.slice(1)}`, pubkey.slice(0, 63)]) {
    const peer = await broker.open();
    peer.say(hello({ ...member, pubkey: odd }));
    assert.equal((await peer.closed).reason, 'malformed', JSON.stringify(odd));
    const { invite } = broker;
    const token = invite.slice(invite.indexOf('/join/') + 6);
    const body = { invite_token: token, invite_payload: JSON.parse(Buffer.from(token, 'base64url')),
                   peer_pubkey: odd, display_name: 'odd' };
    assert.equal((await broker.postJoin(body)).json().error, 'bad_key', JSON.stringify(odd));
  }
  const { members } = (await broker.operator('GET', '/meshes/demo/members')).json();
  assert.equal(members.length, 1);
});
