// Starts real brokers, each on its own port and folder, and speaks to them as a stranger would:
// npm `ws` and libsodium, nothing of ours. Truth: protocol/claudemesh.md.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import sodium from 'libsodium-wrappers';
import WebSocket from 'ws';

await sodium.ready;
export { sleep, sodium };

const kPatienceMs = 20_000; // of a sanitized build on a busy machine
const kRoot = fileURLToPath(new URL('../..', import.meta.url));
const kCandidates = [process.env.SIGNETD, `${kRoot}build/dev/signetd`,
                     `${kRoot}build/release/signetd`];
export const signetd = kCandidates.find((path) => path && existsSync(path));
export const shards = process.env.SIGNET_TEST_SHARDS ?? '2';

// Small where only the test's time is saved; what a test is about, it sets itself.
const kDevCommand = ['dev', '--listen', '127.0.0.1:0', '--ready-json'];
const kDefaults = { 'store.reserve_bytes': '0', 'server.drain_jitter': '50ms' };
const kRunDefaults = { ...kDefaults, 'admin.listen': '127.0.0.1:0' }; // tests run side by side

export const hex = (bytes) => sodium.to_hex(bytes);
export const base64 = (bytes) => Buffer.from(bytes).toString('base64');
export const unique = () => hex(sodium.randombytes_buf(8));

export function cleanEnvironment(extra = {}) {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('SIGNET'));
  return { ...Object.fromEntries(kept), ...extra };
}

// Gone when all tests of the file are: hooks run in the order in which they were asked for, so one
// of the test would take the folder from under the daemon that still writes there.
const temporary = [];
process.once('exit', () => {
  for (const folder of temporary) rmSync(folder, { recursive: true, force: true });
});
export function temporaryFolder() {
  temporary.push(mkdtempSync(join(tmpdir(), 'signet-e2e-')));
  return temporary.at(-1);
}

// Resolves with what `look` answers once that is true; fails with `what` when it never is.
export async function eventually(what, look, ms = kPatienceMs) {
  for (const end = Date.now() + ms; ; await sleep(20)) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) assert.fail(`not within ${ms} ms: ${what}`);
  }
}

// One HTTP request on a connection of its own.
export function request(base, method, path, { body, headers = {} } = {}) {
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const length = text === undefined ? {} : { 'content-length': Buffer.byteLength(text) };
  return new Promise((resolve, reject) => {
    const options = { method, agent: false, headers: { ...length, ...headers } };
    const asked = http.request(base + path, options, async (answer) => {
      let received = '';
      for await (const part of answer) received += part;
      resolve({ status: answer.statusCode, headers: answer.headers, text: received,
                json: () => JSON.parse(received) });
    });
    asked.on('error', reject);
    asked.end(text);
  });
}

// How a socket closed, whatever came before: events.once would count a reset as a fault.
export const closeOf = (socket) => new Promise((told) => socket.once('close', (...how) => told(how)));

// A member as its owner knows it: key pair, mesh and member id.
export const newKeys = () => {
  const pair = sodium.crypto_sign_keypair();
  return { pubkey: hex(pair.publicKey), publicKey: pair.publicKey, secretKey: pair.privateKey };
};

let lastTimestamp = 0; // no two hellos of one key in the same millisecond: that is a replay
export const freshTimestamp = () => (lastTimestamp = Math.max(Date.now(), lastTimestamp + 1));

// A hello as it must be; `change` replaces fields before it is signed, `after` what goes out.
export function hello(member, change = {}, after = {}) {
  const said = { meshId: member.meshId, memberId: member.memberId, pubkey: member.pubkey,
                 timestamp: freshTimestamp(), ...change };
  const text = `${said.meshId}|${said.memberId}|${said.pubkey}|${said.timestamp}`;
  const signature = hex(sodium.crypto_sign_detached(text, member.secretKey));
  return { type: 'hello', sessionId: 'e2e', pid: process.pid, cwd: '/e2e', signature, ...said,
           ...after };
}

// What X25519 makes of the two Ed25519 keys, as the page's payload encryption says.
export function seal(from, toPubkey, text) {
  const nonce = sodium.randombytes_buf(24);
  const box = sodium.crypto_box_easy(
    text, nonce, sodium.crypto_sign_ed25519_pk_to_curve25519(sodium.from_hex(toPubkey)),
    sodium.crypto_sign_ed25519_sk_to_curve25519(from.secretKey));
  return { nonce: base64(nonce), ciphertext: base64(box) };
}
export function open(to, push) {
  return sodium.to_string(sodium.crypto_box_open_easy(
    Buffer.from(push.ciphertext, 'base64'), Buffer.from(push.nonce, 'base64'),
    sodium.crypto_sign_ed25519_pk_to_curve25519(sodium.from_hex(push.senderPubkey)),
    sodium.crypto_sign_ed25519_sk_to_curve25519(to.secretKey)));
}

// One WebSocket: what came and was not asked for yet waits in `inbox`, in order.
export class Peer {
  constructor(socket) {
    this.socket = socket;
    this.inbox = [];
    this.waiting = []; // those who wait in next()
    this.isClosed = false;
    socket.on('message', (data) => { this.inbox.push(JSON.parse(data)); this.wake(); });
    this.fault = null; // the last error of the socket; `closed` comes after it
    socket.on('error', (fault) => { this.fault = fault; });
    this.closed = closeOf(socket).then(([code, reason]) => {
      this.isClosed = true;
      this.wake();
      return { code, reason: reason.toString() };
    });
  }

  wake() { for (const woken of this.waiting.splice(0)) woken(); }

  say(frame) {
    const raw = typeof frame === 'string' || Buffer.isBuffer(frame);
    this.socket.send(raw ? frame : JSON.stringify(frame));
  }

  // Takes the first frame of that type, or for which the function holds.
  async next(wanted, ms = kPatienceMs) {
    const is = typeof wanted === 'function' ? wanted : (frame) => frame.type === wanted;
    for (const end = Date.now() + ms; ;) {
      const at = this.inbox.findIndex(is);
      if (at >= 0) return this.inbox.splice(at, 1)[0];
      const left = end - Date.now();
      if (left <= 0 || this.isClosed) {
        assert.fail(`no ${wanted} within ${ms} ms (closed: ${this.isClosed}); there was ` +
                    JSON.stringify(this.inbox).slice(0, 600));
      }
      await new Promise((woken) => {
        const timer = setTimeout(woken, left);
        this.waiting.push(() => { clearTimeout(timer); woken(); });
      });
    }
  }

  async ask(frame, type) { this.say(frame); return this.next(type); }

  // The bodies of the next pushes.
  async texts(count) {
    const texts = [];
    while (texts.length < count) texts.push((await this.next('push')).ciphertext);
    return texts;
  }

  // Nothing of that type: a round trip and a little time later it is still not there.
  async none(type, ms = 300) {
    await sleep(ms);
    if (!this.isClosed) await this.roundTrip();
    assert.deepEqual(this.inbox.filter((frame) => frame.type === type), []);
  }

  async roundTrip() { return (await this.ask({ type: 'list_peers' }, 'peers_list')).peers; }

  // Sends `text` unsealed; answers the ack or the error that came for it.
  async mail(to, text, extra = {}) {
    const id = extra.id ?? unique();
    this.say({ type: 'send', id, targetSpec: to.pubkey ?? to, priority: 'next', nonce: 'bm9uY2U=',
               ciphertext: text, ...extra });
    return this.next((f) => (f.type === 'ack' || f.type === 'error') && f.id === id);
  }

  async status(status) { this.say({ type: 'set_status', status }); return this.roundTrip(); }

  async leave() { this.socket.close(); return this.closed; }
  vanish() { this.socket.terminate(); return this.closed; }
}

export class Broker {
  constructor(data, options) {
    this.data = data;
    this.options = options;
  }

  async start() {
    const { command = kDevCommand, set = {}, env, user, within = [] } = this.options;
    const defaults = command[0] === 'run' ? kRunDefaults : kDefaults;
    const settings = Object.entries({ ...defaults, ...set }).filter(([, value]) => value !== null);
    const flags = settings.flatMap(([key, value]) => ['--set', `${key}=${value}`]);
    this.log = [];
    const [program, ...before] = [...within, signetd]; // `within`: a program that starts it
    this.process = spawn(program, [...before, ...command, '--data', this.data, '--shards', shards, ...flags],
                         { env: cleanEnvironment(env), stdio: ['ignore', 'pipe', 'pipe'],
                           ...user });
    this.exited = once(this.process, 'exit').then(([code, signal]) => ({ code, signal }));
    createInterface({ input: this.process.stderr }).on('line', (line) => this.log.push(line));
    const ready = await (command[0] === 'run' ? this.listening() : this.readyLine());
    Object.assign(this, ready, { pid: this.process.pid, ready });
    return this;
  }

  async readyLine() {
    const lines = createInterface({ input: this.process.stdout });
    const first = await Promise.race([once(lines, 'line'), this.exited, 
                                      sleep(kPatienceMs, null, { ref: false })]);
    assert.ok(Array.isArray(first), `no ready line; log: ${this.log.join('\n').slice(-2000)}`);
    return JSON.parse(first[0]);
  }

  // `signetd run` prints no ready line: its log names the address.
  async listening() {
    const { address } = await this.logged('server.listening');
    const ready = { listen: address, http: `http://${address}`, ws: `ws://${address}/ws` };
    if (this.options.set?.['admin.listen'] === 'none') return ready;
    return { ...ready, operators: `http://${(await this.logged('server.operators')).address}` };
  }

  // The first line of the log with that event, from line `from` on.
  async logged(event, from = 0) {
    const line = await eventually(`${event} in the log`, () =>
      this.log.slice(from).find((each) => each.includes(`"event":"${event}"`)));
    return JSON.parse(line);
  }

  async end(signal) {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      this.process.kill(signal);
    }
    return this.exited;
  }
  stop() { return this.end('SIGTERM'); }
  kill() { return this.end('SIGKILL'); }
  async restart() { await this.stop(); return this.start(); }
  async restartAfterKill() { await this.kill(); return this.start(); }

  request(method, path, options) { return request(this.http, method, path, options); }
  // At the operator's door, where there is one.
  ask(method, path, options) { return request(this.operators ?? this.http, method, path, options); }
  operator(method, path, body) {
    const headers = { authorization: `Bearer ${this.operator_token}` };
    return this.ask(method, `/api/signet/v1${path}`, { body, headers });
  }
  async setStanding(member, standing) {
    const path = `/meshes/${this.mesh.slug}/members/${member.pubkey}/standing`;
    assert.equal((await this.operator('POST', path, { standing })).status, 200);
  }

  ownerSeed() { return sodium.from_hex(readFileSync(`${this.data}/dev/owner.key`, 'utf8').trim()); }
  ownerKeys() {
    const pair = sodium.crypto_sign_seed_keypair(this.ownerSeed());
    return { pubkey: hex(pair.publicKey), secretKey: pair.privateKey };
  }

  postJoin(body) { return this.request('POST', '/join', { body }); }
  async join(name = 'peer', keys = newKeys()) {
    const body = { ...inviteOf(this.invite), peer_pubkey: keys.pubkey, display_name: name };
    const answer = (await this.postJoin(body)).json();
    assert.equal(answer.ok, true, JSON.stringify(answer));
    return { ...keys, memberId: answer.memberId, meshId: this.mesh.id, name };
  }

  // A WebSocket on which nobody has said hello.
  async open(options = {}) {
    const peer = new Peer(new WebSocket(this.ws, options));
    await Promise.race([once(peer.socket, 'open'), peer.closed]);
    return peer;
  }
  // An admitted session of `member`; `hints` are hello fields that nobody signs.
  async connect(member, hints = {}) {
    const peer = await this.open();
    peer.say(hello(member, {}, hints));
    peer.presence = (await peer.next('hello_ack')).presenceId;
    return peer;
  }
  async joined(name, hints) {
    const member = await this.join(name);
    return { member, peer: await this.connect(member, hints) };
  }

  async metrics() { return parseMetrics((await this.ask('GET', '/metrics')).text); }
  async metric(series) { return (await this.metrics()).get(series) ?? 0; }
  // What a sanitizer keeps beside each byte is taken off.
  residentBytes() {
    const [, kib] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'));
    return 1024 * Number(kib) / Number(process.env.SIGNET_TEST_MEMORY_OVERHEAD ?? 1);
  }
}

export function parseMetrics(text) {
  const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(samples.map((line) => {
    const at = line.lastIndexOf(' ');
    return [line.slice(0, at), Number(line.slice(at + 1))];
  }));
}

// What /join takes of an invite link.
export function inviteOf(link) {
  const token = link.slice(link.indexOf('/join/') + '/join/'.length);
  return { invite_token: token, invite_payload: JSON.parse(Buffer.from(token, 'base64url')) };
}

// An invite that `owner` signs, with its link's token.
export function makeInvite(owner, fields, after = {}) {
  const claim = { v: 1, mesh_slug: 'demo', broker_url: 'ws://127.0.0.1/ws', role: 'member',
                  expires_at: Math.floor(Date.now() / 1000) + 3600, mesh_root_key: 'cm9vdA',
                  owner_pubkey: owner.pubkey, ...fields };
  const text = [claim.v, claim.mesh_id, claim.mesh_slug, claim.broker_url, claim.expires_at,
                claim.mesh_root_key, claim.role, claim.owner_pubkey].join('|');
  claim.signature = hex(sodium.crypto_sign_detached(text, owner.secretKey));
  const invite_payload = { ...claim, ...after };
  const invite_token = Buffer.from(JSON.stringify(invite_payload)).toString('base64url');
  return { invite_token, invite_payload };
}

// A broker for one test, ended with it. `options`: set, env, data, command, user (uid and gid).
export async function startBroker(t, options = {}) {
  const broker = new Broker(options.data ?? join(temporaryFolder(), 'data'), options);
  t.after(async () => {
    const wasKilled = broker.process.signalCode === 'SIGKILL';
    const { code } = await broker.stop();
    const complaints = broker.log.filter((line) => /runtime error|Sanitizer/.test(line));
    assert.deepEqual(complaints, []);
    if (!wasKilled) assert.equal(code, 0, broker.log.slice(-20).join('\n'));
  });
  return broker.start();
}
