// A data folder has one daemon; whoever takes it over, after whatever end, is the same broker.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { cleanEnvironment, inviteOf, newKeys, shards, signetd, startBroker } from './harness.mjs';

const devOn = (data, listen = '127.0.0.1:0') =>
  spawnSync(signetd, ['dev', '--listen', listen, '--data', data, '--shards', shards, '--ready-json'],
            { env: cleanEnvironment(), encoding: 'utf8', timeout: 20_000 });

test('a second daemon on the same data is refused with the id of the first', async (t) => {
  const broker = await startBroker(t);
  const { peer } = await broker.joined('member');
  for (const data of [broker.data, `${broker.data}/.`, `${broker.data}/../data`]) {
    const { status, stdout, stderr } = devOn(data);
    assert.equal(status, 1);
    assert.equal(stdout, '');
    const said = stderr.split('\n').filter((line) => line.startsWith('signetd: '));
    assert.deepEqual(said, [`signetd: can't start: ${broker.data} is in use by process ${broker.pid}: ` +
                            'stop it, or give this one another directory']);
  }
  assert.equal((await peer.roundTrip()).length, 1, 'the first goes on');
});

test('a port in use is named, and the data folder is free again', async (t) => {
  const broker = await startBroker(t);
  const other = await startBroker(t);
  await other.stop();
  const { status, stderr } = devOn(other.data, broker.listen);
  assert.equal(status, 1);
  assert.match(stderr, new RegExp(`can't bind ${broker.listen}: Address already in use`));
  await other.start();
});

test('the port can be listened on again right after SIGKILL with clients on it', async (t) => {
  const first = await startBroker(t);
  const { member, peer } = await first.joined('member');
  const { listen } = first;
  first.options.command = ['dev', '--listen', listen, '--ready-json'];
  for (let i = 0; i < 3; ++i) {
    await first.restartAfterKill();
    assert.equal(first.listen, listen);
    await first.connect(member);
  }
  assert.equal((await peer.closed).code, 1006);
});

test('the same data is the same mesh, owner, members, token and invite', async (t) => {
  const broker = await startBroker(t);
  const { ready } = broker;
  const member = await broker.join('member');
  const oldInvite = inviteOf(broker.invite);
  for (const again of ['restart', 'restartAfterKill']) {
    await broker[again]();
    assert.deepEqual(broker.mesh, ready.mesh);
    assert.equal(broker.ownerKeys().pubkey, broker.mesh.owner_pubkey);
    assert.equal(broker.operator_token, ready.operator_token);
    await broker.connect(member);
    for (const invite of [oldInvite, inviteOf(broker.invite)]) {
      const { pubkey } = newKeys();
      const body = { ...invite, peer_pubkey: pubkey, display_name: 'newcomer' };
      assert.equal((await broker.postJoin(body)).json().ok, true);
      assert.equal(invite.invite_payload.mesh_id, ready.mesh.id);
    }
    assert.equal(inviteOf(broker.invite).invite_payload.broker_url, broker.ws, 'for this address');
  }
  const { members } = (await broker.operator('GET', '/meshes/demo/members')).json();
  assert.equal(members.length, 5);
});

test('other data is another mesh with another owner', async (t) => {
  const [one, two] = [await startBroker(t), await startBroker(t)];
  for (const key of ['id', 'owner_pubkey']) assert.notEqual(one.mesh[key], two.mesh[key]);
  assert.notEqual(one.operator_token, two.operator_token);
  const body = { ...inviteOf(one.invite), peer_pubkey: newKeys().pubkey, display_name: 'x' };
  assert.equal((await two.postJoin(body)).json().error, 'mesh_not_found');
});
