// tls.client_ca: whose certificates are believed, and what holds for those who show none.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { eventually, temporaryFolder } from './harness.mjs';
import { startTlsBroker } from './tls_broker.mjs';
import { issued, selfSigned } from './tls_proxy.mjs';

async function behind(t, clientCertificates) {
  const folder = temporaryFolder();
  const clients = selfSigned(folder, 'clients');
  const strangers = selfSigned(folder, 'strangers');
  const made = {
    good: issued(folder, 'ada', clients, 'email:ada@example.org'),
    expired: issued(folder, 'late', clients, 'email:a@example.org',
                    ['20200101000000Z', '20210101000000Z']),
    stranger: issued(folder, 'eve', strangers, 'email:eve@example.org'),
  };
  const { broker } = await startTlsBroker(t, {
    set: { 'tls.client_ca': clients.cert, 'tls.client_certificates': clientCertificates },
  });
  // 200, or the error that ended the connection.
  const health = async (name) => {
    const shown = made[name];
    const options = shown ? { cert: readFileSync(shown.cert), key: readFileSync(shown.key) } : {};
    return broker.request('GET', '/health', { tls: options }).then(({ status }) => status,
                                                                   ({ code }) => code);
  };
  const failed = (reason, times) => eventually(`${times} of ${reason} counted`, async () => {
    const own = await broker.request('GET', '/metrics', {
      tls: { cert: readFileSync(made.good.cert), key: readFileSync(made.good.key) },
    });
    return own.text.includes(`signet_tls_failures_total{reason="${reason}"} ${times}\n`);
  });
  return { broker, health, failed };
}

test('optional: none is fine, a bad one is not', async (t) => {
  const { broker, health, failed } = await behind(t, 'optional');
  assert.equal(await health('good'), 200);
  assert.equal(await health('none'), 200);
  assert.equal(await health('expired'), 'ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED');
  assert.equal(await health('stranger'), 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA');
  await failed('certificate', 2);
  const said = await broker.logged('tls.failed');
  assert.equal(said.reason, 'certificate');
  assert.match(said.detail, /expired|issuer/);
});

test('required: only who shows a good one comes in', async (t) => {
  const { health, failed } = await behind(t, 'required');
  assert.equal(await health('good'), 200);
  assert.equal(await health('none'), 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED');
  assert.equal(await health('expired'), 'ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED');
  assert.equal(await health('stranger'), 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA');
  await failed('no_certificate', 1);
});
