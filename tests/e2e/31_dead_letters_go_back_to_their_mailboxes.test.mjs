// A dead letter that the operator requeues is delivered as the message it was, to who may have it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import test from 'node:test';
import { eventually, startBroker } from './harness.mjs';

const kRequeue = '/meshes/demo/dead-letters/requeue';

// Time that passes: what waits is due now, and the next sweep finds it. Only while nobody serves.
async function expireAll(broker) {
  await broker.stop();
  const script = 'import sqlite3, sys\nwith sqlite3.connect(sys.argv[1]) as db: db.execute("UPDATE mailbox SET due = 1")';
  execFileSync('/usr/bin/python3', ['-c', script, `${broker.data}/signet.db`]);
  await broker.start();
}
async function letters(broker, count) {
  return eventually(`${count} are dead`, async () => {
    const list = (await broker.operator('GET', '/meshes/demo/dead-letters')).json().deadLetters;
    return list.length === count && list;
  }, 30_000);
}

test('one goes to a receiver that is connected, at once and once, under the same id', async (t) => {
  const broker = await startBroker(t);
  const sender = await broker.join('sender');
  const receiver = await broker.join('receiver');
  const ack = await (await broker.connect(sender)).mail(receiver, 'late', { receipts: true });
  await expireAll(broker);
  const [letter] = await letters(broker, 1);
  assert.deepEqual([letter.messageId, letter.reason], [ack.messageId, 'expired']);
  const [from, to] = [await broker.connect(sender), await broker.connect(receiver)];
  await to.none('push');
  const body = { number: letter.number, recipient: receiver.pubkey };
  const answer = await broker.operator('POST', kRequeue, body);
  assert.deepEqual(answer.json(), { ok: true, requeued: 1, refused: 0, full: 0, more: false });
  const push = await to.next('push');
  assert.deepEqual([push.messageId, push.ciphertext], [ack.messageId, 'late']);
  assert.equal((await from.next('receipt')).messageId, ack.messageId);
  assert.deepEqual((await broker.operator('POST', kRequeue, body)).json(),
                   { ok: true, requeued: 0, refused: 0, full: 0, more: false });
  await letters(broker, 0);
  await to.none('push');
  assert.equal(await broker.metric('signet_store_requeued_total'), 1);
});

test('all go back but those of the revoked, and wait through a crash', async (t) => {
  const broker = await startBroker(t);
  const sender = await broker.join('sender');
  const [stays, gone] = [await broker.join('stays'), await broker.join('gone')];
  const peer = await broker.connect(sender);
  for (const text of ['one', 'two', 'three']) await peer.mail(stays, text);
  await peer.mail(gone, 'for nobody');
  await expireAll(broker);
  const dead = await letters(broker, 4);
  await broker.setStanding(gone, 'revoked');
  const { number } = dead.find(({ recipient }) => recipient === gone.pubkey);
  const refused = await broker.operator('POST', kRequeue, { number, recipient: gone.pubkey });
  assert.equal(refused.status, 403);
  assert.deepEqual((await broker.operator('POST', kRequeue, { all: true })).json(),
                   { ok: true, requeued: 3, refused: 1, full: 0, more: false });
  await broker.restartAfterKill();
  assert.deepEqual(await (await broker.connect(stays)).texts(3), ['one', 'two', 'three']);
  await letters(broker, 1);
});
