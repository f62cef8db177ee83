// The operator makes a mesh, its owner's invites let members in, and a crash takes nothing of it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { makeInvite, newKeys, startBroker } from './harness.mjs';

let expiry = Math.floor(Date.now() / 1000) + 3600; // another one is another link
async function letIn(broker, owner, mesh, name) {
  const invite = makeInvite(owner, { mesh_id: mesh.id, mesh_slug: mesh.slug, mesh_root_key: mesh.rootKey,
                                     expires_at: ++expiry });
  const registered = await broker.operator('POST', '/invites', { invite_token: invite.invite_token });
  assert.equal(registered.status, 200);
  const keys = newKeys();
  const answer = await broker.postJoin({ ...invite, peer_pubkey: keys.pubkey, display_name: name });
  assert.equal(answer.status, 200);
  return { ...keys, memberId: answer.json().memberId, meshId: mesh.id, digest: registered.json().digest };
}

test('it is made once, serves its members, and survives kill -9', async (t) => {
  const broker = await startBroker(t);
  const owner = newKeys();
  const body = { slug: 'fresh', owner_pubkey: owner.pubkey };
  const made = (await broker.operator('POST', '/meshes', body)).json();
  assert.deepEqual([made.ok, made.slug, made.created], [true, 'fresh', true]);
  const again = (await broker.operator('POST', '/meshes', { ...body, id: made.id })).json();
  assert.deepEqual([again.id, again.created], [made.id, false]);
  for (const other of [{ ...body, owner_pubkey: newKeys().pubkey }, { ...body, id: 'another' },
                       { ...body, slug: 'second', id: made.id }, { ...body, slug: 'demo' }]) {
    assert.equal((await broker.operator('POST', '/meshes', other)).status, 409, JSON.stringify(other));
  }
  const shown = (await broker.operator('GET', '/meshes/fresh')).json();
  const ann = await letIn(broker, owner, shown, 'ann');
  const bob = await letIn(broker, owner, shown, 'bob');
  const peer = await broker.connect(ann);
  await peer.mail(bob, 'before');
  await peer.ask({ type: 'channel_join', name: 'ops' }, 'channel_joined');

  await broker.restartAfterKill();
  const after = (await broker.operator('GET', '/meshes/fresh')).json();
  assert.deepEqual(after, { ...shown, members: 2, connections: 0, channels: 1, invites: 2 });
  assert.equal(after.ownerPubkey, owner.pubkey);
  assert.deepEqual(await (await broker.connect(bob)).texts(1), ['before']);
  assert.equal((await broker.operator('POST', '/meshes', body)).json().created, false);
});

test('invites are listed by digest, and taken back by it', async (t) => {
  const broker = await startBroker(t);
  const owner = newKeys();
  await broker.operator('POST', '/meshes', { slug: 'fresh', owner_pubkey: owner.pubkey });
  const mesh = (await broker.operator('GET', '/meshes/fresh')).json();
  const { digest } = await letIn(broker, owner, mesh, 'ann');
  const list = async () => (await broker.operator('GET', '/meshes/fresh/invites')).json();
  const { invites, next } = await list();
  const { expiresAt, ...rest } = invites[0];
  assert.deepEqual([rest, next], [{ digest, role: 'member', uses: 1, maxUses: 1, revoked: false }, null]);
  assert.ok(Date.parse(expiresAt) > Date.now());
  assert.equal((await broker.operator('POST', '/invites/revoke', { digest })).status, 200);
  assert.equal((await list()).invites[0].revoked, true);
  const unknown = 'ab'.repeat(32);
  assert.equal((await broker.operator('POST', '/invites/revoke', { digest: unknown })).status, 404);
});

test('members come in pages, also of one standing', async (t) => {
  const broker = await startBroker(t);
  const keys = [];
  for (let i = 0; i < 5; ++i) keys.push((await broker.join(`m${i}`)).pubkey);
  await broker.setStanding({ pubkey: keys[0] }, 'quarantined');
  const page = async (query) => (await broker.operator('GET', `/meshes/demo/members?${query}`)).json();
  const all = [];
  for (let after = ''; ;) {
    const { members, next } = await page(`limit=2${after}`);
    all.push(...members.map(({ pubkey }) => pubkey));
    if (next === null) break;
    after = `&after=${next}`;
  }
  assert.deepEqual(all, [...keys].sort());
  const quarantined = await page('standing=quarantined');
  assert.deepEqual(quarantined.members.map(({ pubkey }) => pubkey), [keys[0]]);
});
