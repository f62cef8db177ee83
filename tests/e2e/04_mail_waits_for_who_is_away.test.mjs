// Messages to a peer that is away wait in order, whatever happens to the broker meanwhile.
import assert from 'node:assert/strict';
import test from 'node:test';
import { startBroker } from './harness.mjs';

const numbers = (from, count) => Array.from({ length: count }, (_, i) => `n${from + i}`);

test('five hundred messages arrive in order after a restart and after kill -9', async (t) => {
  const broker = await startBroker(t);
  const receiver = await broker.join('receiver');
  const sender = await broker.join('sender');
  let said = await broker.connect(sender);
  const sendAll = (texts) => Promise.all(texts.map((text) => said.mail(receiver, text)));

  const first = await sendAll(numbers(0, 250));
  assert.ok(first.every((answer) => answer.type === 'ack'));
  await broker.restart();
  said = await broker.connect(sender);
  await sendAll(numbers(250, 250));
  await broker.restartAfterKill();

  const peer = await broker.connect(receiver);
  assert.deepEqual(await peer.texts(500), numbers(0, 500));
  said = await broker.connect(sender);
  await said.mail(receiver, 'live');
  assert.deepEqual(await peer.texts(1), ['live']);
});

test('what came while away and what comes live are one sequence', async (t) => {
  const broker = await startBroker(t);
  const receiver = await broker.join('receiver');
  const { peer: sender } = await broker.joined('sender');
  const sent = [];
  for (let i = 0; i < 300; ++i) sent.push(sender.mail(receiver, `n${i}`));
  await sent[20];
  const peer = await broker.connect(receiver); // in the middle of the stream
  assert.deepEqual(await peer.texts(300), numbers(0, 300));
  await Promise.all(sent);
  await peer.none('push');
});

test('two senders keep their own order at one receiver', async (t) => {
  const broker = await startBroker(t);
  const receiver = await broker.joined('receiver');
  const senders = [await broker.joined('one'), await broker.joined('two')];
  await Promise.all(senders.flatMap(({ peer }, who) =>
    numbers(0, 200).map((text) => peer.mail(receiver.member, `${who}${text}`))));
  const got = await receiver.peer.texts(400);
  for (const who of ['0', '1']) {
    assert.deepEqual(got.filter((text) => text.startsWith(who)), numbers(0, 200).map((n) => who + n));
  }
});

test('mail to a key that is no member is refused, and to oneself it arrives', async (t) => {
  const broker = await startBroker(t);
  const { member, peer } = await broker.joined('member');
  const answer = await peer.mail('ab'.repeat(32), 'x');
  assert.equal(answer.code, 'no_such_member');
  assert.equal((await peer.mail(member, 'note to self')).type, 'ack');
  assert.deepEqual(await peer.texts(1), ['note to self']);
});
