// SIGKILL at random moments, while serving and while starting. Run it longer by hand:
//   SIGNET_TEST_KILLS=200 node --test 21_*.mjs
// SIGNET_TEST_SEED=n repeats the moments of an earlier run.
import assert from 'node:assert/strict';
import test from 'node:test';
import { sleep, startBroker } from './harness.mjs';
import { assertAllArrived, integrityOf, randomFrom, Receiver, seedOf, Sender,
         settle } from './load.mjs';

const kKills = Number(process.env.SIGNET_TEST_KILLS ?? 12);
const kServingMs = 700;   // a kill comes at any time up to this after the start
const kStartingMs = 250;  // or, one time in four, before it is ready

// Kills the broker and starts it again on the same port and data.
async function killOnce(broker, random) {
  if (random() < 0.25) {
    await broker.kill();
    const started = broker.start().catch(() => 'killed while starting');
    await sleep(random() * kStartingMs);
    await broker.kill();
    await started;
  } else {
    await sleep(random() * kServingMs);
    await broker.kill();
  }
  await broker.start();
}

test(`${kKills} kills`, { timeout: 60_000 + kKills * 5_000 }, async (t) => {
  const random = randomFrom(seedOf(t));
  const broker = await startBroker(t);
  broker.options.command = ['dev', '--listen', broker.listen, '--ready-json'];
  const members = [];
  for (const name of ['r0', 'r1', 'r2', 's0', 's1', 's2']) members.push(await broker.join(name));
  const receivers = members.slice(0, 3).map((member, i) =>
    new Receiver(broker, member, { receipts: i === 0 }));
  const senders = members.slice(3).map((member) => new Sender(broker, member, members.slice(0, 3)));
  t.after(() => Promise.all([...senders, ...receivers].map((client) => client.leave())));

  for (let kill = 0; kill < kKills; ++kill) await killOnce(broker, random);
  const told = await settle(broker, senders, receivers);
  t.diagnostic(`${kKills} kills, ${told}`);
  assertAllArrived(senders, receivers);
  await broker.stop();
  assert.equal(integrityOf(`${broker.data}/signet.db`), 'ok');
});
