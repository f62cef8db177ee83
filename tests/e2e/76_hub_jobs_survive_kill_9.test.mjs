// What is queued is on disk: a broker that dies or is stopped mid-job loses none and does none twice.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { eventually, temporaryFolder } from './harness.mjs';
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

// To be stopped is no fault of an engine's: jobs that may be tried once only are still done.
test('SIGTERM with a job running costs none of its retries', async (t) => {
  const types = join(temporaryFolder(t), 'types.toml');
  const kTypes = ['BUILD_SCENE', 'LOAD_ASSETS', 'SPAWN_ENTITY'];
  const once = (name) => `[[type]]\nname = "${name}"\nretries = 0\ntimeout = "60s"\ndispatch_timeout = "60s"\n`;
  writeFileSync(types, kTypes.map(once).join('\n'));
  const hub = await startHub(t, { set: { 'jobs.types_file': types } });
  const jobs = async () => (await hub.operator('GET', `/meshes/${hub.mesh.slug}/jobs`)).json().jobs;
  const about = (job, more = {}) => envelope({ job_id: job.job_id, lease: job.lease, timestamp: 1, ...more });
  const ann = await hub.user('ann');
  ann.say('generate_world', { config: smallWorld(1) });
  for (const type of kTypes) await ann.next('job_status', ({ jobType, status }) => jobType === type && status === 'queued');
  for (let stop = 1; stop <= 3; ++stop) {
    const engine = await hub.engine('e1');
    engine.say('job_started', about(await engine.next('engine_job')));
    await eventually('one is running', async () => (await jobs()).some(({ state }) => state === 'running'));
    await hub.restart();
    const listed = await jobs();
    assert.deepEqual(listed.map(({ state, retries }) => [state, retries]), Array(3).fill(['queued', 0]),
                     `${stop}: ${JSON.stringify(listed)}`);
  }
  const last = await hub.engine('e1');
  for (let i = 0; i < 3; ++i) {
    const job = await last.next('engine_job');
    last.say('job_started', about(job));
    last.say('job_completed', about(job, { result: i }));
  }
  await eventually('all are done', async () => (await jobs()).every(({ state }) => state === 'completed'));
});
