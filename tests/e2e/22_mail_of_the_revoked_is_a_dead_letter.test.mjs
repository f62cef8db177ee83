// What waits for a member when it is revoked is never delivered; the operator can see it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { eventually, hello, startBroker } from './harness.mjs';
import { RawSocket } from './raw_socket.mjs';

async function letters(broker, query = '') {
  const answer = await broker.operator('GET', `/meshes/demo/dead-letters${query}`);
  assert.equal(answer.status, 200);
  return answer.json().deadLetters;
}

test('what waited is listed with its sender, recipient and reason, without its body', async (t) => {
  const broker = await startBroker(t);
  const { member: from, peer: sender } = await broker.joined('sender');
  const away = await broker.join('away');
  const acks = [];
  for (const text of ['one secret', 'two secret']) acks.push(await sender.mail(away, text));
  assert.deepEqual(await letters(broker), []);
  await broker.setStanding(away, 'revoked');
  const dead = await eventually('they are listed', async () => {
    const list = await letters(broker);
    return list.length === 2 && list;
  });
  assert.deepEqual(dead.map(({ messageId }) => messageId).sort(),
                   acks.map(({ messageId }) => messageId).sort());
  for (const letter of dead) {
    const { from: who, to, recipient, reason } = letter;
    assert.deepEqual({ who, to, recipient, reason }, { who: from.pubkey, to: away.pubkey,
                     recipient: away.pubkey, reason: 'recipient_revoked' });
    assert.match(letter.diedAt, /Z$/);
    assert.ok(Date.parse(letter.createdAt) <= Date.parse(letter.diedAt));
    assert.ok(!JSON.stringify(letter).includes('secret'));
  }
  assert.equal((await sender.mail(away, 'three')).code, 'no_such_member');
  assert.equal((await letters(broker)).length, 2);
  await broker.restartAfterKill();
  assert.deepEqual(await letters(broker), dead);
});

test('of a message to many only the copy of the revoked one dies', async (t) => {
  const broker = await startBroker(t);
  const { peer: sender } = await broker.joined('sender');
  const [gone, stays] = [await broker.join('gone'), await broker.join('stays')];
  const { messageId } = await sender.mail('*', 'to all');
  await broker.setStanding(gone, 'revoked');
  const dead = await eventually('it is listed', async () => {
    const list = await letters(broker);
    return list.length > 0 && list;
  });
  assert.deepEqual(dead.map((each) => [each.messageId, each.to, each.recipient]),
                   [[messageId, '*', gone.pubkey]]);
  assert.deepEqual(await (await broker.connect(stays)).texts(1), ['to all']);
});

test('what was pushed and not confirmed dies too, what was confirmed does not', async (t) => {
  const broker = await startBroker(t);
  const { peer: sender } = await broker.joined('sender');
  const receiver = await broker.join('receiver');
  const raw = await RawSocket.connect(broker, { pongs: false });
  raw.say(hello(receiver));
  await raw.next('hello_ack');
  const first = await sender.mail(receiver, 'confirmed', { receipts: true });
  await raw.next('push');
  raw.pong((await raw.ping()).payload);
  await sender.next('receipt');
  const second = await sender.mail(receiver, 'in doubt');
  await raw.next('push');
  await broker.setStanding(receiver, 'revoked');
  assert.deepEqual(await raw.closing(), { code: 1008, reason: 'revoked' });
  const dead = await eventually('it is listed', async () => {
    const list = await letters(broker);
    return list.length > 0 && list;
  });
  assert.deepEqual(dead.map(({ messageId }) => messageId), [second.messageId]);
  assert.notEqual(first.messageId, second.messageId);
});

test('quarantine keeps the mail, and its end brings it', async (t) => {
  const broker = await startBroker(t);
  const { peer: sender } = await broker.joined('sender');
  const member = await broker.join('member');
  await sender.mail(member, 'waits');
  await broker.setStanding(member, 'quarantined');
  await broker.setStanding(member, 'admitted');
  assert.deepEqual(await (await broker.connect(member)).texts(1), ['waits']);
  assert.deepEqual(await letters(broker), []);
});

test('the list comes newest first and page by page; dead letters count for nobody\'s quota', async (t) => {
  const broker = await startBroker(t, { set: { 'store.sender_messages': 10 } });
  const { peer: sender } = await broker.joined('sender');
  const [away, other] = [await broker.join('away'), await broker.join('other')];
  const ids = [];
  for (let i = 0; i < 10; ++i) ids.push((await sender.mail(away, `${i}`)).messageId);
  assert.equal((await sender.mail(other, 'x')).code, 'quota_exceeded');
  await broker.setStanding(away, 'revoked');
  const all = await eventually('they are listed', async () => {
    const list = await letters(broker);
    return list.length > 0 && list;
  });
  const newest = ids.reverse();
  assert.deepEqual(all.map(({ messageId }) => messageId), newest);
  const page = await letters(broker, '?limit=3');
  const next = await letters(broker, `?limit=3&before=${page.at(-1).number}`);
  assert.deepEqual([...page, ...next].map(({ messageId }) => messageId), newest.slice(0, 6));
  for (const odd of ['?limit=0', '?limit=-5']) assert.deepEqual(await letters(broker, odd), []);
  assert.equal((await sender.mail(other, 'room again')).type, 'ack');
});

test('of too many dead letters the oldest go with the next sweep', async (t) => {
  const broker = await startBroker(t, { set: { 'store.dead_messages': 2 } });
  const { peer: sender } = await broker.joined('sender');
  const away = await broker.join('away');
  const ids = [];
  for (let i = 0; i < 5; ++i) ids.push((await sender.mail(away, `${i}`)).messageId);
  await broker.setStanding(away, 'revoked');
  const left = await eventually('they are trimmed', async () => {
    const list = await letters(broker);
    return list.length === 2 && list;
  });
  assert.deepEqual(left.map(({ messageId }) => messageId), ids.slice(3).reverse());
});
