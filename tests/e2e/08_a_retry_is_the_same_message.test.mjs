// The id of a message comes from mesh, sender and client id: a retry is the same message.
import assert from 'node:assert/strict';
import test from 'node:test';
import { startBroker } from './harness.mjs';

test('the same id and content is acknowledged again and pushed once', async (t) => {
  const broker = await startBroker(t);
  const receiver = await broker.joined('receiver');
  const sender = await broker.joined('sender');
  const send = (peer) => peer.mail(receiver.member, 'once', { id: 'job-1' });
  const first = await send(sender.peer);
  const again = await Promise.all(Array.from({ length: 10 }, () => send(sender.peer)));
  assert.ok(again.every((ack) => ack.type === 'ack' && ack.messageId === first.messageId));
  const second = await broker.connect(sender.member); // another session is the same sender
  assert.equal((await send(second)).messageId, first.messageId);
  assert.deepEqual(await receiver.peer.texts(1), ['once']);
  await receiver.peer.none('push');
  assert.equal(await broker.metric('broker_messages_routed_total{priority="next"}'), 1);

  await broker.restartAfterKill();
  assert.equal((await send(await broker.connect(sender.member))).messageId, first.messageId);
  await (await broker.connect(receiver.member)).none('push'); // it had confirmed it
});

test('a retry after kill -9 of a message that still waits is delivered once', async (t) => {
  const broker = await startBroker(t);
  const receiver = await broker.join('receiver');
  const sender = await broker.joined('sender');
  const first = await sender.peer.mail(receiver, 'waits', { id: 'w' });
  await broker.restartAfterKill();
  const retried = await (await broker.connect(sender.member)).mail(receiver, 'waits', { id: 'w' });
  assert.equal(retried.messageId, first.messageId);
  const peer = await broker.connect(receiver);
  assert.deepEqual(await peer.texts(1), ['waits']);
  await peer.none('push');
});

test('the same id with other content is id_reused, before and after a kill', async (t) => {
  const broker = await startBroker(t);
  const receiver = await broker.joined('receiver');
  const other = await broker.join('other');
  const sender = await broker.joined('sender');
  await sender.peer.mail(receiver.member, 'original', { id: 'x' });
  const changes = [[receiver.member, 'changed', {}], [other, 'original', {}],
                   [receiver.member, 'original', { priority: 'now' }],
                   [receiver.member, 'original', { nonce: 'other' }], ['*', 'original', {}]];
  const allRefused = async (peer) => {
    for (const [to, text, extra] of changes) {
      const answer = await peer.mail(to, text, { id: 'x', ...extra });
      assert.deepEqual([answer.type, answer.code], ['error', 'id_reused']);
    }
  };
  await allRefused(sender.peer);
  assert.deepEqual(await receiver.peer.texts(1), ['original']);
  await receiver.peer.none('push');
  await broker.restartAfterKill();
  await allRefused(await broker.connect(sender.member));
});

test('the same id of another sender is another message', async (t) => {
  const broker = await startBroker(t);
  const receiver = await broker.joined('receiver');
  const [one, two] = [await broker.joined('one'), await broker.joined('two')];
  const ids = await Promise.all([one, two].map(async ({ peer }) =>
    (await peer.mail(receiver.member, 'hi', { id: '1' })).messageId));
  assert.notEqual(ids[0], ids[1]);
  assert.deepEqual(await receiver.peer.texts(2), ['hi', 'hi']);
});
