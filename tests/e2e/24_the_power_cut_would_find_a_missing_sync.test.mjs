// The negative control: without a sync before each acknowledgement the same cuts lose messages.
import assert from 'node:assert/strict';
import test from 'node:test';
import { missing, settle } from './load.mjs';
import { cutPower, startOnDisk } from './power_cut.mjs';

const kCuts = 3;

test('a store that does not sync loses what it acknowledged', { timeout: 100_000 }, async (t) => {
  const scene = await startOnDisk(t, { 'store.synchronous_full': 'false' });
  if (!scene) return;
  const { broker, senders, receivers } = scene;
  for (let cut = 0; cut < kCuts; ++cut) await cutPower(scene);
  scene.addAway();
  const told = await settle(broker, senders, receivers);
  const lost = missing(senders, receivers).length;
  t.diagnostic(`${kCuts} cuts, ${told}, ${lost} lost`);
  assert.notEqual(lost, 0, 'the test of the power cut finds nothing');
});
