// A reader that does not keep up: its inbox is bounded, the broker keeps what has no room, and all
// is read in the end, once and in order, also through a restart of both.
import assert from 'node:assert/strict';
import test from 'node:test';
import { eventually, sleep, startBroker } from './harness.mjs';
import { assertEachOnceInOrder } from './arrivals.mjs';
import { keepAddress, newStateFile, openLibrary, startLibrary } from './library.mjs';

const kInbox = 7;
const kMessages = 60;

test('what has no room is read later', async (t) => {
  const broker = await keepAddress(await startBroker(t));
  const ada = await startLibrary(t, broker, 'ada');
  const state = newStateFile(t);
  let bob = await startLibrary(t, broker, 'bob', { state, reads: false, inbox: kInbox });
  await bob.join('#ops');
  const sent = [];
  for (let n = 0; n < kMessages; ++n) {
    sent.push(`${n % 2 === 0 ? 'direct' : 'channel'}-${n}`);
    await ada.mail(n % 2 === 0 ? bob.pubkey : '#ops', sent.at(-1));
  }
  await eventually('its inbox is full', async () => (await bob.do('unread')).length === kInbox);
  await sleep(300);
  assert.equal((await bob.do('unread')).length, kInbox);

  const read = [];
  for (let round = 0; read.length < kMessages; ++round) {
    const some = await bob.do('read', { most: 3, timeout: 20_000 });
    assert.ok(some.length > 0, `${read.length} read`);
    read.push(...some.map((message) => message.text));
    await bob.do('confirm', { ids: some.map((message) => message.id) });
    if (round === 5) {
      await bob.close();
      bob = await openLibrary(bob.driver, broker, bob.member, { state, reads: false, inbox: kInbox });
    }
    if (round === 10) await broker.restartAfterKill();
  }
  assertEachOnceInOrder(sent, read);
  assert.deepEqual(await bob.do('read', { timeout: 300 }), []);
  await eventually('the broker keeps nothing', async () =>
    (await broker.metric('broker_queue_depth')) === 0);
});
