// A certificate is renewed while its broker serves: by a change of the file, and by SIGHUP.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import test from 'node:test';
import { eventually, sleep } from './harness.mjs';
import { install, startTlsBroker } from './tls_broker.mjs';

const kPeers = 50;
const kRenewals = 20;

async function shown(broker) {
  const { socket } = await broker.dial();
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return subject.CN;
}

test('twenty renewals under load drop none of fifty connections', async (t) => {
  const { broker, files, issue } = await startTlsBroker(t, {
    set: { 'limits.sends_per_second_address': '100000', 'limits.sends_burst_address': '100000',
           'limits.requests_per_second_address': '1000', 'limits.requests_burst_address': '1000' },
  });
  const certificates = Array.from({ length: kRenewals }, (_, i) => issue(`renewed-${i}`));
  const members = await Promise.all(Array.from({ length: kPeers }, (_, i) => broker.join(`p${i}`)));
  const peers = await Promise.all(members.map((member) => broker.connect(member)));

  let rounds = 0;
  let isOver = false;
  const talk = async () => {
    for (; !isOver; ++rounds, await sleep(100)) {
      const texts = peers.map((_, i) => Buffer.from(`${rounds}.${i}`).toString('base64'));
      await Promise.all(peers.map((peer, i) => peer.mail(members[(i + 1) % kPeers], texts[i])));
      const came = await Promise.all(peers.map((peer) => peer.texts(1)));
      assert.deepEqual(came.map(([text], i) => text === texts[(i + kPeers - 1) % kPeers]),
                       peers.map(() => true));
    }
  };
  const talking = talk();
  for (const [i, certificate] of certificates.entries()) {
    install(certificate, files);
    if (i % 2 === 0) broker.process.kill('SIGHUP');
    await eventually('the new one shown', async () => await shown(broker) === `renewed-${i}`);
  }
  isOver = true;
  await talking;
  assert.ok(rounds > 0);
  assert.deepEqual(peers.filter((peer) => peer.isClosed), []);
  assert.match((await broker.logged('tls.reloaded')).certificate_ends, /^2099-12-31T00:00:00/);
});

test('a certificate that is no good keeps the last one', async (t) => {
  const { broker, files, issue } = await startTlsBroker(t);
  const refuses = async (what, spoil, detail) => {
    const from = broker.log.length;
    spoil();
    // Two files are never changed in one step: what is between them may be told first.
    await eventually(`${what} told`, () => broker.log.slice(from).some(
      (line) => line.includes('"event":"tls.kept_last_good"') && detail.test(JSON.parse(line).detail)));
    assert.equal(await shown(broker), 'first');
  };
  await refuses('half a file', () => writeFileSync(files.cert, '-----BEGIN CERTIFICATE-----\nMII'),
                /shown\.pem: certificate 1 cannot be read/);
  await refuses('of another key', () => install({ cert: issue('second').cert, key: files.key }, files),
                /shown\.key: is not the key of the certificate/);
  await refuses('expired', () => install(issue('late', ['20200101000000Z', '20210101000000Z']), files),
                /shown\.pem: the certificate expired/);
  install(issue('third'), files);
  await eventually('the good one shown', async () => await shown(broker) === 'third');
  assert.equal(await broker.metric('signet_tls_certificate_not_after_seconds'),
               Date.parse('2099-12-31T00:00:00Z') / 1000);
});
