// USERS users of Hub for MINUTES, of whom one in ten is hostile: the others notice nothing. Limits are
// those of a deployment. Prints its progress and, last, one line of JSON; exits with 1 where a promise
// is broken:
//
//   each action of the honest is acknowledged once and told once, within P99_MS for 99 of 100; none of
//   them loses its socket; presence is right at the end; no job is lost, failed or done twice; the
//   daemon's figures are those of its clients; its memory grows by GROWTH_MIB at most after a fifth of
//   the time, or after two minutes.
//
// The daemon is that of SIGNETD, else of build/dev; SIGNET_TEST_SHARDS as in the end-to-end tests.
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';
import { signetd, shards, sleep } from '../e2e/harness.mjs';
import { action, engineToken, smallWorld, startHub, userToken, work } from '../e2e/hub_client.mjs';
import { percentile, several } from '../e2e/pulse_crowd.mjs';
import { LightPolls, LightSocket } from './light_hub.mjs';

const kMinutes = Number(process.env.MINUTES ?? 10), kUsers = Number(process.env.USERS ?? 1_000);
const kMostP99 = Number(process.env.P99_MS ?? 250), kMostGrowth = Number(process.env.GROWTH_MIB ?? 64);
const kEveryMs = Number(process.env.ACTION_EVERY_MS ?? 4_000); // between two actions of a user
const kWorldEveryMs = Math.min(5_000, kMinutes * 10_000);
const kMiB = 2 ** 20;
const kRogues = Math.round(kUsers / 10), kHonest = kUsers - kRogues, kEngines = 3;
const kHeartbeatMs = 20_000;
const kIdleMs = kMinutes < 1 ? 1_500 : 5_000; // the format's, but where only the test's time is saved

// What `signetd run` has and dev mode does not; a key for each session, and none that all share.
const kDeployed = {
  'hub.idle_after': `${kIdleMs}ms`, 'hub.shared_actions': 'false', 'hub.actions_per_second': '50',
  'hub.packets_per_second': '200', 'hub.progress_per_second': '20',
  'limits.penalty_failures': '5', 'limits.hellos_per_second_address': '20', 'limits.hellos_per_second_member': '5',
  'limits.requests_per_second_address': '20', 'net.max_connections_per_address': '1000', 'net.unproven_share_percent': '10',
};

const say = (text) => process.stderr.write(`${text}\n`);
const broken = [];
let isEnding = false;
const violate = (what) => {
  if (isEnding) return;
  if (broken.length < 50) broken.push(what);
  if (broken.length < 10) say(`broken: ${what}`);
};

const longLived = () => ({ exp: Math.floor(Date.now() / 1000) + 7_200 + kMinutes * 60 }); // seconds

class Honest {
  constructor(port, i) {
    this.name = `h${i}`;
    const from = `127.1.${i >> 8}.${i & 255}`;
    this.isPolling = i % 20 === 0;
    this.light = this.isPolling ? new LightPolls(port, from) : new LightSocket(port, from);
    this.light.heard = (packet) => this.hear(packet);
    this.light.ended = (why) => { this.isOver = true; violate(`${this.name} lost its socket: ${why}`); this.joined?.(); };
    this.told = new Map();         // number of an action to when it was said, until it is told
    this.acknowledged = new Set(); // numbers, until they are acknowledged
    this.jobs = new Map();         // id to its states
    this.last = 0;
  }
  async join() {
    const joined = new Promise((done) => { this.joined = done; });
    this.light.say(`40${JSON.stringify({ token: userToken(this.name, longLived()) })}`);
    await joined;
  }

  act() {
    const id = ++this.last;
    this.told.set(id, performance.now());
    this.acknowledged.add(id);
    const said = action('click', id, { secret: this.key });
    this.light.say(`42${id}${JSON.stringify(['action', said])}`);
  }
  say(event, data) { this.light.say(`42${JSON.stringify([event, data])}`); }

  hear(packet) {
    if (packet.startsWith('0')) this.sid = JSON.parse(packet.slice(1)).sid;
    if (packet.startsWith('43')) return this.onAcknowledged(Number(packet.slice(2, -2)));
    if (!packet.startsWith('42["')) return;
    const event = packet.slice(4, packet.indexOf('"', 4));
    if (event === 'engine_telemetry' || event === 'engine_status') { heard.others += 1; return; }
    const [, data] = JSON.parse(packet.slice(2));
    if (event === 'auth_context') { this.key = data.actionKey; this.context = data; this.joined(); }
    if (event === 'presence_update') this.presence = data;
    if (event === 'action_update') this.onTold(data);
    if (event === 'action_error' || event === 'job_error') violate(`${this.name} was refused: ${packet}`);
    if (event === 'heartbeat_result') heard.heartbeats += 1;
    if (event === 'job_status') this.jobs.set(data.jobId, [...(this.jobs.get(data.jobId) ?? []), data.status]);
    if (event === 'world_update') heard.worlds += 1;
  }
  onAcknowledged(id) {
    if (!this.acknowledged.delete(id)) violate(`${this.name}: action ${id} was acknowledged twice`);
    heard.acknowledged += 1;
  }
  onTold({ payload, userId }) {
    const began = this.told.get(payload);
    if (began === undefined || userId !== this.name) {
      return violate(`${this.name}: action ${payload} of ${userId} was told twice`);
    }
    this.told.delete(payload);
    heard.told += 1;
    const took = performance.now() - began;
    latencies.push(took);
    recent.push(took);
  }
}
const heard = { acknowledged: 0, told: 0, heartbeats: 0, worlds: 0, others: 0 };
const latencies = [], recent = [];

// Calls `task` for each of them once in `period`, spread over it, until `isOver`.
async function spread(list, period, isOver, task) {
  for (let i = 0, begin = performance.now(); !isOver(); ++i) {
    const due = begin + (i + Math.random()) * period / list.length;
    if (due > performance.now()) await sleep(due - performance.now());
    if (!isOver()) task(list[i % list.length]);
  }
}
async function eventually(what, look, ms = 30_000) {
  for (const end = Date.now() + ms; !await look();) {
    if (Date.now() > end) return violate(`not within ${ms} ms: ${what}`);
    await sleep(100);
  }
}

function startRogues(port, sids) {
  const worker = new Worker(new URL('./hub_rogues.mjs', import.meta.url),
                            { workerData: { port, sids, rogues: kRogues } });
  worker.on('error', (error) => violate(`the rogues stopped: ${error.stack}`));
  return { stop: () => new Promise((done) => { worker.once('message', done); worker.postMessage('stop'); }) };
}

async function watch(broker, isOver, begin, memory) {
  const steps = Math.max(2_000, kMinutes * 60_000 / 30);
  while (!isOver()) {
    await sleep(Math.min(steps, 1_000));
    memory.push([performance.now() - begin, broker.residentBytes() / kMiB]);
    if (memory.length % Math.max(1, Math.round(steps / 1_000)) !== 0) continue;
    const batch = recent.splice(0);
    say(`${String(Math.round((performance.now() - begin) / 1000)).padStart(4)} s  ${heard.told} told, p50 ` +
        `${percentile(batch, 0.5)?.toFixed(1)} ms, p99 ${percentile(batch, 0.99)?.toFixed(1)} ms, ` +
        `${memory.at(-1)[1].toFixed(0)} MiB, ${broken.length} broken`);
  }
}

// The map of an admin who comes then: each honest one as it last was, and nobody else.
async function checkPresence(hub, honest) {
  const [busy, quiet] = [honest.filter((_, i) => i % 2 === 0), honest.filter((_, i) => i % 2 === 1)];
  await sleep(kIdleMs + 500);
  const admin = await hub.user('root', { token: userToken('root', { roles: ['admin'] }) });
  // How many are shown as they are not.
  const wrong = (map) => Math.abs(Object.keys(map).length - honest.length - 1) +
    busy.filter(({ name }) => map[name]?.state !== 'active').length +
    quiet.filter(({ name }) => map[name]?.state !== 'idle').length;
  let [latest, next] = [{}, 0];
  await eventually('presence is right', () => {
    if (performance.now() >= next) {
      for (const user of busy) user.act();
      next = performance.now() + kIdleMs / 2;
    }
    const isNews = ({ event }) => event === 'presence_update';
    const maps = admin.inbox.filter(isNews).map(({ data }) => data);
    admin.inbox = admin.inbox.filter((each) => !isNews(each));
    latest = maps.at(-1) ?? latest;
    return maps.some((map) => wrong(map) === 0);
  });
  if (wrong(latest) > 0) say(`${wrong(latest)} are shown wrongly`);
  for (const { name, presence } of honest) {
    if (Object.keys(presence ?? {}).join() !== name) violate(`${name} was shown ${Object.keys(presence ?? {}).slice(0, 5)}`);
  }
  return Object.keys(latest).length;
}

function checkJobs(honest, engines) {
  const jobs = new Map(honest.flatMap(({ jobs: own }) => [...own]));
  const done = engines.flatMap((engine) => engine.done);
  if (new Set(done).size !== done.length) violate('a job was done twice');
  for (const [id, states] of jobs) {
    if (states.join() !== 'queued,dispatched,running,completed') violate(`job ${id}: ${states}`);
    if (!done.includes(id)) violate(`job ${id} was completed by nobody`);
  }
  if (jobs.size !== done.length) violate(`${done.length} jobs were done and ${jobs.size} told of`);
  return jobs.size;
}

async function main(t) {
  const env = { ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:quarantine_size_mb=4` };
  const hub = await startHub(t, { set: kDeployed, env });
  const port = Number(new URL(hub.http).port);
  say(`${signetd}, ${shards} shards, ${kHonest} honest, ${kRogues} hostile, ${kMinutes} minutes`);
  const honest = await several(kHonest, async (i) => {
    const user = new Honest(port, i);
    await user.join();
    return user;
  });
  const engines = await Promise.all(Array.from({ length: kEngines }, (_, i) =>
    hub.engine(`forge${i}`, { dialect: 'engine_job', token: engineToken(`forge${i}`, longLived()) })));
  for (const engine of engines) work(engine, { pause: 100 });
  say('everybody is there');

  const loop = monitorEventLoopDelay({ resolution: 10 });
  loop.enable();
  const begin = performance.now(), end = begin + kMinutes * 60_000;
  const isOver = () => performance.now() >= end;
  const memory = [];
  const rogues = startRogues(port, honest.map(({ sid }) => sid));
  let [worlds, isSeen] = [0, false];
  void spread(honest, kHeartbeatMs, () => isSeen, (user) => user.say('heartbeat', { ts: Date.now() }));
  const builders = honest.filter((_, i) => i % 9 === 4);
  await Promise.all([
    spread(honest, kEveryMs, isOver, (user) => user.act()),
    spread(honest, kHeartbeatMs, isOver, (user) => user.say('presence', Math.random() < 0.5 ? 'active' : 'idle')),
    spread(builders, kWorldEveryMs * builders.length, () => performance.now() > end - 1_000, (user) => {
      worlds += 1;
      user.say('generate_world', { config: smallWorld(1), submittedAt: Date.now() });
    }),
    watch(hub, isOver, begin, memory),
  ]);
  loop.disable();
  say('the rogues are told to stop');
  const roguery = await rogues.stop();

  await eventually('every action is acknowledged and told',
                   () => honest.every(({ told, acknowledged }) => told.size + acknowledged.size === 0));
  await eventually('every world is done', () => heard.worlds === worlds);
  await eventually('nobody hostile is left', async () => await hub.metric('signet_hub_sessions') === kHonest + kEngines,
                   60_000); // who is silent is pinged first
  const shown = await checkPresence(hub, honest);
  isSeen = true;
  await eventually('every action is told', () => honest.every(({ told }) => told.size === 0));
  const jobs = checkJobs(honest, engines);
  for (const engine of engines) if (engine.isOver) violate(`${engine.name} lost its socket`);

  const metrics = await hub.metrics();
  const agree = (series, least, most = least) => {
    const figure = metrics.get(series) ?? 0;
    if (figure < least || figure > most) violate(`${series} is ${figure}, not ${least} to ${most}`);
  };
  agree('signet_hub_actions_total', heard.told + roguery.taken, heard.told + roguery.taken + roguery.unread);
  agree('signet_hub_users', kHonest + 1);
  agree('signet_hub_engines', kEngines);
  agree('signet_hub_sessions', kHonest + kEngines + 1);
  for (const what of ['submitted', 'dispatched', 'completed']) agree(`signet_jobs_${what}_total`, jobs);
  agree('signet_jobs_failed_total', 0);

  const settled = begin + Math.min(120_000, kMinutes * 12_000) - begin;
  const before = memory.find(([at]) => at >= settled)?.[1] ?? NaN;
  const growth = memory.at(-1)[1] - before;
  const p99 = percentile(latencies, 0.99);
  if (p99 > kMostP99) violate(`p99 is ${p99.toFixed(1)} ms, over ${kMostP99}`);
  if (!(growth <= kMostGrowth)) violate(`memory grew by ${growth.toFixed(1)} MiB, over ${kMostGrowth}`);

  const isRefusal = /refused_total|transport_total|penal|limited|malformed|dropped|evicted/;
  const refusals = [...metrics].filter(([name, value]) => value > 0 && isRefusal.test(name));
  return {
    daemon: signetd, shards: Number(shards), minutes: kMinutes, honest: kHonest, hostile: kRogues,
    actions: heard.told, acknowledged: heard.acknowledged, actions_per_second: Math.round(heard.told / (kMinutes * 60)),
    p50_ms: +percentile(latencies, 0.5).toFixed(2), p99_ms: +p99.toFixed(2), p999_ms: +percentile(latencies, 0.999).toFixed(2),
    worst_ms: +percentile(latencies, 1).toFixed(2), own_loop_p50_ms: +(loop.percentile(50) / 1e6).toFixed(2),
    own_loop_p99_ms: +(loop.percentile(99) / 1e6).toFixed(2),
    heartbeats: heard.heartbeats, presences: shown, worlds, jobs, telemetry: heard.others,
    memory_mib: { settled: +before.toFixed(1), end: +memory.at(-1)[1].toFixed(1),
                  most: +Math.max(...memory.map(([, mib]) => mib)).toFixed(1) },
    hostile_actions_taken: roguery.taken, hostile_actions_unread: roguery.unread,
    tricks: roguery.tricks, outcomes: roguery.outcomes, refusals: Object.fromEntries(refusals), broken,
  };
}

const endings = [];
const finish = async () => { isEnding = true; for (const ending of endings.splice(0).reverse()) await ending(); };
process.once('SIGTERM', () => finish().finally(() => process.exit(1)));
let summary = { broken: ['it did not end'] };
try {
  summary = await main({ after: (task) => endings.push(task) });
} catch (error) {
  summary = { broken: [...broken, error.stack] };
}
await finish();
console.log(JSON.stringify(summary));
process.exit(summary.broken.length === 0 ? 0 : 1);
