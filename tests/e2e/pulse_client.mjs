// PulseMesh clients as strangers write them: npm `ws` here, Debian's python3-websockets behind
// pulse_client.py. Nothing of ours; truth: protocol/pulsemesh.md.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import WebSocket from 'ws';
import { cleanEnvironment, eventually, freshTimestamp, Peer, sleep, startBroker } from './harness.mjs';

export const kSecret = 'a shared secret of these tests';
export const kPublishedSecret = 'mirror:logos:2025';
const kClient = fileURLToPath(new URL('pulse_client.py', import.meta.url));

// --- what is signed ---

const hex4 = (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`;
const ascii = (text) => JSON.stringify(text).replace(/[\u007f-\uffff]/g, hex4);
const compareCodePoints = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)); // as UTF-8 sorts

// As json.dumps(value, sort_keys=True) prints it. Python tells 1.0 from 1 and JavaScript does not:
// floats are left to the Python client.
export function spaced(value) {
  if (Array.isArray(value)) return `[${value.map(spaced).join(', ')}]`;
  if (value !== null && typeof value === 'object') {
    const keys = Object.keys(value).sort(compareCodePoints);
    return `{${keys.map((key) => `${ascii(key)}: ${spaced(value[key])}`).join(', ')}}`;
  }
  assert.ok(typeof value !== 'number' || Number.isSafeInteger(value), `${value} is no integer`);
  return ascii(value);
}
// Word for word what the page says that browsers do.
export const compact = (message) => JSON.stringify(message, Object.keys(message).sort());

const sha256 = (text, secret) => createHash('sha256').update(text + secret).digest('hex');
const hmac = (text, secret) => createHmac('sha256', secret).update(text).digest('hex');
export const kForms = {
  spaced: (message, secret) => ({ signature: sha256(spaced(message), secret) }),
  compact: (message, secret) => ({ signature: sha256(compact(message), secret) }),
  hmac: (message, secret) => ({ signature: hmac(spaced(message), secret) }),
  'hmac with alg': (message, secret) =>
    ({ alg: 'hmac-sha256', signature: hmac(spaced(message), secret) }),
};

export const isoAt = (ms) => new Date(ms).toISOString();

// A first frame as it must be; `message` replaces or adds what is signed (undefined:
// without that key).
export function handshake(source, { secret = kSecret, form = 'spaced', message = {} } = {}) {
  const said = { source, target: 'pulsemesh', timestamp: isoAt(freshTimestamp()), ...message };
  for (const key of Object.keys(said)) if (said[key] === undefined) delete said[key];
  return { message: said, ...kForms[form](said, secret) };
}

// --- connections ---

export const topicPath = (topic) => `/ws/mesh/${encodeURIComponent(topic)}`;
export const nodePath = (node) => `/ws/node/${encodeURIComponent(node)}`;

export class PulsePeer extends Peer {
  constructor(socket) {
    super(socket);
    this.raw = []; // the text of every frame that came
    socket.on('message', (data) => this.raw.push(data.toString()));
  }

  // The next frames that are pulses: every object that no server says.
  async pulses(count) {
    const taken = [];
    while (taken.length < count) taken.push(await this.next(isPulse));
    return taken;
  }
  waitingPulses() { return this.inbox.filter(isPulse); }
}
export const isPulse = (frame) => '_mesh_topic' in frame;

// An upgraded connection that has said nothing.
export async function knock(broker, path, options = {}) {
  const peer = new PulsePeer(new WebSocket(broker.http.replace(/^http/, 'ws') + path, options));
  await Promise.race([once(peer.socket, 'open'), peer.closed]);
  return peer;
}

async function admitted(peer, frame) {
  peer.welcome = await peer.ask(frame, 'handshake_ok');
  peer.source = frame.message.source;
  return peer;
}
// An admitted client of that topic; `how` is as handshake() takes it.
export async function connect(broker, topic, source, how = {}) {
  return admitted(await knock(broker, topicPath(topic)), handshake(source, how));
}
// An admitted node, by a secret of its own.
export async function connectNode(broker, node) {
  const frame = handshake(node, { secret: await secretOf(broker, node) });
  return admitted(await knock(broker, nodePath(node)), frame);
}

// [close code, error code] of a connection that is ended: by exactly one error frame and a close.
export async function refusal(peer) {
  const { code } = await peer.closed;
  const left = peer.inbox.splice(0);
  assert.equal(left.length, 1, `before close ${code} came ${JSON.stringify(left).slice(0, 500)}`);
  const [{ type, code: name, message }] = left;
  assert.equal(type, 'error');
  assert.ok(typeof message === 'string' && message.length > 0, 'an error says what it is');
  return [code, name];
}
// The same of a first frame on a connection of its own.
export async function refusalOf(broker, frame, path = topicPath('mirror.intent')) {
  const peer = await knock(broker, path);
  peer.say(frame);
  return refusal(peer);
}

// Has what was said before arrived everywhere, and nothing behind it? A pulse of its own through the
// same topic comes to all `peers`, and a little time later there is nothing else.
export async function nothingMore(publisher, peers, ms = 300) {
  const fence = `fence-${freshTimestamp()}`;
  publisher.say({ fence });
  for (const peer of peers) await peer.next((frame) => frame.fence === fence);
  await sleep(ms);
  for (const peer of peers) assert.deepEqual(peer.inbox, []);
}

// --- the broker ---

// A dev broker with a shared secret; `maxSkew` in seconds, 0: no window.
export function startPulseBroker(t, { secret = kSecret, maxSkew, env = {}, ...options } = {}) {
  const window = maxSkew === undefined ? {} : { SIGNET_PULSEMESH_MAX_SKEW: String(maxSkew) };
  return startBroker(t, { ...options, env: { SIGNET_PULSEMESH_SECRET: secret, ...window, ...env } });
}

const secrets = new WeakMap(); // by broker: source → secret
// The secret of a source, which is made where it is missing.
export async function secretOf(broker, source) {
  if (!secrets.has(broker)) secrets.set(broker, new Map());
  const known = secrets.get(broker);
  if (!known.has(source)) known.set(source, (await addSource(broker, source)).secret);
  return known.get(source);
}

// A new source: {source, secret, member}.
export async function addSource(broker, source, tags = []) {
  const answer = await broker.operator('POST', `/meshes/${broker.mesh.slug}/sources`, { source, tags });
  assert.equal(answer.status, 200, answer.text);
  return answer.json();
}
export function changeSource(broker, source, verb, body = {}) {
  const path = `/meshes/${broker.mesh.slug}/sources/${encodeURIComponent(source)}/${verb}`;
  return broker.operator('POST', path, body);
}

export const asOperator = (broker) => ({ authorization: `Bearer ${broker.operator_token}` });
export const asSource = (source, secret) =>
  ({ authorization: `Basic ${Buffer.from(`${source}:${secret}`).toString('base64')}` });

// GET with those headers; the body as JSON.
export async function get(broker, path, headers = asOperator(broker)) {
  const answer = await broker.request('GET', path, { headers });
  assert.equal(answer.status, 200, `${path}: ${answer.status} ${answer.text}`);
  return answer.json();
}
export const history = (broker, query = '', headers = asOperator(broker)) =>
  get(broker, `/api/mesh/history${query}`, headers);

// --- the same on Python ---

// One connection of python3-websockets, or several in turn. `message` is JSON text, so that what
// only Python tells apart (1.0 from 1, integers of any size) gets there.
export class PythonClient {
  constructor(t, broker, secret = kSecret) {
    this.process = spawn('/usr/bin/python3', [kClient, broker.http.replace(/^http/, 'ws'), secret],
                         { env: cleanEnvironment(), stdio: ['pipe', 'pipe', 'inherit'] });
    t.after(() => this.process.kill('SIGKILL'));
    this.said = [];
    createInterface({ input: this.process.stdout })
      .on('line', (line) => this.said.push(JSON.parse(line)));
    this.exited = once(this.process, 'exit');
  }

  order(order) { this.process.stdin.write(`${JSON.stringify(order)}\n`); }

  next(field) {
    return eventually(`python says ${field}`, () => {
      const at = this.said.findIndex((said) => field in said);
      return at >= 0 && this.said.splice(at, 1)[0];
    });
  }

  // Hand-shakes for a topic; answers its first frame, or {closed, frames} when it was refused.
  // A slow one reads nothing more until it is ordered to.
  async open(topic, message, form = 'spaced', slow = false) {
    this.order({ open: topicPath(topic), message, form, slow });
    return (await this.next('opened')).opened;
  }
  publish(text) { this.order({ publish: text }); }
  async leave() {
    this.process.stdin.end();
    assert.deepEqual(await this.exited, [0, null]);
  }
}
