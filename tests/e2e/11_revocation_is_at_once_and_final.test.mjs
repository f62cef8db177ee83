// Revoking a member closes all its sessions now, and its key never comes in again.
import assert from 'node:assert/strict';
import test from 'node:test';
import { hello, inviteOf, startBroker } from './harness.mjs';

async function refused(broker, member, code = 'unauthorized') {
  const peer = await broker.open();
  assert.equal((await peer.ask(hello(member), 'error')).message, `hello rejected: ${code}`);
  assert.deepEqual(await peer.closed, { code: 1008, reason: code });
}

test('every session of a revoked member is closed with 1008, others stay', async (t) => {
  const broker = await startBroker(t);
  const member = await broker.join('member');
  const bystander = await broker.joined('bystander');
  const sessions = [];
  for (let i = 0; i < 6; ++i) sessions.push(await broker.connect(member));
  await broker.setStanding(member, 'revoked');
  for (const session of sessions) {
    assert.deepEqual(await session.closed, { code: 1008, reason: 'revoked' });
  }
  assert.deepEqual((await bystander.peer.roundTrip()).map((each) => each.pubkey),
                   [bystander.member.pubkey]);
});

test('the hello of a revoked member is unauthorized, also after kill -9', async (t) => {
  const broker = await startBroker(t);
  const member = await broker.join('member');
  await broker.setStanding(member, 'revoked');
  await refused(broker, member);
  await broker.restartAfterKill();
  await refused(broker, member);
});

test('a revoked key cannot join again, and nobody can bring it back', async (t) => {
  const broker = await startBroker(t);
  const member = await broker.join('member');
  await broker.setStanding(member, 'revoked');
  const answer = await broker.postJoin(
    { ...inviteOf(broker.invite), peer_pubkey: member.pubkey, display_name: 'again' });
  assert.deepEqual([answer.status, answer.json()], [400, { ok: false, error: 'member_revoked' }]);
  const path = `/meshes/demo/members/${member.pubkey}/standing`;
  assert.equal((await broker.operator('POST', path, { standing: 'admitted' })).status, 403);
  await refused(broker, member);
});

test('a send that is on its way when the sender is revoked is acknowledged or lost, no third', async (t) => {
  const broker = await startBroker(t);
  const { member, peer } = await broker.joined('member');
  const receiver = await broker.joined('receiver');
  const sends = Array.from({ length: 200 }, (_, i) =>
    peer.mail(receiver.member, `n${i}`).catch(() => null)); // null: closed before an answer
  await broker.setStanding(member, 'revoked');
  const acked = (await Promise.all(sends)).filter((answer) => answer?.type === 'ack').length;
  const texts = await receiver.peer.texts(acked);
  assert.deepEqual(texts, Array.from({ length: acked }, (_, i) => `n${i}`));
  assert.equal((await peer.closed).code, 1008);
});

test('mail to a revoked member is refused; quarantine closes too and can be lifted', async (t) => {
  const broker = await startBroker(t);
  const { member, peer } = await broker.joined('member');
  const sender = await broker.joined('sender');
  await broker.setStanding(member, 'quarantined');
  assert.equal((await peer.closed).code, 1008);
  await refused(broker, member);
  await broker.setStanding(member, 'admitted');
  await broker.connect(member);
  await broker.setStanding(member, 'revoked');
  assert.equal((await sender.peer.mail(member, 'x')).code, 'no_such_member');
});
