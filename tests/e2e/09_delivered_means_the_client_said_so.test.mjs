// A push is done when a pong to a ping sent after it, or the client's own receipt, says so.
import assert from 'node:assert/strict';
import test from 'node:test';
import { hello, startBroker } from './harness.mjs';
import { RawSocket } from './raw_socket.mjs';

async function scene(t, options) {
  const broker = await startBroker(t);
  const receiver = await broker.join('receiver');
  const { peer: sender } = await broker.joined('sender');
  const raw = await RawSocket.connect(broker, options);
  raw.say(hello(receiver));
  await raw.next('hello_ack');
  return { broker, receiver, sender, raw };
}

test('a client that never pongs gets it again, with the same message id', async (t) => {
  const { broker, receiver, sender, raw } = await scene(t, { pongs: false });
  const { messageId } = await sender.mail(receiver, 'precious');
  assert.equal((await raw.next('push')).messageId, messageId);
  await raw.ping();
  await raw.end();
  const again = await RawSocket.connect(broker, { pongs: false });
  again.say(hello(receiver));
  assert.equal((await again.next('push')).messageId, messageId);
  await broker.restartAfterKill();
  const last = await broker.connect(receiver);
  assert.equal((await last.next('push')).messageId, messageId);
});

test('one that pongs does not get it again, also after kill -9', async (t) => {
  const { broker, receiver, sender, raw } = await scene(t, { pongs: true });
  await sender.mail(receiver, 'seen', { receipts: true });
  await raw.next('push');
  await sender.next('receipt');
  await raw.end();
  const again = await broker.connect(receiver);
  await again.none('push');
});

test('only the pong to the ping that came after the push counts', async (t) => {
  const { broker, receiver, sender, raw } = await scene(t, { pongs: false });
  await sender.mail(receiver, 'one');
  await raw.next('push');
  const { payload } = await raw.ping();
  for (const forged of ['', 'hello', Buffer.alloc(payload.length), Buffer.alloc(payload.length, 255)]) {
    raw.pong(forged);
  }
  raw.say({ type: 'list_peers' });
  await raw.next('peers_list');
  await raw.end();
  const again = await RawSocket.connect(broker, { pongs: false });
  again.say(hello(receiver));
  await again.next('push');
  const first = await again.ping();
  await sender.mail(receiver, 'two', { receipts: true });
  await again.next('push');
  again.pong(first.payload); // covers `one` only
  await again.ping();
  await again.end();
  assert.deepEqual(await (await broker.connect(receiver)).texts(1), ['two']);
});

test('receipts received and read reach the sender that asked, each once', async (t) => {
  const { broker, receiver, sender, raw } = await scene(t, { pongs: false });
  const { messageId } = await sender.mail(receiver, 'tell me', { receipts: true });
  await raw.next('push');
  for (const state of ['received', 'read', 'received', 'read']) {
    raw.say({ type: 'receipt', messageId, state });
  }
  for (const state of ['received', 'read']) {
    const { by, ...receipt } = await sender.next('receipt');
    assert.deepEqual(receipt, { type: 'receipt', messageId, state });
    assert.equal(by, receiver.pubkey);
  }
  await sender.none('receipt');
  await raw.end();
  await (await broker.connect(receiver)).none('push');
});

test('nobody is told who did not ask, and a receipt for nothing is refused', async (t) => {
  const { receiver, sender, raw } = await scene(t, { pongs: false });
  const { messageId } = await sender.mail(receiver, 'quiet');
  await raw.next('push');
  raw.say({ type: 'receipt', messageId, state: 'read' });
  await sender.none('receipt');
  raw.say({ type: 'receipt', messageId: '00'.repeat(messageId.length / 2), state: 'received' });
  assert.equal((await raw.next('error')).code, 'no_such_message');
  for (const wrong of [{ messageId, state: 'eaten' }, { messageId: 'zz', state: 'read' }, {}]) {
    raw.say({ type: 'receipt', ...wrong });
    assert.equal((await raw.next('error')).code, 'bad_frame');
  }
});
