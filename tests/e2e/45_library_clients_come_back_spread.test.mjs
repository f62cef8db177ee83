// Two hundred clients of the library lose their broker by SIGKILL (F12): all are back within 30 s,
// each once, and not in one moment. With the waits that applications get.
import assert from 'node:assert/strict';
import test from 'node:test';
import { eventually, startBroker } from './harness.mjs';
import { Driver, keepAddress, memberOf, openLibrary } from './library.mjs';

const kRoom = { 'net.max_unproven': 10_000, 'net.unproven_start': 9_999 };
const kClients = Number(process.env.SIGNET_TEST_CLIENTS ?? 200);
const kProcesses = 4;
const kBackWithinMs = 30_000;
const kBusiest = 0.35; // of them, at most, in the busiest tenth of a second; together, all were in one

test(`${kClients} clients come back`, { timeout: 110_000 }, async (t) => {
  const broker = await keepAddress(await startBroker(t, { set: kRoom }));
  const drivers = Array.from({ length: kProcesses }, () => new Driver(t));
  const clients = await Promise.all(Array.from({ length: kClients }, async (_, i) => {
    const member = await memberOf(broker, `m${i}`);
    const client = await openLibrary(drivers[i % kProcesses], broker, member,
                                     { firstRetry: 1_000, lastRetry: 30_000 });
    client.back = new Promise((resolve) => {
      client.onEvent = (event, value) => {
        if (value.state === 'waiting') client.isAway = true;
        if (value.state === 'connected' && client.isAway) resolve(Date.now());
      };
    });
    await client.connected(60_000);
    return client;
  }));

  await broker.kill();
  await eventually('all notice', () => clients.every((client) => client.isAway));
  const began = Date.now();
  await broker.start();
  const times = (await Promise.all(clients.map((client) => client.back))).map((at) => at - began);
  const tenths = Array.from({ length: Math.floor(Math.max(...times) / 100) + 1 }, () => 0);
  for (const time of times) tenths[Math.floor(time / 100)] += 1;
  t.diagnostic(`back in ${Math.max(...times)} ms; in each tenth of a second: ${tenths}`);
  assert.ok(Math.max(...times) < kBackWithinMs);
  assert.ok(Math.max(...tenths) <= kBusiest * kClients, `${tenths}`);
  await eventually('each is there once', async () =>
    (await broker.metric('broker_connections_active')) === kClients);
  await clients[0].mail(clients[1].pubkey, 'and all is well');
  await clients[1].message('and all is well');
});
