// A broker that loses, doubles, swaps, changes and misdelivers: `signet bench` counts each apart.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import test from 'node:test';
import { WebSocketServer } from 'ws';
import { Home } from './cli.mjs';
import { makeInvite, newKeys } from './harness.mjs';

const kPeers = 3;
const kMessages = 20;

// Joins and admits anybody, acknowledges everything, and hands each message to `deliver`, with the
// number that its sender gave it.
async function falseBroker(t, deliver) {
  const peers = new Map(); // pubkey → socket
  const push = (to, frame) => peers.get(to).send(JSON.stringify(frame));
  const server = http.createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    response.end(request.url === '/join' ? '{"ok":true,"memberId":"m"}' : '');
  });
  new WebSocketServer({ server, path: '/ws' }).on('connection', (socket) => {
    let own;
    socket.on('message', (data) => {
      const said = JSON.parse(data);
      if (said.type === 'hello') {
        peers.set(own = said.pubkey, socket);
        socket.send('{"type":"hello_ack","presenceId":"p","memberDisplayName":"x"}');
      }
      if (said.type !== 'send') return;
      if (deliver === null) return;
      const messageId = `${own.slice(0, 24)}${said.id.padStart(8, '0')}`;
      socket.send(JSON.stringify({ type: 'ack', id: said.id, messageId, queued: true }));
      deliver(push, said.targetSpec, Number(said.id), {
        type: 'push', messageId, meshId: 'm1', senderPubkey: own, targetSpec: said.targetSpec,
        priority: 'next', createdAt: new Date().toISOString(), nonce: said.nonce,
        ciphertext: said.ciphertext }, [...peers.keys()]);
    });
  });
  t.after(() => { server.closeAllConnections(); server.close(); });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  const { invite_token } = makeInvite(newKeys(), { mesh_id: 'm1',
                                                   broker_url: `ws://127.0.0.1:${port}/ws` });
  return `ic://join/${invite_token}`;
}

async function bench(t, deliver, mode) {
  const invite = await falseBroker(t, deliver);
  const answer = await new Home(t).run(['bench', '-o', 'json', '--invite', invite, mode, '--peers',
                                        `${kPeers}`, '--messages', `${kMessages}`, '--timeout', '2']);
  return { status: answer.status, figures: JSON.parse(answer.stdout) };
}

// Of each peer: every message once, and what happens to some of them. Messages with odd numbers go
// to one receiver, those with even numbers to the other.
const kWrongs = [
  ['nothing', 0, {}, (push, to, n, frame) => push(to, frame)],
  ['one is lost', 1, { lost: 1 }, (push, to, n, frame) => { if (n !== 7) push(to, frame); }],
  ['the last is lost', 1, { lost: 1 },
   (push, to, n, frame) => { if (n !== kMessages - 1) push(to, frame); }],
  ['one comes twice', 0, { duplicates: 1 },
   (push, to, n, frame) => { push(to, frame); if (n === 7) push(to, frame); }],
  ['the last comes twice', 0, { duplicates: 1 },
   (push, to, n, frame) => { push(to, frame); if (n === kMessages - 1) push(to, frame); }],
  ['one is changed', 1, { lost: 1, wrong: 1 }, (push, to, n, frame) => {
    const changed = frame.ciphertext.replace(/^..../, 'AAAA');
    push(to, n === 7 ? { ...frame, ciphertext: changed } : frame);
  }],
  ['one goes to another', 1, { lost: 1, wrong: 1 }, (push, to, n, frame, all) => {
    const other = all.find((key) => key !== to && key !== frame.senderPubkey);
    push(n === 7 ? other : to, frame);
  }],
  ['one comes as from another', 1, { lost: 1, wrong: 1 }, (push, to, n, frame, all) => {
    const other = all.find((key) => key !== to && key !== frame.senderPubkey);
    push(to, n === 7 ? { ...frame, senderPubkey: other } : frame);
  }],
];
for (const mode of ['--sealed', '--plain']) {
  for (const [what, status, wrong, deliver] of kWrongs) {
    test(`${what}, ${mode}`, async (t) => {
      const { status: exit, figures } = await bench(t, deliver, mode);
      const said = JSON.stringify(figures);
      const expected = { lost: 0, duplicates: 0, outOfOrder: 0, wrong: 0, ...wrong };
      for (const [key, each] of Object.entries(expected)) {
        assert.equal(figures[key], each * kPeers, `${key} of ${said}`);
      }
      assert.equal(figures.delivered, (kMessages - expected.lost) * kPeers, said);
      assert.equal(exit, status, said);
      assert.equal(figures.acked, kMessages * kPeers, said);
      assert.equal(figures.brokerRssBytes, null);
    });
  }
}

test('two that are swapped are one out of order', async (t) => {
  const kept = new Map(); // sender → its message 6, until 8 is there
  const { status, figures } = await bench(t, (push, to, n, frame) => {
    if (n === 6) return kept.set(frame.senderPubkey, frame);
    push(to, frame);
    if (n === 8) push(to, kept.get(frame.senderPubkey));
  }, '--sealed');
  assert.equal(figures.outOfOrder, kPeers, JSON.stringify(figures));
  assert.equal(figures.lost, 0);
  assert.equal(status, 0);
});

test('a broker that answers nothing is given up', async (t) => {
  const { status, figures } = await bench(t, null, '--sealed');
  assert.equal(status, 1);
  assert.equal(figures.acked + figures.delivered, 0);
  assert.equal(figures.unanswered, figures.sent);
  assert.equal(figures.sent, kPeers * 16, 'as many as may be in flight');
  assert.deepEqual([figures.latencyUs, figures.ackLatencyUs], [null, null]);
});
