// When the store has too much to do, hellos and sends hear `unavailable`, and nothing is half done.
import assert from 'node:assert/strict';
import test from 'node:test';
import { hello, startBroker } from './harness.mjs';

test('a hello and a send that find the store busy are refused and succeed later', async (t) => {
  const broker = await startBroker(t, { set: { 'store.max_inbox': 100 } });
  const { peer: sender } = await broker.joined('sender');
  const receiver = await broker.join('receiver');
  const newcomer = await broker.join('newcomer');
  const sent = [];
  const accepted = [];
  let refusedHello = false;
  for (let round = 0; round < 20 && !(refusedHello && accepted.length < sent.length); ++round) {
    const guest = await broker.open();
    const answers = Array.from({ length: 1_000 }, () => {
      const text = `n${sent.length}`;
      sent.push(text);
      return sender.mail(receiver, text, { id: text });
    });
    guest.say(hello(newcomer));
    const answer = await guest.next((f) => f.type === 'hello_ack' || f.type === 'error');
    if (answer.type === 'error') {
      assert.equal(answer.message, 'hello rejected: unavailable');
      assert.deepEqual(await guest.closed, { code: 1008, reason: 'unavailable' });
      refusedHello = true;
    }
    for (const { type, code, id } of await Promise.all(answers)) {
      if (type === 'ack') accepted.push(id);
      else assert.equal(code, 'unavailable');
    }
  }
  assert.ok(refusedHello, 'no hello found the store busy');
  assert.ok(accepted.length < sent.length, 'no send found the store busy');
  const peer = await broker.connect(newcomer);
  assert.equal((await peer.mail(receiver, 'calm')).type, 'ack');
  assert.deepEqual(await (await broker.connect(receiver)).texts(accepted.length + 1),
                   [...accepted, 'calm']);
});
