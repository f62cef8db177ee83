// Every reason to refuse an invite, each in a body that also breaks the reasons after it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { inviteOf, makeInvite, newKeys, startBroker } from './harness.mjs';

const kPast = { expires_at: Math.floor(Date.now() / 1000) - 10 };
const register = (broker, invite, max_uses = 1) =>
  broker.operator('POST', '/invites', { invite_token: invite.invite_token, max_uses });

async function refusal(broker, invite, keys = newKeys()) {
  const answer = await broker.postJoin({ ...invite, peer_pubkey: keys.pubkey, display_name: 'x' });
  return answer.json().ok ? 'ok' : `${answer.status} ${answer.json().error}`;
}

test('refusals of invites come in the order of the page', async (t) => {
  const broker = await startBroker(t);
  const owner = broker.ownerKeys();
  const here = { mesh_id: broker.mesh.id };
  const forged = makeInvite(owner, { mesh_id: 'nowhere', ...kPast }, { role: 'admin' });
  assert.equal(await refusal(broker, forged), '400 invite_bad_signature');
  const elsewhere = makeInvite(newKeys(), { mesh_id: 'nowhere', ...kPast });
  assert.equal(await refusal(broker, elsewhere), '400 mesh_not_found');
  const byStranger = makeInvite(newKeys(), { ...here, ...kPast });
  assert.equal(await refusal(broker, byStranger), '400 invite_owner_mismatch');
  const unknown = makeInvite(owner, { ...here, ...kPast });
  assert.equal(await refusal(broker, unknown), '400 invite_not_found');

  const expired = makeInvite(owner, { ...here, ...kPast });
  await register(broker, expired);
  assert.equal(await refusal(broker, expired), '400 invite_expired');
  const { invite_token } = expired;
  assert.equal((await broker.operator('POST', '/invites/revoke', { invite_token })).status, 200);
  assert.equal(await refusal(broker, expired), '400 invite_revoked');

  const single = makeInvite(owner, { ...here, mesh_root_key: 'one' });
  assert.equal((await register(broker, single)).status, 200);
  const winner = newKeys();
  assert.equal(await refusal(broker, single, winner), 'ok');
  assert.equal(await refusal(broker, single), '400 invite_exhausted');
  assert.equal(await refusal(broker, single, winner), 'ok', 'a member already, also when used up');
  const series = 'signet_join_refused_total{reason="invite_exhausted"}';
  assert.equal(await broker.metric(series), 1);
});

test('the payload of an admin invite lends no role to the token of another', async (t) => {
  const broker = await startBroker(t);
  const owner = broker.ownerKeys();
  const member = makeInvite(owner, { mesh_id: broker.mesh.id, mesh_root_key: 'a' });
  const admin = makeInvite(owner, { mesh_id: broker.mesh.id, role: 'admin', mesh_root_key: 'b' });
  await register(broker, member);
  const crossed = { invite_token: member.invite_token, invite_payload: admin.invite_payload };
  await refusal(broker, crossed);
  const { members } = (await broker.operator('GET', '/meshes/demo/members')).json();
  assert.deepEqual(members.filter(({ role }) => role !== 'member'), []);
});

test('an invite that its owner did not sign is not registered', async (t) => {
  const broker = await startBroker(t);
  const foreign = makeInvite(newKeys(), { mesh_id: broker.mesh.id });
  assert.equal((await register(broker, foreign)).status, 403);
});

test('keys that cannot be a member and bodies of another shape are refused', async (t) => {
  const broker = await startBroker(t);
  const invite = inviteOf(broker.invite);
  for (const pubkey of ['', 'zz'.repeat(32), 'ab'.repeat(31), '00'.repeat(32), '02' + '00'.repeat(31)]) {
    assert.equal(await refusal(broker, invite, { pubkey }), '400 bad_key', pubkey);
  }
  const { mesh_id, ...without } = invite.invite_payload;
  for (const body of ['', '[]', '{', {}, { peer_pubkey: 7 }, { ...invite, invite_payload: without },
                      { ...invite, invite_token: '' }, { ...invite, invite_token: '%%', invite_payload: undefined }]) {
    const full = typeof body === 'string' ? body : { peer_pubkey: newKeys().pubkey, ...body };
    const answer = await broker.postJoin(full);
    assert.deepEqual([answer.status, answer.json().error], [400, 'bad_request'], JSON.stringify(body));
  }
});
