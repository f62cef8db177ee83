// Clients that do what the format asks of them while brokers die under them: a sender repeats what
// was not acknowledged, under the same ids and in order; a receiver drops what it has seen.
import { spawnSync } from 'node:child_process';
import assert from 'node:assert/strict';
import { eventually, sleep, unique } from './harness.mjs';

const kInFlight = 16;          // sends of one sender without an answer
const kReconnectMs = 50;
const kForeverMs = 3_600_000;
const kSettlingMs = 60_000;

// Random numbers in [0, 1) from a seed (mulberry32), so that a run can be repeated.
export function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

// The seed of this run, from SIGNET_TEST_SEED or new; it is printed.
export function seedOf(t) {
  const seed = Number(process.env.SIGNET_TEST_SEED ?? Date.now() % 1_000_000);
  t.diagnostic(`SIGNET_TEST_SEED=${seed}`);
  return seed;
}

// The problems that SQLite finds in a database that nobody holds open.
export function integrityOf(database) {
  const program = 'import sqlite3, sys\n' +
    'for row in sqlite3.connect(sys.argv[1]).execute("PRAGMA integrity_check"): print(row[0])';
  const run = spawnSync('/usr/bin/python3', ['-c', program, database], { encoding: 'utf8' });
  assert.equal(run.status, 0, run.stderr);
  return run.stdout.trim();
}

class Client {
  constructor(broker, member) {
    Object.assign(this, { broker, member, isRunning: true });
    this.ended = this.run();
  }

  // Connects again and again; what went wrong last is kept for whoever asks why nothing comes.
  async run() {
    while (this.isRunning) {
      try {
        this.peer = await this.broker.connect(this.member);
        await this.talk(this.peer);
      } catch (error) {
        this.trouble = error.message;
        await sleep(kReconnectMs);
      }
    }
  }
  hangUp() {
    this.isRunning = false;
    this.peer?.vanish();
  }
  leave() { this.hangUp(); return this.ended; }
}

// Sends `<name>-<receiver>-<n>` to the receivers in turn.
export class Sender extends Client {
  sent = new Map();     // pubkey of the receiver → texts, in order
  waiting = new Map();  // id → frame, without an ack so far, in order
  acked = new Map();    // text → messageId, in the order of the acks
  refused = [];
  count = 0;
  isFinishing = false;

  constructor(broker, member, receivers, { pauseMs = 0 } = {}) {
    super(broker, member);
    Object.assign(this, { receivers, pauseMs });
  }

  async talk(peer) {
    for (const frame of this.waiting.values()) peer.say(frame);
    for (;;) {
      while (!this.isFinishing && this.waiting.size < kInFlight) peer.say(this.another());
      if (this.waiting.size === 0) return this.hangUp();
      this.take(await peer.next((frame) => frame.type === 'ack' || frame.type === 'error'));
      if (this.pauseMs) await sleep(this.pauseMs);
    }
  }

  another() {
    const to = this.receivers[this.count % this.receivers.length];
    const text = `${this.member.name}-${to.name}-${this.count++}`;
    const frame = { type: 'send', id: unique(), targetSpec: to.pubkey, priority: 'next',
                    nonce: 'bm9uY2U=', ciphertext: text };
    if (!this.sent.has(to.pubkey)) this.sent.set(to.pubkey, []);
    this.sent.get(to.pubkey).push(text);
    this.waiting.set(frame.id, frame);
    return frame;
  }

  take(answer) {
    const frame = this.waiting.get(answer.id);
    if (answer.type === 'error') { this.refused.push(answer); throw new Error(answer.code); }
    if (!frame) return;
    this.waiting.delete(answer.id);
    this.acked.set(frame.ciphertext, answer.messageId);
  }

  // Sends nothing new; resolves when all is acknowledged.
  finish() { this.isFinishing = true; return this.ended; }
}

// Keeps the first sighting of every message; with `receipts` it confirms by frame and by pong.
export class Receiver extends Client {
  seen = new Map();   // messageId → text
  order = new Map();  // pubkey of the sender → texts
  repeats = 0;

  constructor(broker, member, { receipts = false } = {}) {
    super(broker, member);
    this.receipts = receipts;
  }

  async talk(peer) {
    for (;;) {
      const push = await peer.next('push', kForeverMs);
      if (this.seen.has(push.messageId)) this.repeats += 1;
      else this.keep(push);
      const { messageId } = push;
      if (this.receipts) peer.say({ type: 'receipt', messageId, state: 'received' });
    }
  }

  keep({ messageId, senderPubkey, ciphertext }) {
    this.seen.set(messageId, ciphertext);
    if (!this.order.has(senderPubkey)) this.order.set(senderPubkey, []);
    this.order.get(senderPubkey).push(ciphertext);
  }
}

// What was acknowledged and no receiver has seen.
export const missing = (senders, receivers) => senders.flatMap((sender) =>
  [...sender.acked].filter(([, id]) => !receivers.some((receiver) => receiver.seen.has(id))));

// Lets the senders end and the receivers catch up. What is lost stays lost: see missing().
export async function settle(broker, senders, receivers) {
  const finished = Promise.all(senders.map((sender) => sender.finish()));
  await Promise.race([finished, sleep(kSettlingMs, null, { ref: false })]);
  for (const { waiting, trouble } of senders) assert.equal(waiting.size, 0, trouble);
  await eventually('every mailbox is empty',
                   async () => await broker.metric('broker_queue_depth') === 0, kSettlingMs);
  const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
  return `${sum(senders.map((s) => s.acked.size))} messages, ` +
         `${sum(receivers.map((r) => r.repeats))} repeats dropped by their id`;
}

// Nothing lost, nothing twice, all in order from each sender, under the id that was acknowledged.
// REQUIRES: nothing was refused; what had to be sent again because of that may come later.
export function assertAllArrived(senders, receivers) {
  assert.deepEqual(missing(senders, receivers), []);
  for (const sender of senders) {
    assert.deepEqual(sender.refused, []);
    for (const { member, order, seen } of receivers) {
      assert.deepEqual(order.get(sender.member.pubkey) ?? [], sender.sent.get(member.pubkey) ?? []);
      for (const [id, text] of seen) {
        if (sender.acked.has(text)) assert.equal(sender.acked.get(text), id);
      }
    }
  }
}
