// Every hello that breaks a rule gets the code of the first rule it breaks: an error frame, close
// 1008 with the code as its reason, and one more on the counter of that reason.
import assert from 'node:assert/strict';
import test from 'node:test';
import { freshTimestamp, hello, newKeys, startBroker } from './harness.mjs';

const raw = (member, timestamp) => // a timestamp that JSON.stringify can't write
  JSON.stringify(hello(member, {}, { timestamp: 0 })).replace('"timestamp":0', timestamp);
const stranger = (member) => ({ ...member, ...newKeys() });
const tooOld = { timestamp: Date.now() - 61_000 };
const bad = { signature: '00'.repeat(64) };

// Each breaks its own rule and the ones after it, where one frame can.
const kRows = [
  ['timestamp_skew', 'too old, and malformed', (m) => hello(m, tooOld, { pubkey: 'x' })],
  ['timestamp_skew', 'too far ahead', (m) => hello(m, { timestamp: Date.now() + 90_000 })],
  ['timestamp_skew', 'absent', (m) => raw(m, '"x":0')],
  ['timestamp_skew', 'a string', (m) => hello(m, {}, { timestamp: String(Date.now()) })],
  ['timestamp_skew', 'null, as NaN is written', (m) => raw(m, '"timestamp":null')],
  ['timestamp_skew', '1e400', (m) => raw(m, '"timestamp":1e400')],
  ['timestamp_skew', '2^63', (m) => raw(m, '"timestamp":9223372036854775808')],
  ['timestamp_skew', 'negative', (m) => hello(m, { timestamp: -1 })],
  ['malformed', 'a fraction', (m) => raw(m, `"timestamp":${Date.now()}.5`)],
  ['malformed', 'pubkey of 63 digits', (m) => hello({ ...m, pubkey: m.pubkey.slice(1) })],
  ['malformed', 'pubkey not hex', (m) => hello({ ...m, pubkey: 'g'.repeat(64) })],
  ['malformed', 'pubkey a number', (m) => hello(m, {}, { pubkey: 7 })],
  ['malformed', 'signature of 127 digits', (m) => hello(m, {}, { signature: '0'.repeat(127) })],
  ['malformed', 'signature not hex', (m) => hello(m, {}, { signature: 'z'.repeat(128) })],
  ['malformed', '| in the mesh id', (m) => hello({ ...m, meshId: `${m.meshId}|x` })],
  ['malformed', '| in the member id', (m) => hello({ ...m, memberId: `x|${m.memberId}` })],
  ['malformed', 'meshId an object', (m) => hello(m, {}, { meshId: {} })],
  ['bad_signature', 'another key signed', (m) => hello({ ...m, secretKey: newKeys().secretKey })],
  ['bad_signature', 'of a stranger', (m) => hello(stranger(m), {}, bad)],
  ['bad_signature', 'another timestamp was signed', (m) =>
    hello(m, {}, { timestamp: freshTimestamp() })],
  ['bad_signature', 'a key that is no curve point', (m) =>
    hello(m, {}, { pubkey: '02' + '00'.repeat(31) })],
  ['unauthorized', 'no member has that key', (m) => hello(stranger(m))],
  ['unauthorized', 'no such mesh', (m) => hello({ ...m, meshId: 'mesh-of-nobody' })],
  ['unauthorized', "another member's id", (m, other) => hello({ ...m, memberId: other.memberId })],
];

async function isRejected(broker, peer, code, what) {
  const error = await peer.next('error');
  assert.equal(error.code, code, what);
  assert.equal(error.message, `hello rejected: ${code}`, what);
  assert.deepEqual(await peer.closed, { code: 1008, reason: code }, what);
}
const series = (code) => `broker_connections_rejected_total{reason="${code}"}`;

test('each broken rule has its code, its close and its counter', async (t) => {
  const broker = await startBroker(t);
  const member = await broker.join('member');
  const other = await broker.join('other');
  for (const [code, what, make] of kRows) {
    const before = await broker.metric(series(code));
    const peer = await broker.open();
    peer.say(make(member, other));
    await isRejected(broker, peer, code, what);
    assert.equal(await broker.metric(series(code)), before + 1, what);
  }
  await broker.connect(member);
});
