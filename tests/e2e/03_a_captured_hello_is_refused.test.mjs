// A hello that was admitted once is refused for ever after: at once, after a restart, after kill -9.
import assert from 'node:assert/strict';
import test from 'node:test';
import { freshTimestamp, hello, startBroker } from './harness.mjs';

async function replay(broker, captured) {
  const peer = await broker.open();
  const error = await peer.ask(captured, 'error');
  assert.equal(error.message, 'hello rejected: replayed');
  assert.deepEqual(await peer.closed, { code: 1008, reason: 'replayed' });
}

test('a replay is refused at once, after a restart and after kill -9', async (t) => {
  const broker = await startBroker(t);
  const member = await broker.join('member');
  const captured = hello(member);
  const first = await broker.open();
  await first.ask(captured, 'hello_ack');
  await replay(broker, captured);
  await first.leave();
  await replay(broker, captured);
  assert.equal(await broker.metric('broker_connections_rejected_total{reason="replayed"}'), 2);
  await broker.restart();
  await replay(broker, captured);
  await broker.restartAfterKill();
  await replay(broker, captured);
  await broker.connect(member); // sign again, as the code advises
});

test('what was refused is not remembered: the same hello may come once it is authorized', async (t) => {
  const broker = await startBroker(t);
  const member = await broker.join('member');
  await broker.setStanding(member, 'quarantined');
  const same = hello(member);
  const refused = await broker.open();
  await refused.ask(same, 'error');
  assert.equal((await refused.closed).reason, 'unauthorized');
  await broker.setStanding(member, 'admitted');
  const peer = await broker.open();
  await peer.ask(same, 'hello_ack');
});

test('of twenty copies of one hello at once exactly one is admitted', async (t) => {
  const broker = await startBroker(t);
  const member = await broker.join('member');
  const captured = hello(member);
  const peers = await Promise.all(Array.from({ length: 20 }, () => broker.open()));
  for (const peer of peers) peer.say(captured);
  const answers = await Promise.all(peers.map((peer) => peer.next(() => true)));
  const kinds = answers.map((answer) => answer.code ?? answer.type).sort();
  assert.deepEqual(kinds, ['hello_ack', ...Array(19).fill('replayed')]);
});

test('a key in upper case is the same member, and its copy in lower case is no new hello', async (t) => {
  const broker = await startBroker(t);
  const member = await broker.join('member');
  const upper = { ...member, pubkey: member.pubkey.toUpperCase() };
  const timestamp = freshTimestamp();
  const shouting = await broker.open();
  await shouting.ask(hello(upper, { timestamp }), 'hello_ack');
  assert.equal((await shouting.roundTrip())[0].pubkey, member.pubkey);
  await replay(broker, hello(upper, { timestamp }));
  const mail = await broker.joined('sender');
  assert.equal((await mail.peer.mail(upper.pubkey, 'x')).type, 'ack');
  assert.deepEqual(await shouting.texts(1), ['x']);
});
