// The disk's image is copied from under its file system: what was not synced is not in the copy.
import assert from 'node:assert/strict';
import test from 'node:test';
import { assertAllArrived, integrityOf, missing, settle } from './load.mjs';
import { cutPower, startOnDisk } from './power_cut.mjs';

const kCuts = Number(process.env.SIGNET_TEST_CUTS ?? 4);

test(`${kCuts} cuts`, { timeout: 60_000 + kCuts * 10_000 }, async (t) => {
  const scene = await startOnDisk(t);
  if (!scene) return;
  const { broker, senders, receivers } = scene;
  let real = 0;
  for (let cut = 0; cut < kCuts; ++cut) real += await cutPower(scene) ? 1 : 0;
  assert.notEqual(real, 0, 'no cut took anything, so that they show nothing');
  scene.addAway(); // all that was sent to it waits on the disk
  const told = await settle(broker, senders, receivers);
  const lost = missing(senders, receivers).length;
  t.diagnostic(`${kCuts} cuts, ${real} of them real, ${told}, ${lost} lost`);
  assertAllArrived(senders, receivers);
  await broker.stop();
  assert.equal(integrityOf(`${broker.data}/signet.db`), 'ok');
});
