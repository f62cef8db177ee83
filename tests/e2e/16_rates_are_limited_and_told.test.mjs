// Who is too fast hears so, and when to come again; others do not feel it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { eventually, hello, shards, sleep, startBroker } from './harness.mjs';

const kRejected = 'broker_connections_rejected_total{reason="rate_limited"}';

// How many of `count` hellos at once are admitted; the others must be refused as rate_limited.
async function admitted(broker, members, count) {
  const peers = await Promise.all(Array.from({ length: count }, () => broker.open()));
  const answers = await Promise.all(peers.map(async (peer, i) => {
    const member = members[i % members.length];
    peer.say(hello(member));
    const answer = await peer.next((f) => f.type === 'hello_ack' || f.type === 'error');
    if (answer.type === 'hello_ack') return true;
    assert.equal(answer.message, 'hello rejected: rate_limited');
    assert.deepEqual(await peer.closed, { code: 1008, reason: 'rate_limited' });
    return false;
  }));
  return answers.filter((is) => is).length;
}

test('hellos of one address beyond the burst are refused, and come in later', async (t) => {
  const broker = await startBroker(t, { set: {
    'limits.hellos_per_second_address': 1, 'limits.hellos_burst_address': 3 } });
  const members = await Promise.all(['a', 'b', 'c', 'd'].map((name) => broker.join(name)));
  const before = Date.now();
  const count = await admitted(broker, members, 16);
  const refilled = Math.ceil((Date.now() - before) / 1000) * shards; // each shard counts
  assert.ok(count >= 3 && count <= 3 * shards + refilled, `${count} of 16 were admitted`);
  assert.equal(await broker.metric(kRejected), 16 - count);
  await sleep(1_100);
  assert.ok(await admitted(broker, members, 1) === 1, 'a second later there is room');
});

test('hellos of one member are limited over all shards, those of another are not', async (t) => {
  const broker = await startBroker(t, { set: {
    'limits.hellos_per_second_member': 1, 'limits.hellos_burst_member': 4 } });
  const eager = await broker.join('eager');
  const calm = await broker.join('calm');
  const before = Date.now();
  const count = await admitted(broker, [eager], 16);
  const refilled = Math.ceil((Date.now() - before) / 1000);
  assert.ok(count >= 4 && count <= 4 + refilled, `${count} of 16 were admitted`);
  assert.equal(await admitted(broker, [calm], 4), 4);
});

test('a send over the rate is refused with the time to wait, and goes through after it', async (t) => {
  const broker = await startBroker(t, { set: {
    'limits.sends_per_second': 2, 'limits.sends_burst': 5 } });
  const { member, peer: sender } = await broker.joined('sender');
  const second = await broker.connect(member);
  const receiver = await broker.joined('receiver');
  const { peer: other } = await broker.joined('other');
  const sends = Array.from({ length: 20 }, (_, i) =>
    (i % 2 ? second : sender).mail(receiver.member, `n${i}`, { id: `id${i}` }));
  const answers = await Promise.all(sends);
  const refused = answers.filter(({ type }) => type === 'error');
  assert.ok(refused.length >= 10 && refused.length <= 15, `${refused.length} were refused`);
  for (const { code, retryAfterMs } of refused) {
    assert.equal(code, 'rate_limited');
    assert.ok(retryAfterMs > 0 && retryAfterMs <= 500, `wait ${retryAfterMs} ms`);
  }
  assert.equal((await other.mail(receiver.member, 'of another')).type, 'ack');

  const { id, retryAfterMs } = refused.at(-1);
  await sleep(retryAfterMs + 50);
  const text = `n${id.slice(2)}`;
  assert.equal((await sender.mail(receiver.member, text, { id })).type, 'ack');
  const texts = await receiver.peer.texts(20 - refused.length + 2);
  assert.ok(texts.includes('of another') && texts.at(-1) === text, texts.join(' '));
  await receiver.peer.none('push');
});

const isCut = (broker) => broker.open().then(() => false, ({ code }) => code === 'ECONNRESET');

test('sockets of one address have a limit, and a place is free again at once', async (t) => {
  const broker = await startBroker(t, { set: { 'net.max_connections_per_address': 5 } });
  const member = await broker.join('member');
  const peers = [];
  for (let i = 0; i < 5; ++i) peers.push(await broker.connect(member));
  for (let i = 0; i < 10; ++i) assert.equal(await isCut(broker), true, 'before a byte of it is read');
  assert.equal((await peers[0].roundTrip()).length, 5);
  await peers[0].leave();
  await eventually('there is a place again', async () => !(await isCut(broker)));
  await peers[1].leave();
  const refused = await eventually('metrics can be read', () =>
    broker.metric('signet_net_refused_total{reason="address"}').catch(() => 0));
  assert.ok(refused >= 10);
});

test('HTTP requests of one address over the rate are answered 429', async (t) => {
  const broker = await startBroker(t, { set: {
    'limits.requests_per_second_address': 1, 'limits.requests_burst_address': 3 } });
  const asks = Array.from({ length: 16 }, () => broker.request('GET', '/health'));
  const statuses = (await Promise.all(asks)).map(({ status }) => status);
  const served = statuses.filter((status) => status === 200).length;
  assert.ok(served >= 3 && served <= 5 * shards, `${served} were served`);
  assert.equal(statuses.filter((status) => status === 429).length, 16 - served);
  assert.equal((await broker.request('GET', '/livez')).status, 200, 'a probe is never too much');
});
