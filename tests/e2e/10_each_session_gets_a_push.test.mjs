// A member with several sessions gets a push on each; the message is done when any one confirmed.
import assert from 'node:assert/strict';
import test from 'node:test';
import { hello, startBroker } from './harness.mjs';
import { RawSocket } from './raw_socket.mjs';

test('every session of the receiver gets the push', async (t) => {
  const broker = await startBroker(t);
  const receiver = await broker.join('receiver');
  const { peer: sender } = await broker.joined('sender');
  const sessions = [];
  for (let i = 0; i < 5; ++i) sessions.push(await broker.connect(receiver, { sessionId: `s${i}` }));
  const { messageId } = await sender.mail(receiver, 'to all of you');
  for (const session of sessions) assert.equal((await session.next('push')).messageId, messageId);
  for (const session of sessions) await session.none('push', 50);
});

test('it is done when one session confirmed, though another never did', async (t) => {
  const broker = await startBroker(t);
  const receiver = await broker.join('receiver');
  const { peer: sender } = await broker.joined('sender');
  const mute = await RawSocket.connect(broker, { pongs: false });
  mute.say(hello(receiver));
  await mute.next('hello_ack');
  await sender.mail(receiver, 'first');
  await mute.next('push');
  const prompt = await broker.connect(receiver); // gets what nobody confirmed
  assert.deepEqual(await prompt.texts(1), ['first']);
  await sender.mail(receiver, 'second', { receipts: true });
  assert.deepEqual(await prompt.texts(1), ['second']);
  assert.equal((await sender.next('receipt')).state, 'received');
  await prompt.leave();
  await mute.end();
  await broker.restartAfterKill();
  await (await broker.connect(receiver)).none('push');
});

test('the sender is told once, however many sessions confirm', async (t) => {
  const broker = await startBroker(t);
  const receiver = await broker.join('receiver');
  const { peer: sender } = await broker.joined('sender');
  for (let i = 0; i < 4; ++i) await broker.connect(receiver);
  await sender.mail(receiver, 'x', { receipts: true });
  await sender.next('receipt');
  await sender.none('receipt', 500);
});

test('a busy session does not keep mail from an idle one', async (t) => {
  const broker = await startBroker(t);
  const receiver = await broker.join('receiver');
  const { peer: sender } = await broker.joined('sender');
  const busy = await broker.connect(receiver);
  const idle = await broker.connect(receiver);
  await busy.status('working');
  await sender.mail(receiver, 'x', { receipts: true });
  assert.deepEqual(await idle.texts(1), ['x']);
  await sender.next('receipt');
  await busy.status('idle');
  await busy.none('push'); // it is done
});
