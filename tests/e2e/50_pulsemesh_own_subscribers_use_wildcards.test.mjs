// Signet's own subscribers hear topics by pattern, on the connection that they have for mail.
import assert from 'node:assert/strict';
import test from 'node:test';
import { connect, startPulseBroker } from './pulse_client.mjs';
import { sleep } from './harness.mjs';

const subscribe = (peer, pattern) => peer.ask({ type: 'topic_subscribe', pattern }, 'topic_subscribed');
const numbers = async (peer, count) => {
  const taken = [];
  while (taken.length < count) taken.push((await peer.next('pulse')).pulse.n);
  return taken;
};

test('a pulse says where, when and by whom, with its numbers', async (t) => {
  const broker = await startPulseBroker(t);
  const { peer } = await broker.joined('listener');
  assert.equal((await subscribe(peer, 'mirror.*')).pattern, 'mirror.*');
  const publisher = await connect(broker, 'mirror.intent', 'mirror_client');
  publisher.say({ n: 1, _mesh_topic: 'lie' });
  publisher.say({ n: 2 });
  const [first, second] = [await peer.next('pulse'), await peer.next('pulse')];
  assert.deepEqual(Object.keys(first).sort(), ['at', 'from', 'number', 'pulse', 'topic', 'topicNumber', 'type']);
  assert.deepEqual([first.topic, first.from], ['mirror.intent', 'shared:mirror_client']);
  assert.ok(Math.abs(Date.parse(first.at) - Date.now()) < 20_000);
  assert.deepEqual([first.pulse.n, first.pulse._mesh_topic], [1, 'mirror.intent']);
  assert.equal(second.topicNumber, first.topicNumber + 1);
  assert.ok(second.number > first.number);
});

const kPatterns = [
  ['mirror.*', 'mirror.intent', true], ['mirror.*', 'mirror', false], ['mirror.*', 'mirror.a.b', false],
  ['mirror.>', 'mirror.a.b', true], ['mirror.>', 'mirror', false], ['*.intent', 'other.intent', true],
  ['>', 'anything', true], ['>', 'a.b.c', true], ['*', 'one', true], ['*', 'one.two', false],
  ['a.*.c', 'a.b.c', true], ['a.*.c', 'a.b.d', false], ['exact.topic', 'exact.topic', true],
  ['exact.topic', 'exact.topics', false], ['*.*', 'x.y', true],
];
test('* is one segment and > the rest', async (t) => {
  const broker = await startPulseBroker(t);
  for (const [pattern, topic, heard] of kPatterns) {
    const { peer } = await broker.joined(`of ${pattern}`);
    await subscribe(peer, pattern);
    await subscribe(peer, 'fence.topic');
    for (const on of [topic, 'fence.topic']) {
      const publisher = await connect(broker, on, 'publisher');
      publisher.say({ on });
      if (on === topic && heard) assert.equal((await peer.next('pulse')).topic, topic, pattern);
      if (on !== topic) { // a > hears the fence under two patterns, and gets it once
        assert.equal((await peer.next('pulse')).topic, 'fence.topic', `${pattern} ${topic}`);
      }
      await publisher.leave();
    }
    await sleep(50);
    assert.deepEqual(peer.inbox.filter(({ type }) => type === 'pulse'), []);
    await peer.leave();
  }
});

test('many patterns that match, and a route, are one pulse; unsubscribing ends it', async (t) => {
  const broker = await startPulseBroker(t);
  const { peer } = await broker.joined('listener');
  for (const pattern of ['>', '*.*', 'mirror.*', 'mirror.intent', '*.intent', 'core.reply', 'core.>']) {
    await subscribe(peer, pattern); // core is a target of mirror.intent
  }
  const publisher = await connect(broker, 'mirror.intent', 'p');
  for (let n = 0; n < 20; ++n) publisher.say({ n });
  assert.deepEqual(await numbers(peer, 20), Array.from({ length: 20 }, (_, n) => n));
  await peer.none('pulse');
  for (const pattern of ['>', '*.*', 'mirror.*', 'mirror.intent', '*.intent', 'core.>']) {
    await peer.ask({ type: 'topic_unsubscribe', pattern }, 'topic_unsubscribed');
  }
  publisher.say({ n: 20 });
  assert.deepEqual(await numbers(peer, 1), [20], 'core.reply alone still hears it');
  await peer.ask({ type: 'topic_unsubscribe', pattern: 'core.reply' }, 'topic_unsubscribed');
  publisher.say({ n: 21 });
  await peer.none('pulse');
  assert.equal((await peer.ask({ type: 'topic_unsubscribe', pattern: 'core.reply' }, 'error')).code, 'not_subscribed');
});

test('what a member publishes reaches PulseMesh clients, and not itself', async (t) => {
  const broker = await startPulseBroker(t);
  const { peer } = await broker.joined('member');
  await subscribe(peer, '>');
  const client = await connect(broker, 'mirror.update', 'c');
  const said = { type: 'topic_publish', id: 'p1', topic: 'mirror.update', pulse: { n: 7 } };
  const { id, number } = await peer.ask(said, 'topic_published');
  assert.equal(id, 'p1');
  assert.ok(number > 0);
  const [pulse] = await client.pulses(1);
  assert.deepEqual([pulse.n, pulse._mesh_topic], [7, 'mirror.update']);
  await peer.none('pulse');
});

test('no pattern is refused, and the hundreds of one session have an end', async (t) => {
  const broker = await startPulseBroker(t);
  const { peer } = await broker.joined('listener');
  const deep = (depth) => Array(depth).fill('a').join('.');
  for (const pattern of ['', '.', 'a.', 'a..b', 'a*', 'a.b>', '>.a', 'a b', deep(17), 'x'.repeat(200)]) {
    const { code } = await peer.ask({ type: 'topic_subscribe', pattern }, 'error');
    assert.equal(code, 'bad_topic', pattern);
  }
  await subscribe(peer, deep(16));
  let taken = 1, refused;
  while (!refused && taken <= 256) {
    peer.say({ type: 'topic_subscribe', pattern: `many.n${taken}` });
    const { type, code } = await peer.next((f) => ['topic_subscribed', 'error'].includes(f.type));
    if (type === 'error') refused = code; else ++taken;
  }
  assert.deepEqual([taken, refused], [256, 'limit_exceeded']);
  const publisher = await connect(broker, 'many.n255', 'p');
  publisher.say({ n: 1 });
  assert.deepEqual(await numbers(peer, 1), [1]);
});
