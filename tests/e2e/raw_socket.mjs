// A WebSocket client by hand over a plain socket: it sends any frame, right or wrong, and answers
// pings only when told to. RFC 6455, section 5.2.
import { once } from 'node:events';
import net from 'node:net';

export const kText = 1, kBinary = 2, kClose = 8, kPing = 9, kPong = 10;

// The bytes of one frame. `mask: false` and `reserved` break the RFC on purpose.
export function frame(opcode, payload, { fin = true, mask = true, reserved = 0, length } = {}) {
  const body = Buffer.from(payload);
  const size = length ?? body.length;
  const head = [(fin ? 0x80 : 0) | (reserved << 4) | opcode];
  const bit = mask ? 0x80 : 0;
  if (size < 126) head.push(bit | size);
  else if (size < 65_536) head.push(bit | 126, size >> 8, size & 255);
  else head.push(bit | 127, 0, 0, 0, 0, ...[24, 16, 8, 0].map((by) => (size >>> by) & 255));
  const key = [0x12, 0x34, 0x56, 0x78];
  if (!mask) return Buffer.concat([Buffer.from(head), body]);
  return Buffer.concat([Buffer.from([...head, ...key]), body.map((byte, i) => byte ^ key[i % 4])]);
}

export class RawSocket {
  static async connect(broker, { pongs = true } = {}) {
    const raw = new RawSocket();
    const { hostname, port } = new URL(broker.http);
    raw.socket = net.connect(Number(port), hostname);
    raw.pongs = pongs;
    raw.frames = [];
    raw.received = Buffer.alloc(0);
    raw.closed = once(raw.socket, 'close').then(() => { raw.isClosed = true; });
    raw.socket.on('error', () => {});
    await once(raw.socket, 'connect');
    raw.socket.write(`GET /ws HTTP/1.1\r\nHost: ${hostname}:${port}\r\nUpgrade: websocket\r\n` +
      'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n');
    raw.socket.on('data', (bytes) => raw.take(bytes));
    await raw.until(() => raw.upgraded);
    return raw;
  }

  take(bytes) {
    this.received = Buffer.concat([this.received, bytes]);
    if (!this.upgraded) {
      const end = this.received.indexOf('\r\n\r\n');
      if (end < 0) return;
      this.upgraded = this.received.subarray(0, end).toString();
      this.received = this.received.subarray(end + 4);
    }
    while (this.takeFrame());
  }

  takeFrame() {
    if (this.received.length < 2) return false;
    const short = this.received[1] & 127;
    const head = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (this.received.length < head) return false;
    const size = short < 126 ? short
      : short === 126 ? this.received.readUInt16BE(2) : Number(this.received.readBigUInt64BE(2));
    if (this.received.length < head + size) return false;
    const payload = this.received.subarray(head, head + size);
    const opcode = this.received[0] & 15;
    this.received = this.received.subarray(head + size);
    if (opcode === kPing && this.pongs) this.socket.write(frame(kPong, payload));
    this.frames.push({ opcode, payload: Buffer.from(payload) });
    return true;
  }

  async until(look, ms = 10_000) {
    for (const end = Date.now() + ms; !look();) {
      if (Date.now() > end) throw new Error('the raw socket waited in vain');
      await new Promise((later) => setTimeout(later, 5));
    }
  }

  say(object) { this.socket.write(frame(kText, JSON.stringify(object))); }

  // Takes the first frame for which `is` holds.
  async takeNext(is) {
    await this.until(() => this.frames.some(is) || this.isClosed);
    const at = this.frames.findIndex(is);
    if (at < 0) throw new Error('closed before it came');
    return this.frames.splice(at, 1)[0];
  }
  async next(type) {
    const is = ({ opcode, payload }) => opcode === kText && JSON.parse(payload).type === type;
    return JSON.parse((await this.takeNext(is)).payload);
  }
  ping() { return this.takeNext(({ opcode }) => opcode === kPing); }
  pong(payload) { this.socket.write(frame(kPong, payload)); }
  // Code and reason of the close frame.
  async closing() {
    const { payload } = await this.takeNext(({ opcode }) => opcode === kClose);
    return { code: payload.readUInt16BE(0), reason: payload.subarray(2).toString() };
  }
  end() { this.socket.destroy(); return this.closed; }
}
