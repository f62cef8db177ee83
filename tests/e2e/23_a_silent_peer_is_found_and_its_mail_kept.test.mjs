// A peer that goes silent without a word is found by its missing pongs, and loses nothing by it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { eventually, hello, sleep, startBroker } from './harness.mjs';
import { RawSocket } from './raw_socket.mjs';

const kQuick = { 'net.ping_interval': '300ms', 'net.dead_after': '1s', 'net.close_timeout': '200ms' };
const kClosed = 'signet_net_closed_total{reason="timed_out"}';

async function raw(broker, member, options) {
  const socket = await RawSocket.connect(broker, options);
  socket.say(hello(member));
  await socket.next('hello_ack');
  return socket;
}
const gone = (peer) => eventually('it left the list', async () => (await peer.roundTrip()).length === 1, 5_000);

test('one that neither reads nor answers is gone in time; who answers pings stays', async (t) => {
  const broker = await startBroker(t, { set: kQuick });
  const { member, peer: quiet } = await broker.joined('quiet'); // ws answers every ping
  const silent = await raw(broker, await broker.join('silent'), { pongs: false });
  silent.socket.pause();
  const before = Date.now();
  assert.equal((await quiet.roundTrip()).length, 2);
  await gone(quiet);
  const took = Date.now() - before;
  assert.ok(took > 500 && took < 3_000, `it took ${took} ms`);
  await sleep(1_500);
  assert.deepEqual((await quiet.roundTrip()).map(({ pubkey }) => pubkey), [member.pubkey]);
  assert.equal(await broker.metric(kClosed), 1);
  assert.equal(await broker.metric('broker_connections_active'), 1);
  await silent.end();
});

test('one that reads and does not answer hears why it was closed', async (t) => {
  const broker = await startBroker(t, { set: kQuick });
  const silent = await raw(broker, await broker.join('silent'), { pongs: false });
  await silent.ping();
  assert.deepEqual(await silent.closing(), { code: 1001, reason: 'timed_out' });
});

test('any frame is a sign of life, also without pongs', async (t) => {
  const broker = await startBroker(t, { set: kQuick });
  const talker = await raw(broker, await broker.join('talker'), { pongs: false });
  for (let i = 0; i < 10; ++i) {
    await sleep(250);
    talker.say({ type: 'list_peers' });
    assert.equal((await talker.next('peers_list')).peers.length, 1);
  }
  await talker.end();
});

test('what was pushed to it comes again under the same id, in order, once it is back', async (t) => {
  const broker = await startBroker(t, { set: kQuick });
  const { peer: sender } = await broker.joined('sender');
  const receiver = await broker.join('receiver');
  const silent = await raw(broker, receiver, { pongs: false });
  silent.socket.pause();
  const ids = [];
  for (let i = 0; i < 30; ++i) ids.push((await sender.mail(receiver, `n${i}`)).messageId);
  await gone(sender);
  for (let i = 30; i < 40; ++i) ids.push((await sender.mail(receiver, `n${i}`)).messageId);
  const back = await broker.connect(receiver);
  for (const [i, id] of ids.entries()) {
    const { messageId, ciphertext } = await back.next('push');
    assert.deepEqual([messageId, ciphertext], [id, `n${i}`]);
  }
  await back.none('push');
  await silent.end();
});

test('a silent session does not keep another of the same member from its mail', async (t) => {
  const broker = await startBroker(t, { set: kQuick });
  const { peer: sender } = await broker.joined('sender');
  const receiver = await broker.join('receiver');
  const silent = await raw(broker, receiver, { pongs: false });
  silent.socket.pause();
  const awake = await broker.connect(receiver);
  await sender.mail(receiver, 'to whoever is awake');
  assert.deepEqual(await awake.texts(1), ['to whoever is awake']);
  await eventually('it left the list', async () => (await sender.roundTrip()).length === 2, 5_000);
  await (await broker.connect(receiver)).none('push');
  await silent.end();
});
