// A key has one connection: the one that proved it last.
import assert from 'node:assert/strict';
import test from 'node:test';
import { startBroker } from './harness.mjs';
import { challenged, registered, relayKeys, responseTo } from './relay_client.mjs';

test('the older connection is closed with 4006, and the newer hears', async (t) => {
  const broker = await startBroker(t);
  const ada = await registered(broker, { receipts: true });
  const keys = relayKeys();
  for (let n = 0, last = await registered(broker, { keys }); n < 8; ++n) {
    const next = await registered(broker, { keys });
    assert.deepEqual(await last.closed, { code: 4006, reason: 'replaced' });
    ada.tell(keys.text, n);
    await ada.next('MESSAGE_DELIVERED');
    assert.equal((await next.hear()).value, n);
    last = next;
  }
});

test('who proves nothing takes nothing over', async (t) => {
  const broker = await startBroker(t);
  const bob = await registered(broker);
  const eve = relayKeys();
  for (let n = 0; n < 4; ++n) {
    const thief = await challenged(broker, `/${bob.keys.text}`);
    thief.say(responseTo(thief.challenge, eve, { from: bob.keys.text }));
    assert.equal((await thief.next('REGISTER_FAILURE')).reason, 'the response does not open');
  }
  await bob.silent(100);
  const ada = await registered(broker);
  ada.tell(bob.keys.text, 'still you');
  assert.equal((await bob.hear()).value, 'still you');
});

test('the going of the older one leaves the newer where it is', async (t) => {
  const broker = await startBroker(t);
  const ada = await registered(broker, { receipts: true });
  const keys = relayKeys();
  const older = await registered(broker, { keys });
  const newer = await registered(broker, { keys });
  await older.closed;
  for (let n = 0; n < 20; ++n) {
    ada.tell(keys.text, n);
    await ada.next('MESSAGE_DELIVERED');
    assert.equal((await newer.hear()).value, n);
  }
});
