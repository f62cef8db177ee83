// What is sealed to many, written from "Bodies" and "Audiences" of protocol/claudemesh.md alone, on
// libsodium: a second implementation, and the tests' proof that the page says enough.
import assert from 'node:assert/strict';
import { base64, hex, open, seal, sodium, unique } from './harness.mjs';

const bytesOf = (value) => (typeof value === 'string' ? Buffer.from(value) : Buffer.from(value));

// The domain and each value, every one after its length as 8 bytes little-endian.
export function fields(domain, ...values) {
  return Buffer.concat([domain, ...values].flatMap((value) => {
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(bytesOf(value).length));
    return [length, bytesOf(value)];
  }));
}
const digest16 = (...all) => Buffer.from(sodium.crypto_generichash(16, fields(...all)));

export const keyId = (meshId, target, senderKey, key) =>
  digest16('signet/channel-key/v1', meshId, target, Buffer.from(senderKey, 'hex'), key);
export const audienceOf = (pubkeys) =>
  digest16('signet/audience/v1', Buffer.from([...pubkeys].sort().join(''), 'hex')).toString('hex');

export const newChannelKey = () => Buffer.from(sodium.randombytes_buf(32));

export function sealToMany(sender, target, key, text, nonce = sodium.randombytes_buf(24)) {
  const id = keyId(sender.meshId, target, sender.pubkey, key);
  const said = ['signet/channel/v1', sender.meshId, target, Buffer.from(sender.pubkey, 'hex'), id, nonce];
  const box = sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(text, fields(...said), null, nonce, key);
  const signature = sodium.crypto_sign_detached(fields(...said, box), sender.secretKey);
  return { nonce: base64(nonce), ciphertext: base64(Buffer.concat([Buffer.from('SGC1'), id, signature, box])) };
}

export const isSealedToMany = (push) =>
  Buffer.from(push.ciphertext, 'base64').subarray(0, 4).toString() === 'SGC1';
export const keyIdOf = (push) =>
  Buffer.from(push.ciphertext, 'base64').subarray(4, 20).toString('hex');

// The text; throws where the signature or the box is not good, or no key of `keys` (id → key) fits.
export function openFromMany(push, keys) {
  const body = Buffer.from(push.ciphertext, 'base64');
  const nonce = Buffer.from(push.nonce, 'base64');
  const [id, signature, box] = [body.subarray(4, 20), body.subarray(20, 84), body.subarray(84)];
  const sender = Buffer.from(push.senderPubkey, 'hex');
  const said = ['signet/channel/v1', push.meshId, push.targetSpec, sender, id, nonce];
  assert.ok(sodium.crypto_sign_verify_detached(signature, fields(...said, box), sender));
  const key = keys.get(id.toString('hex'));
  assert.ok(key, `no key ${id.toString('hex')}`);
  return sodium.to_string(
    sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(null, box, fields(...said), nonce, key));
}

const kKeyMessage = '\0signet/1 ';
export const keyGrant = (meshId, target, sender, key) => kKeyMessage + JSON.stringify({
  kind: 'channel_key', target, keyId: keyId(meshId, target, sender, key).toString('hex'),
  key: base64(key) });
export const keyRequest = (target, id) =>
  kKeyMessage + JSON.stringify({ kind: 'key_request', target, keyId: id });
export const readKeyMessage = (text) =>
  (text.startsWith(kKeyMessage) ? JSON.parse(text.slice(kKeyMessage.length)) : null);

// A member on Node that speaks both: hands out its own keys, keeps those of others.
export class NodeMember {
  constructor(member, peer) {
    Object.assign(this, { member, peer, own: new Map(), keys: new Map(), requests: [] });
  }
  static async join(broker, name) {
    const { member, peer } = await broker.joined(name, { receipts: true });
    return new NodeMember(member, peer);
  }
  get pubkey() { return this.member.pubkey; }
  channel(name) { return this.peer.ask({ type: 'channel_join', name }, 'channel_joined'); }
  direct(to, text) { return this.peer.mail(to, '', seal(this.member, to.pubkey ?? to, text)); }

  async send(target, text) {
    const list = await this.peer.ask({ type: 'list_members', target }, 'members_list');
    const members = list.members.map((each) => each.pubkey);
    assert.equal(audienceOf(members), list.audience);
    if (!this.own.has(target)) this.own.set(target, newChannelKey());
    const key = this.own.get(target);
    for (const to of members) {
      await this.direct(to, keyGrant(this.member.meshId, target, this.pubkey, key));
    }
    const body = sealToMany(this.member, target, key, text);
    return this.peer.mail(target, '', { ...body, audience: list.audience, id: unique() });
  }

  // The next push that is no key message, opened: { text, sealed, push }. What is opened directly
  // and not for this member's own key throws.
  async next() {
    for (;;) {
      const push = await this.peer.next('push');
      this.peer.say({ type: 'receipt', messageId: push.messageId, state: 'read' });
      if (isSealedToMany(push)) {
        return { text: openFromMany(push, this.keys), kind: 'many', push };
      }
      if (push.targetSpec !== this.pubkey) {
        return { text: Buffer.from(push.ciphertext, 'base64').toString(), kind: 'clear', push };
      }
      const text = open(this.member, push);
      const message = readKeyMessage(text);
      if (message === null) return { text, kind: 'direct', push };
      if (message.kind === 'key_request') {
        this.requests.push(message);
        continue;
      }
      const key = Buffer.from(message.key, 'base64');
      const id = keyId(push.meshId, message.target, push.senderPubkey, key).toString('hex');
      assert.equal(id, message.keyId);
      this.keys.set(id, key);
    }
  }
}

export { hex };
