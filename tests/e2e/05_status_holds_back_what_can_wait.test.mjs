// Idle gets everything; working and dnd get `now` only; what was held comes later, oldest first.
import assert from 'node:assert/strict';
import test from 'node:test';
import { eventually, startBroker } from './harness.mjs';

for (const busy of ['working', 'dnd']) {
  test(`${busy} holds next and low, lets now pass, and idle releases in order`, async (t) => {
    const broker = await startBroker(t);
    const receiver = await broker.joined('receiver');
    const { peer: sender } = await broker.joined('sender');
    const mail = (text, priority) => sender.mail(receiver.member, text, { priority });

    assert.equal((await receiver.peer.status(busy)).find(
      (each) => each.pubkey === receiver.member.pubkey).status, busy);
    for (const [text, priority] of [['a', 'next'], ['b', 'low'], ['c', 'now'], ['d', 'next']]) {
      await mail(text, priority);
    }
    assert.deepEqual(await receiver.peer.texts(1), ['c']);
    await receiver.peer.none('push');
    await receiver.peer.status('idle');
    assert.deepEqual(await receiver.peer.texts(3), ['a', 'b', 'd']);
    await mail('e', 'low');
    assert.deepEqual(await receiver.peer.texts(1), ['e']);
  });
}

test('a send without a priority is next: held while working', async (t) => {
  const broker = await startBroker(t);
  const receiver = await broker.joined('receiver');
  const { peer: sender } = await broker.joined('sender');
  await receiver.peer.status('working');
  await sender.mail(receiver.member, 'x', { priority: undefined });
  await receiver.peer.none('push');
  await receiver.peer.status('idle');
  assert.equal((await receiver.peer.next('push')).priority, 'next');
});

test('held mail survives a kill, and waits for the status to allow it', async (t) => {
  const broker = await startBroker(t);
  const receiver = await broker.joined('receiver');
  const { peer: sender } = await broker.joined('sender');
  await receiver.peer.status('dnd');
  await sender.mail(receiver.member, 'held');
  await broker.restartAfterKill();
  const again = await broker.connect(receiver.member); // a new session is idle
  assert.deepEqual(await again.texts(1), ['held']);
});

test('working falls back to idle when no hook refreshes it; dnd does not', async (t) => {
  const broker = await startBroker(t, { set: { 'claudemesh.working_ttl': '1s' } });
  const worker = await broker.joined('worker');
  const quiet = await broker.joined('quiet');
  const { peer: sender } = await broker.joined('sender');
  await worker.peer.status('working');
  await quiet.peer.status('dnd');
  await sender.mail(worker.member, 'to worker');
  await sender.mail(quiet.member, 'to quiet');
  assert.deepEqual(await worker.peer.texts(1), ['to worker']);
  const status = async (member) =>
    (await sender.roundTrip()).find((each) => each.pubkey === member.pubkey).status;
  await eventually('idle again', async () => (await status(worker.member)) === 'idle');
  assert.equal(await status(quiet.member), 'dnd');
  await quiet.peer.none('push', 1500);
});
