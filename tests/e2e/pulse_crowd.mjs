// Many PulseMesh clients in one process, light enough that what is measured is the broker.
import { once } from 'node:events';
import WebSocket from 'ws';
import { handshake, topicPath } from './pulse_client.mjs';
import { closeOf } from './harness.mjs';

const kAtOnce = 50; // connections that are being made at a time

// `count` things made by make(i), a few at a time, in order.
export async function several(count, make) {
  const made = new Array(count);
  let next = 0;
  const worker = async () => { while (next < count) { const i = next++; made[i] = await make(i); } };
  await Promise.all(Array.from({ length: Math.min(kAtOnce, count) }, worker));
  return made;
}

// An admitted client that counts instead of keeping; `heard(text)` gets every later frame.
export class Light {
  constructor(socket, source) {
    this.socket = socket;
    this.source = source;
    this.heard = () => {};
    this.closed = closeOf(socket).then(([code]) => { this.isClosed = true; return code; });
  }
  say(text) { this.socket.send(text); }
}

export async function light(broker, topic, source, how = {}) {
  const socket = new WebSocket(broker.http.replace(/^http/, 'ws') + topicPath(topic),
                               { perMessageDeflate: false });
  const client = new Light(socket, source);
  socket.on('error', () => {});
  await Promise.race([once(socket, 'open'), client.closed]);
  const first = once(socket, 'message');
  socket.send(JSON.stringify(handshake(source, how)));
  const [frame] = await Promise.race([first, client.closed.then((code) => [`closed with ${code}`])]);
  const text = frame.toString();
  if (!text.includes('handshake_ok')) throw new Error(`${source}: ${text}`);
  socket.on('message', (data) => client.heard(data.toString()));
  return client;
}

export function percentile(numbers, share) {
  const sorted = Float64Array.from(numbers).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

// Repeatable noise: the same seed makes the same bytes (mulberry32).
export function randomness(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { next, below: (n) => Math.floor(next() * n),
           bytes: (n) => Buffer.from(Array.from({ length: n }, () => Math.floor(next() * 256))) };
}
