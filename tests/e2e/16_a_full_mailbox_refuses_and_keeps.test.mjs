// Every quota refuses what is over it with its code, and keeps what was accepted.
import assert from 'node:assert/strict';
import test from 'node:test';
import { startBroker } from './harness.mjs';

const kBody = 'x'.repeat(16_000);

// Sends until one is refused; what was accepted.
async function fill(sender, to, most, size = 'small') {
  const accepted = [];
  for (let i = 0; i < most; ++i) {
    const text = size === 'large' ? `${i} ${kBody}` : `${i}`;
    const answer = await sender.mail(to, text);
    if (answer.type === 'error') {
      assert.equal(answer.code, 'quota_exceeded');
      return accepted;
    }
    accepted.push(text);
  }
  assert.fail(`${most} were accepted`);
}

const kMailboxes = [
  ['messages', { 'store.mailbox_messages': 25 }, 'small', (count) => count === 25],
  ['bytes', { 'store.mailbox_bytes': '128KiB' }, 'large', (count) => count >= 7 && count <= 8],
];
for (const [what, set, size, isRight] of kMailboxes) {
  test(`a mailbox is full by ${what}: only its own mail is refused, none of it is lost`, async (t) => {
    const broker = await startBroker(t, { set });
    const { peer: sender } = await broker.joined('sender');
    const away = await broker.join('away');
    const other = await broker.joined('other');
    const accepted = await fill(sender, away, 100, size);
    assert.ok(isRight(accepted.length), `${accepted.length} were accepted`);
    assert.equal((await sender.mail(other.member, 'to another')).type, 'ack');
    assert.deepEqual(await other.peer.texts(1), ['to another']);
    assert.equal(await broker.metric('broker_messages_rejected_total{reason="quota_exceeded"}'), 1);

    await broker.restartAfterKill();
    const again = await broker.connect(away);
    assert.deepEqual(await again.texts(accepted.length), accepted);
    await again.none('push');
    const back = (await broker.joined('back')).peer;
    assert.equal((await back.mail(away, 'there is room again')).type, 'ack');
    assert.deepEqual(await again.texts(1), ['there is room again']);
  });
}

test('a broadcast reaches those who have room and says how many it left out', async (t) => {
  const broker = await startBroker(t, { set: { 'store.mailbox_messages': 3 } });
  const { peer: sender } = await broker.joined('sender');
  const full = await broker.join('full');
  const here = await broker.joined('here');
  const accepted = await fill(sender, full, 10);
  const { type, recipients, skipped } = await sender.mail('*', 'to all');
  assert.deepEqual({ type, recipients, skipped }, { type: 'ack', recipients: 1, skipped: 1 });
  assert.deepEqual(await here.peer.texts(1), ['to all']);
  const back = await broker.connect(full);
  assert.deepEqual(await back.texts(3), accepted);
  await back.none('push');
});

test('one sender fills its own share, not that of others', async (t) => {
  const broker = await startBroker(t, { set: { 'store.sender_messages': 20 } });
  const { peer: greedy } = await broker.joined('greedy');
  const { peer: modest } = await broker.joined('modest');
  const [first, second] = [await broker.join('first'), await broker.join('second')];
  for (let i = 0; i < 10; ++i) assert.equal((await greedy.mail(first, `${i}`)).type, 'ack');
  assert.equal((await fill(greedy, second, 100)).length, 10);
  assert.equal((await greedy.mail(first, 'x')).code, 'quota_exceeded');
  assert.equal((await modest.mail(first, 'of another')).type, 'ack');
  assert.equal((await (await broker.connect(first)).texts(11)).at(-1), 'of another');
});

test('a mesh has a share of the disk', async (t) => {
  const broker = await startBroker(t, { set: { 'store.mesh_bytes': '1MiB' } });
  const { peer: sender } = await broker.joined('sender');
  const away = await Promise.all(['a', 'b', 'c', 'd'].map((name) => broker.join(name)));
  let accepted = 0;
  for (const [i, member] of away.entries()) {
    if (i < 3) for (let j = 0; j < 18; ++j, ++accepted) await sender.mail(member, `${j} ${kBody}`);
    else accepted += (await fill(sender, member, 30, 'large')).length;
  }
  assert.ok(accepted >= 60 && accepted <= 66, `${accepted} of 16 KB were accepted`);
  assert.deepEqual(await (await broker.connect(away[0])).texts(18),
                   Array.from({ length: 18 }, (_, j) => `${j} ${kBody}`));
});

test('a refused send can be repeated with its id once there is room', async (t) => {
  const broker = await startBroker(t, { set: { 'store.mailbox_messages': 2 } });
  const { peer: sender } = await broker.joined('sender');
  const away = await broker.join('away');
  await fill(sender, away, 10);
  assert.equal((await sender.mail(away, 'later', { id: 'again' })).code, 'quota_exceeded');
  const back = await broker.connect(away);
  await back.texts(2);
  await back.roundTrip(); // its pong came before
  let answer;
  do answer = await sender.mail(away, 'later', { id: 'again' }); while (answer.type === 'error');
  assert.deepEqual(await back.texts(1), ['later']);
});
