// A token's end is its socket's, unless another one takes its place; a revocation is at once.
import assert from 'node:assert/strict';
import test from 'node:test';
import { eventually } from './harness.mjs';
import { startHub, userToken } from './hub_client.mjs';
import { nowSeconds } from './token_maker.mjs';

const short = (name, seconds) => userToken(name, { exp: nowSeconds() + seconds });

test('who does not refresh is told and disconnected; who does stays', async (t) => {
  const hub = await startHub(t);
  const [stays, goes] = [await hub.user('ann', { token: short('ann', 3) }), await hub.user('bob', { token: short('bob', 3) })];
  for (const [token, rule] of [['a.b.c', 'malformed'], [userToken('bob'), 'bad_claim'], [userToken('ann', {}, 'some-other-secret-of-nobody-here'), '']]) {
    const { error } = await stays.ask('token_refresh', { token }, 'token_error');
    assert.ok(rule === '' ? error : error === rule, error);
  }
  const until = nowSeconds() + 600;
  assert.deepEqual(await stays.ask('token_refresh', { token: userToken('ann', { exp: until }) }, 'token_ok'), { exp: until });
  await goes.next('auth_expired');
  assert.equal(await goes.disconnected, 'io server disconnect');
  await stays.act('click', 'still here');
});

test('a revoked token, and a revoked member', async (t) => {
  const hub = await startHub(t);
  const [ann, bob] = [await hub.user('ann', { token: userToken('ann', { jti: 'one' }) }), await hub.user('bob', { transports: ['polling'] })];
  assert.equal((await hub.operator('POST', `/meshes/${hub.mesh.slug}/tokens/revoke`, { id: 'one' })).status, 200);
  await ann.disconnected;
  await bob.act('click', 1);
  assert.equal((await hub.operator('POST', `/meshes/${hub.mesh.slug}/sources/bob/standing`, { standing: 'revoked' })).status, 200);
  await bob.disconnected;
  await assert.rejects(hub.user('bob'), { message: 'NOT_PERMITTED' });
  await eventually('nobody is left', async () => await hub.metric('signet_hub_users') === 0);
});
