// The command line and the client library at a broker that ends TLS itself.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Home } from './cli.mjs';
import { temporaryFolder } from './harness.mjs';
import { startTlsBroker } from './tls_broker.mjs';
import { selfSigned } from './tls_proxy.mjs';

test('who names the authority joins over https and talks over wss', async (t) => {
  const { broker, authority } = await startTlsBroker(t);
  const stranger = new Home(t);
  assert.match((await stranger.fails(4, 'tls_untrusted', 'join', broker.invite)).advice, /--ca-file/);
  const home = new Home(t);
  await home.ok('join', broker.invite, '--ca-file', authority.cert, '--name', 'ada');
  const { peer, member } = await broker.joined('bob');
  await home.ok('send', 'bob', 'hello over TLS');
  assert.equal((await peer.next('push')).priority, 'next');
  assert.equal(member.name, 'bob');
  const doctor = await home.run(['doctor', '-o', 'json']);
  const found = JSON.parse(doctor.stdout).findings.filter(({ check }) => check === 'tls');
  assert.match(found[0].what, /^TLSv1\.3 /);
  const other = selfSigned(temporaryFolder(), 'other');
  const distrusted = await home.run(['doctor', '-o', 'json', '--ca-file', other.cert]);
  const fault = JSON.parse(distrusted.stdout).findings.find(({ check }) => check === 'tls');
  assert.match(fault.advice, /--ca-file/);
});

test('a broker that wants a certificate of everybody is told from one that is away', async (t) => {
  const folder = temporaryFolder();
  const clients = selfSigned(folder, 'clients');
  const { broker, authority } = await startTlsBroker(t, {
    set: { 'tls.client_ca': clients.cert, 'tls.client_certificates': 'required' },
  });
  const home = new Home(t);
  const told = await home.fails(4, 'tls_certificate_wanted', 'join', broker.invite, '--ca-file', authority.cert);
  assert.match(told.message, /wants a client certificate/);
  assert.match(told.advice, /tls\.client_certificates/);
});
