// The smallest broker of claudemesh on Node and ws: what the format costs without what makes it
// safe. It proves a hello's signature, then parses every frame and passes it on by key. It knows no
// members, remembers no hello, limits nothing, stores nothing, and acknowledges what it wrote to a
// socket.
import { createPublicKey, randomUUID, verify } from 'node:crypto';
import { WebSocketServer } from 'ws';

const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex'); // of an Ed25519 key, RFC 8410
const peers = new Map(); // key in hex → sockets

function proves(hello) {
  const text = `${hello.meshId}|${hello.memberId}|${hello.pubkey}|${hello.timestamp}`;
  const der = Buffer.concat([spkiPrefix, Buffer.from(hello.pubkey, 'hex')]);
  const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
  return verify(null, Buffer.from(text), key, Buffer.from(hello.signature, 'hex'));
}

function admit(socket, hello) {
  if (!proves(hello)) return socket.close(1008, 'bad_signature');
  socket.key = hello.pubkey;
  socket.mesh = hello.meshId;
  if (!peers.has(socket.key)) peers.set(socket.key, new Set());
  peers.get(socket.key).add(socket);
  socket.send(JSON.stringify({ type: 'hello_ack', presenceId: randomUUID(), memberDisplayName: '' }));
}

function pass(from, frame) {
  const messageId = randomUUID();
  const push = JSON.stringify({
    type: 'push', messageId, meshId: from.mesh, senderPubkey: from.key, priority: frame.priority,
    nonce: frame.nonce, ciphertext: frame.ciphertext, createdAt: new Date().toISOString(),
  });
  if (frame.targetSpec === '*') {
    for (const [key, sockets] of peers) if (key !== from.key) for (const to of sockets) to.send(push);
  } else {
    for (const to of peers.get(frame.targetSpec) ?? []) to.send(push);
  }
  from.send(JSON.stringify({ type: 'ack', id: frame.id, messageId, queued: true }));
}

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, path: '/ws', perMessageDeflate: false, backlog: 4096 });
server.on('connection', (socket) => {
  socket.on('error', () => {});
  socket.on('close', () => {
    const mine = peers.get(socket.key);
    mine?.delete(socket);
    if (mine?.size === 0) peers.delete(socket.key);
  });
  socket.on('message', (data) => {
    const frame = JSON.parse(data);
    if (frame.type === 'hello') admit(socket, frame);
    else if (frame.type === 'send') pass(socket, frame);
  });
});
server.on('listening', () => console.log(JSON.stringify({ listen: `127.0.0.1:${server.address().port}` })));
process.on('SIGTERM', () => process.exit(0));
