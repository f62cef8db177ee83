// Without the token 401, with a wrong one 403, with it what the operator asked for.
import assert from 'node:assert/strict';
import test from 'node:test';
import { startBroker } from './harness.mjs';

const kPaths = [['GET', '/meshes'], ['GET', '/meshes/demo/members'], ['GET', '/no/such/thing'],
                ['GET', '/meshes/demo/dead-letters'], ['POST', '/invites'],
                ['POST', `/meshes/demo/members/${'ab'.repeat(32)}/standing`]];

test('no call works without the token, and none tells whether its path exists', async (t) => {
  const broker = await startBroker(t);
  const token = broker.operator_token;
  const wrong = ['Bearer x', `Bearer ${token}0`, `Bearer ${token.slice(1)}`, `Basic ${token}`,
                 'Bearer ', `Bearer ${token.toUpperCase()}`];
  for (const [method, path] of kPaths) {
    const ask = (headers) => broker.request(method, `/api/signet/v1${path}`, { headers });
    assert.equal((await ask({})).status, 401, path);
    for (const authorization of wrong) {
      assert.equal((await ask({ authorization })).status, 403, `${path} ${authorization}`);
    }
    assert.equal((await ask({})).headers['access-control-allow-origin'], undefined);
  }
  assert.equal(await broker.metric('signet_operator_denied_total'), kPaths.length * 8);
  assert.ok(!broker.log.join('\n').includes(token), 'the log holds the token');
});

test('with it the operator sees meshes and members', async (t) => {
  const broker = await startBroker(t);
  const { member } = await broker.joined('the member');
  const { meshes } = (await broker.operator('GET', '/meshes')).json();
  assert.deepEqual(meshes, [{ id: broker.mesh.id, slug: 'demo', ownerPubkey: broker.mesh.owner_pubkey,
                              members: 1, connections: 1 }]);
  const { members } = (await broker.operator('GET', '/meshes/demo/members')).json();
  const { joinedAt, ...rest } = members[0];
  assert.deepEqual(rest, { id: member.memberId, pubkey: member.pubkey, displayName: 'the member',
                           role: 'member', standing: 'admitted', tags: [] });
  assert.match(joinedAt, /Z$/);
});

const kWrong = [['GET', '/nothing', undefined, 404], ['GET', '/meshes/none/members', undefined, 404],
                ['POST', '/invites', {}, 400], ['POST', '/invites', 'no json', 400],
                ['POST', '/invites/revoke', { invite_token: 'unknown' }, 404],
                ['POST', '/meshes/demo/members/xyz/standing', { standing: 'revoked' }, 400],
                ['POST', `/meshes/demo/members/${'ab'.repeat(32)}/standing`, { standing: 'revoked' }, 404]];
test('wrong calls are told apart', async (t) => {
  const broker = await startBroker(t);
  for (const [method, path, body, status] of kWrong) {
    assert.equal((await broker.operator(method, path, body)).status, status, path);
  }
});
