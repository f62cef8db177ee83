// A broker in the middle: a WebSocket proxy in front of a true broker that sees every frame and may
// rewrite, repeat, hold back or invent any. What a malicious operator can do to clients, no more.
import { once } from 'node:events';
import WebSocket, { WebSocketServer } from 'ws';

const kMaxPayload = 2 * 1024 * 1024;

// One client's connection. `pubkey` is what its hello said.
class Link {
  constructor(middle, near, url) {
    Object.assign(this, { middle, near, far: new WebSocket(url, { maxPayload: kMaxPayload }) });
    const early = [];
    near.on('message', (data) => {
      const frame = JSON.parse(data);
      if (frame.type === 'hello') this.pubkey = frame.pubkey;
      for (const each of middle.pass('up', frame, this)) {
        if (this.far.readyState === WebSocket.OPEN) this.far.send(JSON.stringify(each));
        else early.push(each);
      }
    });
    this.far.on('open', () => early.forEach((each) => this.far.send(JSON.stringify(each))));
    this.far.on('message', (data) => {
      for (const each of middle.pass('down', JSON.parse(data), this)) this.tell(each);
    });
    near.on('close', () => this.far.terminate());
    this.far.on('close', (code, reason) => this.hangUp(code, reason));
    for (const socket of [near, this.far]) socket.on('error', () => {});
  }

  // To the client, as if the broker had said it.
  tell(frame) {
    if (this.near.readyState === WebSocket.OPEN) this.near.send(JSON.stringify(frame));
  }
  hangUp(code, reason) {
    const sayable = code === 1008 || code === 1001;
    if (sayable) this.near.close(code, reason);
    else this.near.terminate();
  }
}

// `rewrite.up` and `rewrite.down` get (frame, link) and answer what goes on: a frame, a list of
// them, or nothing to drop it. `wire` keeps what was said: { way, pubkey, frame }.
export class Middle {
  constructor(url) {
    this.url = url;
    this.rewrite = {};
    this.wire = [];
    this.links = new Set();
    this.keeps = true;
  }

  async start(t) {
    this.server = new WebSocketServer({ host: '127.0.0.1', port: 0, path: '/ws',
                                        maxPayload: kMaxPayload });
    this.server.on('connection', (near) => {
      const link = new Link(this, near, this.url);
      this.links.add(link);
      near.on('close', () => this.links.delete(link));
    });
    await once(this.server, 'listening');
    this.ws = `ws://127.0.0.1:${this.server.address().port}/ws`;
    t.after(() => {
      this.links.forEach((link) => { link.near.terminate(); link.far.terminate(); });
      this.server.close();
    });
    return this;
  }

  pass(way, frame, link) {
    if (this.keeps) this.wire.push({ way, pubkey: link.pubkey, frame });
    const rewrite = this.rewrite[way];
    if (!rewrite) return [frame];
    const answer = rewrite(frame, link);
    if (answer === undefined || answer === null) return [];
    return Array.isArray(answer) ? answer : [answer];
  }

  linkOf(pubkey) { return [...this.links].find((link) => link.pubkey === pubkey); }
  pushesTo(pubkey) {
    return this.wire.filter((said) => said.way === 'down' && said.pubkey === pubkey &&
                                      said.frame.type === 'push').map((said) => said.frame);
  }
  sendsOf(pubkey) {
    return this.wire.filter((said) => said.way === 'up' && said.pubkey === pubkey &&
                                      said.frame.type === 'send').map((said) => said.frame);
  }
}

export const startMiddle = (t, broker) => new Middle(broker.ws).start(t);
