// Uses of an invite are counted by the store: a race has as many winners as there are uses.
import assert from 'node:assert/strict';
import test from 'node:test';
import { inviteOf, makeInvite, newKeys, startBroker } from './harness.mjs';

async function invited(broker, uses, fields = {}) {
  const invite = makeInvite(broker.ownerKeys(), { mesh_id: broker.mesh.id, ...fields });
  const body = { invite_token: invite.invite_token, max_uses: uses };
  assert.equal((await broker.operator('POST', '/invites', body)).status, 200);
  return invite;
}
const join = async (broker, invite, keys = newKeys()) =>
  (await broker.postJoin({ ...invite, peer_pubkey: keys.pubkey, display_name: 'x' })).json();

test('of a hundred at once on a single-use link exactly one wins', async (t) => {
  const broker = await startBroker(t);
  const invite = await invited(broker, 1);
  const answers = await Promise.all(Array.from({ length: 100 }, () => join(broker, invite)));
  assert.equal(answers.filter((answer) => answer.ok).length, 1);
  const errors = new Set(answers.filter((answer) => !answer.ok).map((answer) => answer.error));
  assert.deepEqual([...errors], ['invite_exhausted']);
  const { members } = (await broker.operator('GET', '/meshes/demo/members')).json();
  assert.equal(members.length, 1);
});

test('one key that joins a hundred times at once burns one use', async (t) => {
  const broker = await startBroker(t);
  const invite = await invited(broker, 2);
  const keys = newKeys();
  const answers = await Promise.all(Array.from({ length: 100 }, () => join(broker, invite, keys)));
  assert.equal(new Set(answers.map((answer) => answer.memberId)).size, 1, JSON.stringify(answers[0]));
  assert.equal(answers.filter((answer) => !answer.alreadyMember).length, 1);
  assert.equal((await join(broker, invite)).ok, true, 'the second use is still there');
  assert.equal((await join(broker, invite)).error, 'invite_exhausted');
});

test('uses are counted across kill -9', async (t) => {
  const broker = await startBroker(t);
  const invite = await invited(broker, 2);
  assert.equal((await join(broker, invite)).ok, true);
  await broker.restartAfterKill();
  assert.equal((await join(broker, invite)).ok, true);
  await broker.restartAfterKill();
  assert.equal((await join(broker, invite)).error, 'invite_exhausted');
});

test('the ic link, the https link and the bare token are the same invite', async (t) => {
  const broker = await startBroker(t);
  const { invite_token } = inviteOf(broker.invite);
  const links = [broker.invite, `https://mesh.example/join/${invite_token}`, invite_token];
  for (const link of links) {
    assert.equal((await join(broker, { invite_token: link })).ok, true, link.slice(0, 30));
  }
});

test('an invite for admins makes an admin, one for members a member', async (t) => {
  const broker = await startBroker(t);
  const admin = newKeys();
  const plain = newKeys();
  await join(broker, await invited(broker, 1, { role: 'admin' }), admin);
  await join(broker, inviteOf(broker.invite), plain);
  const { members } = (await broker.operator('GET', '/meshes/demo/members')).json();
  const roles = Object.fromEntries(members.map(({ pubkey, role }) => [pubkey, role]));
  assert.deepEqual(roles, { [admin.pubkey]: 'admin', [plain.pubkey]: 'member' });
});
