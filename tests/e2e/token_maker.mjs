// JSON Web Tokens as a stranger makes them: Node's own crypto, RFC 7515 and RFC 7519 and nothing of
// ours. Beside the good ones, those that a door must not take.
import assert from 'node:assert/strict';
import { createHmac, createSecretKey, generateKeyPairSync, randomBytes, sign as signWith } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { knock, PulsePeer, topicPath } from './pulse_client.mjs';
import { startBroker, temporaryFolder, unique } from './harness.mjs';

export const kIssuer = 'https://issuer.example';
export const kTopic = 'mirror.intent';

const kMake = {
  HS256: () => { const key = createSecretKey(randomBytes(32)); return { privateKey: key, publicKey: key }; },
  EdDSA: () => generateKeyPairSync('ed25519'),
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
};
const kSign = {
  HS256: (text, key) => createHmac('sha256', key).update(text).digest(),
  EdDSA: (text, key) => signWith(null, Buffer.from(text), key),
  ES256: (text, key) => signWith('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }),
  RS256: (text, key) => signWith('sha256', Buffer.from(text), key),
};
export const kAlgorithms = Object.keys(kMake);

// A key of its own that signs; `jwk` is what checks, which of HS256 is the same.
export function newTokenKey(alg, kid = unique()) {
  const { privateKey, publicKey } = kMake[alg]();
  return { alg, kid, privateKey, publicKey,
           jwk: { ...publicKey.export({ format: 'jwk' }), alg, kid, use: 'sig' },
           sign: (text) => kSign[alg](text, privateKey) };
}

const base64url = (bytes) => Buffer.from(bytes).toString('base64url');
const textOf = (part) => (typeof part === 'string' ? part : JSON.stringify(part));

// Of any header and claims, objects or texts, with whatever `sign` makes of them.
export function compact(header, claims, sign) {
  const signed = `${base64url(textOf(header))}.${base64url(textOf(claims))}`;
  return `${signed}.${base64url(sign(signed))}`;
}

export const nowSeconds = () => Math.floor(Date.now() / 1000);
// What a token of `subject` says; `change` replaces claims (undefined: without that one).
export const claimsOf = (subject, change = {}) =>
  ({ iss: kIssuer, sub: subject, iat: nowSeconds(), exp: nowSeconds() + 600, jti: unique(), ...change });
export const token = (key, subject, change = {}, header = {}) =>
  compact({ alg: key.alg, typ: 'JWT', kid: key.kid, ...header }, claimsOf(subject, change), key.sign);

// The file that a broker reads; at once as a whole, whoever reads it meanwhile.
export function writeKeys(path, keys) {
  const text = typeof keys === 'string' ? keys : JSON.stringify({ keys: keys.map(({ jwk }) => jwk) });
  writeFileSync(`${path}.new`, text, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

// Whoever came by a token with the role publishes and hears; the rest may connect and hear.
export const kTokenPolicy = `
[role.engine]
token_roles = ["engine"]
[[rule]]
id = "all-hear"
allow = ["connect", "subscribe", "read_history"]
[[rule]]
id = "engines-publish"
roles = ["engine"]
allow = ["publish"]
`;

// A broker that believes tokens of `keys`; `broker.keyFile` is where it reads them.
export async function startTokenBroker(t, keys, { policy, set = {}, ...options } = {}) {
  const folder = temporaryFolder();
  const keyFile = join(folder, 'keys.json');
  writeKeys(keyFile, keys);
  const ours = { 'tokens.keys': keyFile, 'tokens.issuer': kIssuer };
  if (policy !== undefined) {
    ours['policy.file'] = join(folder, 'policy.toml');
    writeFileSync(ours['policy.file'], policy);
  }
  const broker = await startBroker(t, { ...options, set: { ...ours, ...set } });
  return Object.assign(broker, { keyFile, policyFile: ours['policy.file'] });
}

export const shows = (source, shown) => ({ message: { source }, token: shown });

// An admitted session of whom the token names.
export async function connectByToken(broker, source, shown, path = topicPath(kTopic)) {
  const peer = await knock(broker, path);
  peer.welcome = await peer.ask(shows(source, shown), (frame) => 'type' in frame);
  assert.equal(peer.welcome.type, 'handshake_ok', JSON.stringify(peer.welcome));
  assert.equal(peer.welcome.client_id, source);
  assert.ok(peer instanceof PulsePeer);
  return peer;
}

// How a connection was ended: {close, code, message} of exactly one error frame and a close.
export async function endOf(peer) {
  const { code: close } = await peer.closed;
  const errors = peer.inbox.splice(0);
  assert.equal(errors.length, 1, `before close ${close} came ${JSON.stringify(errors).slice(0, 500)}`);
  const [{ type, code, message }] = errors;
  assert.equal(type, 'error');
  return { close, code, message };
}
export async function refusedAtTheDoor(broker, source, shown) {
  const peer = await knock(broker, topicPath(kTopic));
  peer.say(shows(source, shown));
  return endOf(peer);
}

export const revokeTokens = (broker, what) =>
  broker.operator('POST', `/meshes/${broker.mesh.slug}/tokens/revoke`, what);

// --- what no door takes ---

const not = (alg, header = {}) => ({ alg, typ: 'JWT', ...header });

// [what, token, the rule that it breaks] of a source 'mirror', at a broker that believes `rs`,
// `ed` and `es`. `canary` is a URL that nobody may ask. `sub` is the claim that names the bearer at
// the door where they are shown, `also` what tokens say there beside it.
export function badTokens({ rs, ed, es }, canary, { sub = 'sub', also = {} } = {}) {
  const named = (subject, change) => claimsOf(undefined, { [sub]: subject, ...also, ...change });
  const made = (key, change, header) => token(key, undefined, named('mirror', change), header);
  const good = made(ed);
  const [head, body, signature] = good.split('.');
  const stranger = newTokenKey('RS256', rs.kid);
  const nobody = () => Buffer.alloc(0);
  const pem = rs.publicKey.export({ type: 'spki', format: 'pem' });
  const hmacOf = (secret) => (text) => createHmac('sha256', secret).update(text).digest();
  const says = (change, header) => made(ed, change, header);
  const mirror = named('mirror');
  const der = (text) => signWith('sha256', Buffer.from(text), es.privateKey);
  const later = nowSeconds() + 900;
  const flipped = Buffer.from(signature, 'base64url');
  flipped[10] ^= 1;
  return [
    ['alg none', compact(not('none'), mirror, nobody), 'unsupported_algorithm'],
    ['alg None with the kid', compact(not('None', { kid: ed.kid }), mirror, nobody), 'unsupported_algorithm'],
    ['alg nOnE and a good signature', says({}, { alg: 'nOnE' }), 'unsupported_algorithm'],
    ['alg empty', says({}, { alg: '' }), 'unsupported_algorithm'],
    ['no alg', says({}, { alg: undefined }), 'unsupported_algorithm'],
    ['alg a list', says({}, { alg: ['EdDSA'] }), 'unsupported_algorithm'],
    ['alg eddsa', says({}, { alg: 'eddsa' }), 'unsupported_algorithm'],
    ['alg RS512', made(rs, {}, { alg: 'RS512' }), 'unsupported_algorithm'],
    ['HS256 under the PEM of the public key', compact(not('HS256', { kid: rs.kid }), mirror, hmacOf(pem)),
     'unsupported_algorithm'],
    ['HS256 under the modulus', compact(not('HS256', { kid: rs.kid }), mirror, hmacOf(rs.jwk.n)),
     'unsupported_algorithm'],
    ['the kid of a key of another alg', made(es, {}, { kid: rs.kid }), 'unsupported_algorithm'],
    ['its own key in jwk', made(stranger, {}, { jwk: stranger.jwk }), 'bad_signature'],
    ['its own key in jwk, without a kid', made(stranger, {}, { jwk: stranger.jwk, kid: undefined }),
     'unknown_key'],
    ['a key set in jku', made(stranger, {}, { jku: canary, kid: 'theirs' }), 'unknown_key'],
    ['a key set in jku and our kid', made(stranger, {}, { jku: canary }), 'bad_signature'],
    ['a certificate in x5u', made(stranger, {}, { x5u: canary }), 'bad_signature'],
    ['kid a path', says({}, { kid: '../../../../dev/null' }), 'unknown_key'],
    ['kid SQL', says({}, { kid: "' UNION SELECT 'key' --" }), 'unknown_key'],
    ['kid a URL', says({}, { kid: canary }), 'unknown_key'],
    ['kid nobody\'s', says({}, { kid: 'nobody' }), 'unknown_key'],
    ['kid a number', says({}, { kid: 0 }), 'unknown_key'],
    ['no kid among several keys', says({}, { kid: undefined }), 'unknown_key'],
    ['crit', says({}, { crit: ['exp'] }), 'unsupported_header'],
    ['b64', says({}, { b64: false }), 'unsupported_header'],
    ['another key of the same name', made(stranger), 'bad_signature'],
    ['one bit of the signature', `${head}.${body}.${base64url(flipped)}`, 'bad_signature'],
    ['another payload', `${head}.${base64url(JSON.stringify(named('other')))}.${signature}`, 'bad_signature'],
    ['no signature', `${head}.${body}.`, 'bad_signature'],
    ['ES256 as DER', compact(not('ES256', { kid: es.kid }), mirror, der), 'bad_signature'],
    ['ES256 of zeros', compact(not('ES256', { kid: es.kid }), mirror, () => Buffer.alloc(64)), 'bad_signature'],
    ['two dots', '..', 'malformed'],
    ['one dot', `${head}.${body}`, 'malformed'],
    ['three dots', `${good}.`, 'malformed'],
    ['padding', `${good}==`, 'malformed'],
    ['a space before it', ` ${good}`, 'malformed'],
    ['a header that says alg twice',
     compact(`{"alg":"none","alg":"EdDSA","kid":"${ed.kid}"}`, mirror, ed.sign), 'malformed'],
    ['a sub that is there twice', compact({ alg: 'EdDSA', kid: ed.kid },
     `{"iss":"${kIssuer}","exp":${later},"${sub}":"other","${sub}":"mirror"}`, ed.sign), 'malformed'],
    ['claims that are a list', compact({ alg: 'EdDSA', kid: ed.kid }, [mirror], ed.sign), 'malformed'],
    ['9 KiB', says({ more: 'x'.repeat(9 * 1024) }), 'too_long'],
    ['another typ', says({}, { typ: 'secevent+jwt' }), 'wrong_type'],
    ['typ a number', says({}, { typ: 1 }), 'wrong_type'],
    ['another iss', says({ iss: 'https://evil.example' }), 'wrong_issuer'],
    ['the iss and a slash', says({ iss: `${kIssuer}/` }), 'wrong_issuer'],
    ['another aud', says({ aud: 'another-mesh' }), 'wrong_audience'],
    ['others in aud', says({ aud: ['another', 'and-another'] }), 'wrong_audience'],
    ['no exp', says({ exp: undefined }), 'missing_claim'],
    ['no iss', says({ iss: undefined }), 'missing_claim'],
    ['no sub', says({ [sub]: undefined }), 'missing_claim'],
    ['exp a text', says({ exp: `${later}` }), 'bad_claim'],
    ['exp in milliseconds', says({ exp: later * 1000 }), 'bad_claim'],
    ['sub a list', says({ [sub]: ['mirror'] }), 'bad_claim'],
    ['exp past', says({ iat: later - 9_000, exp: nowSeconds() - 300 }), 'expired'],
    ['nbf far', says({ nbf: nowSeconds() + 300 }), 'not_yet_valid'],
    ['iat far', says({ iat: nowSeconds() + 300 }), 'not_yet_valid'],
    ['a week', says({ exp: nowSeconds() + 7 * 86_400 }), 'lives_too_long'],
  ];
}

// Shows each of them to `refuses(token, rule, what)`: each is counted by its rule, nothing else is,
// and no URL in one is asked.
export async function showBadTokens(t, broker, keys, refuses, door) {
  let asked = 0;
  const canary = http.createServer((_, answer) => { asked += 1; answer.end('{"keys":[]}'); });
  canary.listen(0, '127.0.0.1');
  await once(canary, 'listening');
  t.after(() => canary.close());
  const table = badTokens(keys, `http://127.0.0.1:${canary.address().port}/keys.json`, door);
  assert.ok(table.length >= 20);
  const counted = async () => new Map([...await broker.metrics()]
    .filter(([series]) => series.startsWith('signet_tokens_refused_total')));
  const wanted = await counted();
  assert.ok(wanted.size > 0);
  for (const [what, bad, rule] of table) {
    await refuses(bad, rule, what);
    const series = `signet_tokens_refused_total{rule="${rule}"}`;
    wanted.set(series, wanted.get(series) + 1);
  }
  assert.deepEqual(await counted(), wanted);
  assert.equal(asked, 0, 'a URL of a token was asked');
}
