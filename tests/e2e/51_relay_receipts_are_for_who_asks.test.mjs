// With ?receipts=1 each envelope comes back: delivered, or with the first thing that is wrong.
import assert from 'node:assert/strict';
import test from 'node:test';
import { startBroker } from './harness.mjs';
import { registered, relayKeys } from './relay_client.mjs';

const kAway = 'RECIPIENT_NOT_AVAILABLE';
const kMismatched = 'MISMATCHED_SOCKET_PUBLIC_KEY';

test('delivered: the envelope, with another type', async (t) => {
  const broker = await startBroker(t);
  const ada = await registered(broker, { receipts: true });
  const bob = await registered(broker);
  const sent = ada.tell(bob.keys.text, 'hello', { mine: [1, 2] });
  const back = await ada.next('MESSAGE_DELIVERED');
  assert.deepEqual(back, { ...JSON.parse(sent), type: 'MESSAGE_DELIVERED' });
  assert.equal(ada.texts.at(-1), sent.replace('"MESSAGE"', '"MESSAGE_DELIVERED"'));
  assert.equal((await bob.hear()).value, 'hello');
  await bob.silent(50);
});

test('refused: the envelope, with the first error', async (t) => {
  const broker = await startBroker(t);
  const ada = await registered(broker, { receipts: true });
  const bob = await registered(broker);
  const other = relayKeys().text;
  const kRows = [
    ['nobody there', {}, other, kAway],
    ['no key', {}, 'x', kAway], ['empty', {}, '', kAway], ['no to', { to: undefined }, other, kAway],
    ['from another', { from: bob.keys.text }, bob.keys.text, kMismatched],
    ['from nobody', { from: undefined }, bob.keys.text, kMismatched],
    ['from a number', { from: 5 }, bob.keys.text, kMismatched],
    ['from another, and nothing in it', { from: other, message: undefined, type: 'X' }, other,
      kMismatched],
    ['nothing in it', { message: undefined }, bob.keys.text, 'MISSING_CONTENT_FIELD'],
    ['an empty message', { message: '' }, bob.keys.text, 'MISSING_CONTENT_FIELD'],
    ['an object in it', { message: {} }, bob.keys.text, 'MISSING_CONTENT_FIELD'],
    ['nothing in it, of another type', { message: undefined, type: 'X' }, bob.keys.text,
      'MISSING_CONTENT_FIELD'],
    ['of another type', { type: 'PING' }, bob.keys.text, 'MISSING_TYPE_MESSAGE'],
    ['of no type', { type: undefined }, bob.keys.text, 'MISSING_TYPE_MESSAGE'],
    ['of another type, to nobody', { type: 'PING' }, other, 'MISSING_TYPE_MESSAGE'],
    ['with an error of its own', { error: { a: 1 } }, other, kAway],
  ];
  for (const [what, change, to, error] of kRows) {
    const value = { type: 'MESSAGE', from: ada.keys.text, to, nonce: 'n', message: 'm', ...change };
    ada.say(value);
    const back = await ada.next((frame) => 'error' in frame);
    const sent = JSON.parse(JSON.stringify(value));
    assert.deepEqual(back, { ...sent, error }, what);
  }
  await bob.silent(50);
});

test('what is no object at all has an answer too', async (t) => {
  const broker = await startBroker(t);
  const ada = await registered(broker, { receipts: true });
  for (const noise of ['', 'x', '[]', 'null', '"MESSAGE"', '{"a":1,"a":2}']) {
    ada.say(noise);
    assert.deepEqual(await ada.next((frame) => frame.error), { error: 'MISSING_TYPE_MESSAGE' }, noise);
  }
});

test('an empty object is from nobody', async (t) => {
  const broker = await startBroker(t);
  const ada = await registered(broker, { receipts: true });
  ada.say('{}');
  assert.deepEqual(await ada.next((frame) => frame.error), { error: kMismatched });
});

test('who has left is away, and here again once back', async (t) => {
  const broker = await startBroker(t);
  const ada = await registered(broker, { receipts: true });
  const bob = await registered(broker);
  const heard = async () => {
    ada.tell(bob.keys.text, 'are you there?');
    const back = await ada.next((frame) => frame.error || frame.type === 'MESSAGE_DELIVERED');
    return back.error ?? back.type;
  };
  assert.equal(await heard(), 'MESSAGE_DELIVERED');
  await bob.leave();
  let said = await heard();
  for (let n = 0; n < 50 && said !== kAway; ++n) said = await heard(); // its shard hears of it soon
  assert.equal(said, kAway);
  const again = await registered(broker, { keys: bob.keys });
  assert.equal(await heard(), 'MESSAGE_DELIVERED');
  assert.equal((await again.hear()).value, 'are you there?');
});
