// SIGKILL of the process that holds the client, and the next start on the same state file: what
// send() acknowledged arrives once; what was received is kept, and shown until it was confirmed.
import assert from 'node:assert/strict';
import test from 'node:test';
import { eventually, sleep, startBroker } from './harness.mjs';
import { arrive, assertEachOnceInOrder } from './arrivals.mjs';
import { Driver, memberOf, newStateFile, openLibrary, startLibrary } from './library.mjs';
import { randomFrom, seedOf } from './load.mjs';

const kRounds = 5;
const kARound = 40;

// A member that lives in one process after the other.
async function mortal(t, broker, name, fields) {
  const member = await memberOf(broker, name);
  const state = newStateFile(t);
  return {
    start: async () => {
      const client = await openLibrary(new Driver(t), broker, member, { state, ...fields });
      return client;
    },
    pubkey: member.pubkey,
  };
}

test('a sender: what it had put into the outbox arrives once', async (t) => {
  const random = randomFrom(seedOf(t));
  const broker = await startBroker(t);
  const bob = await startLibrary(t, broker, 'bob');
  await bob.join('#ops');
  const ada = await mortal(t, broker, 'ada');
  const promised = [], begun = new Set();
  let n = 0;
  for (let round = 0; round < kRounds; ++round) {
    const client = await ada.start();
    await client.connected();
    const dies = sleep(random() * 150).then(() => client.driver.kill());
    for (let i = 0; i < kARound; ++i) {
      const text = `${n % 2 === 0 ? 'direct' : 'channel'}-${n}`;
      begun.add(text);
      const ticket = await client.send(n % 2 === 0 ? bob.pubkey : '#ops', text).catch(() => null);
      n += 1;
      if (ticket === null) break;
      promised.push(text);
    }
    await dies;
  }
  const last = await ada.start();
  await eventually('the outbox is empty', async () => (await last.do('outbox')).length === 0);
  promised.push('direct-last-0');
  begun.add('direct-last-0');
  await last.mail(bob.pubkey, 'direct-last-0');
  await bob.message('direct-last-0');
  await arrive(bob, promised.length);
  await sleep(200);
  t.diagnostic(`${promised.length} promised, ${begun.size} begun, ${bob.texts.length} arrived`);
  assert.equal(new Set(bob.texts).size, bob.texts.length); // none twice
  assert.deepEqual(bob.texts.filter((text) => !begun.has(text)), []);
  const known = new Set(promised); // one that was begun when it died may be there or not
  assertEachOnceInOrder(promised, bob.texts.filter((text) => known.has(text)));
});

test('a reader: what it had not confirmed is shown again, what it had is not', async (t) => {
  const random = randomFrom(seedOf(t));
  const broker = await startBroker(t);
  const ada = await startLibrary(t, broker, 'ada');
  const bob = await mortal(t, broker, 'bob');
  const sent = [], shown = [];
  let twice = 0;
  for (let round = 0; round < kRounds; ++round) {
    const client = await bob.start();
    const dies = sleep(50 + random() * 300).then(() => client.driver.kill());
    for (let i = 0; i < kARound; ++i) {
      sent.push(`direct-${sent.length}`);
      await ada.send(bob.pubkey, sent.at(-1));
      await sleep(random() * 10);
    }
    await dies;
    twice += client.texts.filter((text) => shown.includes(text)).length;
    shown.push(...client.texts);
  }
  const last = await bob.start();
  await eventually('all are there', () =>
    new Set([...shown, ...last.texts]).size === sent.length);
  twice += last.texts.filter((text) => shown.includes(text)).length;
  t.diagnostic(`${twice} were shown twice in ${kRounds} deaths`);
  assert.ok(twice <= kRounds, `${twice}`); // the one whose handler ran when it died
  const all = await eventually('each is kept once', async () => {
    const kept = await last.do('history');
    return kept.length >= sent.length && kept;
  });
  assertEachOnceInOrder(sent, all.map((message) => message.text).reverse());
});
