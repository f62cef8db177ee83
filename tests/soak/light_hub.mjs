// Clients of Hub that cost little, so that a thousand fit one process: Engine.IO in frames by hand,
// each from an address of its own. Format: protocol/hub.md.
import http from 'node:http';
import net from 'node:net';
import { frame, kBinary, kText } from '../e2e/raw_socket.mjs';

export const kPolling = 'EIO=4&transport=polling', kSocket = 'EIO=4&transport=websocket';
const kSeparator = '\x1e', kPing = '2', kPong = '3';

const upgrade = (port, query) => `GET /socket.io/?${query} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\n` +
  'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

// A WebSocket of the transport. Its owner may set `heard(text)` and `ended(why)`, which is told once.
export class LightSocket {
  constructor(port, from, query = kSocket) {
    this.heard = () => {};
    this.ended = () => {};
    this.received = Buffer.alloc(0);
    this.socket = net.connect({ port, host: '127.0.0.1', localAddress: from });
    this.socket.setNoDelay(true);
    this.socket.write(upgrade(port, query));
    this.socket.on('data', (bytes) => this.take(bytes));
    this.socket.on('error', (error) => { this.why = error.code; });
    this.socket.on('close', () => { this.isOver = true; this.ended(this.why ?? 'cut'); });
  }

  say(packet) {
    if (this.isOver || this.socket.writableEnded) return;
    this.socket.write(frame(typeof packet === 'string' ? kText : kBinary, packet));
  }
  write(bytes) { if (!this.isOver && !this.socket.writableEnded) this.socket.write(bytes); }

  take(bytes) {
    this.received = this.received.length === 0 ? bytes : Buffer.concat([this.received, bytes]);
    if (!this.head) {
      const end = this.received.indexOf('\r\n\r\n');
      if (end < 0) return;
      this.head = this.received.toString('latin1', 0, end);
      this.received = this.received.subarray(end + 4);
      if (!this.head.startsWith('HTTP/1.1 101')) {
        this.why = this.head.slice(9, 12);
        this.socket.destroy();
        return;
      }
    }
    while (!this.isOver && this.takeFrame());
  }
  takeFrame() {
    const { received } = this;
    if (received.length < 2) return false;
    const short = received[1] & 127;
    const head = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (received.length < head) return false;
    const size = short < 126 ? short : short === 126 ? received.readUInt16BE(2) : Number(received.readBigUInt64BE(2));
    if (received.length < head + size) return false;
    const payload = received.subarray(head, head + size);
    this.received = received.subarray(head + size);
    const opcode = received[0] & 15;
    if (opcode === 9) this.write(frame(10, payload));
    if (opcode === 8) { this.why = `close ${size >= 2 ? payload.readUInt16BE(0) : 1005}`; this.socket.end(); }
    if (opcode !== kText) return true;
    const text = payload.toString();
    if (text === kPing) this.say(kPong);
    else this.heard(text);
    return true;
  }
  end() { this.ended = () => {}; this.socket.destroy(); }
}

// One request on a connection of its own or of `agent`; status 0: it got no answer.
export function ask(port, from, method, query, { body, agent = false } = {}) {
  return new Promise((resolve) => {
    const headers = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    const asked = http.request({ port, host: '127.0.0.1', localAddress: from, method, agent, headers,
                                 path: `/socket.io/?${query}` }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('end', () => resolve({ status: answer.statusCode, text: Buffer.concat(parts).toString() }));
      answer.on('error', () => resolve({ status: 0, text: '' }));
    });
    asked.on('error', (error) => resolve({ status: 0, text: error.code }));
    asked.end(body);
  });
}

// A session by requests, with the calls of LightSocket: a poll waits at all times, one POST goes at a time.
export class LightPolls {
  constructor(port, from) {
    this.heard = () => {};
    this.ended = () => {};
    this.port = port;
    this.from = from;
    this.agent = new http.Agent({ keepAlive: true, maxSockets: 2 });
    this.queue = [];
    void this.poll();
  }

  ask(method, body) {
    const query = this.sid ? `${kPolling}&sid=${this.sid}` : kPolling;
    return ask(this.port, this.from, method, query, { body, agent: this.agent });
  }
  async poll() {
    while (!this.isOver) {
      const { status, text } = await this.ask('GET');
      if (this.isOver) return;
      if (status !== 200) return this.finish(`poll ${status} ${text}`);
      for (const packet of text.split(kSeparator)) {
        if (packet.startsWith('0')) { this.sid = JSON.parse(packet.slice(1)).sid; this.go(); }
        if (packet === kPing) this.say(kPong);
        else if (packet === '1') return this.finish('closed');
        else this.heard(packet);
      }
    }
  }
  say(packet) {
    this.queue.push(packet);
    this.go();
  }
  go() { if (this.sid && !this.posting) this.posting = this.post(); }
  async post() {
    while (this.queue.length > 0 && !this.isOver) {
      const { status, text } = await this.ask('POST', this.queue.splice(0).join(kSeparator));
      if (status !== 200 && !this.isOver) this.finish(`post ${status} ${text}`);
    }
    this.posting = null;
  }
  finish(why) {
    this.isOver = true;
    this.agent.destroy();
    this.ended(why);
  }
  end() { this.ended = () => {}; this.finish('end'); }
}
