// Whatever a proven peer says that is no frame of the page: a stable code, a counter, no change.
import assert from 'node:assert/strict';
import test from 'node:test';
import { startBroker } from './harness.mjs';

const send = (fields) => JSON.stringify(
  { type: 'send', id: 'i', targetSpec: '*', priority: 'now', nonce: 'n', ciphertext: 'c', ...fields });
const deep = (depth) => '['.repeat(depth) + ']'.repeat(depth);

const kBadFrames = [
  ['empty', ''], ['not JSON', 'hello'], ['half', '{"type":"list_peers"'], ['NUL', '{}\0'],
  ['null', 'null'], ['array', '[{"type":"list_peers"}]'], ['string', '"list_peers"'],
  ['number', '1e400'], ['true', 'true'], ['no type', '{}'], ['type a number', '{"type":1}'],
  ['type null', '{"type":null}'], ['two documents', '{"type":"list_peers"}{"type":"list_peers"}'],
  ['trailing comma', '{"type":"list_peers",}'], ['comment', '{"type":"list_peers"/**/}'],
  ['single quotes', "{'type':'list_peers'}"], ['NaN', '{"type":"list_peers","a":NaN}'],
  ['byte order mark', '\ufeff{"type":"list_peers"}'],
  ['deep array', `{"type":"list_peers","a":${deep(1000)}}`], ['deeper', deep(30_000)],
  ['duplicate key', '{"type":"list_peers","type":"set_status"}'],
  ['duplicate key, escaped', '{"type":"list_peers","\\u0074ype":"hello"}'],
  ['duplicate key below', '{"type":"list_peers","a":{"b":1,"b":2}}'],
  ['lone surrogate', '{"type":"list_peers","a":"\\ud800"}'],
  ['lone low surrogate', '{"type":"set_summary","summary":"\\udc00x"}'],
  ['raw control character', '{"type":"set_summary","summary":"a\u0001b"}'],
  ['target a number', send({ targetSpec: 5 })], ['target absent', send({ targetSpec: undefined })],
  ['target short', send({ targetSpec: 'ab' })], ['target 65 hex', send({ targetSpec: 'a'.repeat(65) })],
  ['target empty channel', send({ targetSpec: '#' })], ['target odd tag', send({ targetSpec: 'tag:a b' })],
  ['priority unknown', send({ priority: 'urgent' })], ['priority a number', send({ priority: 1 })],
  ['nonce absent', send({ nonce: undefined })], ['ciphertext object', send({ ciphertext: {} })],
  ['id a number', send({ id: 7 })], ['id too long', send({ id: 'i'.repeat(200) })],
  ['status unknown', '{"type":"set_status","status":"asleep"}'],
  ['status absent', '{"type":"set_status"}'], ['summary a number', '{"type":"set_summary","summary":1}'],
  ['summary huge', JSON.stringify({ type: 'set_summary', summary: 'x'.repeat(60_000) })],
];
const series = (code) => `broker_messages_rejected_total{reason="${code}"}`;

test('each is bad_frame, is counted, and the socket stays open', async (t) => {
  const broker = await startBroker(t);
  const other = await broker.joined('other');
  const { peer, member } = await broker.joined('member');
  let counted = 0;
  for (const [what, text] of kBadFrames) {
    const error = await peer.ask(text, 'error').catch((e) => assert.fail(`${what}: ${e.message}`));
    assert.equal(error.code, 'bad_frame', what);
    assert.equal(await broker.metric(series('bad_frame')), ++counted, what);
  }
  const mine = (await peer.roundTrip()).find((each) => each.pubkey === member.pubkey);
  assert.deepEqual([mine.status, mine.summary], ['idle', '']);
  await other.peer.none('push');
  assert.equal((await other.peer.mail(member, 'still here')).type, 'ack');
  assert.deepEqual(await peer.texts(1), ['still here']);
  const lines = broker.log.filter((line) => line.includes('"frame.refused"')).map((l) => JSON.parse(l));
  const told = lines.reduce((sum, line) => sum + 1 + line.repeated, 0);
  assert.ok(told >= 1 && told <= counted && lines[0].repeated === 0, `${told} of ${counted} told`);
});

test('an unknown type has its own code; the id of a refused send is named', async (t) => {
  const broker = await startBroker(t);
  const { peer } = await broker.joined('member');
  for (const type of ['', 'SEND', 'hello_ack', 'push', 'x'.repeat(1000), 'hello\u0000']) {
    assert.equal((await peer.ask({ type }, 'error')).code, 'unknown_type', type);
  }
  assert.equal(await broker.metric(series('unknown_type')), 6);
  assert.equal((await peer.ask(send({ priority: 'x' }), 'error')).id, 'i');
  assert.equal((await peer.ask({ type: 'dance', id: 'step' }, 'error')).id, 'step');
});
