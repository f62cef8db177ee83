// What is queued is on disk: a broker that dies mid-job loses none and does none twice.
import assert from 'node:assert/strict';
import test from 'node:test';
import { eventually } from './harness.mjs';
import { envelope, smallWorld, startHub, work } from './hub_client.mjs';

test('kill -9 with jobs queued, dispatched and running', async (t) => {
  const hub = await startHub(t, { set: { 'jobs.per_engine': '2' } });
  const jobs = async () => (await hub.operator('GET', `/meshes/${hub.mesh.slug}/jobs`)).json().jobs;
  const ann = await hub.user('ann');
  ann.say('generate_world', { config: smallWorld(6) });
  for (let i = 0; i < 8; ++i) await ann.next('job_status', ({ status }) => status === 'queued');
  const before = await hub.engine('e1');
  const running = await before.next('engine_job');
  before.say('job_started', envelope({ job_id: running.job_id, lease: running.lease, timestamp: 1 }));
  await ann.next('job_status', ({ status }) => status === 'running');

  await hub.restartAfterKill();
  const listed = await jobs();
  assert.equal(listed.length, 8);
  assert.ok(listed.every(({ state }) => state === 'queued'), JSON.stringify(listed));
  const heard = await hub.user('ann');
  const after = await hub.engine('e1');
  const late = envelope({ job_id: running.job_id, lease: running.lease, result: 'late', timestamp: 1 });
  assert.match((await after.ask('job_completed', late, 'job_completed_rejected')).reason, /JOB_/);
  const other = await hub.engine('e2');
  work(other);
  await eventually('what e2 has is done', async () => (await jobs()).some(({ state }) => state === 'completed'));
  after.leave();
  await eventually('all are done', async () => (await jobs()).every(({ state }) => state === 'completed'));
  assert.ok(heard.inbox.some(({ event }) => event === 'world_update'));
  const again = await hub.restartAfterKill();
  assert.ok((await jobs()).every(({ state }) => state === 'completed'), String(again.pid));
});
