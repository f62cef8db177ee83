// Certificates for a test's own authority, and a proxy that ends TLS with one of them.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import tls from 'node:tls';

const openssl = (...args) => execFileSync('openssl', args, { stdio: 'pipe' });
const kNewKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-config',
                 '/dev/null'];

// One that signs itself: an authority, or a server that nobody vouches for.
export function selfSigned(folder, name, names) {
  const kind = names === undefined ? ['-addext', 'basicConstraints=critical,CA:TRUE']
    : ['-addext', `subjectAltName=${names}`];
  openssl('req', '-x509', ...kNewKey, '-subj', `/CN=${name}`, '-days', '1', '-keyout',
          `${folder}/${name}.key`, '-out', `${folder}/${name}.pem`, ...kind);
  return { cert: `${folder}/${name}.pem`, key: `${folder}/${name}.key` };
}

// One that `issuer` signed, for `names` (`IP:127.0.0.1`), valid within `dates` (YYYYMMDDHHMMSSZ).
export function issued(folder, name, issuer, names, dates = ['20200101000000Z', '20991231000000Z']) {
  const own = `${folder}/${name}.ca`;
  mkdirSync(own);
  writeFileSync(`${own}/index`, '');
  writeFileSync(`${own}/config`, ['[ca]', 'default_ca=us', '[us]', `database=${own}/index`,
    `new_certs_dir=${own}`, 'default_md=sha256', 'rand_serial=yes', 'policy=any', 'x509_extensions=ext',
    '[any]', 'commonName=supplied', '[ext]', `subjectAltName=${names}`,
    'basicConstraints=critical,CA:FALSE', ''].join('\n'));
  openssl('req', ...kNewKey, '-subj', `/CN=${name}`, '-new', '-keyout', `${folder}/${name}.key`,
          '-out', `${own}/request`);
  openssl('ca', '-batch', '-notext', '-config', `${own}/config`, '-cert', issuer.cert, '-keyfile',
          issuer.key, '-in', `${own}/request`, '-out', `${folder}/${name}.pem`, '-startdate', dates[0],
          '-enddate', dates[1]);
  return { cert: `${folder}/${name}.pem`, key: `${folder}/${name}.key` };
}

// Ends TLS in front of `broker`; counts the bytes that a client said to it.
export async function startTlsProxy(t, broker, certificate, options = {}) {
  const proxy = { versions: [], bytes: 0, sockets: new Set() };
  const server = tls.createServer({ cert: readFileSync(certificate.cert),
                                    key: readFileSync(certificate.key), ...options }, (near) => {
    proxy.versions.push(near.getProtocol());
    const far = net.connect(new URL(broker.http).port, '127.0.0.1');
    for (const socket of [near, far]) {
      proxy.sockets.add(socket);
      socket.on('error', () => {}).on('close', () => { near.destroy(); far.destroy(); });
    }
    near.on('data', (bytes) => { proxy.bytes += bytes.length; });
    near.pipe(far).pipe(near);
  });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => { proxy.sockets.forEach((socket) => socket.destroy()); server.close(); });
  proxy.renew = ({ cert, key }) =>
    server.setSecureContext({ cert: readFileSync(cert), key: readFileSync(key) });
  proxy.wss = (host = '127.0.0.1') => `wss://${host}:${server.address().port}/ws`;
  return proxy;
}
