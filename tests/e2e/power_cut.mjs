// A broker on a disk whose power is cut under load, again and again. What the kernel still holds in
// memory is lost, as with the power; what it gave to the disk counts as written, so that a disk
// that lies about its own cache is not what is tested here.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cuttableDisk } from './disk.mjs';
import { sleep, startBroker, unique } from './harness.mjs';
import { randomFrom, Receiver, seedOf, Sender } from './load.mjs';

const kDiskBytes = 64 << 20;
const kServingMs = 1_500;

// Undefined where loop mounts are not permitted; the test is then skipped with the reason.
export async function startOnDisk(t, set = {}) {
  const disk = cuttableDisk(t, kDiskBytes);
  if (!disk) return undefined;
  const random = randomFrom(seedOf(t));
  const broker = await startBroker(t, { data: join(disk.path, 'data'), set });
  const members = [];
  for (const name of ['away', 'here', 's0', 's1']) members.push(await broker.join(name));
  await broker.restart();  // a clean stop keeps the members, whatever is tested about messages
  disk.sync();

  const receivers = [new Receiver(broker, members[1])];
  const senders = members.slice(2).map((member) => new Sender(broker, member, members.slice(0, 2)));
  const clients = [...senders, ...receivers];
  t.after(() => Promise.all([...senders, ...receivers].map((client) => client.leave())));
  const addAway = () => receivers.push(new Receiver(broker, members[0]));
  return { disk, random, broker, receivers, senders, clients, addAway };
}

// Cuts the power at a random moment and starts the broker on what the disk had. Answers whether the
// cut took what nobody had synced, as all do unless something syncs the whole machine just then.
export async function cutPower({ disk, random, broker, clients }) {
  await sleep(200 + random() * kServingMs);
  const canary = join(disk.path, unique());  // a new name: ext4 syncs what it overwrites
  writeFileSync(canary, 'nobody synced this');
  broker.process.kill('SIGSTOP');
  for (const client of clients) client.peer?.vanish();  // an ack that comes now comes too late
  const content = disk.read();
  await broker.kill();
  disk.remountAs(content);
  await broker.start();
  return !existsSync(canary) || readFileSync(canary, 'utf8') === '';
}
