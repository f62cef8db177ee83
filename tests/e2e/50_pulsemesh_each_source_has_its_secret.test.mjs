// Secrets by source: nobody is who they are not, a rotation leaves time to change over, and a revoked
// source is out at once.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { addSource, asSource, changeSource, connect, connectNode, handshake, kForms, kSecret, nodePath, refusal,
         refusalOf, secretOf, startPulseBroker } from './pulse_client.mjs';
import { connectByToken, newTokenKey, startTokenBroker, token } from './token_maker.mjs';
import { sleep, temporaryFolder } from './harness.mjs';

const kRefused = [4003, 'bad_signature'];
const signedBy = (source, secret, form) => handshake(source, { secret, form });

test('a secret proves its own source in every form, and no other', async (t) => {
  const broker = await startPulseBroker(t);
  const [mirror, core] = [await addSource(broker, 'mirror', ['x']), await addSource(broker, 'core')];
    assert.equal(mirror.source, 'mirror');
  assert.ok(mirror.secret.length >= 32 && mirror.secret !== core.secret);
  for (const form of Object.keys(kForms)) {
    await connect(broker, 'mirror.intent', 'mirror', { secret: mirror.secret, form });
    for (const [source, secret] of [['mirror', core.secret], ['core', mirror.secret],
                                    ['else', mirror.secret], ['mirror2', mirror.secret]]) {
      assert.deepEqual(await refusalOf(broker, signedBy(source, secret, form)), kRefused, `${form} ${source}`);
    }
  }
  await broker.restart();
  await connect(broker, 'mirror.intent', 'mirror', { secret: mirror.secret });
  assert.deepEqual(await refusalOf(broker, signedBy('core', mirror.secret)), kRefused);
});

test('a source with a secret of its own is not to be had with the shared one', async (t) => {
  const broker = await startPulseBroker(t);
  await connect(broker, 'mirror.intent', 'mirror'); // nobody's so far
  const { secret } = await addSource(broker, 'mirror');
  const claim = () => refusalOf(broker, signedBy('mirror', kSecret));
  assert.deepEqual(await claim(), kRefused);
  assert.deepEqual(await refusalOf(broker, signedBy('mirror', kSecret), nodePath('mirror')), kRefused);
  await connect(broker, 'mirror.intent', 'somebody-else');
  await changeSource(broker, 'mirror', 'rotate', { overlap_seconds: 0 });
  assert.deepEqual(await claim(), kRefused);
  assert.equal((await changeSource(broker, 'mirror', 'revoke')).status, 200);
  for (const wrong of [kSecret, secret]) { // revoked is not free to take either
    const [code] = await refusalOf(broker, signedBy('mirror', wrong));
    assert.ok([4003, 4004].includes(code), `${code}`);
  }
});

test('nor is whom a token proves: the shared secret takes no node over', async (t) => {
  const key = newTokenKey('EdDSA');
  const broker = await startTokenBroker(t, [key], { env: { SIGNET_PULSEMESH_SECRET: kSecret } });
  const enter = (source) => connectByToken(broker, source, token(key, source), nodePath(source));
  const [core, mirror] = [await enter('core'), await enter('mirror')];
  assert.deepEqual(await refusalOf(broker, signedBy('core', kSecret), nodePath('core')), kRefused);
  assert.deepEqual(await refusalOf(broker, signedBy('core', kSecret)), kRefused);
  const { status } = await broker.request('GET', '/api/mesh/history', { headers: asSource('core', kSecret) });
  assert.equal(status, 403);
  mirror.say({ target: 'core', private: 'for core' });
  assert.equal((await core.next((frame) => 'private' in frame)).private, 'for core');

  const claimer = await connect(broker, 'mirror.intent', 'sage'); // nobody's so far
  const other = await connect(broker, 'mirror.intent', 'somebody-else');
  await enter('sage');
  assert.deepEqual(await refusal(claimer), [4004, 'not_permitted']);
  assert.deepEqual(await refusalOf(broker, signedBy('sage', kSecret), nodePath('sage')), kRefused);
  assert.ok(!other.isClosed);
  await broker.restart();
  assert.deepEqual(await refusalOf(broker, signedBy('core', kSecret), nodePath('core')), kRefused);
});

test('rotation: the old secret works until the overlap ends, the new one at once', async (t) => {
  const broker = await startPulseBroker(t);
  const { secret: old } = await addSource(broker, 'mirror');
  const live = await connect(broker, 'mirror.intent', 'mirror', { secret: old });
  const answer = await changeSource(broker, 'mirror', 'rotate', { overlap_seconds: 3 });
  const rotated = Date.now();
  const { secret: fresh } = answer.json();
  assert.equal(answer.status, 200);
  assert.notEqual(fresh, old);
  for (const secret of [fresh, old, fresh]) {
    await (await connect(broker, 'mirror.intent', 'mirror', { secret })).leave();
  }
  await broker.restart(); // the overlap is remembered
  if (Date.now() < rotated + 2_500) {
    await (await connect(broker, 'mirror.intent', 'mirror', { secret: old })).leave();
  }
  await sleep(Math.max(0, rotated + 3_500 - Date.now()));
  assert.deepEqual(await refusalOf(broker, signedBy('mirror', old)), kRefused);
  await connect(broker, 'mirror.intent', 'mirror', { secret: fresh });
  assert.equal((await live.closed).code, 1001, 'by the restart, and not by the rotation');

  const { secret: last } = (await changeSource(broker, 'mirror', 'rotate', { overlap_seconds: 0 })).json();
  assert.deepEqual(await refusalOf(broker, signedBy('mirror', fresh)), kRefused, 'without an overlap at once');
  await connect(broker, 'mirror.intent', 'mirror', { secret: last });
});

test('a second rotation ends the first overlap: never more than two secrets hold', async (t) => {
  const broker = await startPulseBroker(t);
  const { secret: first } = await addSource(broker, 'mirror');
  const rotate = async () => (await changeSource(broker, 'mirror', 'rotate', { overlap_seconds: 600 })).json().secret;
  const [second, third] = [await rotate(), await rotate()];
  assert.deepEqual(await refusalOf(broker, signedBy('mirror', first)), kRefused);
  for (const secret of [second, third]) await connect(broker, 'mirror.intent', 'mirror', { secret });
});

test('revoking closes what is live and lets nothing back in', async (t) => {
  const broker = await startPulseBroker(t);
  const secret = await secretOf(broker, 'mirror');
  const publisher = await connect(broker, 'mirror.intent', 'p');
  const live = [await connect(broker, 'mirror.intent', 'mirror', { secret }),
                await connect(broker, 'core.reply', 'mirror', { secret }),
                await connectNode(broker, 'mirror')];
  const began = Date.now();
  assert.equal((await changeSource(broker, 'mirror', 'revoke')).status, 200);
  publisher.say({ after: 'the answer' });
  for (const peer of live) assert.deepEqual(await refusal(peer), [4004, 'not_permitted']);
  assert.ok(Date.now() - began < 2_000);
  for (let i = 0; i < 2; ++i) {
    const [code] = await refusalOf(broker, signedBy('mirror', secret));
    assert.ok([4003, 4004].includes(code), `${code}`);
    await broker.restartAfterKill();
  }
});

test('a standing that is taken away is 4004, for who is there and for who comes', async (t) => {
  const broker = await startPulseBroker(t);
  const secret = await secretOf(broker, 'mirror');
  for (const standing of ['quarantined', 'revoked']) {
    const live = await connect(broker, 'mirror.intent', 'mirror', { secret });
    assert.equal((await changeSource(broker, 'mirror', 'standing', { standing })).status, 200);
    assert.deepEqual(await refusal(live), [4004, 'not_permitted'], standing);
    assert.deepEqual(await refusalOf(broker, signedBy('mirror', secret)), [4004, 'not_permitted'], standing);
    if (standing === 'revoked') break; // that is final
    assert.equal((await changeSource(broker, 'mirror', 'standing', { standing: 'admitted' })).status, 200);
  }
});

const kMirrorsOwn = `
[role.mirror]
sources = ["mirror"]
[[rule]]
id = "all-connect-and-hear"
allow = ["connect", "subscribe"]
[[rule]]
id = "mirror-publishes"
roles = ["mirror"]
allow = ["publish"]
topics = ["mirror.>"]
`;
test('the shared secret gets nobody the topics of a source that it only claims to be', async (t) => {
  const file = join(temporaryFolder(), 'policy.toml');
  writeFileSync(file, kMirrorsOwn);
  const broker = await startPulseBroker(t, { set: { 'policy.file': file } });
  const listener = await connect(broker, 'mirror.intent', 'listener');
  const claimer = await connect(broker, 'mirror.intent', 'mirror'); // it has no secret of its own yet
  assert.equal((await claimer.ask({ lie: true }, 'error')).code, 'denied');
  const secret = await secretOf(broker, 'mirror');
  const mirror = await connect(broker, 'mirror.intent', 'mirror', { secret });
  mirror.say({ lie: false });
  assert.equal((await listener.pulses(1))[0].lie, false);
  assert.equal((await claimer.next('error')).code, 'not_permitted', 'nobody claims it any more');
  assert.equal((await claimer.closed).code, 4004);
  assert.deepEqual(listener.inbox, []);
});

test('the operator alone makes secrets, of names that can be sources', async (t) => {
  const broker = await startPulseBroker(t);
  const path = `/api/signet/v1/meshes/${broker.mesh.slug}/sources`;
  for (const headers of [{}, { authorization: 'Bearer wrong' }]) {
    const { status } = await broker.request('POST', path, { headers, body: { source: 'x' } });
    assert.ok([401, 403].includes(status));
  }
  for (const source of ['', '*', 'a b', 'x'.repeat(65), 7, null, undefined]) {
    const { status } = await broker.operator('POST', `/meshes/${broker.mesh.slug}/sources`, { source });
    assert.equal(status, 400, `${source}`);
  }
  await addSource(broker, 'mirror');
  const again = await broker.operator('POST', `/meshes/${broker.mesh.slug}/sources`, { source: 'mirror' });
  assert.equal(again.status, 409);
  assert.equal((await changeSource(broker, 'nobody', 'rotate', { overlap_seconds: 1 })).status, 404);
  assert.equal((await changeSource(broker, 'nobody', 'revoke')).status, 404);
  assert.equal((await broker.operator('POST', '/meshes/none/sources', { source: 'x' })).status, 404);
});

test('no secret is told: not by the log, a page or a list', async (t) => {
  const broker = await startPulseBroker(t, { set: { 'server.log_level': 'debug' } });
  const { secret } = await addSource(broker, 'mirror');
  const { secret: fresh } = (await changeSource(broker, 'mirror', 'rotate', { overlap_seconds: 60 })).json();
  const frame = signedBy('mirror', secret);
  await connect(broker, 'mirror.intent', 'mirror', { secret: fresh });
  await refusalOf(broker, signedBy('mirror', kSecret));
  await refusalOf(broker, frame, nodePath('core'));
  const pages = await Promise.all(['/meshes', `/meshes/${broker.mesh.slug}`, `/meshes/${broker.mesh.slug}/members`,
    `/meshes/${broker.mesh.slug}/sources`].map(async (path) => (await broker.operator('GET', path)).text));
  pages.push((await broker.request('GET', '/metrics')).text);
  const told = [...broker.log, ...pages].join('\n');
  for (const canary of [secret, fresh, kSecret, frame.signature]) assert.ok(!told.includes(canary));
});
