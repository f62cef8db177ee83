// Room comes and goes under load; once the broker is killed while there is none.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import test from 'node:test';
import { smallDisk } from './disk.mjs';
import { eventually, sleep, startBroker } from './harness.mjs';
import { integrityOf, missing, randomFrom, Receiver, seedOf, Sender, settle } from './load.mjs';

const kDiskBytes = 24 << 20;
const kReserveBytes = 4 << 20;
const kRounds = 4;
const kFullMs = 500;

test(`${kRounds} times full`, { timeout: 100_000 }, async (t) => {
  const disk = smallDisk(t, kDiskBytes);
  if (!disk) return;
  const random = randomFrom(seedOf(t));
  const broker = await startBroker(t, {
    data: join(disk.path, 'data'), set: { 'store.reserve_bytes': kReserveBytes } });
  broker.options.command = ['dev', '--listen', broker.listen, '--ready-json'];  // the same invite
  const members = [];
  for (const name of ['r0', 'r1', 's0', 's1']) members.push(await broker.join(name));
  const receivers = members.slice(0, 2).map((member) => new Receiver(broker, member));
  const senders = members.slice(2).map((member) => new Sender(broker, member, members.slice(0, 2)));
  t.after(() => Promise.all([...senders, ...receivers].map((client) => client.leave())));

  const isFull = () => broker.metric('signet_store_disk_full');
  for (let round = 0; round < kRounds; ++round) {
    await sleep(random() * kFullMs);
    const leave = disk.crowd(0);
    await eventually('it is full', isFull);
    await sleep(random() * kFullMs);
    if (round === 1) await broker.restartAfterKill();
    leave();
    await eventually('it has room again', async () => !await isFull());
  }
  const told = await settle(broker, senders, receivers);
  const refusals = senders.flatMap((sender) => sender.refused);
  t.diagnostic(`${told}, ${refusals.length} refusals`);
  assert.deepEqual([...new Set(refusals.map(({ code }) => code))], ['store_full']);
  assert.deepEqual(missing(senders, receivers), []);
  for (const { seen } of receivers) assert.equal(new Set(seen.values()).size, seen.size, 'twice');
  await broker.stop();
  assert.equal(integrityOf(`${broker.data}/signet.db`), 'ok');
});
