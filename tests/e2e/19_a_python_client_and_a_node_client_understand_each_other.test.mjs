// The format, not one library: a peer on Python's own WebSocket and NaCl talks with one on Node's.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { cleanEnvironment, eventually, hex, open, seal, sodium, startBroker } from './harness.mjs';

const kText = 'grüß dich, 世界 \u0001"\\';
const kPeer = fileURLToPath(new URL('peer.py', import.meta.url));

class PythonPeer {
  constructor(t, broker, seed) {
    const { ws, http, invite } = broker;
    this.process = spawn('/usr/bin/python3', [kPeer, ws, http, invite, seed],
                         { env: cleanEnvironment(), stdio: ['pipe', 'pipe', 'inherit'] });
    t.after(() => this.process.kill('SIGKILL'));
    this.said = [];
    createInterface({ input: this.process.stdout })
      .on('line', (line) => this.said.push(JSON.parse(line)));
    this.exited = once(this.process, 'exit');
  }

  next(field) {
    return eventually(`python says ${field}`, () => {
      const at = this.said.findIndex((said) => field in said);
      return at >= 0 && this.said.splice(at, 1)[0];
    });
  }
  send(to, text) { this.process.stdin.write(`${JSON.stringify({ to, text })}\n`); }
  async leave() {
    this.process.stdin.end();
    assert.deepEqual(await this.exited, [0, null]);
  }
}

const newSeed = () => hex(sodium.randombytes_buf(32));
const mailSealed = (node, to, text) => node.peer.mail(to, '', seal(node.member, to, text));
const openNext = async (node) => open(node.member, await node.peer.next('push'));

test('each opens what the other sealed', async (t) => {
  const broker = await startBroker(t);
  const node = await broker.joined('node');
  const python = new PythonPeer(t, broker, newSeed());
  const { ready: pubkey } = await python.next('ready');

  python.send(node.member.pubkey, kText);
  assert.equal((await python.next('ack')).ack.queued, true);
  assert.equal(await openNext(node), kText);

  assert.equal((await mailSealed(node, pubkey, kText)).type, 'ack');
  assert.deepEqual(await python.next('from'), { from: node.member.pubkey, text: kText });
  await python.leave();
});

test('each gets what came while it was away, in order and once', async (t) => {
  const broker = await startBroker(t);
  const node = await broker.joined('node');
  const seed = newSeed();
  const first = new PythonPeer(t, broker, seed);
  const { ready: pubkey } = await first.next('ready');
  await node.peer.leave();
  for (const text of ['n1', 'n2', 'n3']) {
    first.send(node.member.pubkey, text);
    await first.next('ack');
  }
  await first.leave();

  node.peer = await broker.connect(node.member);
  for (const text of ['n1', 'n2', 'n3']) assert.equal(await openNext(node), text);
  for (const text of ['p1', 'p2', 'p3']) await mailSealed(node, pubkey, text);

  const back = new PythonPeer(t, broker, seed);
  for (const text of ['p1', 'p2', 'p3']) assert.equal((await back.next('from')).text, text);
  await mailSealed(node, pubkey, 'live');
  assert.equal((await back.next('from')).text, 'live'); // and nothing again before it
  assert.deepEqual(back.said.filter((said) => 'from' in said), []);
  await back.leave();
});
