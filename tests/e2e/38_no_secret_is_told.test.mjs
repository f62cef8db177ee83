// Tokens, keys and bodies pass through the broker and show up in no line of its log, at any level,
// on no page that it serves to everybody, and in no core: its memory is closed to other programs.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { cleanEnvironment, hello, inviteOf, makeInvite, newKeys, seal, signetd, startBroker,
         temporaryFolder, unique } from './harness.mjs';

test('no secret is in the log or on a public page', async (t) => {
  const broker = await startBroker(t, { set: { 'server.log_level': 'debug' } });
  const canaries = new Map([
    ['invite token', inviteOf(broker.invite).invite_token],
    ['signature of the invite', inviteOf(broker.invite).invite_payload.signature],
    ['root key of the mesh', inviteOf(broker.invite).invite_payload.mesh_root_key],
    ['operator token', broker.operator_token],
    ['owner key', readFileSync(`${broker.data}/dev/owner.key`, 'utf8').trim()],
  ]);
  const { peer, member } = await broker.joined('sender');
  const { peer: receiver, member: to } = await broker.joined('receiver');
  const sealed = seal(member, to.pubkey, `canary-${unique()}`);
  canaries.set('body', sealed.ciphertext).set('nonce', sealed.nonce);
  assert.equal((await peer.mail(to, sealed.ciphertext, sealed)).type, 'ack');
  await receiver.texts(1);

  // Where things go wrong, too: refusals, guesses and noise that hold a secret.
  const said = hello(member);
  canaries.set('signature of a hello', said.signature);
  await (await broker.connect(member)).leave();
  for (const frame of [said, said, { ...said, meshId: 'x|y' }]) {
    const again = await broker.open();
    again.say(frame);
    await again.next((f) => f.type === 'error' || f.type === 'hello_ack');
    await again.leave();
  }
  const forged = makeInvite(newKeys(), { mesh_id: broker.mesh.id });
  canaries.set('refused invite', forged.invite_token);
  await broker.postJoin({ ...forged, peer_pubkey: newKeys().pubkey, display_name: 'x' });
  const guess = `guess-${unique()}-${unique()}`;
  canaries.set('guessed token', guess);
  const headers = { authorization: `Bearer ${guess}` };
  await broker.request('GET', '/api/signet/v1/meshes', { headers });
  await broker.request('GET', `/api/signet/v1/meshes?token=${broker.operator_token}`);
  await broker.operator('POST', '/invites', { invite_token: forged.invite_token, max_uses: 1 });
  peer.say(`{"type":"send","ciphertext":"${sealed.ciphertext}"`);
  peer.say({ type: 'send', id: 7, targetSpec: to.pubkey, ...sealed });
  peer.say({ type: sealed.ciphertext });
  await peer.roundTrip();

  const pages = await Promise.all(['/metrics', '/health', '/readyz', '/livez', '/', '/join'].map(
    async (path) => (await broker.request('GET', path)).text));
  await broker.restart();
  await broker.stop();
  assert.ok(broker.log.length > 0);
  const told = [...broker.log, ...pages].join('\n');
  for (const [what, secret] of canaries) {
    assert.ok(secret.length >= 16, `${what} is too short to look for`);
    assert.ok(!told.includes(secret), `the ${what} is told`);
    const bytes = Buffer.from(secret, /^[0-9a-f]+$/.test(secret) ? 'hex' : 'base64');
    for (const form of ['hex', 'base64', 'base64url']) {
      assert.ok(!told.includes(bytes.toString(form)), `the ${what} is told as ${form}`);
    }
  }
});

test('the database holds no token that lets anybody in', async (t) => {
  const broker = await startBroker(t);
  const { invite_token, invite_payload } = inviteOf(broker.invite);
  const { peer, member } = await broker.joined('member');
  await peer.mail(member, 'a body that is kept until it is confirmed');
  await broker.kill(); // with all that is still in the log of the database
  const files = readdirSync(broker.data).filter((name) => name.startsWith('signet.db'));
  const kept = Buffer.concat(files.map((name) => readFileSync(join(broker.data, name))));
  assert.ok(kept.includes(member.memberId), 'this is where members are');
  for (const secret of [invite_token, invite_payload.signature, broker.operator_token,
                        readFileSync(`${broker.data}/dev/owner.key`, 'utf8').trim()]) {
    assert.ok(!kept.includes(secret));
    assert.ok(!kept.includes(Buffer.from(secret, /^[0-9a-f]+$/.test(secret) ? 'hex' : 'base64url')));
  }
});

test('the memory of the broker is closed to other programs and to cores', async (t) => {
  const isRoot = process.getuid() === 0;
  const user = isRoot ? { uid: 65_534, gid: 65_534 } : {};
  const runs = spawnSync(signetd, ['--version'], { ...user, env: cleanEnvironment() }).status === 0;
  if (!runs) return t.skip('another user cannot reach the program here');
  const folder = temporaryFolder();
  const data = join(folder, 'data');
  mkdirSync(data);
  if (isRoot) for (const each of [folder, data]) chownSync(each, 65_534, 65_534);
  const broker = await startBroker(t, { data, user });
  const status = readFileSync(`/proc/${broker.pid}/status`, 'utf8');
  assert.match(status, /NoNewPrivs:\s+1/);
  // Of a process that may be dumped these belong to its user; else to root, who alone may look.
  assert.equal(statSync(`/proc/${broker.pid}/mem`).uid, 0);
  assert.equal(statSync(`/proc/${broker.pid}/environ`).uid, 0);
});
