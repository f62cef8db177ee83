// Two meshes of one broker with the same people, names, ids and channels: nothing of one is seen,
// reached, counted or changed from the other.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { eventually, hello, makeInvite, newKeys, startBroker, temporaryFolder } from './harness.mjs';

const kToken = 'operator-token-of-this-test-0123456789';
const kMeshes = ['red', 'blue'];

async function twoMeshes(t) {
  const folder = temporaryFolder();
  const file = join(folder, 'signet.toml');
  const owner = newKeys();
  writeFileSync(file, ['[server]', 'listen = ["127.0.0.1:0"]', '[store]', 'mailbox_messages = 3',
    '[limits]', 'requests_per_second_address = 0', 'hellos_per_second_address = 0',
    'hellos_per_second_member = 0', 'channels_per_mesh = 2',
    ...kMeshes.flatMap((slug) => ['[[mesh]]', `slug = "${slug}"`, `id = "mesh-${slug}"`,
                                  `owner = "${owner.pubkey}"`])].join('\n'));
  const broker = await startBroker(t, { command: ['run', '--config', file], data: join(folder, 'data'),
                                        env: { SIGNET_ADMIN_TOKEN: kToken } });
  broker.operator_token = kToken;
  const keys = { ann: newKeys(), bob: newKeys() };
  const here = {};
  for (const slug of kMeshes) {
    const invite = makeInvite(owner, { mesh_id: `mesh-${slug}`, mesh_slug: slug });
    const registered = { invite_token: invite.invite_token, max_uses: 10 };
    assert.equal((await broker.operator('POST', '/invites', registered)).status, 200);
    here[slug] = { invite };
    for (const [name, pair] of Object.entries(keys)) {
      const body = { ...invite, peer_pubkey: pair.pubkey, display_name: `${name} of ${slug}` };
      const { memberId } = (await broker.postJoin(body)).json();
      here[slug][name] = { ...pair, memberId, meshId: `mesh-${slug}` };
    }
  }
  return { broker, ...here };
}
async function inBoth(t) {
  const scene = await twoMeshes(t);
  for (const slug of kMeshes) {
    for (const name of ['ann', 'bob']) {
      scene[slug][`${name}Here`] = await scene.broker.connect(scene[slug][name]);
    }
  }
  return scene;
}

test('the same key is another member, and a hello of one mesh opens no other', async (t) => {
  const { broker, red, blue } = await twoMeshes(t);
  assert.notEqual(red.ann.memberId, blue.ann.memberId);
  const said = hello(red.ann);
  for (const [change, reason] of [
    [{ ...said, meshId: 'mesh-blue' }, 'bad_signature'],
    [{ ...said, meshId: 'mesh-blue', memberId: blue.ann.memberId }, 'bad_signature'],
    [hello({ ...red.ann, meshId: 'mesh-blue' }), 'unauthorized'], // signed, with the id of red
    [hello({ ...blue.ann, meshId: 'mesh-red' }), 'unauthorized'],
  ]) {
    const peer = await broker.open();
    peer.say(change);
    assert.equal((await peer.closed).reason, reason);
  }
  const peer = await broker.open();
  assert.equal((await peer.ask(said, 'hello_ack')).memberDisplayName, 'ann of red');
});

test('one client id in both is two messages, each in its own mesh', async (t) => {
  const { red, blue } = await inBoth(t);
  const ids = [];
  for (const mesh of [red, blue]) {
    const text = `of ${mesh.ann.meshId}`;
    ids.push((await mesh.annHere.mail(mesh.bob, text, { id: 'same' })).messageId);
    assert.deepEqual(await mesh.bobHere.texts(1), [text]);
  }
  assert.notEqual(ids[0], ids[1]);
  const again = await red.annHere.mail(red.bob, 'of mesh-red', { id: 'same' });
  assert.equal(again.messageId, ids[0]);
  red.bobHere.say({ type: 'receipt', messageId: ids[1], state: 'read' }); // guessed: of the other
  assert.equal((await red.bobHere.next('error')).code, 'no_such_message');
  await blue.annHere.none('receipt');
});

test('everybody, channels, presence and status end at the mesh', async (t) => {
  const { broker, red, blue } = await inBoth(t);
  for (const mesh of [red, blue]) {
    for (const name of ['x', 'y']) { // as many as a mesh may have: each has its own
      await mesh.bobHere.ask({ type: 'channel_join', name }, 'channel_joined');
    }
  }
  await red.annHere.mail('*', 'to all of red');
  await red.annHere.mail('#x', 'to x of red');
  assert.deepEqual(await red.bobHere.texts(2), ['to all of red', 'to x of red']);
  await blue.bobHere.none('push');
  await red.annHere.status('dnd');
  const names = (peers) => peers.map((each) => `${each.displayName} ${each.status}`).sort();
  assert.deepEqual(names(await blue.bobHere.roundTrip()), ['ann of blue idle', 'bob of blue idle']);
  assert.deepEqual(names(await red.bobHere.roundTrip()), ['ann of red dnd', 'bob of red idle']);
  const listed = async (slug) =>
    (await broker.operator('GET', `/meshes/${slug}/members`)).json().members.map((m) => m.memberId ?? m.id);
  assert.ok(!(await listed('blue')).some((id) => [red.ann.memberId, red.bob.memberId].includes(id)));
});

test('a full mailbox, a revocation and its dead letters stay in their mesh', async (t) => {
  const { broker, red, blue } = await inBoth(t);
  for (const mesh of [red, blue]) await mesh.bobHere.leave();
  for (let i = 0; i < 3; ++i) await red.annHere.mail(red.bob, `red ${i}`);
  assert.equal((await red.annHere.mail(red.bob, 'too much')).code, 'quota_exceeded');
  assert.equal((await blue.annHere.mail(blue.bob, 'blue 0')).type, 'ack');

  const path = `/meshes/red/members/${red.bob.pubkey}/standing`;
  assert.equal((await broker.operator('POST', path, { standing: 'revoked' })).status, 200);
  const letters = async (slug) =>
    (await broker.operator('GET', `/meshes/${slug}/dead-letters`)).json().deadLetters;
  await eventually('they are buried', async () => (await letters('red')).length === 3);
  assert.deepEqual(await letters('blue'), []);
  const out = await broker.open();
  out.say(hello(red.bob));
  assert.equal((await out.closed).reason, 'unauthorized');
  const back = await broker.connect(blue.bob);
  assert.deepEqual(await back.texts(1), ['blue 0']);
  assert.equal((await red.annHere.mail(red.bob, 'x')).code, 'no_such_member');
});
