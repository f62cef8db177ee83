// The five frames of topics as a stranger speaks them: npm `ws` and the page, nothing of ours.
import assert from 'node:assert/strict';
import test from 'node:test';
import { startBroker } from './harness.mjs';

// A topic that no route of the dev mesh knows.
const kTopic = 'build.done';

const publish = (who, pulse, topic = kTopic) =>
  who.peer.ask({ type: 'topic_publish', id: `p-${pulse.n}`, topic, pulse }, 'topic_published');
const history = async (who, fields = {}) =>
  who.peer.ask({ type: 'topic_history', ...fields }, 'topic_history');
const kinds = ({ pulses }) => pulses.map(({ pulse }) => pulse.n);

async function two(t, options) {
  const broker = await startBroker(t, options);
  return { broker, ann: await broker.joined('ann'), ben: await broker.joined('ben') };
}

test('a pulse reaches who subscribed, stamped, with the key of who said it', async (t) => {
  const { ann, ben } = await two(t);
  await ben.peer.ask({ type: 'topic_subscribe', pattern: 'build.*' }, 'topic_subscribed');
  const said = { n: 1, s: 'é', _mesh_topic: 'lie' };
  const { id, number, topicNumber } = await publish(ann, said);
  assert.equal(id, 'p-1');
  const pulse = await ben.peer.next('pulse');
  assert.deepEqual([pulse.topic, pulse.number, pulse.topicNumber, pulse.from],
                   [kTopic, number, topicNumber, ann.member.pubkey]);
  assert.deepEqual([pulse.pulse.n, pulse.pulse.s, pulse.pulse._mesh_topic], [1, 'é', kTopic]);
  assert.ok(Number.isSafeInteger(number) && Number.isSafeInteger(topicNumber));
  await ann.peer.none('pulse');
});

test('a pulse without an id is answered by nothing but a refusal', async (t) => {
  const { ann, ben } = await two(t);
  await ben.peer.ask({ type: 'topic_subscribe', pattern: '>' }, 'topic_subscribed');
  ann.peer.say({ type: 'topic_publish', topic: kTopic, pulse: { n: 1 } });
  assert.equal((await ben.peer.next('pulse')).pulse.n, 1);
  await ann.peer.none('topic_published');
  const bad = { type: 'topic_publish', topic: 'a..b', pulse: {} };
  assert.equal((await ann.peer.ask(bad, 'error')).code, 'bad_topic');
});

test('the other sessions of the publisher hear it', async (t) => {
  const { broker, ann } = await two(t);
  const other = await broker.connect(ann.member);
  await other.ask({ type: 'topic_subscribe', pattern: kTopic }, 'topic_subscribed');
  await ann.peer.ask({ type: 'topic_subscribe', pattern: kTopic }, 'topic_subscribed');
  await publish(ann, { n: 1 });
  assert.equal((await other.next('pulse')).pulse.n, 1);
  await ann.peer.none('pulse');
});

test('history is read in pages, each pulse once, and goes on where it ended', async (t) => {
  const { ann, ben } = await two(t);
  const first = await publish(ann, { n: 0 });
  for (let n = 1; n < 25; ++n) await publish(ann, { n }, n % 5 === 0 ? 'other.topic' : kTopic);
  const all = Array.from({ length: 25 }, (_, n) => n);
  assert.deepEqual(kinds(await history(ben)), all);
  assert.deepEqual(kinds(await history(ben, { limit: 3 })), [22, 23, 24]);
  assert.deepEqual(kinds(await history(ben, { pattern: 'other.*' })), [5, 10, 15, 20]);
  const taken = [];
  let page = { next: first.number - 1, more: true };
  while (page.more) {
    page = await history(ben, { after: page.next, limit: 7 });
    assert.ok(page.pulses.length <= 7);
    assert.equal(page.gap, false);
    taken.push(...kinds(page));
  }
  assert.deepEqual(taken, all);
  assert.deepEqual(kinds(await history(ben, { after: page.next })), []);
  await publish(ann, { n: 25 });
  assert.deepEqual(kinds(await history(ben, { after: page.next })), [25]);
});

test('a history of large pulses comes in pages that a connection can hold', async (t) => {
  const { ann, ben } = await two(t);
  const body = 'x'.repeat(60_000);
  const first = await publish(ann, { n: 0, body });
  for (let n = 1; n < 20; ++n) await publish(ann, { n, body });
  const taken = [];
  let pages = 0;
  for (let page = { next: first.number - 1, more: true }; page.more; ++pages) {
    page = await history(ben, { after: page.next, limit: 1_000 });
    assert.ok(JSON.stringify(page).length <= 600_000);
    taken.push(...kinds(page));
  }
  assert.deepEqual(taken, Array.from({ length: 20 }, (_, n) => n));
  assert.ok(pages > 1);
});

test('what is gone is a gap: dropped, or of a broker that ended', async (t) => {
  const { broker, ann, ben } = await two(t, { set: { 'pulsemesh.history': '5' } });
  const first = await publish(ann, { n: 0 });
  for (let n = 1; n < 10; ++n) await publish(ann, { n });
  const late = await history(ben, { after: first.number });
  assert.deepEqual([late.gap, ...kinds(late)], [true, 5, 6, 7, 8, 9]);
  assert.equal((await history(ben, { after: late.next })).gap, false);
  await broker.restart();
  const again = { peer: await broker.connect(ann.member) };
  const after = await publish(again, { n: 10 });
  assert.ok(after.number > late.next && after.topicNumber > late.pulses.at(-1).topicNumber);
  const anew = await history(again, { after: late.next });
  assert.deepEqual([anew.gap, ...kinds(anew)], [true, 10]);
});

test('the list of topics has who listens by name', async (t) => {
  const { ann, ben } = await two(t);
  for (const [who, pattern] of [[ann, 'b.two'], [ben, 'b.two'], [ben, 'a.one'], [ben, 'c.*']]) {
    await who.peer.ask({ type: 'topic_subscribe', pattern }, 'topic_subscribed');
  }
  const { topics } = await ann.peer.ask({ type: 'topic_list' }, 'topic_list');
  assert.deepEqual(topics, [{ name: 'a.one', subscribers: 1 }, { name: 'b.two', subscribers: 2 }]);
});

test('bad frames of topics change nothing', async (t) => {
  const { ann, ben } = await two(t);
  await ben.peer.ask({ type: 'topic_subscribe', pattern: '>' }, 'topic_subscribed');
  const bad = [
    [{ type: 'topic_publish', id: 'x', topic: kTopic, pulse: [] }, 'bad_frame'],
    [{ type: 'topic_publish', id: 'x', topic: '*', pulse: {} }, 'bad_topic'],
    [{ type: 'topic_publish', id: 'x', pulse: {} }, 'bad_frame'],
    [{ type: 'topic_history', limit: 1_001 }, 'bad_frame'],
    [{ type: 'topic_history', after: -1 }, 'bad_frame'],
    [{ type: 'topic_history', pattern: 'a*' }, 'bad_topic'],
    [{ type: 'topic_subscribe' }, 'bad_frame'],
  ];
  for (const [frame, code] of bad) {
    const error = await ann.peer.ask(frame, 'error');
    assert.deepEqual([error.code, error.id], [code, frame.id], JSON.stringify(frame));
  }
  await ben.peer.none('pulse');
  assert.deepEqual(kinds(await history(ben)), []);
});
