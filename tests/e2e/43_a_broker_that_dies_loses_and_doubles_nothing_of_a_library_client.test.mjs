// SIGKILL of the broker while clients of the library write to each other, directly and to a channel:
// every message arrives once, in order. SIGNET_TEST_KILLS=n kills it more often.
import assert from 'node:assert/strict';
import test from 'node:test';
import { sleep, startBroker } from './harness.mjs';
import { arrive, assertEachOnceInOrder } from './arrivals.mjs';
import { keepAddress, newStateFile, startLibrary } from './library.mjs';
import { randomFrom, seedOf } from './load.mjs';

const kMessages = 200; // from each of two
const kKills = Number(process.env.SIGNET_TEST_KILLS ?? 5);
const kBetweenMs = 400;

test(`${kKills} kills while ${2 * kMessages} messages go`, async (t) => {
  const random = randomFrom(seedOf(t));
  const broker = await keepAddress(await startBroker(t));
  const [ada, bob] = [await startLibrary(t, broker, 'ada', { state: newStateFile(t) }),
                      await startLibrary(t, broker, 'bob')];
  for (const each of [ada, bob]) await each.join('#ops');

  const sent = { ada: [], bob: [] };
  const tickets = [];
  async function write(from, to) {
    for (let n = 0; n < kMessages; ++n) {
      const target = n % 2 === 0 ? to.pubkey : '#ops';
      const text = `${n % 2 === 0 ? 'direct' : 'channel'}-${n}`;
      tickets.push([from, await from.send(target, text)]);
      sent[from.as].push(text);
      await sleep(random() * 2 * kKills * kBetweenMs / kMessages);
    }
  }
  const written = Promise.all([write(ada, bob), write(bob, ada)]);
  for (let kill = 0; kill < kKills; ++kill) {
    await sleep(random() * kBetweenMs);
    await broker.restartAfterKill();
  }
  await written;
  for (const [from, ticket] of tickets) {
    assert.equal((await from.waitSent(ticket, 'stored', 60_000)).state, 'stored');
  }
  assertEachOnceInOrder(sent.ada, await arrive(bob, kMessages));
  assertEachOnceInOrder(sent.bob, await arrive(ada, kMessages));
  for (const each of [ada, bob]) assert.ok(each.messages.every((message) => message.sealed));
  const back = ada.connections.filter(({ state }) => state === 'connected').length;
  t.diagnostic(`connected ${back} times`);
  assert.ok(back > 1);
});
