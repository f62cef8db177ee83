// Somebody moves the broker's wall clock, forth and back, while it runs and while it is down: a
// captured hello is never admitted again, the step is an alarm, and once the clock is right again
// members come in at once. SIGNET_TEST_LONG=1 tries more steps.
import assert from 'node:assert/strict';
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { hello, startBroker, temporaryFolder } from './harness.mjs';

const kDay = 86_400;
const kSteps = [1, -1, 6, -6, 61, -61, 3_600, -3_600, 30 * kDay, -30 * kDay];
const kMoreSteps = [2, -2, 30, -30, 59, -59, 120, -120, 600, -600, kDay, -kDay, 7 * kDay, -7 * kDay];
const steps = process.env.SIGNET_TEST_LONG ? [...kSteps, ...kMoreSteps] : kSteps;

// The library of Debian's package faketime, for programs with threads.
const library = ['x86_64', 'aarch64'].map((machine) =>
  `/usr/lib/${machine}-linux-gnu/faketime/libfaketimeMT.so.1`).find((path) => existsSync(path));
const skip = library === undefined && 'the package faketime is not installed';

async function brokerWithClock(t) {
  const file = join(temporaryFolder(), 'clock');
  const set = (text) => { // whole or not at all: the broker reads it at every look at the clock
    writeFileSync(`${file}.new`, `${text}\n`);
    renameSync(`${file}.new`, file);
  };
  set('+0');
  const env = { LD_PRELOAD: library, FAKETIME_TIMESTAMP_FILE: file, FAKETIME_NO_CACHE: '1',
                FAKETIME_DONT_FAKE_MONOTONIC: '1', FAKETIME_DONT_RESET: '1', TZ: 'UTC',
                ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:verify_asan_link_order=0` };
  const broker = await startBroker(t, { env });
  broker.clock = (seconds) => set(`${seconds < 0 ? '' : '+'}${seconds}`);
  broker.freezeAt = (ms) => set(new Date(ms).toISOString().slice(0, 19).replace('T', ' '));
  return broker;
}

let last = 0; // no two hellos of the same millisecond
const nowAt = (seconds) => (last = Math.max(Date.now(), last + 1)) + 1000 * seconds;

// The reason of the refusal, or 'admitted'.
async function answer(broker, said) {
  const peer = await broker.open();
  peer.say(said);
  const frame = await peer.next((f) => f.type === 'hello_ack' || f.type === 'error');
  await peer.leave();
  return frame.code ?? 'admitted';
}

async function replayAll(broker, captured, what) {
  for (const said of captured) {
    assert.match(await answer(broker, said), /^(replayed|timestamp_skew)$/, what);
  }
}
async function comesIn(broker, member, captured, seconds, what) {
  const said = hello(member, { timestamp: nowAt(seconds) });
  assert.equal(await answer(broker, said), 'admitted', what);
  captured.push(said);
}

test('no step of a running clock admits a replay, and none keeps members out', { skip }, async (t) => {
  const broker = await brokerWithClock(t);
  for (const first of steps) {
    const member = await broker.join('member');
    const captured = [];
    await comesIn(broker, member, captured, 0, 'before');
    for (const offset of [first, 2 * first, 0]) {
      broker.clock(offset);
      await replayAll(broker, captured, `step to ${offset} s`);
      await comesIn(broker, member, captured, offset, `step to ${offset} s`);
      await replayAll(broker, captured, `after the step to ${offset} s`);
    }
  }
});

test('no step of a clock while the broker is down admits one', { skip }, async (t) => {
  const broker = await brokerWithClock(t);
  const member = await broker.join('member');
  const captured = [];
  await comesIn(broker, member, captured, 0, 'before');
  for (const offset of [3_600, -3_600, 30 * kDay, -30 * kDay, 0]) {
    await broker.kill();
    broker.clock(offset);
    await broker.start();
    await replayAll(broker, captured, `up again at ${offset} s`);
    await comesIn(broker, member, captured, offset, `up again at ${offset} s`);
  }
  await replayAll(broker, captured, 'at the end');
});

test('a clock that stands still admits none, and members while they are in its window', { skip }, async (t) => {
  const broker = await brokerWithClock(t);
  const member = await broker.join('member');
  const captured = [];
  broker.freezeAt(Date.now());
  for (let i = 0; i < 5; ++i) {
    await comesIn(broker, member, captured, 0, 'frozen');
    await replayAll(broker, captured, 'frozen');
  }
  broker.clock(0);
  await replayAll(broker, captured, 'going on');
  await comesIn(broker, member, captured, 0, 'going on');
});

test('a step is an alarm: logged, and a reason not to be ready', { skip }, async (t) => {
  const broker = await brokerWithClock(t);
  assert.equal((await broker.request('GET', '/readyz')).status, 200);
  broker.clock(-3_600);
  const { level, by_ms } = await broker.logged('clock.stepped');
  assert.equal(level, 'error');
  assert.ok(Math.abs(by_ms + 3_600_000) < 2_000, `by ${by_ms} ms`);
  assert.equal((await broker.request('GET', '/readyz')).status, 503);
});
