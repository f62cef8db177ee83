// A client of SecureWebSocket made of npm `ws` and npm tweetnacl, with nothing of ours. Truth:
// protocol/securewebsocket.md.
import { once } from 'node:events';
import assert from 'node:assert/strict';
import nacl from 'tweetnacl';
import WebSocket from 'ws';
import { Peer, sleep } from './harness.mjs';

export { nacl };
export const url64 = (bytes) => Buffer.from(bytes).toString('base64url');
export const bytesOf = (text) => new Uint8Array(Buffer.from(text, 'base64url'));
const utf8 = (text) => new Uint8Array(Buffer.from(text));

// An X25519 key pair; `text` is the public half as it travels.
export function relayKeys(secret = nacl.randomBytes(32)) {
  const { publicKey, secretKey } = nacl.box.keyPair.fromSecretKey(secret);
  return { publicKey, secretKey, text: url64(publicKey) };
}

export const sealTo = (theirs, mine, text, nonce) =>
  url64(nacl.secretbox(utf8(text), bytesOf(nonce), nacl.box.before(bytesOf(theirs), mine.secretKey)));
export function openFrom(theirs, mine, message, nonce) {
  const shared = nacl.box.before(bytesOf(theirs), mine.secretKey);
  const text = nacl.secretbox.open(bytesOf(message), bytesOf(nonce), shared);
  return text && Buffer.from(text).toString();
}
export const freshNonce = () => url64(nacl.randomBytes(24));

export const responseTo = (challenge, keys, change = {}) => ({
  type: 'CHALLENGE_RESPONSE', from: keys.text, to: challenge.from, nonce: challenge.nonce,
  message: sealTo(challenge.from, keys, challenge.challengeText, challenge.nonce), ...change });

export function envelope(keys, to, value, change = {}) {
  const nonce = freshNonce();
  return { type: 'MESSAGE', from: keys.text, to, nonce,
           message: sealTo(to, keys, JSON.stringify(value), nonce), ...change };
}

// One connection; `texts` are its frames as they came.
export class RelayPeer extends Peer {
  constructor(socket) {
    super(socket);
    this.texts = [];
    socket.on('message', (data) => this.texts.push(data.toString()));
  }

  // Sends a value, sealed for `to`; answers the text of the envelope.
  tell(to, value, change) {
    const text = JSON.stringify(envelope(this.keys, to, value, change));
    this.say(text);
    return text;
  }

  // What the next envelope says, opened under the key that it names.
  async hear() {
    const { from, message, nonce } = await this.next('MESSAGE');
    return { from, value: JSON.parse(openFrom(from, this.keys, message, nonce)) };
  }

  // Nothing came that was not taken already, and a little later there is still nothing.
  async silent(ms = 400) {
    await sleep(ms);
    assert.deepEqual(this.inbox, []);
    assert.ok(!this.isClosed);
  }
}

export const relayUrl = (broker, path = '/relay/') => broker.http.replace('http', 'ws') + path;

// A connection that has its challenge and has answered nothing.
export async function challenged(broker, path) {
  const peer = new RelayPeer(new WebSocket(relayUrl(broker, path)));
  await Promise.race([once(peer.socket, 'open'), peer.closed]);
  peer.challenge = await peer.next('CHALLENGE');
  return peer;
}

// A registered one. `receipts`: it wants to hear of each envelope.
export async function registered(broker, { keys = relayKeys(), receipts = false } = {}) {
  const peer = await challenged(broker, `/${keys.text}${receipts ? '?receipts=1' : ''}`);
  peer.keys = keys;
  peer.say(responseTo(peer.challenge, keys));
  await peer.next('REGISTER_SUCCESS');
  return peer;
}

// Says `frame` in answer to a fresh challenge, or what `frame` makes of it; answers the reason why
// that failed, and sees that the connection is closed behind it.
export async function refusal(broker, frame) {
  const peer = await challenged(broker);
  peer.say(typeof frame === 'function' ? frame(peer.challenge) : frame);
  const failure = await peer.next('REGISTER_FAILURE');
  assert.deepEqual(Object.keys(failure), ['type', 'error', 'reason']);
  assert.equal(failure.error, `Registration failed: ${failure.reason}`);
  assert.equal((await peer.closed).code, 1008);
  assert.deepEqual(peer.inbox, []);
  return failure.reason;
}
