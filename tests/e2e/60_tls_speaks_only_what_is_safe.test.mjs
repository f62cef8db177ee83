// Versions, early data, ALPN, and peers that speak no TLS or never finish its handshake.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import test from 'node:test';
import { cleanEnvironment, eventually, sleep } from './harness.mjs';
import { startTlsBroker } from './tls_broker.mjs';

const failures = (broker, reason) => broker.metric(`signet_tls_failures_total{reason="${reason}"}`);
const closed = (socket) => new Promise((told) => socket.once('close', told));
const old = { ciphers: 'DEFAULT:@SECLEVEL=0' }; // so that Node offers what is out of use

test('only TLS 1.3 is spoken, and 1.2 on request', async (t) => {
  const { broker } = await startTlsBroker(t);
  assert.match(broker.http, /^https:/);
  assert.match(broker.ws, /^wss:/);
  const { socket } = await broker.dial({ minVersion: 'TLSv1.2' });
  assert.equal(socket.getProtocol(), 'TLSv1.3');
  for (const version of ['TLSv1.2', 'TLSv1.1']) {
    const { error } = await broker.dial({ ...old, minVersion: version, maxVersion: version });
    assert.equal(error, 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
  }
  await eventually('both counted', async () => await failures(broker, 'version') === 2);

  const { broker: other } = await startTlsBroker(t, { set: { 'tls.min_version': '1.2' } });
  const second = await other.dial({ maxVersion: 'TLSv1.2' });
  assert.equal(second.socket.getProtocol(), 'TLSv1.2');
  assert.match(second.socket.getCipher().name, /^ECDHE-.*(GCM|POLY1305)/);
  const { error } = await other.dial({ ...old, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' });
  assert.equal(error, 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
});

test('ALPN is http/1.1 or nothing', async (t) => {
  const { broker } = await startTlsBroker(t);
  assert.equal((await broker.dial()).socket.alpnProtocol, false);
  const both = await broker.dial({ ALPNProtocols: ['h2', 'http/1.1'] });
  assert.equal(both.socket.alpnProtocol, 'http/1.1');
  const { error } = await broker.dial({ ALPNProtocols: ['h2'] });
  assert.equal(error, 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
});

const kDone = /Verify return code/;

// A session that allows early data is of another server with the same certificate: the broker
// gives none.
test('early data is refused and not served', async (t) => {
  const { broker, folder, files, authority } = await startTlsBroker(t);
  const { port } = new URL(broker.http);
  // Runs a client until it has said that its handshake is done, and a moment longer for what comes
  // behind it, or must not.
  const openssl = (...args) => new Promise((done) => {
    const client = execFile('openssl', ['s_client', '-tls1_3', '-CAfile', authority.cert, ...args],
                            { env: cleanEnvironment(), timeout: 10_000 },
                            (error, stdout, stderr) => done(stdout + stderr));
    let heard = '';
    client.stdout.on('data', (data) => {
      if (kDone.test(heard)) return;
      heard += data;
      if (kDone.test(heard)) setTimeout(() => client.stdin.end('Q\n'), 300);
    });
  });
  const generous = spawn('openssl', ['s_server', '-accept', '127.0.0.1:0', '-cert', files.cert, '-key',
                                     files.key, '-early_data', '-tls1_3', '-naccept', '1'],
                         { stdio: ['pipe', 'pipe', 'ignore'] });
  t.after(() => generous.kill());
  let banner = '';
  generous.stdout.setEncoding('utf8').on('data', (data) => { banner += data; });
  const [, other] = await eventually('a port', () => /127\.0\.0\.1:(\d+)/.exec(banner));
  const given = await openssl('-connect', `127.0.0.1:${other}`, '-sess_out', `${folder}/session`);
  assert.match(given, /New Session Ticket arrived/);

  writeFileSync(`${folder}/early`, 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n');
  const before = await broker.metric('signet_net_http_requests_total');
  const said = await openssl('-connect', `127.0.0.1:${port}`,
                             '-sess_in', `${folder}/session`, '-early_data', `${folder}/early`);
  assert.match(said, /Early data was rejected/);
  assert.match(said, /Verify return code: 0/);
  const own = await openssl('-connect', `127.0.0.1:${port}`, '-sess_out', `${folder}/own`);
  assert.doesNotMatch(own, /New Session Ticket arrived/);
  const after = await broker.metric('signet_net_http_requests_total');
  assert.equal(after - before, 1, 'only the question for the figures was served');
});

test('who speaks no TLS is told so or cut off', async (t) => {
  const { broker } = await startTlsBroker(t);
  const { port } = new URL(broker.http);
  const say = async (bytes) => {
    const socket = net.connect(port, '127.0.0.1');
    t.after(() => socket.destroy());
    socket.on('error', () => {});
    let answer = '';
    socket.setEncoding('latin1').on('data', (data) => { answer += data; });
    socket.write(bytes);
    await closed(socket);
    return answer;
  };
  assert.match(await say('GET /health HTTP/1.1\r\nHost: x\r\n\r\n'), /^HTTP\/1\.1 400 .*https:\/\/\n$/s);
  assert.equal(await failures(broker, 'not_tls'), 1);
  for (const bytes of ['\0'.repeat(64), 'SSH-2.0-OpenSSH_9.2\r\n', Buffer.alloc(100_000, 0xff),
                       Buffer.from('160301000401000000', 'hex')]) {
    await say(bytes);
  }
  assert.equal((await broker.request('GET', '/health')).status, 200);
});

test('a trickled handshake is cut in time while others are served', async (t) => {
  const { broker } = await startTlsBroker(t, { set: { 'tls.handshake_timeout': '500ms' } });
  const { port } = new URL(broker.http);
  const start = Date.now();
  const ends = Array.from({ length: 40 }, async () => {
    const socket = net.connect(port, '127.0.0.1');
    socket.on('error', () => {});
    const hello = Buffer.from('16030100f8010000f40303' + '00'.repeat(60), 'hex');
    let at = 0;
    const timer = setInterval(() => socket.write(hello.subarray(at, ++at)), 40);
    await closed(socket);
    clearInterval(timer);
    return Date.now() - start;
  });
  while (Date.now() - start < 400) {
    assert.equal((await broker.request('GET', '/health')).status, 200);
    await sleep(20);
  }
  const took = Math.max(...await Promise.all(ends));
  assert.ok(took < 5_000, `${took} ms`);
  assert.equal(await failures(broker, 'timeout'), 40);
  assert.equal((await broker.request('GET', '/health')).status, 200);
});
