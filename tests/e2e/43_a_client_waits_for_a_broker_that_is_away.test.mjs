// Without a broker a client opens, takes messages and says why nothing goes; they go when it comes.
import assert from 'node:assert/strict';
import test from 'node:test';
import { eventually, startBroker } from './harness.mjs';
import { arrive, assertEachOnceInOrder } from './arrivals.mjs';
import { Driver, keepAddress, memberOf, newStateFile, openLibrary } from './library.mjs';

test('what was written before the broker was there arrives', async (t) => {
  const broker = await keepAddress(await startBroker(t));
  const driver = new Driver(t);
  const bob = await openLibrary(driver, broker, await memberOf(broker, 'bob'));
  await bob.connected();
  await bob.join('#ops');
  const member = await memberOf(broker, 'ada');
  await broker.kill();

  const state = newStateFile(t);
  const ada = await openLibrary(driver, broker, member, { state });
  await assert.rejects(ada.connected(300), { code: 'unreachable' });
  await assert.rejects(ada.do('members', { target: '*', timeout: 300 }), { code: 'unreachable' });
  await assert.rejects(ada.do('find', { who: 'bob', timeout: 300 }), { code: 'unreachable' });
  await assert.rejects(ada.send('bob', 'to a name that nobody has told'), { code: 'no_such_member' });
  const sent = [];
  for (let n = 0; n < 10; ++n) {
    sent.push(`${n % 2 === 0 ? 'direct' : 'channel'}-${n}`);
    await ada.send(n % 2 === 0 ? bob.pubkey : '#ops', sent.at(-1));
  }
  await assert.rejects(ada.waitSent(await ada.send(bob.pubkey, 'last-0'), 'stored', 200),
                       { code: 'timeout' });
  sent.push('last-0');
  assert.equal((await ada.do('outbox')).length, sent.length);

  await broker.start();
  await ada.connected();
  assertEachOnceInOrder(sent, await arrive(bob, sent.length));
  await eventually('the last is acknowledged', async () => (await ada.do('outbox')).length === 0);
});

test('a full outbox refuses, and what was taken back is not sent', async (t) => {
  const broker = await keepAddress(await startBroker(t));
  const driver = new Driver(t);
  const bob = await openLibrary(driver, broker, await memberOf(broker, 'bob'));
  const member = await memberOf(broker, 'ada');
  await broker.kill();
  const ada = await openLibrary(driver, broker, member, { outbox: 3 });
  const tickets = [];
  for (let n = 0; n < 3; ++n) tickets.push(await ada.send(bob.pubkey, `line-${n}`));
  await assert.rejects(ada.send(bob.pubkey, 'line-3'), { code: 'outbox_full' });
  await ada.do('cancel', { ticket: tickets[1] });
  await ada.send(bob.pubkey, 'line-4');
  await broker.start();
  assertEachOnceInOrder(['line-0', 'line-2', 'line-4'], await arrive(bob, 3));
});
