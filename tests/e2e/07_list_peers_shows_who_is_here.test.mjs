// Presence: everybody who is connected, on whatever shard, and nobody who is not.
import assert from 'node:assert/strict';
import test from 'node:test';
import { eventually, startBroker } from './harness.mjs';

test('list_peers shows every session with what it said of itself', async (t) => {
  const broker = await startBroker(t);
  const members = await Promise.all(Array.from({ length: 9 }, (_, i) => broker.join(`peer${i}`)));
  const peers = [];
  for (const [i, member] of members.entries()) {
    peers.push(await broker.connect(member, { sessionId: `s${i}` }));
  }
  peers[3].say({ type: 'set_summary', summary: 'building the "bridge"' });
  await peers[3].status('working');
  await broker.connect(members[4], { sessionId: 'second', displayName: 'Four' });
  for (const peer of peers) {
    const seen = await peer.roundTrip();
    assert.deepEqual(seen.map((each) => each.sessionId).sort(),
                     [...members.map((_, i) => `s${i}`), 'second'].sort());
    const third = seen.find((each) => each.sessionId === 's3');
    assert.deepEqual({ ...third, connectedAt: '' }, {
      pubkey: members[3].pubkey, displayName: 'peer3', status: 'working',
      summary: 'building the "bridge"', sessionId: 's3', connectedAt: '' });
    assert.match(third.connectedAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.equal(seen.find((each) => each.sessionId === 'second').displayName, 'Four');
  }
});

test('who vanishes without a word leaves no ghost', async (t) => {
  const broker = await startBroker(t);
  const { peer: watcher } = await broker.joined('watcher');
  const others = await Promise.all(Array.from({ length: 8 }, (_, i) => broker.joined(`p${i}`)));
  assert.equal((await watcher.roundTrip()).length, 9);
  await Promise.all(others.map(({ peer }, i) => (i % 2 ? peer.vanish() : peer.leave())));
  await eventually('alone', async () => (await watcher.roundTrip()).length === 1);
  await eventually('counted', async () => (await broker.metric('broker_connections_active')) === 1);
  assert.equal(await broker.metric('broker_connections_total'), 9);
});

test('a peer that stops answering is found by ping and leaves the list', async (t) => {
  const set = { 'net.ping_interval': '200ms', 'net.dead_after': '700ms' };
  const broker = await startBroker(t, { set });
  const { peer: watcher } = await broker.joined('watcher');
  const { peer: frozen } = await broker.joined('frozen');
  assert.equal((await watcher.roundTrip()).length, 2);
  frozen.socket.pause(); // as a machine that lost its network: no close, no pong
  await eventually('alone', async () => (await watcher.roundTrip()).length === 1, 5000);
});

test('a peer of another mesh is not shown', async (t) => {
  const set = { 'claudemesh.max_connections': 50 };
  const broker = await startBroker(t, { set });
  await broker.joined('here');
  const data = broker.data;
  await broker.stop();
  const other = await startBroker(t, {
    data, command: ['dev', '--listen', '127.0.0.1:0', '--ready-json', '--mesh', 'second'] });
  assert.notEqual(other.mesh.id, broker.mesh.id);
  const { peer, member } = await other.joined('there');
  assert.deepEqual((await peer.roundTrip()).map((each) => each.pubkey), [member.pubkey]);
  assert.equal((await other.operator('GET', '/meshes')).json().meshes.length, 2);
});
