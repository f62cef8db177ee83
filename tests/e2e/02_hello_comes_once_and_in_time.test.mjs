// Nothing is heard before the hello, a second one is refused, and who never says it is closed.
import assert from 'node:assert/strict';
import test from 'node:test';
import { hello, startBroker } from './harness.mjs';

const kBefore = [
  { type: 'send', id: 'early', targetSpec: '*', nonce: '', ciphertext: '' },
  { type: 'send', id: 'early', targetSpec: 7 },
  { type: 'set_status', status: 'dnd' },
  { type: 'list_peers' },
  { type: 'channel_join', name: 'x' },
  { type: 'receipt', messageId: 'zz', state: 'read' },
  { type: 'no_such_type' },
];

test('before the hello every message answers no_hello and the socket stays open', async (t) => {
  const broker = await startBroker(t);
  const member = await broker.join('member');
  const peer = await broker.open();
  for (const frame of kBefore) {
    assert.equal((await peer.ask(frame, 'error')).code, 'no_hello', JSON.stringify(frame));
  }
  const series = 'broker_messages_rejected_total{reason="no_hello"}';
  assert.equal(await broker.metric(series), kBefore.length);
  await peer.ask(hello(member), 'hello_ack');
});

test('a second hello answers already_hello and changes nothing', async (t) => {
  const broker = await startBroker(t);
  const { member, peer } = await broker.joined('member');
  const other = await broker.join('other');
  assert.equal((await peer.ask(hello(other), 'error')).code, 'already_hello');
  assert.deepEqual((await peer.roundTrip()).map((each) => each.pubkey), [member.pubkey]);
});

test('a hello and a send in one breath are both heard, in that order', async (t) => {
  const broker = await startBroker(t);
  const member = await broker.join('member');
  const other = await broker.joined('other');
  const peer = await broker.open();
  peer.say(hello(member));
  peer.say({ type: 'send', id: 's', targetSpec: other.member.pubkey, nonce: '', ciphertext: 'hi' });
  assert.deepEqual([(await peer.next(() => true)).type, (await peer.next(() => true)).type],
                   ['hello_ack', 'ack']);
  assert.deepEqual(await other.peer.texts(1), ['hi']);
});

test('no hello in time is hello_timeout; one who said it stays', async (t) => {
  const broker = await startBroker(t, { set: { 'claudemesh.hello_timeout': '400ms' } });
  const { peer: proven } = await broker.joined('member');
  const silent = await broker.open();
  const chatty = await broker.open();
  chatty.say({ type: 'list_peers' }); // does not win time
  for (const peer of [silent, chatty]) {
    await peer.next((frame) => frame.message === 'hello rejected: hello_timeout');
    assert.deepEqual(await peer.closed, { code: 1008, reason: 'hello_timeout' });
  }
  const series = 'broker_connections_rejected_total{reason="hello_timeout"}';
  assert.equal(await broker.metric(series), 2);
  await proven.roundTrip();
});
