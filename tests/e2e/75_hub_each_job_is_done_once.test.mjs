// A hundred jobs over three engines: one dies, one stalls past its lease and answers late, one lies.
import assert from 'node:assert/strict';
import test from 'node:test';
import { kLiesOfAStranger, tellLies } from './bad_engine.mjs';
import { eventually } from './harness.mjs';
import { envelope, smallWorld, startHub, work } from './hub_client.mjs';

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

test('three engines of which two are bad', async (t) => {
  const kJobs = 100;
  const hub = await startHub(t, { set: { 'jobs.per_engine': '4', 'jobs.unfinished_per_user': '200',
                                     'hub.engine_silent_after': '2s' } });
  const ann = await hub.user('ann');
  const statuses = new Map();
  ann.socket.on('job_status', (job) => {
    const steps = statuses.get(job.jobId) ?? [];
    statuses.set(job.jobId, [...steps, job.status]);
  });
  ann.say('generate_world', { config: smallWorld(kJobs - 2) });
  await eventually('all are queued', () => statuses.size === kJobs);

  const dies = await hub.engine('dies');
  await eventually('it has some', () => dies.inbox.some(({ event }) => event === 'engine_job'));
  const { lease, job_id: lost } = dies.inbox.find(({ event }) => event === 'engine_job').data;
  dies.socket.io.engine.close();

  const stalls = await hub.engine('stalls');
  const late = await stalls.next('engine_job');
  stalls.say('job_started', envelope({ job_id: late.job_id, lease: late.lease, timestamp: 1 }));
  clearInterval(stalls.beat); // silent for too long: its jobs go to others

  const good = await hub.engine('good');
  work(good);
  await tellLies(good, { job_id: lost, lease }, kLiesOfAStranger);
  await eventually('all are done', () => [...statuses.values()].every((steps) => steps.at(-1) === 'completed'), 60_000);
  for (const [id, steps] of statuses) {
    assert.equal(steps.filter((step) => step === 'completed').length, 1, id);
  }
  const again = await hub.engine('stalls');
  const said = envelope({ job_id: late.job_id, lease: late.lease, result: 'late', timestamp: 1 });
  assert.match((await again.ask('job_completed', said, 'job_completed_rejected')).reason, /JOB_/);
  const job = (await hub.operator('GET', `/meshes/${hub.mesh.slug}/jobs/${late.job_id}`)).json();
  assert.deepEqual([job.state, job.result], ['completed', { ok: true }]);
});
