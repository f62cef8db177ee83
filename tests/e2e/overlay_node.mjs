// A node of the overlay as a program of its own would be written: it signs what it says.
import { generateKeyPairSync } from 'node:crypto';
import { base64, hex, sodium } from './harness.mjs';

// RFC 8785 for what these tests send: no numbers but integers and decimals, no exotic text.
export function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const names = Object.keys(value).filter((name) => value[name] !== null && value[name] !== undefined);
  return `{${names.sort().map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(',')}}`;
}

export const wireguardKey = () => {
  const { publicKey } = generateKeyPairSync('x25519');
  return publicKey.export({ type: 'spki', format: 'der' }).subarray(-32);
};

export class Node {
  // `member` is of broker.join: its key is the node's.
  constructor(broker, name, member) {
    Object.assign(this, { broker, name, member, sequence: 0, wireguard: wireguardKey(), last: 0 });
  }
  sign(domain, claim) {
    const text = `${domain}\n${claim}`;
    return hex(sodium.crypto_sign_detached(text, this.member.secretKey));
  }
  now() { return (this.last = Math.max(Date.now(), this.last + 1)); }

  register(change = {}) {
    const claim = { node_id: this.name, mesh_id: this.broker.mesh.id, key: this.member.pubkey,
                    wireguard: base64(this.wireguard), timestamp: new Date(this.now()).toISOString(),
                    ...change };
    const body = { ...claim, signature: this.sign('signet-node-v1', canonical(claim)) };
    return this.broker.request('POST', `/v1/nodes/${this.name}`, { body });
  }
  // A change of keys: `key` is a pair of newKeys() that agrees. Signed by the key so far.
  rekeying({ wireguard, key }, by = this.member) {
    const claim = { node_id: this.name, mesh_id: this.broker.mesh.id, wireguard: base64(wireguard),
                    key: key?.pubkey, timestamp: new Date(this.now()).toISOString() };
    const text = `signet-node-key-v1\n${canonical(claim)}`;
    const signed = (secretKey) => hex(sodium.crypto_sign_detached(text, secretKey));
    return { ...claim, key_signature: key && signed(key.secretKey), signature: signed(by.secretKey) };
  }
  postKey(body) { return this.broker.request('POST', `/v1/nodes/${this.name}/key`, { body }); }
  submission(overall, change = {}) {
    const claim = { node_id: this.name, timestamp: new Date().toISOString(), suite_version: 'e2e-1',
                    scores: { overall }, sequence: ++this.sequence, nonce: `n${this.sequence}`,
                    epk: base64(wireguardKey()), ...change };
    return { ...claim, signature: this.sign('signet-benchmark-v1', canonical(claim)) };
  }
  post(body) { return this.broker.request('POST', `/v1/benchmarks/${this.name}`, { body }); }
  submit(overall, change) { return this.post(this.submission(overall, change)); }

  // `says`: the query, as "ready=2&uses=1".
  async config(says = '', change = {}) {
    const target = `/v1/config/${this.name}${says && `?${says}`}`;
    const at = this.now();
    const nonce = `q${at}`;
    const text = ['signet-node-request-v1', 'GET', target, this.broker.mesh.id, at, nonce].join('\n');
    const signature = hex(sodium.crypto_sign_detached(text, this.member.secretKey));
    const authorization = change.authorization ??
      `Signet-Node ${this.name} ${at} ${nonce} ${signature}`;
    const answer = await this.broker.request('GET', change.target ?? target,
                                             { headers: { authorization } });
    return { status: answer.status, authorization, ...answer.json() };
  }
}
