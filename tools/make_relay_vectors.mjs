#!/usr/bin/env node
// Writes protocol/vectors/securewebsocket.json with npm tweetnacl, which shares no code with ours:
// keys, shared keys, boxes, responses to a challenge. Run it after `npm ci` in tests/e2e.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const nacl = createRequire(`${root}tests/e2e/package.json`)('tweetnacl');

const url64 = (bytes) => Buffer.from(bytes).toString('base64url');
const standard = (bytes) => Buffer.from(bytes).toString('base64');
const padded = (text) => text + '='.repeat((4 - (text.length % 4)) % 4);
const bytes = (text) => new Uint8Array(Buffer.from(text, 'base64url'));
const hex = (some) => Buffer.from(some).toString('hex');
const utf8 = (text) => new Uint8Array(Buffer.from(text));

// The samples of the page, whose secrets everybody knows; and two secrets of one repeated byte.
const server = bytes('kpfW8bQ24Ez8s2ABsLRvPEy_30G-IvqOQ2Y6kRHpjXg');
const client = bytes('eHkjk5vg6qo6BynuTPTnnSHtFlR8hX8gvuzWvyAiztk');
const letters = bytes('Y2xpZW50LXNlZWQtMTIzMDAwMDAwMDAwMDAwMDAwMDA');
const peer = 'JAYrwjVrveFvh2DPXQUtsKpGTuFM3qtC1Jk1YH_nfkg';
const stranger = new Uint8Array(32).fill(0x2a);
const nonce = Uint8Array.from({ length: 24 }, (_, i) => i);
const otherNonce = Uint8Array.from({ length: 24 }, (_, i) => i + 1);
const publicOf = (secret) => nacl.scalarMult.base(secret);
const keyText = (secret) => url64(publicOf(secret));
const shared = (theirs, mine) => nacl.box.before(theirs, mine);
const seal = (text, key, at = nonce) => url64(nacl.secretbox(utf8(text), at, key));

// ---- keys ----
const key = publicOf(client);
const shorter = key.slice(0, 31);
const keys = [
  ['base64url', url64(key), hex(key)],
  ['base64url, padded', padded(url64(key)), hex(key)],
  ['standard alphabet, padded', standard(key), hex(key)],
  ['standard alphabet, not padded', standard(key).replace(/=+$/, ''), hex(key)],
  ['all bits set', url64(new Uint8Array(32).fill(255)), 'ff'.repeat(32)],
  ['mixed alphabets', `+${'-'.repeat(41)}8`, ''],
  ['31 bytes', url64(shorter), ''],
  ['33 bytes', url64([...key, 0]), ''],
  ['a bit over', `${url64(key).slice(0, 42)}V`, ''],
  ['too much padding', `${url64(key)}==`, ''],
  ['space', `${url64(key)} `, ''],
  ['hex', hex(key), ''],
  ['empty', '', ''],
].map(([name, text, bytesOf]) => ({ name, text, key: bytesOf }));

// ---- shared keys and boxes ----
const pairs = [
  ['client and server', client, publicOf(server)], ['server and client', server, publicOf(client)],
  ['a seed of letters', letters, bytes(peer)], ['one repeated byte', stranger, publicOf(server)],
];
const agreements = pairs.map(([name, mine, theirs]) =>
  ({ name, secret: url64(mine), peer: url64(theirs), shared: url64(shared(theirs, mine)) }));
const texts = [
  ['of the page', '{"text":"hello bob"}'], ['empty', ''], ['one letter', 'a'],
  ['one block of the cipher', 'x'.repeat(64)], ['one more', 'x'.repeat(65)],
  ['beyond ASCII', '{"text":"\u00e9\u{1f600}"}'], ['a long one', 'y'.repeat(4000)],
];
const bodies = texts.map(([name, text]) => ({
  name, secret: url64(client), peer: keyText(server), nonce: url64(nonce), text,
  message: seal(text, shared(publicOf(server), client)),
}));

// ---- responses ----
const text = 'Welcome to the relay. 2026-01-05T12:34:50.123Z r8pCq0';
const agreed = shared(publicOf(server), client);
const sealed = seal(text, agreed);
const good = { type: 'CHALLENGE_RESPONSE', from: keyText(client), to: keyText(server),
               nonce: url64(nonce), message: sealed };
const zero = url64(new Uint8Array(32));
const flipped = (some) => { const b = bytes(some); b[b.length - 1] ^= 1; return url64(b); };
const highBit = publicOf(client).slice(); // the same point under another name
highBit[31] |= 0x80;
const small = (head, rest, last) => url64([head, ...new Array(30).fill(rest), last]);
const of = (secret) => ({ from: keyText(secret), message: seal(text, shared(publicOf(server), secret)) });
const responses = [
  ['right', {}, 'proven'],
  ['everything padded', Object.fromEntries(['from', 'to', 'nonce', 'message']
    .map((name) => [name, padded(good[name])])), 'proven'],
  ['everything in the standard alphabet', Object.fromEntries(['from', 'to', 'nonce', 'message']
    .map((name) => [name, standard(bytes(good[name]))])), 'proven'],
  ['a member more', { extra: [1] }, 'proven'],
  ['of a seed of letters', of(letters), 'proven'],
  ['of one repeated byte', of(stranger), 'proven'],
  ['from no key', { from: 'abc' }, 'malformed'],
  ['to no key', { to: `${good.to}AA` }, 'malformed'],
  ['nonce of 23 bytes', { nonce: url64(nonce.slice(1)) }, 'malformed'],
  ['nonce no base64', { nonce: '!'.repeat(32) }, 'malformed'],
  ['message no base64', { message: '#' }, 'malformed'],
  ['to another server', { to: keyText(stranger) }, 'wrong_server'],
  ['to itself', { to: good.from }, 'wrong_server'],
  ['another nonce', { nonce: url64(otherNonce),
                      message: seal(text, agreed, otherNonce) }, 'wrong_nonce'],
  ['another nonce, sealed under the right one', { nonce: url64(otherNonce) }, 'wrong_nonce'],
  ['the right nonce, sealed under another', { message: seal(text, agreed, otherNonce) },
    'bad_response'],
  ['of another key', { from: keyText(stranger) }, 'bad_response'],
  ['the server\'s own key', { from: good.to }, 'bad_response'],
  ['sealed to another server', { message: seal(text, shared(publicOf(stranger), client)) },
    'bad_response'],
  ['a bit flipped', { message: flipped(sealed) }, 'bad_response'],
  ['cut short', { message: url64(bytes(sealed).slice(0, 15)) }, 'bad_response'],
  ['empty message', { message: '' }, 'bad_response'],
  ['not sealed', { message: url64(utf8(text)) }, 'bad_response'],
  ['another text', { message: seal(`${text.slice(0, -1)}1`, agreed) }, 'wrong_text'],
  ['the text and more', { message: seal(`${text} `, agreed) }, 'wrong_text'],
  ['no text', { message: seal('', agreed) }, 'wrong_text'],
  ['zero key', { from: zero, message: seal(text, new Uint8Array(32)) }, 'bad_key'],
  ['key one', { from: small(1, 0, 0) }, 'bad_key'],
  ['order 8', { from: url64(Buffer.from(
    'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800', 'hex')) }, 'bad_key'],
  ['order 8, the other', { from: url64(Buffer.from(
    '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157', 'hex')) }, 'bad_key'],
  ['p - 1', { from: small(0xec, 0xff, 0x7f) }, 'bad_key'],
  ['p, which is zero', { from: small(0xed, 0xff, 0x7f) }, 'bad_key'],
  ['p + 1, which is one', { from: small(0xee, 0xff, 0x7f) }, 'bad_key'],
  ['p + 9, the base by another name', { from: small(0xf6, 0xff, 0x7f) }, 'bad_key'],
  ['the top bit set, the same point', { from: url64(highBit) }, 'bad_key'],
  ['wrong server before a bad key', { to: keyText(stranger), from: zero }, 'wrong_server'],
  ['malformed before another server', { to: keyText(stranger), from: 'abc' }, 'malformed'],
].map(([name, change, answer]) => ({ name, frame: JSON.stringify({ ...good, ...change }), answer,
                                     samples: true }));
responses.push(...[['client', {}], ['seed of letters', of(letters)],
                   ['one repeated byte', of(stranger)], ['peer', { from: peer }],
                   ['server', { from: good.to }]].map(([name, change]) => (
  { name: `sample refused: ${name}`, frame: JSON.stringify({ ...good, ...change }), answer: 'bad_key',
    samples: false })));

// ---- frames that are no right response ----
const draft = { type: 'CHALLENGE_RESPONSE', publicKey: good.from, signedNonce: 'AA' };
const unproven = [
  ['older draft', JSON.stringify(draft), 'unsupported_response', ''],
  ['older draft without its key', JSON.stringify({ ...draft, publicKey: undefined }),
    'unsupported_response', ''],
  ['a message before the proof', '{"type":"MESSAGE","from":"a","to":"b"}', 'unexpected_type', 'MESSAGE'],
  ['lower case', '{"type":"challenge_response"}', 'unexpected_type', 'challenge_response'],
  ['empty type', '{"type":""}', 'unexpected_type', ''],
  ['a type that acts', '{"type":"a\\u001b[2J\\u202eb"}', 'unexpected_type', 'a\\u001b[2J\\u202eb'],
  ['a type of line feeds', '{"type":"\\n\\r"}', 'unexpected_type', '\\u000a\\u000d'],
  ['a long type', JSON.stringify({ type: 'T'.repeat(1000) }), 'unexpected_type', `${'T'.repeat(64)}...`],
  ['a type of 64', JSON.stringify({ type: 'T'.repeat(64) }), 'unexpected_type', 'T'.repeat(64)],
  ['beyond ASCII', '{"type":"\u00e9"}', 'unexpected_type', '\u00e9'],
  ['no type', '{"from":"a"}', 'malformed', ''], ['type a number', '{"type":1}', 'malformed', ''],
  ['type null', '{"type":null}', 'malformed', ''], ['array', '[]', 'malformed', ''],
  ['string', '"CHALLENGE_RESPONSE"', 'malformed', ''], ['empty', '', 'malformed', ''],
  ['no JSON', 'hello', 'malformed', ''], ['half', '{"type":"CHALLENGE_RESPONSE"', 'malformed', ''],
  ['duplicate key', '{"type":"CHALLENGE_RESPONSE","type":"MESSAGE"}', 'malformed', ''],
  ['lone surrogate', '{"type":"\\ud800"}', 'malformed', ''],
  ...['from', 'to', 'nonce', 'message'].flatMap((name) => [
    [`no ${name}`, JSON.stringify({ ...good, [name]: undefined }), 'malformed', ''],
    [`${name} a number`, JSON.stringify({ ...good, [name]: 7 }), 'malformed', ''],
    [`${name} null`, JSON.stringify({ ...good, [name]: null }), 'malformed', ''],
  ]),
  ['both drafts in one, without a key', JSON.stringify({ ...good, signedNonce: 'AA', from: undefined }),
    'malformed', ''],
].map(([name, frame, answer, detail]) => ({ name, frame, answer, detail }));

// ---- envelopes ----
const message = { type: 'MESSAGE', from: good.from, to: peer, nonce: url64(nonce), message: 'AA' };
const envelope = (name, change, fields) => ({
  name, frame: JSON.stringify({ ...message, ...change }), is_object: true, from: message.from,
  to: peer, is_message: true, has_content: true, ...fields });
const none = { is_object: false, from: '', to: '', is_message: false, has_content: false };
const envelopes = [
  envelope('whole', {}, {}),
  envelope('more members', { id: 7, type2: 'x' }, {}),
  envelope('no message', { message: undefined }, { has_content: false }),
  envelope('empty message', { message: '' }, { has_content: false }),
  envelope('message null', { message: null }, { has_content: false }),
  envelope('message an object', { message: { a: 1 } }, { has_content: false }),
  envelope('another type', { type: 'CHALLENGE_RESPONSE' }, { is_message: false }),
  envelope('no type', { type: undefined }, { is_message: false }),
  envelope('type a number', { type: 1 }, { is_message: false }),
  envelope('no from', { from: undefined }, { from: '' }),
  envelope('from a number', { from: 1 }, { from: '' }),
  envelope('no to', { to: undefined }, { to: '' }),
  { name: 'escapes', frame: '{"\\u0074ype":"MESS\\u0041GE","from":"\\u0061","to":"b","message":"\\n"}',
    is_object: true, from: 'a', to: 'b', is_message: true, has_content: true },
  { name: 'empty object', frame: '{}', ...none, is_object: true },
  ...['', '[]', 'null', '"MESSAGE"', '{', '{}{}', '{"a":1,"a":2}', '\ufeff{}'].map((frame) =>
    ({ name: `no object: ${frame}`, frame, ...none })),
];

// ---- what is spliced into an envelope ----
const spliced = (name, frame, refused, delivered) => ({ name, frame, refused, delivered });
const kAway = '"error":"RECIPIENT_NOT_AVAILABLE"';
const splices = [
  spliced('as clients write it', '{"type":"MESSAGE","from":"a"}',
    `{"type":"MESSAGE","from":"a",${kAway}}`, '{"type":"MESSAGE_DELIVERED","from":"a"}'),
  spliced('spaces stay', ' { "type" : "MESSAGE" , "n" : 1.0 } ',
    `{ "type" : "MESSAGE" , "n" : 1.0 ,${kAway}}`, '{ "type" : "MESSAGE_DELIVERED" , "n" : 1.0 }'),
  spliced('an error is replaced', '{"error":{"deep":["x"]},"type":"MESSAGE"}',
    `{${kAway},"type":"MESSAGE"}`, '{"error":{"deep":["x"]},"type":"MESSAGE_DELIVERED"}'),
  spliced('an escaped name', '{"\\u0065rror":null,"\\u0074ype":"MESSAGE"}',
    '{"\\u0065rror":"RECIPIENT_NOT_AVAILABLE","\\u0074ype":"MESSAGE"}',
    '{"\\u0065rror":null,"\\u0074ype":"MESSAGE_DELIVERED"}'),
  spliced('an error below is another', '{"type":"MESSAGE","a":{"error":1,"type":2}}',
    `{"type":"MESSAGE","a":{"error":1,"type":2},${kAway}}`,
    '{"type":"MESSAGE_DELIVERED","a":{"error":1,"type":2}}'),
  spliced('what looks like its end', '{"type":"MESSAGE","message":"}"}',
    `{"type":"MESSAGE","message":"}",${kAway}}`, '{"type":"MESSAGE_DELIVERED","message":"}"}'),
  spliced('empty', '{}', `{${kAway}}`, '{"type":"MESSAGE_DELIVERED"}'),
  spliced('only space', '{ }', `{ ${kAway}}`, '{ "type":"MESSAGE_DELIVERED"}'),
];

// ---- the server's own frames ----
const failure = (reason) => JSON.stringify(
  { type: 'REGISTER_FAILURE', error: `Registration failed: ${reason}`, reason });
const failures = [
  ['timed_out', '', 'Registration timed out'], ['malformed', '', 'malformed response'],
  ['unexpected_type', 'FOO', 'Unexpected message type: FOO'],
  ['unsupported_response', '', 'unsupported response'], ['not_a_member', '', 'not a member'],
  ['unexpected_type', 'say "x"', 'Unexpected message type: say "x"'],
].map(([code, detail, reason]) => ({ name: reason, code, detail, text: failure(reason) }));
const challenge = { type: 'CHALLENGE', from: keyText(server), nonce: url64(nonce), challengeText: text };

// ---- paths ----
const k43 = good.from;
const paths = [
  ['own folder', '/relay/', '', 'relay'], ['own folder and key', `/relay/${k43}`, '', 'relay'],
  ['key', `/${k43}`, '', 'relay'], ['key of - and _', `/${'-_'.repeat(21)}-`, '', 'relay'],
  ['receipts', `/${k43}`, 'receipts=1', 'receipts'], ['receipts at /relay/', '/relay/', 'receipts=1', 'receipts'],
  ['receipts among others', '/relay/', 'a=b&receipts=1&c', 'receipts'],
  ['receipts off', '/relay/', 'receipts=0', 'relay'], ['receipts longer', '/relay/', 'receipts=10', 'relay'],
  ['another parameter', '/relay/', 'xreceipts=1', 'relay'], ['only separators', '/relay/', '&&&', 'relay'],
  ['no value', '/relay/', 'receipts', 'relay'],
  ['42 characters', `/${k43.slice(1)}`, '', ''], ['44 characters', `/${k43}A`, '', ''],
  ['padded', `/${k43}=`, '', ''], ['two segments', `/a/${k43}`, '', ''],
  ['key and slash', `/${k43}/`, '', ''], ['standard alphabet', `/${'+'.repeat(43)}`, '', ''],
  ['no slash', k43, '', ''], ['root', '/', '', ''], ['empty', '', '', ''], ['no end slash', '/relay', '', ''],
  ['of claudemesh', '/ws', '', ''], ['upper case', '/RELAY/', '', ''],
  ['own folder and no key', '/relay/abc', '', 'bad'], ['own folder, two slashes', '/relay//', '', 'bad'],
  ['own folder, key and more', `/relay/${k43}/x`, '', 'bad'],
].map(([name, path, query, opens]) => ({ name, path, query, opens }));

const vectors = {
  keys, agreements, bodies,
  challenge: { server: url64(server), nonce: url64(nonce), text, frame: JSON.stringify(challenge) },
  responses, unproven, envelopes, splices, failures, paths,
};
const about = 'SecureWebSocket as protocol/securewebsocket.md has it. keys: which text names which '
  + '32 bytes (hex; empty: none). agreements, bodies: crypto_box_beforenm and crypto_secretbox. '
  + 'responses: to the one challenge; samples says whether sample keys are taken. unproven, envelopes, '
  + 'splices, failures, paths: frames, answers, addresses. Made by tools/make_relay_vectors.mjs with '
  + 'npm tweetnacl.';
// One vector a line, so that a change shows which.
const section = ([name, value]) => `    ${JSON.stringify(name)}: ` + (Array.isArray(value)
  ? `[\n${value.map((each) => `      ${JSON.stringify(each)}`).join(',\n')}\n    ]`
  : JSON.stringify(value));
const body = Object.entries(vectors).map(section).join(',\n');
writeFileSync(`${root}protocol/vectors/securewebsocket.json`,
  `{\n  "about": ${JSON.stringify(about)},\n  "vectors": {\n${body}\n  }\n}\n`);
