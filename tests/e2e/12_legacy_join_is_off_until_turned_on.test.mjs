// The older /join body needs no invite: refused, unless the operator turned it on.
import assert from 'node:assert/strict';
import test from 'node:test';
import { newKeys, startBroker } from './harness.mjs';

const ask = (broker, fields = {}) => broker.postJoin({
  mesh_id: broker.mesh.id, peer_pubkey: newKeys().pubkey, display_name: 'old', role: 'admin',
  ...fields });

test('off: nobody gets in without an invite', async (t) => {
  const broker = await startBroker(t);
  const answer = await ask(broker);
  assert.equal(answer.status, 400);
  assert.deepEqual(answer.json(), { ok: false, error: 'legacy_join_off' });
});

test('on: one gets in, as a member whatever role was asked for', async (t) => {
  const broker = await startBroker(t, { env: { SIGNET_CLAUDEMESH_LEGACY_JOIN: '1' } });
  const keys = newKeys();
  const joined = (await ask(broker, { peer_pubkey: keys.pubkey })).json();
  assert.equal(joined.ok, true);
  await broker.connect({ ...keys, memberId: joined.memberId, meshId: broker.mesh.id });
  const again = (await ask(broker, { peer_pubkey: keys.pubkey })).json();
  assert.deepEqual(again, { ok: true, memberId: joined.memberId, alreadyMember: true });
  const { members } = (await broker.operator('GET', '/meshes/demo/members')).json();
  assert.deepEqual(members.map(({ role }) => role), ['member']);
  assert.equal((await ask(broker, { mesh_id: 'nowhere' })).json().error, 'mesh_not_found');
});
