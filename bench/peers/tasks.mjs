// The tasks that bench/peer_protocol.h names, on ws, socket.io or Bun's own server: a text comes and
// goes on, unread. A connection says in its path what it is for and which number it has; the other
// one of a pair has that number with its last bit turned. No proof, policy, limits or stamps.
//   node tasks.mjs ws | node tasks.mjs socket.io | bun tasks.mjs bun
// With the files of a certificate and its key behind that, the same under TLS.
import { readFileSync } from 'node:fs';

const [server, certificate, key] = process.argv.slice(2);
const secured = certificate && { cert: readFileSync(certificate), key: readFileSync(key) };
const host = '127.0.0.1';
const kTopic = 'topic';
const kMaxQueuedBytes = 64 * 1024 * 1024; // so that none drops what its peer reads late

const listening = (port) => console.log(JSON.stringify({ listen: `${host}:${port}` }));
const partner = (number) => number ^ 1;

function taskOf(path) {
  const [, task, number] = path.split('/');
  return { task, number: Number(number) };
}

async function httpServer() {
  const { createServer } = await import(secured ? 'node:https' : 'node:http');
  return createServer(secured ?? {});
}

async function serveWs() {
  const { WebSocketServer } = await import('ws');
  const http = await httpServer();
  const sockets = new Map(); // number → socket
  const subscribers = new Set();
  const serve = new WebSocketServer({ server: http, perMessageDeflate: false });
  serve.on('connection', (socket, request) => {
    const { task, number } = taskOf(request.url);
    socket.on('error', () => {});
    if (task === 'pair') sockets.set(number, socket);
    if (task === 'topic') subscribers.add(socket);
    socket.on('close', () => {
      subscribers.delete(socket);
      if (sockets.get(number) === socket) sockets.delete(number);
    });
    const text = { binary: false };
    if (task === 'echo') socket.on('message', (data) => socket.send(data, text));
    if (task === 'pair') {
      socket.on('message', (data) => sockets.get(partner(number))?.send(data, text));
    }
    if (task === 'topic') {
      socket.on('message', (data) => {
        for (const to of subscribers) if (to !== socket) to.send(data, text);
      });
    }
  });
  http.listen({ host, port: 0, backlog: 4096 }, () => listening(http.address().port));
}

async function serveSocketIo() {
  const { Server } = await import('socket.io');
  const http = await httpServer();
  const serve = new Server(http, { transports: ['websocket'], perMessageDeflate: false,
    pingInterval: 300_000, maxHttpBufferSize: 1e6 });
  serve.on('connection', (socket) => {
    const { task, number } = socket.handshake.query;
    if (task === 'echo') socket.on('m', (data) => socket.emit('m', data));
    if (task === 'pair') {
      socket.join(`user-${number}`);
      const to = `user-${partner(Number(number))}`;
      socket.on('m', (data) => socket.to(to).emit('m', data));
    }
    if (task === 'topic') {
      socket.join(kTopic);
      socket.on('m', (data) => socket.to(kTopic).emit('m', data));
    }
  });
  http.listen({ host, port: 0, backlog: 4096 }, () => listening(http.address().port));
}

function serveBun() {
  const sockets = new Map();
  const serve = Bun.serve({
    hostname: host,
    port: 0,
    tls: secured,
    fetch(request, self) {
      const data = taskOf(new URL(request.url).pathname);
      return self.upgrade(request, { data }) ? undefined : new Response('', { status: 400 });
    },
    websocket: {
      perMessageDeflate: false,
      idleTimeout: 0,
      backpressureLimit: kMaxQueuedBytes,
      open(socket) {
        const { task, number } = socket.data;
        if (task === 'pair') sockets.set(number, socket);
        if (task === 'user') socket.subscribe(`user-${number}`);
        if (task === 'user') socket.data.to = `user-${partner(number)}`;
        if (task === 'topic') socket.subscribe(kTopic);
      },
      message(socket, text) {
        const { task, number, to } = socket.data;
        if (task === 'echo') socket.send(text);
        else if (task === 'pair') sockets.get(partner(number))?.send(text);
        else if (task === 'user') socket.publish(to, text);
        else if (task === 'topic') socket.publish(kTopic, text);
      },
      close(socket) {
        if (sockets.get(socket.data.number) === socket) sockets.delete(socket.data.number);
      },
    },
  });
  listening(serve.port);
}

process.on('SIGTERM', () => process.exit(0));
await { ws: serveWs, 'socket.io': serveSocketIo, bun: serveBun }[server]();
