// A broker behind TLS: joined only when its certificate is good, remembered with its authority, and
// looked at by the doctor.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Home } from './cli.mjs';
import { makeInvite, inviteOf, startBroker, temporaryFolder } from './harness.mjs';
import { issued, selfSigned, startTlsProxy } from './tls_proxy.mjs';

const soon = (days) => new Date(Date.now() + days * 86_400_000).toISOString()
  .replace(/[-:T]/g, '').replace(/\.\d+/, '');

// A broker, a TLS proxy in front of it, and an invite that names the proxy.
async function behindTls(t, days = 365) {
  const folder = temporaryFolder();
  const authority = selfSigned(folder, 'authority');
  const certificate = issued(folder, 'server', authority, 'IP:127.0.0.1',
                             ['20200101000000Z', soon(days)]);
  const broker = await startBroker(t);
  const proxy = await startTlsProxy(t, broker, certificate);
  const { signature, ...claim } = inviteOf(broker.invite).invite_payload;
  assert.ok(signature);
  const made = makeInvite(broker.ownerKeys(), { ...claim, broker_url: proxy.wss() });
  const body = { invite_token: made.invite_token, max_uses: 10 };
  assert.equal((await broker.operator('POST', '/invites', body)).status, 200);
  return { link: `ic://join/${made.invite_token}`, authority: authority.cert };
}

const checks = async (home) => {
  const { stdout } = await home.run(['doctor', '-o', 'json']);
  return JSON.parse(stdout).findings.filter(({ check }) => check === 'tls');
};

test('an authority that nobody named is not believed; the one that was named is kept', async (t) => {
  const { link, authority } = await behindTls(t);
  const home = new Home(t);
  assert.match((await home.fails(4, 'tls_untrusted', 'join', link)).advice, /--ca-file/);
  await home.fails(3, null, 'join', link, '--ca-file', '/nonexistent.pem');
  await home.ok('join', link, '--ca-file', authority, '--name', 'ada');
  assert.equal((await home.json('peers')).peers.length, 1);
  const [version, certificate] = await checks(home);
  assert.match(version.what, /^TLSv1\.3 /);
  assert.equal(certificate.health, 'ok');
  assert.match(certificate.what, /36[345] more day/);
});

test('a certificate that ends soon is a warning', async (t) => {
  const { link, authority } = await behindTls(t, 5);
  const home = new Home(t);
  await home.ok('join', link, '--ca-file', authority);
  const [, certificate] = await checks(home);
  assert.equal(certificate.health, 'warning');
  assert.match(certificate.advice, /renew/);
});
