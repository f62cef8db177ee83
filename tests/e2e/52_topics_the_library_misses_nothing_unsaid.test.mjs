// The client library on topics: what it hears, what it catches up with after a broken connection,
// and what it says of the rest. The other side is npm `ws`.
import assert from 'node:assert/strict';
import test from 'node:test';
import { eventually, sleep, startBroker } from './harness.mjs';
import { Driver, keepAddress, memberOf, openLibrary, startLibrary } from './library.mjs';
import { startMiddle } from './middle.mjs';

const kTopic = 'build.done';
const subscribe = (client, pattern = '>', fields = {}) => client.do('subscribe', { pattern, ...fields });
const heard = (client, count) =>
  eventually(`${client.as} hears ${count}`, () => client.pulses.length >= count && client.pulses);
const counts = (pulses) => pulses.map(({ pulse }) => pulse.n);
const upTo = (count) => Array.from({ length: count }, (_, n) => n);

async function publisherOf(broker) {
  const { member, peer } = await broker.joined('pub');
  const publish = (n, topic = kTopic, more = {}) => peer.ask(
    { type: 'topic_publish', id: `p-${n}`, topic, pulse: { n, ...more } }, 'topic_published');
  return { member, peer, publish };
}

test('the library and a stranger hear each other, each pulse once', async (t) => {
  const broker = await startBroker(t);
  const ada = await startLibrary(t, broker, 'ada');
  const pub = await publisherOf(broker);
  await subscribe(ada, 'build.*');
  await subscribe(ada, 'build.done');
  await pub.peer.ask({ type: 'topic_subscribe', pattern: kTopic }, 'topic_subscribed');
  const { number, topicNumber } = await pub.publish(0);
  const pulses = await heard(ada, 2);
  for (const pulse of pulses) {
    assert.deepEqual([pulse.topic, pulse.from, pulse.number, pulse.topicNumber, pulse.missed, pulse.gap],
                     [kTopic, pub.member.pubkey, number, topicNumber, 0, false]);
    assert.equal(pulse.pulse._mesh_topic, kTopic);
  }
  const own = await ada.do('publish', { topic: kTopic, pulse: { n: 1, list: [1, { a: null }] } });
  const said = await pub.peer.next('pulse');
  assert.deepEqual([said.number, said.from, said.pulse.list], [own, ada.pubkey, [1, { a: null }]]);
  await pub.publish(2);
  const third = (await heard(ada, 4)).at(-1);
  assert.deepEqual([third.pulse.n, third.missed], [2, 0], 'the own is neither heard nor missed');
  await ada.do('unsubscribe', { pattern: 'build.done' });
  await pub.publish(3);
  await heard(ada, 5);
  await sleep(200);
  assert.deepEqual(counts(ada.pulses), [0, 0, 2, 2, 3]);
});

test('what is no topic or no pulse is refused before it is said', async (t) => {
  const broker = await startBroker(t);
  const ada = await startLibrary(t, broker, 'ada');
  const rows = [['a..b', {}, 'bad_topic'], ['*', {}, 'bad_topic'], [kTopic, [], 'bad_pulse'],
                [kTopic, 'text', 'bad_pulse'], [kTopic, { x: 'x'.repeat(65_536) }, 'pulse_too_long']];
  for (const [topic, pulse, code] of rows) {
    await assert.rejects(ada.do('publish', { topic, pulse }), { code }, JSON.stringify([topic, code]));
  }
  await assert.rejects(subscribe(ada, 'a*'), { code: 'bad_topic' });
  await assert.rejects(ada.do('topic_history', { pattern: '.' }), { code: 'bad_topic' });
});

test('after a broken connection it catches up, each pulse once and in order', async (t) => {
  const broker = await startBroker(t);
  const middle = await startMiddle(t, broker);
  const member = await memberOf(broker, 'ada');
  const ada = await openLibrary(new Driver(t), middle, member);
  await ada.connected();
  const pub = await publisherOf(broker);
  await subscribe(ada, 'build.>');
  for (let n = 0; n < 5; ++n) await pub.publish(n);
  await heard(ada, 5);
  for (let round = 1; round <= 3; ++round) {
    for (const { near, far } of middle.links) { near.terminate(); far.terminate(); }
    for (let n = round * 5; n < round * 5 + 5; ++n) await pub.publish(n);
    await heard(ada, round * 5 + 5);
  }
  await sleep(300);
  assert.deepEqual(counts(ada.pulses), upTo(20));
  assert.deepEqual(ada.pulses.filter(({ missed, gap }) => missed > 0 || gap), []);
});

test('what is gone with the broker is a gap, and said once', async (t) => {
  const broker = await keepAddress(await startBroker(t));
  const ada = await startLibrary(t, broker, 'ada');
  let pub = await publisherOf(broker);
  await subscribe(ada, kTopic);
  for (let n = 0; n < 3; ++n) await pub.publish(n);
  await heard(ada, 3);
  await broker.restartAfterKill();
  await eventually('it is there again', async () => {
    const peers = await (await broker.connect(pub.member)).roundTrip();
    return peers.some(({ pubkey }) => pubkey === ada.pubkey);
  });
  const peer = await broker.connect(pub.member);
  for (let n = 3; n < 6; ++n) {
    await peer.ask({ type: 'topic_publish', id: `p-${n}`, topic: kTopic, pulse: { n } }, 'topic_published');
  }
  await heard(ada, 6);
  assert.deepEqual(counts(ada.pulses), upTo(6));
  assert.deepEqual(ada.pulses.map(({ gap }) => gap), [false, false, false, true, false, false]);
});

test('without a broker nothing is published, and nothing is kept for later', async (t) => {
  const broker = await keepAddress(await startBroker(t));
  const ada = await startLibrary(t, broker, 'ada');
  const pub = await memberOf(broker, 'ben');
  await broker.kill();
  await eventually('it noticed', () => ada.connections.at(-1).state === 'waiting');
  await assert.rejects(ada.do('publish', { topic: kTopic, pulse: { n: 0 } }),
                       (error) => ['unreachable', 'connection_lost'].includes(error.code));
  await broker.start();
  await ada.connected();
  await ada.do('publish', { topic: kTopic, pulse: { n: 1 } });
  const ben = await broker.connect(pub);
  const { pulses } = await ben.ask({ type: 'topic_history' }, 'topic_history');
  assert.deepEqual(counts(pulses), [1]);
});

test('a slow handler loses pulses, is told how many, and no message waits for it', async (t) => {
  const broker = await startBroker(t, { set: { 'limits.pulses_per_second': '0',
                                               'limits.pulses_per_minute': '0' } });
  const ada = await startLibrary(t, broker, 'ada', { pulses: 10 });
  const ben = await startLibrary(t, broker, 'ben');
  const pub = await publisherOf(broker);
  await subscribe(ada, '>', { slowMs: 50 });
  await ada.do('find', { who: 'ben' });
  const kCount = 300;
  let last;
  for (let n = 0; n < kCount; ++n) last = await pub.publish(n);
  await ben.mail(ada.pubkey, 'not after the pulses');
  await ada.message('not after the pulses');
  await eventually('the last is heard', () => ada.pulses.at(-1)?.number === last.number, 40_000);
  assert.ok(ada.pulses.length < kCount, `${ada.pulses.length} of ${kCount}`);
  const missed = ada.pulses.reduce((sum, pulse) => sum + pulse.missed, 0);
  assert.equal(ada.pulses.length + missed, kCount);
  const numbers = ada.pulses.map(({ number }) => number);
  assert.deepEqual(numbers, [...numbers].sort((a, b) => a - b));
});

test('history comes before what is said meanwhile', async (t) => {
  const broker = await startBroker(t);
  const ada = await startLibrary(t, broker, 'ada');
  const pub = await publisherOf(broker);
  const first = await pub.publish(0);
  for (let n = 1; n < 40; ++n) await pub.publish(n);
  const subscribed = subscribe(ada, kTopic, { after: first.number });
  for (let n = 40; n < 60; ++n) await pub.publish(n);
  await subscribed;
  await heard(ada, 59);
  await sleep(200);
  assert.deepEqual(counts(ada.pulses), upTo(60).slice(1));
  assert.equal(ada.pulses.reduce((sum, pulse) => sum + pulse.missed, 0), 0);
  const page = await ada.do('topic_history', { pattern: 'build.*', after: first.number, limit: 3 });
  assert.deepEqual([counts(page.pulses), page.gap, page.more], [[1, 2, 3], false, true]);
  assert.deepEqual(await ada.do('topics'), [{ name: kTopic, subscribers: 1 }]);
});
