// A member without a key that has a node's name is that node: what ends the one ends the other.
import assert from 'node:assert/strict';
import test from 'node:test';
import { eventually } from './harness.mjs';
import { envelope, smallWorld, startHub, work } from './hub_client.mjs';
import { Node } from './overlay_node.mjs';
import { changeSource, connectNode, startPulseBroker } from './pulse_client.mjs';

const env = { SIGNET_OVERLAY_EPOCH_SECONDS: '1' };

async function allowedNode(broker, name) {
  const node = new Node(broker, name, await broker.join(name));
  assert.equal((await node.register()).status, 200);
  assert.equal((await node.submit(0.92)).status, 200);
  await eventually(`${name} is allowed with keys`, async () => {
    const config = await node.config();
    return config.allowed === true && config.keys;
  });
  return node;
}
// Of an engine that has begun one of its jobs: that job.
async function runningJob(engine) {
  const job = await engine.next('engine_job');
  engine.say('job_started', envelope({ job_id: job.job_id, lease: job.lease, timestamp: Date.now() }));
  return job;
}
const stateOf = async (hub, job) =>
  (await hub.operator('GET', `/meshes/${hub.mesh.slug}/jobs/${job.job_id}`)).json().state;

test('a quarantine takes socket, job and peer, and another engine does the job', async (t) => {
  const hub = await startHub(t, { env });
  const [worker, other] = [await allowedNode(hub, 'worker'), await allowedNode(hub, 'other')];
  const engine = await hub.engine('worker', { dialect: 'engine_job' });
  const bystander = await hub.user('other');
  const socket = await hub.connect(worker.member);
  const ann = await hub.user('ann');
  ann.say('generate_world', { config: smallWorld(1) });
  const job = await runningJob(engine);
  await eventually('it runs', async () => await stateOf(hub, job) === 'running');

  await hub.setStanding(worker.member, 'quarantined');
  assert.equal((await socket.closed).code, 1008);
  await engine.disconnected;
  const { allowed, keys } = await worker.config();
  assert.deepEqual([allowed, keys], [false, undefined]);
  await eventually('its job is queued again', async () => await stateOf(hub, job) === 'queued');
  await assert.rejects(hub.engine('worker'));
  assert.equal((await hub.operator('POST', `/meshes/${hub.mesh.slug}/sources/worker/standing`,
                                   { standing: 'admitted' })).status, 409, 'not without its node');

  const next = await hub.engine('next', { dialect: 'engine_job' });
  work(next);
  await eventually('it is done', async () => await stateOf(hub, job) === 'completed');
  assert.ok(next.done.includes(job.job_id));
  await bystander.act('click', 'still here');
  assert.equal((await other.config()).allowed, true);

  await hub.restartAfterKill();
  await assert.rejects(hub.engine('worker'), 'it is on disk');
  await hub.setStanding(worker.member, 'admitted');
  await hub.engine('worker');
});

test('a bad score takes the engine, and a good one gives it back', async (t) => {
  const hub = await startHub(t, { env });
  const [worker, other] = [await allowedNode(hub, 'worker'), await allowedNode(hub, 'other')];
  const engine = await hub.engine('worker');
  assert.equal((await worker.submit(0.3)).status, 200);
  await engine.disconnected;
  assert.equal((await worker.submit(0.95)).status, 200);
  await eventually('it is allowed again', async () => (await worker.config()).allowed === true);
  await hub.engine('worker');
  assert.equal((await other.config()).allowed, true);
});

test('a revocation is final for both', async (t) => {
  const hub = await startHub(t, { env });
  const worker = await allowedNode(hub, 'worker');
  const engine = await hub.engine('worker');
  await hub.setStanding(worker.member, 'revoked');
  await engine.disconnected;
  await assert.rejects(hub.engine('worker'));
  const lifted = await hub.operator('POST', `/meshes/${hub.mesh.slug}/sources/worker/standing`,
                                    { standing: 'admitted' });
  assert.equal(lifted.status, 403, lifted.text);
});

test('a source goes with its node, and what an operator said of the source alone stays', async (t) => {
  const broker = await startPulseBroker(t, { env });
  const gauge = await allowedNode(broker, 'gauge');
  const say = async (standing) => (await changeSource(broker, 'gauge', 'standing', { standing })).status;
  const peer = await connectNode(broker, 'gauge');
  await broker.setStanding(gauge.member, 'quarantined');
  await peer.closed;
  await assert.rejects(connectNode(broker, 'gauge'));
  await broker.setStanding(gauge.member, 'admitted');
  const again = await connectNode(broker, 'gauge');

  await broker.setStanding(gauge.member, 'quarantined');
  await again.closed;
  assert.equal(await say('quarantined'), 200, 'so already, and the operator\'s from now on');
  await broker.setStanding(gauge.member, 'admitted');
  await assert.rejects(connectNode(broker, 'gauge'));
  assert.equal(await say('admitted'), 200);
  await connectNode(broker, 'gauge');
});

test('the name of a user is no node\'s for the asking', async (t) => {
  const hub = await startHub(t, { env });
  const ann = await hub.user('ann');
  const taker = new Node(hub, 'ann', await hub.join('mallory'));
  const answer = await taker.register();
  assert.deepEqual([answer.status, answer.json().code], [409, 'name_taken']);
  await ann.act('click', 'still here');
});
