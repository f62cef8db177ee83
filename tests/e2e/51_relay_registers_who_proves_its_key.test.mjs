// The server speaks first; who seals its text under a key holds that key.
import assert from 'node:assert/strict';
import test from 'node:test';
import WebSocket from 'ws';
import { once } from 'node:events';
import { startBroker } from './harness.mjs';
import { bytesOf, challenged, registered, relayKeys, relayUrl, responseTo }
  from './relay_client.mjs';

test('a challenge has its four members and is never the same twice', async (t) => {
  const broker = await startBroker(t);
  const challenges = [];
  for (let i = 0; i < 4; ++i) challenges.push((await challenged(broker)).challenge);
  for (const challenge of challenges) {
    assert.deepEqual(Object.keys(challenge), ['type', 'from', 'nonce', 'challengeText']);
    assert.match(challenge.from, /^[A-Za-z0-9_-]{43}$/);
    assert.match(challenge.nonce, /^[A-Za-z0-9_-]{32}$/);
    const [, at] = /(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)/.exec(challenge.challengeText);
    assert.ok(Math.abs(Date.parse(at) - Date.now()) < 20_000, at);
    assert.equal(bytesOf(challenge.challengeText.split(' ').at(-1)).length, 32);
    assert.ok(!challenge.challengeText.startsWith('{'));
  }
  const distinct = (member) => new Set(challenges.map((each) => each[member])).size;
  assert.deepEqual([distinct('from'), distinct('nonce'), distinct('challengeText')], [1, 4, 4]);
});

test('at each of the paths, and nowhere else', async (t) => {
  const broker = await startBroker(t);
  const keys = relayKeys();
  for (const path of ['/relay/', `/relay/${keys.text}`, `/${keys.text}`, `/${relayKeys().text}`]) {
    const peer = await challenged(broker, path);
    peer.say(responseTo(peer.challenge, keys));
    assert.deepEqual(await peer.next('REGISTER_SUCCESS'), { type: 'REGISTER_SUCCESS' });
    await peer.leave();
  }
  const kElsewhere = [['/relay', /404/], ['/relay/abc', /400/], [`/${keys.text}A`, /404/],
                      [`/${keys.text.slice(1)}`, /404/], [`/relay/${keys.text}/x`, /400/]];
  for (const [path, status] of kElsewhere) {
    const [error] = await once(new WebSocket(relayUrl(broker, path)), 'error');
    assert.match(error.message, status, path);
  }
});

test('in every spelling of the bytes', async (t) => {
  const broker = await startBroker(t);
  const padded = (text) => text + '='.repeat((4 - (text.length % 4)) % 4);
  const standard = (text) => Buffer.from(text, 'base64url').toString('base64');
  for (const spell of [padded, standard, (text) => standard(text).replace(/=+$/, '')]) {
    const keys = relayKeys();
    const peer = await challenged(broker);
    const right = responseTo(peer.challenge, keys);
    const members = ['from', 'to', 'nonce', 'message'].map((name) => [name, spell(right[name])]);
    peer.say({ ...right, ...Object.fromEntries(members), more: { members: [1] } });
    await peer.next('REGISTER_SUCCESS');
    const other = await registered(broker); // who finds it under the one name of the key
    other.tell(keys.text, { text: 'found' });
    peer.keys = keys;
    assert.deepEqual((await peer.hear()).value, { text: 'found' });
  }
});

test('without compression, which a client may offer', async (t) => {
  const broker = await startBroker(t);
  const socket = new WebSocket(relayUrl(broker), { perMessageDeflate: true });
  await once(socket, 'open');
  assert.equal(socket.extensions, '');
  socket.close();
});
