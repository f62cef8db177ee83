// Every way to answer a challenge wrongly has its reason, and then the connection ends.
import assert from 'node:assert/strict';
import test from 'node:test';
import { startBroker } from './harness.mjs';
import { challenged, freshNonce, refusal, registered, relayKeys, responseTo, sealTo, url64 }
  from './relay_client.mjs';

const keys = relayKeys();
const stranger = relayKeys();
const with_ = (change) => (challenge) =>
  responseTo(challenge, keys, typeof change === 'function' ? change(challenge) : change);
const small = (head, rest, last) => url64([head, ...new Array(30).fill(rest), last]);
const kMalformed = 'malformed response';

const kRows = [
  ['empty', '', kMalformed], ['no JSON', 'hello', kMalformed], ['array', '[]', kMalformed],
  ['no type', '{}', kMalformed], ['type a number', '{"type":1}', kMalformed],
  ['duplicate key', '{"type":"CHALLENGE_RESPONSE","type":"CHALLENGE_RESPONSE"}', kMalformed],
  ['deep', '['.repeat(5_000), kMalformed],
  ['no from', with_({ from: undefined }), kMalformed], ['from a number', with_({ from: 7 }), kMalformed],
  ['a short key', with_({ from: 'abc' }), kMalformed],
  ['a short nonce', with_({ nonce: 'AAAA' }), kMalformed],
  ['no base64', with_({ message: '!!!' }), kMalformed],
  ['another type', { type: 'FOO' }, 'Unexpected message type: FOO'],
  ['a message before the proof', (c) => responseTo(c, keys, { type: 'MESSAGE' }),
    'Unexpected message type: MESSAGE'],
  ['a type that acts on terminals', '{"type":"\\u001b[2J"}', 'Unexpected message type: \\u001b[2J'],
  ['the older draft', { type: 'CHALLENGE_RESPONSE', publicKey: keys.text, signedNonce: 'AA' },
    'unsupported response'],
  ['to another server', with_({ to: stranger.text }), 'the response names another server'],
  ['another nonce', with_((c) => {
    const nonce = freshNonce();
    return { nonce, message: sealTo(c.from, keys, c.challengeText, nonce) };
  }), 'the response names another nonce'],
  ['the zero key', with_({ from: small(0, 0, 0) }), 'this key proves nothing'],
  ['key one', with_({ from: small(1, 0, 0) }), 'this key proves nothing'],
  ['p - 1', with_({ from: small(0xec, 0xff, 0x7f) }), 'this key proves nothing'],
  ['p', with_({ from: small(0xed, 0xff, 0x7f) }), 'this key proves nothing'],
  ['a second spelling of a good key', with_(() => {
    const bytes = Buffer.from(keys.publicKey);
    bytes[31] |= 0x80;
    return { from: url64(bytes) };
  }), 'this key proves nothing'],
  ['somebody else\'s key', with_({ from: stranger.text }), 'the response does not open'],
  ['the server\'s own key', with_((c) => ({ from: c.from })), 'the response does not open'],
  ['the text in the clear', with_((c) => ({ message: url64(Buffer.from(c.challengeText)) })),
    'the response does not open'],
  ['sealed to another', with_((c) => ({
    message: sealTo(stranger.text, keys, c.challengeText, c.nonce) })), 'the response does not open'],
  ['an empty box', with_({ message: '' }), 'the response does not open'],
  ['another text', with_((c) => ({ message: sealTo(c.from, keys, 'Welcome', c.nonce) })),
    'the response holds another text'],
  ['the text and more', with_((c) => ({
    message: sealTo(c.from, keys, `${c.challengeText} `, c.nonce) })), 'the response holds another text'],
];

test('each has its reason, and nobody is registered by it', async (t) => {
  const broker = await startBroker(t);
  for (const [what, frame, reason] of kRows) assert.equal(await refusal(broker, frame), reason, what);
  const watcher = await registered(broker, { receipts: true });
  for (const key of [keys.text, stranger.text]) {
    watcher.tell(key, 'is anybody there?');
    assert.equal((await watcher.next((frame) => frame.error)).error, 'RECIPIENT_NOT_AVAILABLE');
  }
});

test('a response is good for the challenge of its connection, once', async (t) => {
  const broker = await startBroker(t);
  const first = await challenged(broker);
  const right = responseTo(first.challenge, keys);
  assert.equal(await refusal(broker, right), 'the response names another nonce');
  assert.equal(await refusal(broker, (challenge) => ({ ...right, nonce: challenge.nonce })),
               'the response does not open');
  first.say(right);
  await first.next('REGISTER_SUCCESS');
  first.say(right); // again, on the same connection: it is no envelope, and nothing says so
  await first.silent();
});

test('who does not answer is told so after ten seconds', async (t) => {
  const broker = await startBroker(t);
  const peer = await challenged(broker);
  const start = Date.now();
  const failure = await peer.next('REGISTER_FAILURE');
  assert.equal(failure.reason, 'Registration timed out');
  assert.equal((await peer.closed).code, 1008);
  assert.ok(Date.now() - start > 8_000, `${Date.now() - start} ms`);
});

test('binary frames, and what is too long, close as everywhere', async (t) => {
  const broker = await startBroker(t);
  for (const [frame, code] of [[Buffer.from('{}'), 1003], ['x'.repeat(65_537), 1009]]) {
    const before = await challenged(broker);
    before.say(frame);
    assert.equal((await before.closed).code, code);
    const after = await registered(broker);
    after.say(frame);
    assert.equal((await after.closed).code, code);
  }
});
