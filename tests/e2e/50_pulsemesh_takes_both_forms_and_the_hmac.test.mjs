// The Python and the browser client sign different texts of one message: each is taken for what it
// covers, from clients that are not ours. tests/e2e/53 has the browser itself.
import assert from 'node:assert/strict';
import test from 'node:test';
import { isoAt, connect, handshake, kForms, knock, kPublishedSecret, kSecret, PythonClient, refusalOf,
         startPulseBroker, topicPath } from './pulse_client.mjs';
import { freshTimestamp } from './harness.mjs';

const kStamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/;
const upper = (frame) => ({ ...frame, signature: frame.signature.toUpperCase() });

test('each form is answered as the page says', async (t) => {
  const broker = await startPulseBroker(t);
  const sessions = new Set();
  for (const form of Object.keys(kForms)) {
    const peer = await connect(broker, 'mirror.intent', 'test_client', { form });
    const { type, client_id, timestamp, session_id, ...more } = peer.welcome;
    assert.deepEqual([type, client_id, more], ['handshake_ok', 'test_client', {}], form);
    assert.match(timestamp, kStamp);
    assert.ok(Math.abs(Date.parse(`${timestamp}Z`) - Date.now()) < 20_000, timestamp);
    assert.match(session_id, /^\S{8,}$/);
    sessions.add(session_id);
  }
  assert.equal(sessions.size, 4, 'a session id is nobody else\'s');
});

test('the vectors of the page hold, on a broker without the window', async (t) => {
  const broker = await startPulseBroker(t, { secret: kPublishedSecret, maxSkew: 0 });
  const first = { source: 'test_client', target: 'pulsemesh', timestamp: '2025-10-31T20:00:00Z' };
  const second = { source: 'mirror', target: 'pulsemesh', timestamp: '2025-10-31T20:00:00.000Z' };
  const third = '{"message":{"source":"é","n":1.0,"b":null,"t":true},"signature":' +
                '"862d33578d4465451c07431d87c89a54c43d61b30def16a8a83db0d5c3349bd1"}';
  const kVectors = [
    [first, 'fa102de49623d81eecc4e58d46bcce0fcbcb346be84cec03c0490cbaebdb309e'],
    [first, 'ed9aceafe1832ce2c409b009e0b0eb54af212a9b84b8c110e57986ff67a6bd93'],
    [first, '31a45cccaef1df38153a7b4facbeedd55280faabcbc27a6c1ee11ea270f73f8e'],
    [second, 'e26462008639ebdf01b052a9f2fcf3193931c27f24152dd8feeccde43a22bc40'],
  ];
  for (const [message, signature] of kVectors) {
    const peer = await knock(broker, topicPath('mirror.intent'));
    const { client_id } = await peer.ask({ message, signature }, 'handshake_ok');
    assert.equal(client_id, message.source);
  }
  // The name is no client id here (letters of ASCII only), but the signature would be good.
  assert.deepEqual(await refusalOf(broker, third), [4000, 'no_source']);
});

// What Python alone writes: its floats, its integers of any size, its order of keys.
const kOfPython = [
  '"n": 1.0', '"n": -0.0', '"n": 1e16', '"n": 1e15', '"n": 1e-07', '"n": 0.0001', '"n": 1e-5',
  '"n": 123456789012345678901234567890', '"n": -1', '"n": 0.1', '"n": 5e-324',
  '"n": 1.7976931348623157e308', '"n": [1, 1.5, [true, null, {"z": 1, "a": []}]]',
  '"text": "grüß dich, 世界 😀 \\u007f \\u0001 \\\\ \\" \\b\\f\\n\\r\\t /"',
  '"\\uff5e": 1, "😀": 2, "Z": 3, "a": 4, "_": 5, "10": 6, "9": 7',
  '"nested": {"b": 1, "a": {"d": 1.50, "c": "é"}}', '"empty": {}, "none": [], "": ""',
];
test('whatever Python signs in the spaced form is taken, by digest and by HMAC', async (t) => {
  const broker = await startPulseBroker(t);
  const python = new PythonClient(t, broker);
  const message = (more) => `{"timestamp": "${isoAt(freshTimestamp())}", "source": "py", ${more}}`;
  for (const more of kOfPython) {
    for (const form of ['spaced', 'hmac', 'hmac with alg']) {
      const { type, client_id, frames } = await python.open('mirror.intent', message(more), form);
      assert.deepEqual([type, client_id], ['handshake_ok', 'py'], `${form} of ${more}: ${JSON.stringify(frames)}`);
    }
  }
  await python.leave();
});

// The text of the frame, and the compact text that a browser signs of it.
const kOfBrowsers = [
  ['integers without a point', '"n":1.0', '"n":1'], ['exponents', '"n":1E21', '"n":1e+21'],
  ['small ones', '"n":0.0000001', '"n":1e-7'], ['many digits', '"n":12345678901234567890', '"n":12345678901234567000'],
  ['no negative zero', '"n":-0', '"n":0'], ['non-ASCII raw', '"n":"\\u00e9\\ud83d\\ude00"', '"n":"é😀"'],
  ['DEL raw, controls escaped', '"n":"\\u007f\\u0001\\u2028\\/"', '"n":"\u007f\\u0001\u2028/"'],
];
test('a browser\'s text is what ECMAScript prints', async (t) => {
  const broker = await startPulseBroker(t);
  for (const [what, sent, signed] of kOfBrowsers) {
    const timestamp = isoAt(freshTimestamp());
    const rest = `"source":"js","timestamp":"${timestamp}"`;
    assert.equal(JSON.stringify(JSON.parse(`{${sent}}`)), `{${signed}}`, what); // the test itself
    const message = JSON.parse(`{${sent},${rest}}`);
    const { signature } = kForms.compact(message, kSecret);
    const peer = await knock(broker, topicPath('mirror.intent'));
    await peer.ask(`{"message":{${rest},${sent}},"signature":"${signature}"}`, 'handshake_ok');
  }
  const keys = { '\uff5e': 1, '😀': 2, Z: 3, a: 4, 10: 5, 9: 6, '': 7 }; // by UTF-16 unit, not code point
  await connect(broker, 'mirror.intent', 'js', { form: 'compact', message: keys });
});

test('a nested message is taken in the forms that cover it, and not in the compact one', async (t) => {
  const broker = await startPulseBroker(t);
  const kNested = [{ a: { b: 1 } }, { a: [] }, { a: {} }, { a: [1, 2] }, { source_info: { x: { y: 1 } } }];
  for (const message of kNested) {
    for (const form of ['spaced', 'hmac', 'hmac with alg']) {
      await connect(broker, 'mirror.intent', 'nested', { form, message });
    }
    const frame = handshake('nested', { form: 'compact', message });
    assert.deepEqual(await refusalOf(broker, frame), [4003, 'bad_signature'], JSON.stringify(message));
  }
});

test('what is signed is all that counts: one changed bit is refused', async (t) => {
  const broker = await startPulseBroker(t);
  for (const form of Object.keys(kForms)) {
    const kChanges = [
      ['an uppercase digest', upper],
      ['another secret', () => handshake('c', { form, secret: `${kSecret}!` })],
      ['another source', (frame) => ({ ...frame, message: { ...frame.message, source: 'd' } })],
      ['a key more', (frame) => ({ ...frame, message: { ...frame.message, more: 1 } })],
      ['a digit less', (frame) => ({ ...frame, signature: frame.signature.slice(1) })],
      ['a digit more', (frame) => ({ ...frame, signature: `${frame.signature}0` })],
      ['a space', (frame) => ({ ...frame, signature: ` ${frame.signature}` })],
    ];
    for (const [what, change] of kChanges) {
      const frame = change(handshake('c', { form }));
      assert.deepEqual(await refusalOf(broker, frame), [4003, 'bad_signature'], `${form}: ${what}`);
    }
  }
  const weaker = { ...handshake('c'), alg: 'hmac-sha256' }; // says HMAC, shows a plain digest
  assert.deepEqual(await refusalOf(broker, weaker), [4003, 'bad_signature']);
});
