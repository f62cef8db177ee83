// A broker behind a proxy that ends TLS: the client joins over https where the certificate proves
// the host, and says nothing, not even the invite, where it does not.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import test from 'node:test';
import tls from 'node:tls';
import { fileURLToPath } from 'node:url';
import { cleanEnvironment, makeInvite, startBroker, temporaryFolder } from './harness.mjs';

const signet = process.env.SIGNET ?? fileURLToPath(new URL('../../build/dev/signet', import.meta.url));

// A self-made certificate: of an authority, or issued by one.
function makeCertificate(folder, name, { issuer, names } = {}) {
  const file = `${folder}/${name}`;
  const kind = issuer === undefined
    ? ['-addext', 'basicConstraints=critical,CA:TRUE']
    : ['-CA', issuer.cert, '-CAkey', issuer.key, '-addext', `subjectAltName=${names}`,
       '-addext', 'basicConstraints=critical,CA:FALSE'];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
                           '-nodes', '-config', '/dev/null', '-subj', `/CN=${name}`, '-days', '1',
                           '-keyout', `${file}.key`, '-out', `${file}.pem`, ...kind],
               { stdio: 'pipe' });
  return { cert: `${file}.pem`, key: `${file}.key` };
}

// Ends TLS in front of `broker`; keeps what was spoken and counts the bytes that came out.
async function startProxy(t, broker, certificate, options = {}) {
  const proxy = { versions: [], bytes: 0 };
  const server = tls.createServer({ cert: readFileSync(certificate.cert),
                                    key: readFileSync(certificate.key), ...options }, (near) => {
    proxy.versions.push(near.getProtocol());
    const far = net.connect(new URL(broker.http).port, '127.0.0.1');
    near.on('data', (bytes) => { proxy.bytes += bytes.length; });
    near.on('error', () => far.destroy());
    far.on('error', () => near.destroy());
    near.pipe(far).pipe(near);
  });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  proxy.port = server.address().port;
  return proxy;
}

async function linkThrough(broker, proxy) {
  const broker_url = `wss://127.0.0.1:${proxy.port}/ws`;
  const invite = makeInvite(broker.ownerKeys(), { mesh_id: broker.mesh.id, broker_url });
  const body = { invite_token: invite.invite_token, max_uses: 10 };
  assert.equal((await broker.operator('POST', '/invites', body)).status, 200);
  return `ic://join/${invite.invite_token}`;
}

// What a client that believes `roots` alone says of joining by that link.
async function tryToJoin(link, roots) {
  const env = cleanEnvironment({ SSL_CERT_FILE: roots, SSL_CERT_DIR: '/nonexistent' });
  const client = spawn(signet, ['demo', link], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [client.stdout, client.stderr]) stream.on('data', (part) => { said += part; });
  await once(client, 'close');
  return said;
}

const membersOf = async (broker) =>
  (await broker.operator('GET', '/meshes/demo/members')).json().members.length;

test('a member joins through a proxy that ends TLS', async (t) => {
  const broker = await startBroker(t);
  const folder = temporaryFolder();
  const issuer = makeCertificate(folder, 'authority');
  const certificate = makeCertificate(folder, 'broker', { issuer, names: 'IP:127.0.0.1' });
  const proxy = await startProxy(t, broker, certificate);
  const said = await tryToJoin(await linkThrough(broker, proxy), issuer.cert);
  assert.match(said, /joined by the invite/);
  assert.equal(await membersOf(broker), 2, said);
  assert.deepEqual([...new Set(proxy.versions)], ['TLSv1.3']);
});

test('nothing is said to who does not prove to be the broker', async (t) => {
  const broker = await startBroker(t);
  const folder = temporaryFolder();
  const issuer = makeCertificate(folder, 'authority');
  const stranger = makeCertificate(folder, 'stranger');
  const names = 'IP:127.0.0.1';
  const good = makeCertificate(folder, 'good', { issuer, names });
  const rows = [
    ['another name', makeCertificate(folder, 'other', { issuer, names: 'DNS:localhost' }),
     /certificate is for another name than 127\.0\.0\.1/],
    ['another authority', makeCertificate(folder, 'strange', { issuer: stranger, names }),
     /certificate is signed by nobody who is trusted here/],
    ['TLS 1.2', good, /protocol too old/, { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' }],
  ];
  for (const [name, certificate, expected, options] of rows) {
    const proxy = await startProxy(t, broker, certificate, options);
    const said = await tryToJoin(await linkThrough(broker, proxy), issuer.cert);
    assert.match(said, expected, name);
    assert.equal(proxy.bytes, 0, name);
  }
  assert.equal(await membersOf(broker), 0);
});
