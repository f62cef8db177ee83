// A proxy that cuts each connection after a random number of bytes, of either direction: in the
// upgrade, in the hello, within a frame, between a send and its ack. SIGNET_TEST_CUTS=n cuts more.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import test from 'node:test';
import { sleep, startBroker } from './harness.mjs';
import { arrive, assertEachOnceInOrder } from './arrivals.mjs';
import { startLibrary } from './library.mjs';
import { randomFrom, seedOf } from './load.mjs';

const kCuts = Number(process.env.SIGNET_TEST_CUTS ?? 40);
const kMostBytes = 6_000;
const kMessages = 100;

// Cuts the first `cuts` connections; those after them live.
async function startCutter(t, broker, random, cuts) {
  const cutter = { made: 0 };
  const server = net.createServer((near) => {
    const far = net.connect(new URL(broker.http).port, '127.0.0.1');
    cutter.made += 1;
    let left = cutter.made > cuts ? Infinity : Math.floor(random() ** 2 * kMostBytes);
    const end = () => { near.destroy(); far.destroy(); };
    const carry = (from, to) => from.on('data', (bytes) => {
      to.write(bytes.subarray(0, Math.min(left, bytes.length)));
      left -= bytes.length;
      if (left <= 0) setTimeout(end, 1); // what went last arrives
    });
    carry(near, far);
    carry(far, near);
    for (const socket of [near, far]) socket.on('error', end).on('close', end);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  cutter.ws = `ws://127.0.0.1:${server.address().port}/ws`;
  return cutter;
}

test(`${kCuts} cuts of each side's connections`, { timeout: 60_000 + kCuts * 2_000 }, async (t) => {
  const random = randomFrom(seedOf(t));
  const broker = await startBroker(t);
  const clients = {};
  for (const name of ['ada', 'bob']) {
    const cutter = await startCutter(t, broker, random, kCuts);
    clients[name] = await startLibrary(t, broker, name, { url: cutter.ws, firstRetry: 5, lastRetry: 40 })
      .catch((error) => assert.fail(error));
    clients[name].cutter = cutter;
  }
  const { ada, bob } = clients;
  const joined = async (who) => {
    for (;;) try { return await who.join('#ops'); } catch { await sleep(5); }
  };
  await Promise.all([joined(ada), joined(bob)]);
  const sent = { ada: [], bob: [] };
  for (let n = 0; n < kMessages; ++n) {
    for (const [from, to] of [[ada, bob], [bob, ada]]) {
      const text = `${n % 2 === 0 ? 'direct' : 'channel'}-${n}`;
      await from.send(n % 2 === 0 ? to.pubkey : '#ops', text);
      sent[from.as].push(text);
    }
    await sleep(random() * 20);
  }
  assertEachOnceInOrder(sent.ada, await arrive(bob, kMessages));
  assertEachOnceInOrder(sent.bob, await arrive(ada, kMessages));
  for (const { cutter, as } of [ada, bob]) t.diagnostic(`${as}: ${cutter.made} connections`);
  assert.ok(ada.cutter.made > kCuts / 2 && bob.cutter.made > kCuts / 2);
});
