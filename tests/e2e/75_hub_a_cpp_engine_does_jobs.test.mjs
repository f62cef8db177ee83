// The example engine in C++, in processes of its own: it does jobs, dies, comes back, hears what is
// taken from it, and stands beside one that lies.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { fallSilent, kLiesOfAHolder, kLiesOfAStranger, kWrongResult, pretendProgress, sayTooMuch, tellLies }
  from './bad_engine.mjs';
import { cleanEnvironment, eventually, temporaryFolder } from './harness.mjs';
import { engineToken, kEngineSecret, refusedByTransport, smallWorld, startHub, typesOfAWorld } from './hub_client.mjs';
import { keepAddress } from './library.mjs';
import { nowSeconds } from './token_maker.mjs';

const kRoot = fileURLToPath(new URL('../..', import.meta.url));
const kExample = [process.env.EXAMPLE_ENGINE, `${kRoot}build/dev/examples/engine`,
                  `${kRoot}build/release/examples/engine`].find((path) => path && existsSync(path));

// The program; `lines` is what it printed. Each job takes it `ms`.
class Example {
  constructor(t, hub, name, ms, { token = engineToken(name), secret = kEngineSecret } = {}) {
    const folder = temporaryFolder();
    this.tokenFile = `${folder}/token`;
    this.renew(token);
    writeFileSync(`${folder}/secret`, `${secret}\n`, { mode: 0o600 });
    this.lines = [];
    this.complaints = '';
    this.process = spawn(kExample, [hub.http.replace('http', 'ws'), this.tokenFile, `${folder}/secret`, String(ms)],
                         { env: cleanEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] });
    this.process.stderr.on('data', (data) => { this.complaints += data; });
    createInterface({ input: this.process.stdout }).on('line', (line) => this.lines.push(line));
    this.exited = once(this.process, 'exit').then(([code, signal]) => ({ code, signal }));
    t.after(() => this.end('SIGKILL'));
  }
  renew(token) { writeFileSync(this.tokenFile, `${token}\n`, { mode: 0o600 }); }
  line(start, from = 0) {
    return eventually(`${start}; there was ${this.lines}`, () =>
      this.lines.slice(from).find((each) => each.startsWith(start)));
  }
  async end(signal) {
    this.process.kill(signal);
    const ended = await this.exited;
    assert.equal(this.complaints, '');
    return ended;
  }
}
async function startExample(t, hub, name, ms, options) {
  const example = new Example(t, hub, name, ms, options);
  await example.line('connected');
  return example;
}

// What the example answers, and nobody else here.
const isDone = ({ result, jobType }) => result?.type === jobType && result.bytes > 0;

test('it does jobs; a killed one\'s go to the next; what is cancelled it drops; it leaves in order', async (t) => {
  const hub = await startHub(t, { set: { 'jobs.per_engine': '2' } });
  const ann = await hub.user('ann');
  const killed = await startExample(t, hub, 'first', 60_000);
  ann.say('generate_world', { config: smallWorld(2) });
  await ann.next('job_status', ({ status }) => status === 'running');
  await killed.end('SIGKILL');

  const second = await startExample(t, hub, 'second', 40);
  const { status } = await ann.next('world_update');
  assert.equal(status, 'completed');
  const finished = ann.inbox.filter(({ event }) => event === 'engine_job_finished').map(({ data }) => data);
  assert.equal(finished.length, 4);
  assert.ok(finished.every(isDone), JSON.stringify(finished));
  assert.equal(finished.filter(({ retryCount }) => retryCount === 1).length, 2, 'the two of the first');
  assert.deepEqual(new Set(finished.map(({ jobType }) => jobType)),
                   new Set(['BUILD_SCENE', 'LOAD_ASSETS', 'SPAWN_ENTITY']));
  await eventually('it says so', () => second.lines.filter((line) => line.startsWith('done ')).length === 4);
  await second.line('progress ');
  assert.deepEqual(await second.end('SIGINT'), { code: 0, signal: null });
  assert.equal(second.lines.at(-1), 'bye');

  const third = await startExample(t, hub, 'third', 1_200);
  ann.inbox = [];
  ann.say('generate_world', { config: smallWorld(1) });
  const { jobId } = await ann.next('job_status', (job) => job.status === 'running');
  const cancelled = await hub.operator('POST', `/meshes/${hub.mesh.slug}/jobs/${jobId}/cancel`);
  assert.equal(cancelled.status, 200);
  await third.line(`lost ${jobId} CANCELLED`);
  await third.line(`dropped ${jobId}`);
  const { error } = await ann.next('engine_job_failed', (job) => job.jobId === jobId);
  assert.equal(error, 'CANCELLED');
  assert.deepEqual(await third.end('SIGINT'), { code: 0, signal: null });
  assert.ok(!third.lines.some((line) => line.startsWith('not taken')), third.lines.join('\n'));
  await eventually('all are gone', async () => await hub.metric('signet_hub_engines') === 0);
  assert.equal(await refusedByTransport(hub, ['slow']), 0, 'who says goodbye reads no more');
});

test('a token that ends while it works gives its place to the next, and no lease is lost', async (t) => {
  const types = typesOfAWorld('timeout = "5m"', 'dispatch_timeout = "5m"');
  const hub = await startHub(t, { set: { 'jobs.types_file': types } });
  const ann = await hub.user('ann');
  const ends = nowSeconds() + 10;
  const example = new Example(t, hub, 'forge', 4_500, { token: engineToken('forge', { exp: ends }) });
  await example.line('connected');
  example.renew(engineToken('forge'));
  ann.say('generate_world', { config: smallWorld(1) }); // three jobs, one after the other
  assert.equal((await ann.next('world_update', () => true, 60_000)).status, 'completed');
  assert.ok(nowSeconds() > ends, 'its first token was over before');
  const finished = ann.inbox.filter(({ event }) => event === 'engine_job_finished').map(({ data }) => data);
  assert.deepEqual(finished.map(({ retryCount }) => retryCount), [0, 0, 0]);
  const others = example.lines.filter((line) => !/^(connected|job|progress|done) ?/.test(line));
  assert.deepEqual(others, []);
  assert.equal(example.lines.filter((line) => line === 'connected').length, 1);
  assert.equal((await example.end('SIGTERM')).code, 0);
});

test('one of another secret leaves at its first word, which costs the job no try', async (t) => {
  const hub = await startHub(t, { set: { 'jobs.types_file': typesOfAWorld('retries = 0') } });
  const ann = await hub.user('ann');
  const stranger = await startExample(t, hub, 'stranger', 10, { secret: `${kEngineSecret}x` });
  ann.say('generate_world', { config: smallWorld(1) });
  await stranger.line('refused bad_signature');
  await startExample(t, hub, 'honest', 10);
  assert.equal((await ann.next('world_update')).status, 'completed');
  const finished = ann.inbox.filter(({ event }) => event === 'engine_job_finished').map(({ data }) => data);
  assert.deepEqual(finished.map(({ retryCount }) => retryCount), [0, 0, 0]);
});

test('it comes back when the broker was killed, and finishes', async (t) => {
  const hub = await keepAddress(await startHub(t));
  const jobs = async () => (await hub.operator('GET', `/meshes/${hub.mesh.slug}/jobs`)).json().jobs;
  const ann = await hub.user('ann');
  const example = await startExample(t, hub, 'forge', 200);
  ann.say('generate_world', { config: smallWorld(2) });
  await ann.next('engine_job_finished');
  const before = example.lines.length;
  await hub.restartAfterKill();
  await example.line('lost ', before);
  await example.line('connected', before);
  await eventually('all are done', async () => (await jobs()).every(({ state }) => state === 'completed'));
  assert.equal((await jobs()).length, 4);
  assert.deepEqual(await example.end('SIGTERM'), { code: 0, signal: null });
});

test('beside one that lies in every way, nobody hears a wrong result', async (t) => {
  const hub = await startHub(t, { set: { 'jobs.per_engine': '1', 'hub.engine_silent_after': '1500ms' } });
  const ann = await hub.user('ann');
  const liar = await hub.engine('liar', { dialect: 'engine_job' });
  ann.say('generate_world', { config: smallWorld(3) });
  const held = await liar.next('engine_job');
  const example = await startExample(t, hub, 'honest', 20);
  await tellLies(liar, held, kLiesOfAHolder);
  pretendProgress(liar, held);
  await ann.next('engine_telemetry', ({ event }) => event === 'JOB_PROGRESS');
  fallSilent(liar);
  await liar.disconnected;

  await ann.next('engine_job_finished', (job) => job.jobId === held.job_id);
  const back = await hub.engine('liar-2');
  await tellLies(back, held, kLiesOfAStranger);
  sayTooMuch(back);
  await back.disconnected;
  await eventually('all are done', () => ann.inbox.some(({ event }) => event === 'world_update'));
  const heard = ann.inbox.filter(({ event }) => event === 'engine_job_finished').map(({ data }) => data);
  assert.equal(heard.length, 4, 'and the one that was waited for');
  assert.ok(heard.every(isDone), JSON.stringify(heard));
  assert.equal(JSON.stringify(ann.inbox).includes(kWrongResult), false);
  const telemetry = ann.inbox.filter(({ event }) => event === 'engine_telemetry');
  assert.ok(telemetry.every(({ data }) => Object.keys(data).join() === 'event,timestamp'));
  assert.equal((await example.end('SIGINT')).code, 0);
});
