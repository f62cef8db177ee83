// The client library as a test drives it: `client_driver` runs it in a process of its own, and here
// are its clients as objects. What it is held against (Node, libsodium, Python, a broker in the
// middle) shares no code with it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { cleanEnvironment, eventually, hex, newKeys, temporaryFolder } from './harness.mjs';

const kRoot = fileURLToPath(new URL('../..', import.meta.url));
const kCandidates = [process.env.CLIENT_DRIVER, `${kRoot}build/dev/client_driver`,
                     `${kRoot}build/release/client_driver`];
const kDriver = kCandidates.find((path) => path && existsSync(path));

// One process. A failed command rejects with its stable code as `code`.
export class Driver {
  constructor(t) {
    this.process = spawn(kDriver, [], { env: cleanEnvironment(), stdio: 'pipe' });
    this.waiting = new Map();
    this.clients = new Map();
    this.complaints = '';
    this.last = 0;
    this.process.stderr.on('data', (data) => { this.complaints += data; });
    this.process.stdin.on('error', () => {});
    createInterface({ input: this.process.stdout }).on('line', (line) => this.hear(JSON.parse(line)));
    this.exited = once(this.process, 'exit').then(([code, signal]) => {
      for (const { reject } of this.waiting.values()) reject(new Error(`driver ended: ${signal}`));
      this.waiting.clear();
      return { code, signal };
    });
    t.after(async () => {
      this.process.stdin.end();
      const { code, signal } = await this.exited;
      assert.equal(this.complaints, '');
      if (signal !== 'SIGKILL') assert.equal(code, 0);
    });
  }

  hear(said) {
    if (said.event) return this.clients.get(said.as)?.hear(said);
    const { resolve, reject } = this.waiting.get(said.re);
    this.waiting.delete(said.re);
    if (said.ok) return resolve(said.list ?? said.value ?? said);
    return reject(Object.assign(new Error(said.error), { code: said.code }));
  }

  call(command) {
    const re = (this.last += 1);
    this.process.stdin.write(`${JSON.stringify({ re, ...command })}\n`);
    const answer = new Promise((resolve, reject) => this.waiting.set(re, { resolve, reject }));
    answer.catch(() => {}); // of a driver that is killed, nobody may be waiting
    return answer;
  }

  kill() { this.process.kill('SIGKILL'); return this.exited; }
}

// One member's client. `events` is what its handlers were told, in order.
export class Library {
  constructor(driver, as) {
    Object.assign(this, { driver, as, messages: [], connections: [], sends: [], changes: [],
                          pulses: [], lost: [] });
    driver.clients.set(as, this);
  }

  hear({ event, value }) {
    const lists = { message: this.messages, connection: this.connections, sent: this.sends,
                    key_change: this.changes, pulse: this.pulses, unsubscribed: this.lost };
    lists[event].push(value);
    this.onEvent?.(event, value);
  }

  do(what, fields = {}) { return this.driver.call({ do: what, as: this.as, ...fields }); }
  send(to, text, fields = {}) { return this.do('send', { to, text, ...fields }); }
  waitSent(ticket, state = 'stored', timeout = 20_000) {
    return this.do('wait_sent', { ticket, state, timeout });
  }
  // Sends and waits until the broker has it.
  async mail(to, text, fields = {}) {
    return this.waitSent(await this.send(to, text, fields));
  }
  join(channel) { return this.do('join_channel', { channel }); }
  leave(channel) { return this.do('leave_channel', { channel }); }
  connected(timeout = 20_000) { return this.do('wait_connected', { timeout }); }
  close() { return this.do('close'); }

  // The first message with that text, or for which the function holds.
  message(wanted) {
    const is = typeof wanted === 'function' ? wanted : (message) => message.text === wanted;
    return eventually(`${this.as} gets ${wanted}`, () => this.messages.find(is));
  }
  get texts() { return this.messages.map((message) => message.text); }
}

// A fresh key that has joined the broker's mesh, in the form that the library keeps.
export async function memberOf(broker, name, keys = newKeys()) {
  return { ...await broker.join(name, keys), seed: hex(keys.secretKey.slice(0, 32)) };
}

// A client of `member` in `driver`. Quick to come back, so that tests are; `fields` change that.
export async function openLibrary(driver, broker, member, fields = {}) {
  const client = new Library(driver, fields.as ?? member.name);
  Object.assign(client, { member, pubkey: member.pubkey });
  await client.do('open', { url: broker.ws, mesh: member.meshId, member: member.memberId,
                            seed: member.seed, firstRetry: 100, lastRetry: 500, ...fields });
  return client;
}

// A new member in a process of its own, connected.
export async function startLibrary(t, broker, name, fields = {}) {
  const member = fields.as_member ?? await memberOf(broker, name);
  const client = await openLibrary(new Driver(t), broker, member, fields);
  await client.connected();
  return client;
}

export const newStateFile = (t) => `${temporaryFolder()}/state.db`;

// A broker that can be killed and started again at the same address.
export async function keepAddress(broker) {
  broker.options.command = ['dev', '--listen', broker.listen, '--ready-json'];
  return broker;
}
