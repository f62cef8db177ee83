// Too fast: each pulse over the rate is answered, the rest arrives, and who does not listen at all is
// ended with 4008. What one small pulse may cause has a limit as well.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { addSource, connect, startPulseBroker } from './pulse_client.mjs';
import { eventually, sleep, temporaryFolder } from './harness.mjs';

// The rates that v1 declares, and a slow one.
const role = (name, second, minute, burst) => `[role.${name}]\nsources = ["${name}"]\nproof = "shared"\n` +
  `pulses_per_second = ${second}\npulses_per_minute = ${minute}\nburst = ${burst}\n`;
const kPolicy = `${role('mirror', 10, 300, 20)}${role('sage', 20, 500, 50)}${role('slow', 2, 1000, 5)}
[[rule]]
id = "all"
allow = ["connect", "publish", "subscribe", "read_history"]
`;
async function withRates(t) {
  const file = join(temporaryFolder(), 'policy.toml');
  writeFileSync(file, kPolicy);
  const broker = await startPulseBroker(t, { set: { 'policy.file': file } });
  const secrets = {};
  for (const source of ['slow', 'mirror', 'sage']) secrets[source] = (await addSource(broker, source)).secret;
  const enter = (topic, source) => connect(broker, topic, source, { secret: secrets[source] });
  return { broker, enter, peer: await enter('mirror.intent', 'slow') };
}

test('what is too much is answered pulse by pulse, what was not arrives, nothing is doubled', async (t) => {
  const { broker, peer } = await withRates(t);
  const listener = await connect(broker, 'mirror.intent', 'listener');
  for (let n = 0; n < 25; ++n) peer.say({ n });
  const refused = [];
  await eventually('each is answered or heard', () => {
    refused.push(...peer.inbox.splice(0));
    return refused.length + listener.inbox.length === 25;
  });
  for (const { type, code, retryAfterMs } of refused) {
    assert.deepEqual([type, code], ['error', 'rate_limited']);
    assert.ok(retryAfterMs > 0 && retryAfterMs <= 5_000, `${retryAfterMs}`);
  }
  const heard = listener.inbox.splice(0).map(({ n }) => n);
  assert.ok(heard.length >= 5 && heard.length <= 12, `${heard.length} of a burst of 5`);
  assert.deepEqual(heard.slice(0, 5), [0, 1, 2, 3, 4]);
  await sleep(refused.at(-1).retryAfterMs + 50);
  peer.say({ n: 'again' });
  assert.equal((await listener.pulses(1))[0].n, 'again');
  assert.equal(peer.isClosed, false);
});

test('who never stops is ended with 4008', async (t) => {
  const { peer } = await withRates(t);
  for (let n = 0; n < 3_000 && !peer.isClosed; ++n) peer.say({ n });
  const { code } = await peer.closed;
  assert.equal(code, 4008);
  assert.equal(peer.inbox.at(-1).code, 'rate_limited');
});

test('the nodes of v1 have the rates that it declares', async (t) => {
  const { broker, enter } = await withRates(t);
  for (const [source, burst, most] of [['mirror', 20, 60], ['sage', 50, 130]]) {
    const [peer, listener] = [await enter(`free.${source}`, source), await connect(broker, `free.${source}`, 'l')];
    for (let n = 0; n < 4 * burst; ++n) peer.say({ n });
    await eventually('each is answered or heard', () => peer.inbox.length + listener.inbox.length === 4 * burst);
    const heard = listener.inbox.length;
    assert.ok(heard >= burst && heard <= most, `${source}: ${heard} of a burst of ${burst}`);
    await peer.leave();
  }
});

test('what one member\'s pulses cause is bounded: bytes out for bytes in', async (t) => {
  const set = { 'limits.deliveries_per_second': 10, 'limits.deliveries_burst': 200 };
  const broker = await startPulseBroker(t, { set });
  const { secret } = await addSource(broker, 'loud');
  const peer = await connect(broker, 'mirror.intent', 'loud', { secret });
  const crowd = [];
  for (let i = 0; i < 50; ++i) crowd.push(await connect(broker, 'mirror.intent', `c${i}`));
  const heard = () => crowd.reduce((sum, each) => sum + each.inbox.length, 0);
  const kSaid = 40;
  for (let n = 0; n < kSaid; ++n) { peer.say({ n }); await sleep(5); }
  await eventually('each is answered', () => heard() + 50 * peer.inbox.length >= 50 * kSaid);
  assert.ok(heard() >= 200 && heard() <= 500, `${heard()} deliveries of a burst of 200`);
  assert.ok(peer.inbox.every(({ code }) => code === 'rate_limited'));
  crowd[0].say({ n: 'others' }); // pay for their own
  await eventually('another member is not slowed', () => crowd[1].inbox.at(-1).n === 'others');
});

// The limits of production, which dev mode has not.
const kProduction = { 'limits.pulses_per_second': 50, 'limits.pulses_burst': 100, 'limits.pulses_per_minute': 1000,
                      'limits.pulses_per_second_address': 2000, 'limits.pulses_burst_address': 4000,
                      'limits.deliveries_per_second': 200000, 'limits.deliveries_burst': 400000 };
test('who shares the secret and never stops silences none of the others', async (t) => {
  const broker = await startPulseBroker(t, { set: kProduction });
  const rogue = await connect(broker, 'mirror.intent', 'rogue');
  const honest = await connect(broker, 'core.reply', 'honest');
  const listener = await connect(broker, 'core.reply', 'listener');
  const flood = setInterval(() => { for (let i = 0; i < 10 && !rogue.isClosed; ++i) rogue.say({ i }); }, 5);
  t.after(() => clearInterval(flood));
  const refused = () => rogue.inbox.filter(({ code }) => code === 'rate_limited').length;
  await eventually('it is over its rate', () => refused() > 100);
  for (let n = 0; n < 20; ++n) {
    const before = refused();
    honest.say({ n });
    await listener.next((frame) => frame.n === n);
    await eventually('it is at it', () => rogue.isClosed || refused() > before);
  }
  assert.deepEqual(honest.inbox.filter((frame) => 'code' in frame), []);
  assert.ok(!honest.isClosed);
});
