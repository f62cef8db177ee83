// Hundreds of clients lose their broker at once and come back with jitter: all are back soon, each
// once, with their mail. SIGNET_TEST_CLIENTS=10000 is the long form (500 clients).
import assert from 'node:assert/strict';
import test from 'node:test';
import { eventually, sleep, startBroker } from './harness.mjs';

const kRoom = { 'net.max_unproven': 10_000, 'net.unproven_start': 9_999 };
const kClients = Number(process.env.SIGNET_TEST_CLIENTS ?? 500);
const kJitterMs = 1_000 + kClients;
const kBackWithinMs = 30_000;
const kAtOnce = 50;

// Runs `job` for all, a few at a time.
async function each(list, job) {
  const left = [...list.entries()];
  await Promise.all(Array.from({ length: kAtOnce }, async () => {
    for (let next; (next = left.shift());) await job(next[1], next[0]);
  }));
}

// A client as it should be: full jitter, and one more try when the first is too early.
async function comeBack(broker, member) {
  for (let tries = 1; ; ++tries) {
    await sleep(Math.random() * kJitterMs * Math.min(tries, 4));
    try { return await broker.connect(member); } catch (error) { if (tries === 20) throw error; }
  }
}

test('all are back within seconds, each once, and find their mail', async (t) => {
  const broker = await startBroker(t, { set: kRoom });
  const members = Array.from({ length: kClients });
  await each(members, async (_, i) => { members[i] = await broker.join(`m${i}`); });
  const { peer: sender } = await broker.joined('sender');
  const peers = [];
  await each(members, async (member, i) => { peers[i] = await broker.connect(member); });
  const away = await broker.join('away');
  assert.equal((await sender.mail(away, 'for who was away')).type, 'ack');

  await broker.kill();
  await Promise.all(peers.map((peer) => peer.closed));
  const address = broker.listen; // where the clients look for it
  broker.options.command = ['dev', '--listen', address, '--ready-json'];
  const began = Date.now();
  const back = Promise.all(members.map((member) => comeBack(broker, member)));
  await broker.start(); // while they try already
  const again = await back;
  const took = Date.now() - began;
  t.diagnostic(`${kClients} clients back in ${took} ms`);
  assert.ok(took < kBackWithinMs, `${took} ms`);

  await eventually('each is there once', async () =>
    (await broker.metric('broker_connections_active')) === kClients);
  const seen = (await again[0].roundTrip()).map((peer) => peer.pubkey);
  assert.equal(new Set(seen).size, kClients);
  assert.equal(seen.length, kClients);
  assert.deepEqual(await (await broker.connect(away)).texts(1), ['for who was away']);
  for (const peer of again) peer.vanish();
});
