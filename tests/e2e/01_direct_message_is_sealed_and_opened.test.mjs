// A peer joins with an invite link, sends a sealed message, and only its receiver can open it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { newKeys, open, seal, startBroker } from './harness.mjs';

test('a joined peer sends a sealed message and the other opens it', async (t) => {
  const broker = await startBroker(t);
  const alice = await broker.joined('alice');
  const bob = await broker.joined('bob');

  const body = seal(alice.member, bob.member.pubkey, 'hello bob, grüße 🎺');
  const ack = await alice.peer.ask(
    { type: 'send', id: 'm1', targetSpec: bob.member.pubkey, priority: 'now', ...body }, 'ack');
  assert.equal(ack.id, 'm1');
  assert.equal(ack.queued, true);

  const push = await bob.peer.next('push');
  assert.equal(push.messageId, ack.messageId);
  assert.equal(push.meshId, broker.mesh.id);
  assert.equal(push.senderPubkey, alice.member.pubkey);
  assert.equal(push.targetSpec, bob.member.pubkey);
  assert.equal(push.priority, 'now');
  assert.match(push.createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.deepEqual({ nonce: push.nonce, ciphertext: push.ciphertext }, body);
  assert.equal(open(bob.member, push), 'hello bob, grüße 🎺');
  assert.throws(() => open({ ...newKeys() }, push), 'a third key must not open it');
});

test('hello_ack names the presence and the member', async (t) => {
  const broker = await startBroker(t);
  const carol = await broker.join('carol');
  const first = await broker.connect(carol);
  const second = await broker.connect(carol);
  assert.match(first.presence, /^[0-9a-f]{32}$/);
  assert.notEqual(first.presence, second.presence);
});

test('bodies are opaque: text that is no base64 arrives byte for byte', async (t) => {
  const broker = await startBroker(t);
  const alice = await broker.joined('alice');
  const bob = await broker.joined('bob');
  const odd = { nonce: 'not base64!', ciphertext: '"quoted" \\ \u0007 é 🎺 {"a":1}' };
  await alice.peer.mail(bob.member, '', odd);
  const push = await bob.peer.next('push');
  assert.deepEqual({ nonce: push.nonce, ciphertext: push.ciphertext }, odd);
});

test('a send without an id is acknowledged with an empty one and still has a message id', async (t) => {
  const broker = await startBroker(t);
  const alice = await broker.joined('alice');
  const bob = await broker.joined('bob');
  const frame = { type: 'send', targetSpec: bob.member.pubkey, nonce: '', ciphertext: 'x' };
  const acks = [await alice.peer.ask(frame, 'ack'), await alice.peer.ask(frame, 'ack')];
  assert.deepEqual(acks.map((ack) => ack.id), ['', '']);
  assert.notEqual(acks[0].messageId, acks[1].messageId);
  assert.deepEqual(await bob.peer.texts(2), ['x', 'x']);
});
