// `signetd run --config FILE`: meshes by their owners' keys, which only the owners hold.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { hello, inviteOf, makeInvite, newKeys, startBroker, temporaryFolder } from './harness.mjs';

const kToken = 'operator-token-of-this-test-0123456789';
const mesh = (slug, lines = {}) => ['[[mesh]]', `slug = "${slug}"`,
  ...Object.entries(lines).map(([key, value]) => `${key} = ${JSON.stringify(value)}`)].join('\n');
const ownedBy = (owner, lines = {}) => ({ owner: owner.pubkey, ...lines });

async function run(t, ...meshes) {
  const folder = temporaryFolder();
  const file = join(folder, 'signet.toml');
  const write = (...tables) =>
    writeFileSync(file, ['[server]', 'listen = ["127.0.0.1:0"]', ...tables].join('\n'));
  write(...meshes);
  const broker = await startBroker(t, { command: ['run', '--config', file],
                                        data: join(folder, 'data'), env: { SIGNET_ADMIN_TOKEN: kToken } });
  broker.operator_token = kToken;
  broker.write = write;
  return broker;
}

async function idOf(broker, slug) {
  const { meshes } = (await broker.operator('GET', '/meshes')).json();
  return meshes.find((each) => each.slug === slug).id;
}

// An invite that `owner` signs and the operator registers.
async function invite(broker, slug, owner, fields = {}) {
  const made = makeInvite(owner, { mesh_id: await idOf(broker, slug), mesh_slug: slug,
                                   broker_url: broker.ws, ...fields });
  const body = { invite_token: made.invite_token, max_uses: 10 };
  return { made, status: (await broker.operator('POST', '/invites', body)).status };
}

async function enter(broker, made, keys = newKeys()) {
  const body = { ...made, peer_pubkey: keys.pubkey, display_name: 'peer' };
  const answer = (await broker.postJoin(body)).json();
  return answer.ok ? { ...keys, memberId: answer.memberId, meshId: made.invite_payload.mesh_id }
                   : answer.error;
}

test('members come in by an invite of the owner and write to each other', async (t) => {
  const owner = newKeys();
  const broker = await run(t, mesh('team', ownedBy(owner)));
  const { made, status } = await invite(broker, 'team', owner);
  assert.equal(status, 200);
  const [ann, bob] = [await enter(broker, made), await enter(broker, made)];
  const peer = await broker.connect(ann);
  assert.equal((await peer.mail(bob, 'hello bob')).type, 'ack');
  assert.deepEqual(await (await broker.connect(bob)).texts(1), ['hello bob']);
  assert.equal((await enter(broker, makeInvite(owner, { mesh_id: ann.meshId }))), 'invite_not_found');
  assert.equal((await invite(broker, 'team', newKeys())).status, 403);

  await broker.restartAfterKill();
  assert.equal(await idOf(broker, 'team'), ann.meshId);
  await broker.connect(ann);
  assert.equal((await enter(broker, made)).meshId, ann.meshId);
});

test('a mesh without an owner key takes nobody until it has one', async (t) => {
  const owner = newKeys();
  const broker = await run(t, mesh('bare'));
  const { made, status } = await invite(broker, 'bare', owner);
  assert.equal(status, 403);
  assert.equal(await enter(broker, made), 'mesh_missing_owner_key');

  broker.write(mesh('bare', ownedBy(owner)));
  await broker.restart();
  const { made: valid, status: taken } = await invite(broker, 'bare', owner);
  assert.equal(taken, 200);
  await broker.connect(await enter(broker, valid));
});

test('the token of one mesh with the payload of another is invite_mesh_mismatch', async (t) => {
  const owner = newKeys();
  const broker = await run(t, mesh('one', ownedBy(owner)), mesh('two', ownedBy(owner)));
  const { made: one } = await invite(broker, 'one', owner);
  const { made: two } = await invite(broker, 'two', owner);
  const crossed = { invite_token: one.invite_token, invite_payload: two.invite_payload };
  assert.equal(await enter(broker, crossed), 'invite_mesh_mismatch');
});

test('meshes of one daemon do not see each other', async (t) => {
  const [owner, other] = [newKeys(), newKeys()];
  const broker = await run(t, mesh('one', ownedBy(owner, { id: 'mesh-one' })),
                           mesh('two', ownedBy(other, { max_connections: 1 })));
  const inOne = await enter(broker, (await invite(broker, 'one', owner)).made);
  const { made } = await invite(broker, 'two', other);
  const inTwo = await enter(broker, made);
  assert.equal(inOne.meshId, 'mesh-one');
  assert.equal((await invite(broker, 'two', owner)).status, 403, 'an owner of another mesh');
  const [peer, stranger] = [await broker.connect(inOne), await broker.connect(inTwo)];
  assert.deepEqual((await peer.roundTrip()).map(({ pubkey }) => pubkey), [inOne.pubkey]);
  assert.equal((await peer.mail(inTwo, 'x')).code, 'no_such_member');
  await peer.mail('*', 'to all of one');
  await stranger.none('push');
  const intruder = await broker.open();
  intruder.say(hello({ ...inOne, meshId: inTwo.meshId }));
  assert.equal((await intruder.closed).reason, 'capacity', 'the limit of that mesh comes first');
  await stranger.leave();
  const again = await broker.open();
  again.say(hello({ ...inOne, meshId: inTwo.meshId }));
  assert.equal((await again.closed).reason, 'unauthorized');
});

test('without a token in the configuration nobody is the operator', async (t) => {
  const folder = temporaryFolder();
  const file = join(folder, 'signet.toml');
  writeFileSync(file, `[server]\nlisten = ["127.0.0.1:0"]\n${mesh('team')}\n`);
  const broker = await startBroker(t, { command: ['run', '--config', file], data: join(folder, 'data') });
  for (const authorization of ['Bearer ', 'Bearer undefined', 'Bearer 0']) {
    const answer = await broker.ask('GET', '/api/signet/v1/meshes', { headers: { authorization } });
    assert.equal(answer.status, 403);
  }
});

test('a published sample key cannot join a mesh that is run', async (t) => {
  const owner = newKeys();
  const broker = await run(t, mesh('team', ownedBy(owner)));
  const { made } = await invite(broker, 'team', owner);
  const sample = { pubkey: '03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8' };
  assert.equal(await enter(broker, made, sample), 'bad_key');
  assert.equal(inviteOf(`ic://join/${made.invite_token}`).invite_payload.mesh_slug, 'team');
});
