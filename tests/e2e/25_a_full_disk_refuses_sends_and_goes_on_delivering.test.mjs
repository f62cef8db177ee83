// A disk that another program fills while messages come in, and leaves again.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { cuttableDisk, smallDisk } from './disk.mjs';
import { eventually, startBroker, unique } from './harness.mjs';
import { integrityOf } from './load.mjs';

const kDiskBytes = 64 << 20;  // below 32 MiB of room a broker is never ready
const kReserveBytes = 4 << 20;
const kBody = 'x'.repeat(10_000);
const kAtOnce = 16;
const kMost = 3_000;  // messages; the disk holds fewer

// Sends until something is refused; answers the bodies that were acknowledged and the refusals,
// each with the id under which it may come again.
async function fill(peer, to) {
  const stored = [], refused = [];
  for (let n = 0; refused.length === 0 && n < kMost;) {
    await Promise.all(Array.from({ length: kAtOnce }, async () => {
      const id = unique(), text = `${n++} ${kBody}`;
      const answer = await peer.mail(to, text, { id });
      if (answer.type === 'ack') stored.push(text);
      else refused.push({ id, text, code: answer.code });
    }));
  }
  return { stored, refused };
}

async function fillAndDrain(t, disk) {
  const broker = await startBroker(t, {
    data: join(disk.path, 'data'), set: { 'store.reserve_bytes': kReserveBytes } });
  const receiver = await broker.join('receiver');
  const late = await broker.join('late');
  const { member, peer } = await broker.joined('sender');
  const readiness = () => broker.request('GET', '/readyz');
  const ready = async () => (await readiness()).status === 200;
  assert.ok(await ready());
  await peer.mail(late, 'from before');
  const leave = disk.crowd(6 << 20);

  const { stored, refused } = await fill(peer, receiver);
  t.diagnostic(`${stored.length} stored, ${refused.length} refused`);
  assert.ok(stored.length > 100);
  assert.deepEqual([...new Set(refused.map(({ code }) => code))], ['store_full']);
  const leaveAll = disk.crowd(kReserveBytes / 2);  // half of what was kept for this day
  assert.equal((await broker.request('GET', '/health')).json().status, 'degraded');
  assert.equal((await readiness()).json().store, 'failed');

  const back = await broker.connect(receiver);  // a hello is written down, also now
  assert.deepEqual(await back.texts(stored.length), stored);
  await eventually('all is confirmed', async () => await broker.metric('broker_queue_depth') === 1);
  assert.equal((await peer.mail(receiver, 'too early')).code, 'store_full');
  assert.equal((await readiness()).status, 503);

  leave();
  leaveAll();
  await eventually('ready again, without a restart', ready);
  for (const { id, text } of refused) {
    assert.equal((await peer.mail(receiver, text, { id })).type, 'ack');
  }
  const again = await back.texts(refused.length);
  assert.deepEqual(again, refused.map(({ text }) => text));
  await back.none('push');

  await broker.restartAfterKill();
  await (await broker.connect(receiver)).none('push');
  assert.deepEqual(await (await broker.connect(late)).texts(1), ['from before']);
  assert.equal((await (await broker.connect(member)).mail(late, 'after')).type, 'ack');
  await broker.stop();
  assert.equal(integrityOf(`${broker.data}/signet.db`), 'ok');
}

for (const [name, make] of [['tmpfs', smallDisk], ['ext4', cuttableDisk]]) {
  test(name, { timeout: 100_000 }, async (t) => {
    const disk = make(t, kDiskBytes);
    if (disk) await fillAndDrain(t, disk);
  });
}
