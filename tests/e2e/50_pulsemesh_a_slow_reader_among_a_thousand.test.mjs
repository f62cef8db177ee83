// One of a thousand subscribers stops reading: the others get everything as soon as before, the slow
// one is named, what it was not given is counted, and memory stays where it was.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { handshake, kSecret, PythonClient, startPulseBroker } from './pulse_client.mjs';
import { light, percentile, several } from './pulse_crowd.mjs';
import { eventually, sleep, temporaryFolder } from './harness.mjs';

const kSubscribers = Number(process.env.SIGNET_TEST_SUBSCRIBERS ?? 1_000);
const kPulses = 100;
const kPaceMs = 40; // the thousand live in one process: it has to keep up with itself
const kMiB = 2 ** 20;
const kBody = 'x'.repeat(2_000);
// What fills the buffers of the kernel goes to the slow one alone, beside all that the others get.
const kBulk = 'y'.repeat(60_000);
const kRoutes = '[nodes]\nslow = ["slow.lane"]\n[targets]\n"live" = ["slow"]\n"bulk" = ["slow"]\n';
const kLean = { ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:quarantine_size_mb=4` };
const kExtra = 400; // more of it, when the others are quiet: 24 MB that nobody reads
const kSaid = 2 * kPulses + kExtra; // so many are for the slow one
const kSmall = { 'net.high_water_bytes': '16KiB', 'net.max_queued_bytes': '128KiB',
                 'pulsemesh.late_pulses': 8, 'pulsemesh.history': 8,
                 'net.slow_consumer_after': '5m' }; // how long one may be slow is another test

// Publishes `count` pulses, the first with number `from`; resolves with the times in ms from saying one
// until each of `crowd` heard it.
async function publish(publisher, crowd, from, count, beside = () => {}) {
  const said = new Map(), times = [];
  let lost = 0;
  for (const each of crowd) {
    let expected = from;
    each.heard = (text) => {
      const n = Number(/"n":(\d+)/.exec(text)[1]);
      if (n !== expected) lost += 1;
      expected = n + 1;
      times.push(performance.now() - said.get(n));
    };
  }
  for (let n = from; n < from + count; ++n) {
    said.set(n, performance.now());
    publisher.say(`{"n":${n},"body":"${kBody}"}`);
    beside(n);
    await sleep(kPaceMs);
  }
  await eventually(`all ${count} reach all`, () => times.length >= count * crowd.length, 60_000)
    .catch((error) => { error.message += `; ${times.length} did`; throw error; });
  assert.equal(lost, 0, 'each in order and none left out');
  return times;
}

test('nobody else waits for it', async (t) => {
  const routes = join(temporaryFolder(), 'routes.toml');
  writeFileSync(routes, kRoutes);
  const broker = await startPulseBroker(t, { set: { ...kSmall, 'policy.routes': routes }, env: kLean });
  const crowd = await several(kSubscribers - 1, (i) => light(broker, 'live', `s${i}`));
  const publisher = await light(broker, 'live', 'publisher');
  const calm = percentile(await publish(publisher, crowd, 0, kPulses), 0.99);

  const slow = new PythonClient(t, broker, kSecret);
  const { message } = handshake('slowpoke');
  assert.equal((await slow.open('slow.lane', JSON.stringify(message), 'spaced', true)).client_id, 'slowpoke');
  const bulk = await light(broker, 'bulk', 'bulk');
  const fill = (n) => bulk.say(`{"n":${n},"bulk":"${kBulk}"}`);
  const beside = percentile(await publish(publisher, crowd, kPulses, kPulses, fill), 0.99);
  t.diagnostic(`p99 ${calm.toFixed(1)} ms, beside a slow reader ${beside.toFixed(1)} ms`);
  assert.ok(beside < 4 * calm + 500, `p99 ${calm} ms became ${beside} ms`);

  const before = broker.residentBytes();
  for (let n = 2 * kPulses; n < kSaid; ++n) {
    fill(n);
    if (n % 10 === 9) await sleep(20);
  }
  await eventually('all are in', async () => (await broker.metric('signet_pulses_total')) >= kSaid + kPulses);
  const grown = broker.residentBytes() - before;
  assert.ok(grown < 10 * kMiB, `${grown} bytes for one that does not read`);

  const named = broker.log.filter((line) => line.includes('"event":"consumer.slow"') &&
                                            line.includes('slowpoke'));
  assert.ok(named.length >= 1 && named.length <= 3, `the slow one is named: ${named.length} times`);
  const dropped = await broker.metric('signet_pulses_dropped_total');
  assert.ok(dropped > 0 && dropped < kSaid, `${dropped} dropped`);

  // It reads on: what it was not given is gone, the newest is there, and in order.
  slow.order({ read: true });
  const numbers = (kind = '') => slow.said.filter((said) => 'frame' in said && said.frame.includes(kind))
    .map(({ frame }) => Number(/"n":(\d+)/.exec(frame)[1]));
  await eventually('it is given the newest', () => numbers().at(-1) === kSaid - 1);
  // Two publishers: each of them is heard in its order.
  for (const kind of ['body', 'bulk']) {
    const got = numbers(`"${kind}"`);
    assert.deepEqual(got, got.slice().sort((a, b) => a - b), kind);
  }
  assert.equal(numbers().length, kSaid - dropped, 'what is missing was counted');
  for (const each of crowd) each.socket.terminate();
  await slow.leave();
});
