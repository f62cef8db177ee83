// Over mutual TLS the client certificate is the proof: its common name is the source, and the first
// frame needs none beside it. A certificate proves that source, and nobody else.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import WebSocket from 'ws';
import { entriesOf } from './audit_reader.mjs';
import { changeSource, PulsePeer, topicPath } from './pulse_client.mjs';
import { endOf, kIssuer, kTopic, newTokenKey, shows, token, writeKeys } from './token_maker.mjs';
import { eventually, sleep, startBroker, temporaryFolder } from './harness.mjs';
import { operate } from './tls_broker.mjs';
import { issued, selfSigned } from './tls_proxy.mjs';

// A client certificate of that name; `issuer` null: it signs itself.
function clientCertificate(folder, name, issuer) {
  const at = `${folder}/client-${Math.random()}`;
  const signer = issuer ? ['-CA', issuer.cert, '-CAkey', issuer.key] : [];
  execFileSync('openssl', ['req', '-x509', ...signer, '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
                           '-nodes', '-config', '/dev/null', '-subj', `/O=e2e/CN=${name}`, '-days', '1', '-addext',
                           'basicConstraints=critical,CA:FALSE', '-addext', 'extendedKeyUsage=clientAuth',
                           '-keyout', `${at}.key`, '-out', `${at}.pem`], { stdio: 'pipe' });
  return { cert: readFileSync(`${at}.pem`), key: readFileSync(`${at}.key`) };
}

async function startTlsBroker(t, set = {}) {
  const folder = temporaryFolder();
  const server = selfSigned(folder, 'server', 'IP:127.0.0.1');
  const authority = selfSigned(folder, 'authority');
  const key = newTokenKey('EdDSA');
  writeKeys(`${folder}/keys.json`, [key]);
  const broker = await startBroker(t, { set: {
    'tls.certificate': server.cert, 'tls.key': server.key, 'tls.client_ca': authority.cert,
    'tokens.keys': `${folder}/keys.json`, 'tokens.issuer': kIssuer, ...set } });
  broker.operator = (method, path, body) => operate(broker.ready.socket, method, path, body);
  const knock = async (client = {}) => {
    const url = `wss://${broker.listen}${topicPath(kTopic)}`;
    const peer = new PulsePeer(new WebSocket(url, { ca: readFileSync(server.cert), ...client }));
    await Promise.race([once(peer.socket, 'open'), peer.closed]).catch(() => {}); // `fault` says it again
    return peer;
  };
  const certificate = (name, issuer = authority) => clientCertificate(folder, name, issuer);
  // One that ends at that moment, by this machine's clock.
  const until = (name, end) => {
    const at = new Date(end).toISOString().replace(/[-:T]|\.\d+/g, '');
    const { cert, key: own } = issued(temporaryFolder(), name, authority, 'DNS:e2e', ['20200101000000Z', at]);
    return { cert: readFileSync(cert), key: readFileSync(own) };
  };
  return { broker, knock, certificate, until, key };
}

const only = (source) => ({ message: { source } });
async function refused(peer, frame, wanted) {
  peer.say(frame);
  const { close, code } = await endOf(peer);
  assert.deepEqual([close, code], wanted);
}

async function isEndedByTls(peer) {
  await peer.closed;
  assert.match(peer.fault?.message ?? 'no fault', /alert (unknown ca|certificate required)/);
  assert.deepEqual(peer.inbox, []);
}

test('the common name is the source, and no other', async (t) => {
  const { knock, certificate, key } = await startTlsBroker(t);
  const mirror = certificate('mirror');
  const hears = await knock(mirror);
  assert.equal((await hears.ask(only('mirror'), 'handshake_ok')).client_id, 'mirror');
  const speaks = await knock(certificate('core'));
  await speaks.ask({ ...only('core'), signature: '' }, 'handshake_ok');
  speaks.say({ n: 1 });
  assert.equal((await hears.pulses(1))[0].n, 1);

  await refused(await knock(mirror), only('core'), [4003, 'wrong_subject']);
  await refused(await knock(mirror), only('Mirror'), [4003, 'wrong_subject']);
  await refused(await knock(mirror), { message: { source: 'a b' } }, [4001, 'missing_proof']);
  // Who shows a proof of another kind is judged by that one.
  await refused(await knock(mirror), { ...only('mirror'), signature: 'a'.repeat(64) }, [4003, 'bad_signature']);
  await refused(await knock(mirror), shows('mirror', 'x.y.z'), [4003, 'bad_token']);
  const by = await knock(mirror);
  assert.equal((await by.ask(shows('core', token(key, 'core')), 'handshake_ok')).client_id, 'core');
});

test('without a certificate there is no proof; one of a stranger is no certificate', async (t) => {
  const { knock, certificate, key } = await startTlsBroker(t);
  await refused(await knock(), only('mirror'), [4001, 'missing_proof']);
  await (await knock()).ask(shows('mirror', token(key, 'mirror')), 'handshake_ok');
  for (const stranger of [certificate('mirror', null), certificate('mirror', selfSigned(temporaryFolder(), 'authority'))]) {
    await isEndedByTls(await knock(stranger));
  }
  await refused(await knock(certificate('not a source')), only('mirror'), [4003, 'wrong_subject']);
});

test('where certificates are required nobody comes without one', async (t) => {
  const { knock, certificate } = await startTlsBroker(t, { 'tls.client_certificates': 'required' });
  await isEndedByTls(await knock());
  await (await knock(certificate('mirror'))).ask(only('mirror'), 'handshake_ok');
});

test('a session ends with its certificate', async (t) => {
  const { knock, certificate, until } = await startTlsBroker(t);
  const stays = await knock(certificate('core'));
  await stays.ask(only('core'), 'handshake_ok');
  // A machine may be too busy to come in within three seconds: then it has longer.
  let own, live, end;
  for (let seconds = 3; !live; seconds *= 2) {
    assert.ok(seconds < 100, 'none came in before its certificate ended');
    end = 1_000 * (Math.floor(Date.now() / 1_000) + seconds);
    own = until('mirror', end);
    const peer = await knock(own);
    peer.say(only('mirror'));
    const first = await peer.next(() => true).catch(() => ({}));
    if (first.type === 'handshake_ok') live = peer;
  }
  const closed = live.closed.then(() => Date.now());
  await sleep(end - Date.now());
  await eventually('it is over', () => live.isClosed);
  const { close, code } = await endOf(live);
  assert.deepEqual([close, code], [4010, 'session_expired']);
  assert.ok(await closed >= end, 'not before');
  const late = await knock(own);
  await late.closed;
  assert.match(late.fault?.message ?? 'no fault', /alert certificate expired/);
  stays.say({ n: 1 });
  assert.equal(stays.isClosed, false);
});

test('a certificate is for as long as the operator lets its member in', async (t) => {
  const { broker, knock, certificate } = await startTlsBroker(t);
  const mirror = certificate('mirror');
  const live = await knock(mirror);
  await live.ask(only('mirror'), 'handshake_ok');
  const answer = await changeSource(broker, 'mirror', 'standing', { standing: 'revoked' });
  assert.equal(answer.status, 200, answer.text);
  assert.equal((await endOf(live)).close, 4004);
  await refused(await knock(mirror), only('mirror'), [4004, 'not_permitted']);
  const said = await eventually('it is in the log', async () => {
    const entries = (await entriesOf(broker)).filter(({ event }) => !/_changed$/.test(event));
    return entries.some(({ event }) => event === 'refused') && entries;
  });
  assert.ok(said.some(({ event, by }) => event === 'member_added' && by === 'certificate'));
  assert.ok(said.some(({ event, code }) => event === 'admitted' && code === 'certificate'));
  assert.ok(said.some(({ event, code }) => event === 'ended' && code === 'not_permitted'));
});
