// Every end that the page names: exactly one error frame with a stable code, then the close code.
import assert from 'node:assert/strict';
import test from 'node:test';
import { addSource, connect, connectNode, handshake, history, kForms, knock, kSecret, nodePath, refusal, refusalOf,
         secretOf, startPulseBroker, topicPath } from './pulse_client.mjs';

const k64 = 'a'.repeat(64);
const fresh = () => handshake('c');
// A message text with keys that stand twice, signed as a reader that keeps the last one would.
function twice(text) {
  const { signature } = kForms.spaced(JSON.parse(text), kSecret);
  return `{"message":${text},"signature":"${signature}"}`;
}
const now = () => `"timestamp":"${new Date().toISOString()}"`;

const kBadFirst = [
  ['words', 'hello', 'not_json'], ['nothing', '', 'not_json'], ['half an object', '{"message":', 'not_json'],
  ['two objects', '{}{}', 'not_json'], ['a single quote', "{'message':{}}", 'not_json'],
  ['NaN', '{"message":{"source":"c","n":NaN},"signature":"x"}', 'not_json'],
  ['a list', '[]', 'not_an_object'], ['a number', '7', 'not_an_object'], ['null', 'null', 'not_an_object'],
  ['a text', '"hello"', 'not_an_object'], ['true', 'true', 'not_an_object'],
  ['binary', () => Buffer.from(JSON.stringify(fresh())), 'binary_frame'],
  ['a message that is text', { message: 'c', signature: k64 }, 'bad_message'],
  ['a message that is a number', { message: 7, signature: k64 }, 'bad_message'],
  ['a message that is a list', { message: ['c'], signature: k64 }, 'bad_message'],
  ['a message that is true', { message: true, signature: k64 }, 'bad_message'],
  ['no source', () => ({ message: { target: 'x' }, ...kForms.spaced({ target: 'x' }, kSecret) }), 'no_source'],
  ...[null, '', 7, {}, ['c'], 'a b', 'x'.repeat(65), '*'].map((source) =>
    [`source ${JSON.stringify(source)}`, () => handshake(source), 'no_source']),
  ['a key twice', () => twice(`{"source":"c","source":"c",${now()}}`), 'duplicate_keys'],
  ['a key twice, spelled otherwise', () => twice(`{"source":"a","sour\\u0063e":"c",${now()}}`), 'duplicate_keys'],
  ['a nested key twice', () => twice(`{"source":"c","m":{"a":1,"a":2},${now()}}`), 'duplicate_keys'],
  ['a key twice in a list', () => twice(`{"source":"c","m":[{"a":1,"a":1}],${now()}}`), 'duplicate_keys'],
];
test('4000: a first frame that is no handshake', async (t) => {
  const broker = await startPulseBroker(t);
  for (const [what, frame, code] of kBadFirst) {
    const said = typeof frame === 'function' ? frame() : frame;
    assert.deepEqual(await refusalOf(broker, said), [4000, code], what);
  }
});

test('4000: no first frame in time', async (t) => {
  const broker = await startPulseBroker(t, { set: { 'pulsemesh.handshake_timeout': '400ms' } });
  const began = Date.now();
  for (const path of [topicPath('mirror.intent'), nodePath('mirror')]) {
    assert.deepEqual(await refusal(await knock(broker, path)), [4000, 'handshake_timeout']);
  }
  assert.ok(Date.now() - began >= 750, 'it waited for each');
  const admitted = await connect(broker, 'mirror.intent', 'c');
  await new Promise((later) => setTimeout(later, 700));
  assert.equal(admitted.isClosed, false, 'the timeout is of the handshake only');
});

test('4001: a message or signature that is missing, null, {} or ""', async (t) => {
  const broker = await startPulseBroker(t);
  for (const nothing of [undefined, null, {}, '']) {
    for (const field of ['message', 'signature']) {
      const frame = { ...fresh(), [field]: nothing };
      assert.deepEqual(await refusalOf(broker, frame), [4001, 'missing_proof'], `${field} ${nothing}`);
    }
  }
  assert.deepEqual(await refusalOf(broker, {}), [4001, 'missing_proof'], 'both');
  assert.deepEqual(await refusalOf(broker, { type: 'pulse', payload: 1 }), [4001, 'missing_proof']);
});

test('4003: a signature that does not verify; no frame tells which part was wrong', async (t) => {
  const broker = await startPulseBroker(t);
  const texts = new Set();
  for (const signature of [k64, 'x', kForms.spaced(fresh().message, 'wrong').signature]) {
    const peer = await knock(broker, topicPath('mirror.intent'));
    peer.say({ ...fresh(), signature });
    await peer.closed;
    texts.add(peer.raw.join());
    assert.deepEqual(await refusal(peer), [4003, 'bad_signature']);
  }
  assert.equal(texts.size, 1);
});

test('4006: /ws/node/ only, when the same identity comes again', async (t) => {
  const broker = await startPulseBroker(t);
  const secret = await secretOf(broker, 'mirror');
  const old = await connectNode(broker, 'mirror');
  const topic = await connect(broker, 'mirror.intent', 'mirror', { secret });
  const second = await connectNode(broker, 'mirror');
  assert.deepEqual(await refusal(old), [4006, 'replaced']);
  await connect(broker, 'mirror.intent', 'mirror', { secret });
  assert.deepEqual([second.isClosed, topic.isClosed], [false, false]);
});

test('4008: more handshakes than a rate allows, and more connections than a source may have', async (t) => {
  const broker = await startPulseBroker(t, { set: { 'limits.hellos_per_second_address': 1,
                                                    'limits.hellos_burst_address': 3 } });
  const ends = [];
  for (let i = 0; i < 12; ++i) {
    const peer = await knock(broker, topicPath('mirror.intent'));
    peer.say(fresh());
    const said = await peer.next((frame) => ['error', 'handshake_ok'].includes(frame.type));
    if (said.type === 'error') ends.push([(await peer.closed).code, said.code]);
  }
  assert.ok(ends.length > 0, 'some were too many'); // shards count apart
  assert.deepEqual(new Set(ends.map(String)), new Set(['4008,rate_limited']));

  const narrow = await startPulseBroker(t, { set: { 'pulsemesh.connections_per_source': 2 } });
  const { secret } = await addSource(narrow, 'one');
  await connect(narrow, 'mirror.intent', 'one', { secret });
  const last = await connect(narrow, 'mirror.update', 'one', { secret });
  assert.deepEqual(await refusalOf(narrow, handshake('one', { secret })), [4008, 'too_many_connections']);
  await connect(narrow, 'mirror.intent', 'another');
  await last.leave();
  await connect(narrow, 'mirror.intent', 'one', { secret });
});

test('4010: the session is over', async (t) => {
  const broker = await startPulseBroker(t, { set: { 'pulsemesh.session_ttl': '1s' } });
  const sessions = () => broker.metric('signet_pulsemesh_sessions');
  const peers = [await connect(broker, 'mirror.intent', 'c'), await connectNode(broker, 'n')];
  const began = Date.now();
  for (const peer of peers) assert.deepEqual(await refusal(peer), [4010, 'session_expired']);
  assert.ok(Date.now() - began < 5_000);
  assert.equal(await sessions(), 0, 'nothing of them is left');
  await connect(broker, 'mirror.intent', 'c');
  assert.equal(await sessions(), 1);
});

const kLater = [['words', 'hello'], ['half an object', '{"a":'], ['a list', '[1]'], ['a number', '1'],
                ['null', 'null'], ['a text', '"x"'], ['nothing', '']];
test('1000: a later frame that is no JSON object', async (t) => {
  const broker = await startPulseBroker(t);
  const listener = await connect(broker, 'mirror.intent', 'listener');
  for (const [what, frame] of kLater) {
    const peer = await connect(broker, 'mirror.intent', 'c');
    peer.say(frame);
    peer.say({ after: what });
    assert.deepEqual(await refusal(peer), [1000, 'not_a_pulse'], what);
  }
  const peer = await connect(broker, 'mirror.intent', 'c');
  peer.say({ last: true });
  assert.equal((await listener.pulses(1))[0].last, true, 'nothing after a wrong frame counts');
  assert.deepEqual(listener.inbox, []);
  assert.equal((await history(broker)).messages.length, 1);
});

test('1009: a frame over 65,536 bytes, before the handshake and after it', async (t) => {
  const broker = await startPulseBroker(t);
  const other = await connect(broker, 'mirror.intent', 'other');
  const ofBytes = (size) => JSON.stringify({ x: 'x'.repeat(size - '{"x":""}'.length) });
  const peer = await connect(broker, 'mirror.intent', 'c');
  peer.say(ofBytes(65_536));
  assert.equal((await other.pulses(1))[0].x.length, 65_536 - 8);
  peer.say(ofBytes(65_537));
  assert.equal((await peer.closed).code, 1009);
  const stranger = await knock(broker, topicPath('mirror.intent'));
  stranger.say(ofBytes(65_537));
  assert.equal((await stranger.closed).code, 1009);
  assert.deepEqual(other.inbox, []);
});

test('a normal close is 1000', async (t) => {
  const broker = await startPulseBroker(t);
  const peer = await connect(broker, 'mirror.intent', 'c');
  peer.socket.close(1000);
  assert.equal((await peer.closed).code, 1000);
  assert.deepEqual(peer.inbox, []);
});
