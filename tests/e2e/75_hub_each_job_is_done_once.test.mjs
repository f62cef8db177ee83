// A hundred jobs over three engines: one dies, one stalls past its lease and answers late, one lies.
import assert from 'node:assert/strict';
import test from 'node:test';
import { kLiesOfAHolder, kLiesOfAStranger, kWrongResult, tellLies } from './bad_engine.mjs';
import { eventually } from './harness.mjs';
import { envelope, smallWorld, startHub, typesOfAWorld, work } from './hub_client.mjs';

test('a world is built by an engine, and its user hears of every step', async (t) => {
  const hub = await startHub(t);
  const ann = await hub.user('ann');
  for (const [said, error] of [[undefined, 'invalid_payload'], [{}, 'missing_config'],
                               [{ config: { ...smallWorld(), schema_version: '2' } }, 'schema_validation_failed'],
                               [{ config: { ...smallWorld(), extra: 1 } }, 'schema_validation_failed']]) {
    assert.equal((await ann.ask('generate_world', said, 'job_error')).error, error);
  }
  ann.say('generate_world', { config: smallWorld(1), submittedAt: Date.now() });
  for (const type of ['BUILD_SCENE', 'LOAD_ASSETS', 'SPAWN_ENTITY']) {
    const { status, jobType, userId } = await ann.next('job_status', (job) => job.jobType === type);
    assert.deepEqual([status, jobType, userId], ['queued', type, 'ann']);
  }
  const engine = await hub.engine('e1', { dialect: 'engine_job' });
  work(engine);
  const world = await ann.next('world_update');
  assert.ok(world);
  for (const status of ['dispatched', 'running', 'completed']) {
    for (let i = 0; i < 3; ++i) await ann.next('job_status', (job) => job.status === status);
  }
  for (let i = 0; i < 3; ++i) await ann.next('engine_job_finished');
  await ann.next('engine_telemetry', ({ event }) => event === 'JOB_COMPLETED');
  assert.equal(engine.done.length, 3);
});

test('three engines of which one dies, one stalls past its lease, and one lies', async (t) => {
  const kJobs = 100;
  const types = typesOfAWorld('timeout = "5s"', 'dispatch_timeout = "5m"', 'retries = 9');
  const hub = await startHub(t, { set: { 'jobs.per_engine': '1', 'jobs.types_file': types,
                                         'jobs.most_leases': '20' } });
  const ann = await hub.user('ann');
  const statuses = new Map();
  ann.socket.on('job_status', (job) => {
    const steps = statuses.get(job.jobId) ?? [];
    statuses.set(job.jobId, [...steps, job.status]);
  });
  ann.say('generate_world', { config: smallWorld(kJobs - 2) });
  await eventually('all are queued', () => statuses.size === kJobs);

  const dies = await hub.engine('dies', { dialect: 'engine_job' });
  const { lease, job_id: lost } = await dies.next('engine_job');
  dies.socket.io.engine.close();
  await eventually('its job waits again', () => statuses.get(lost).at(-1) === 'queued');

  const stalls = await hub.engine('stalls', { dialect: 'engine_job' });
  const late = await stalls.next('engine_job');
  assert.equal(late.job_id, lost, 'the first in the queue');
  stalls.say('job_started', envelope({ job_id: late.job_id, lease: late.lease, timestamp: 1 }));

  const liar = await hub.engine('liar', { dialect: 'engine_job' });
  const held = await liar.next('engine_job');
  await tellLies(liar, held, kLiesOfAHolder);
  await tellLies(liar, { job_id: lost, lease }, kLiesOfAStranger);

  await stalls.next('lease_lost', ({ job_id: job, lease: over }) => job === late.job_id && over === late.lease);
  const said = envelope({ job_id: late.job_id, lease: late.lease, result: kWrongResult, timestamp: 1 });
  assert.deepEqual(await stalls.ask('job_completed', said, 'job_completed_rejected'), { reason: 'JOB_LEASE_STALE' });
  stalls.leave(); // and what it was given meanwhile goes to others
  liar.leave();

  work(await hub.engine('good', { dialect: 'engine_job' }));
  await eventually('all are done', () => [...statuses.values()].every((steps) => steps.at(-1) === 'completed'), 60_000);
  for (const [id, steps] of statuses) {
    assert.equal(steps.filter((step) => step === 'completed').length, 1, id);
  }
  await ann.next('world_update');
  assert.equal(JSON.stringify(ann.inbox).includes(kWrongResult), false);
  const job = (await hub.operator('GET', `/meshes/${hub.mesh.slug}/jobs/${late.job_id}`)).json();
  assert.deepEqual([job.state, job.result], ['completed', { ok: true }]);
});
