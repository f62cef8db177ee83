// A token's end is its socket's, unless another one takes its place; a revocation is at once.
import assert from 'node:assert/strict';
import test from 'node:test';
import { eventually, sleep } from './harness.mjs';
import { engineToken, envelope, smallWorld, startHub, userToken } from './hub_client.mjs';
import { nowSeconds } from './token_maker.mjs';

const short = (name, seconds) => userToken(name, { exp: nowSeconds() + seconds });

test('who does not refresh is told and disconnected; who does stays', async (t) => {
  const hub = await startHub(t);
  const [stays, goes] = [await hub.user('ann', { token: short('ann', 8) }), await hub.user('bob', { token: short('bob', 8) })];
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

test('an engine that refreshes goes on with its job under the lease that it has', async (t) => {
  const hub = await startHub(t, { set: { 'tokens.leeway': '0s' } });
  const ann = await hub.user('ann');
  const soon = (seconds) => ({ exp: nowSeconds() + seconds });
  const first = soon(10);
  const stays = await hub.engine('stays', { token: engineToken('stays', first), dialect: 'engine_job' });
  ann.say('generate_world', { config: smallWorld(1) });
  const job = await stays.next('engine_job');
  stays.say('job_started', envelope({ job_id: job.job_id, lease: job.lease, timestamp: 1 }));
  for (const [token, rule] of [['a.b.c', 'malformed'], [engineToken('goes'), 'bad_claim'],
                               [engineToken('stays', { role: 'user' }), 'bad_claim'], [undefined, 'malformed']]) {
    assert.deepEqual(await stays.ask('token_refresh', { token }, 'token_error'), { error: rule });
  }
  const until = nowSeconds() + 600;
  const token = engineToken('stays', { exp: until });
  assert.deepEqual(await stays.ask('token_refresh', { token }, 'token_ok'), { exp: until });
  const goes = await hub.engine('goes', { token: engineToken('goes', soon(8)) });
  await goes.next('auth_expired');
  assert.equal(await goes.disconnected, 'io server disconnect');
  await sleep(Math.max(0, (first.exp + 1) * 1_000 - Date.now()));
  stays.say('job_completed', envelope({ job_id: job.job_id, lease: job.lease, result: 'done', timestamp: 1 }));
  const { result, retryCount } = await ann.next('engine_job_finished', ({ jobId }) => jobId === job.job_id);
  assert.deepEqual([result, retryCount], ['done', 0]);
});

test('a revoked token, and a revoked member', async (t) => {
  const hub = await startHub(t);
  const one = userToken('ann', { jti: 'one' });
  const anns = [await hub.user('ann', { token: one }), await hub.user('ann', { token: one, transports: ['polling'] })];
  const bob = await hub.user('bob', { transports: ['polling'] });
  const forge = await hub.engine('forge', { token: engineToken('forge', { jti: 'two' }) });
  const endsAll = async (sockets, path, body) => {
    assert.equal((await hub.operator('POST', `/meshes/${hub.mesh.slug}${path}`, body)).status, 200);
    const began = Date.now();  // of the answer: how fast the disk is says nothing here
    await Promise.all(sockets.map(({ disconnected }) => disconnected));
    assert.ok(Date.now() - began < 2_000, `${path} after ${Date.now() - began} ms`);
  };
  await endsAll(anns, '/tokens/revoke', { id: 'one' });
  await assert.rejects(hub.user('ann', { token: one }), { message: 'INVALID_TOKEN' });
  await endsAll([forge], '/tokens/revoke', { id: 'two' });
  await bob.act('click', 1);
  await endsAll([bob], '/sources/bob/standing', { standing: 'revoked' });
  await assert.rejects(hub.user('bob'), { message: 'NOT_PERMITTED' });
  await eventually('nobody is left', async () => await hub.metric('signet_hub_users') === 0);
});
