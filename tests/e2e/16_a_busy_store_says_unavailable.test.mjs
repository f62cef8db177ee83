// When the store has too much to do, hellos and sends hear `unavailable`, and nothing is half done.
import assert from 'node:assert/strict';
import test from 'node:test';
import { hello, startBroker } from './harness.mjs';

test('a hello and a send that find the store busy are refused and succeed later', async (t) => {
  const broker = await startBroker(t, { set: { 'store.max_inbox': 100 } });
  const { peer: sender } = await broker.joined('sender');
  const receiver = await broker.join('receiver');
  const newcomers = await Promise.all(['ann', 'bea', 'cyd'].map((name) => broker.join(name)));
  const sent = [];
  const accepted = [];
  let refusedHello = false;
  for (let round = 0; round < 20 && !(refusedHello && accepted.length < sent.length); ++round) {
    const guests = await Promise.all(newcomers.map(() => broker.open()));
    const answers = [];
    // Hellos at several moments of the flood: which of them meets a full inbox is a matter of luck.
    guests.forEach((guest, which) => {
      for (let i = 0; i < 330; ++i) {
        const text = `n${sent.length}`;
        sent.push(text);
        answers.push(sender.mail(receiver, text, { id: text }));
      }
      guest.say(hello(newcomers[which]));
    });
    for (const guest of guests) {
      const answer = await guest.next((f) => f.type === 'hello_ack' || f.type === 'error');
      if (answer.type !== 'error') continue;
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
  const peer = await broker.connect(newcomers[0]);
  assert.equal((await peer.mail(receiver, 'calm')).type, 'ack');
  assert.deepEqual(await (await broker.connect(receiver)).texts(accepted.length + 1),
                   [...accepted, 'calm']);
});
