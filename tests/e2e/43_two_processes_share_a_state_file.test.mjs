// One member, one state file, two processes: each message is shown by one of them, what either
// sends goes once, and what a killed one was reading the other reads.
import assert from 'node:assert/strict';
import test from 'node:test';
import { eventually, sleep, startBroker } from './harness.mjs';
import { assertEachOnceInOrder } from './arrivals.mjs';
import { Driver, memberOf, newStateFile, openLibrary, startLibrary } from './library.mjs';
import { NodeMember } from './sealed_channel.mjs';

async function pair(t, fields = {}) {
  const broker = await startBroker(t);
  const member = await memberOf(broker, 'bob');
  const state = newStateFile(t);
  const both = [];
  for (let i = 0; i < 2; ++i) {
    both.push(await openLibrary(new Driver(t), broker, member, { state, ...fields }));
    await both[i].connected();
  }
  return { broker, both, ada: await startLibrary(t, broker, 'ada') };
}

test('each message is shown by one of them, and both send', async (t) => {
  const { both, ada } = await pair(t);
  const lines = Array.from({ length: 60 }, (_, n) => `direct-${n}`);
  for (const text of lines) await ada.send(both[0].pubkey, text);
  const shown = () => both.flatMap((each) => each.messages);
  await eventually('all are shown', () => shown().length >= lines.length);
  await sleep(300);
  assert.deepEqual(shown().map((message) => message.text).sort(), [...lines].sort());

  const sent = [];
  for (let n = 0; n < 30; ++n) {
    for (const [i, each] of both.entries()) {
      sent.push(`from${i}-${n}`);
      await each.send(ada.pubkey, sent.at(-1));
    }
  }
  await eventually('all have come', () => ada.messages.length >= sent.length);
  await sleep(300);
  assertEachOnceInOrder(sent, ada.texts);
});

test('what a killed one was reading, or had still to send, is the other\'s', async (t) => {
  const { broker, both: [first, second], ada } = await pair(t, { reads: false });
  for (let n = 0; n < 4; ++n) await ada.send(first.pubkey, `direct-${n}`);
  await eventually('they are there', async () => (await first.do('unread')).length === 4);
  const leased = await first.do('read', { most: 2 });
  assert.deepEqual(leased.map((message) => message.text), ['direct-0', 'direct-1']);
  const others = await second.do('read', { most: 10 });
  assert.deepEqual(others.map((message) => message.text), ['direct-2', 'direct-3']);
  await first.do('confirm', { ids: [leased[0].id] });
  await second.do('confirm', { ids: [leased[1].id] }); // not its own: nothing happens
  await first.driver.kill();
  const inherited = await second.do('read', { most: 10 });
  assert.deepEqual(inherited.map((message) => message.text), ['direct-1']);
  assert.equal(await broker.metric('broker_connections_active'), 2);
});

test('both write to a channel, each in its order', async (t) => {
  const { broker, both } = await pair(t);
  const node = await NodeMember.join(broker, 'node');
  await node.channel('ops');
  const sent = [];
  for (let n = 0; n < 20; ++n) {
    for (const [i, each] of both.entries()) {
      sent.push(`from${i}-${n}`);
      await each.send('#ops', sent.at(-1));
    }
  }
  const texts = [];
  while (texts.length < sent.length) texts.push((await node.next()).text);
  assertEachOnceInOrder(sent, texts);
  await node.peer.none('push');
});
