// The hostile tenth of hub_users.mjs, on a thread of its own so that its work delays nobody's clock.
// Each rogue does one kind of mischief, from an address of its own, again and again until told to stop.
import { randomBytes } from 'node:crypto';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { action, engineToken, envelope, newNonce, smallWorld, userToken } from '../e2e/hub_client.mjs';
import { ask, kPolling, kSocket, LightPolls, LightSocket } from './light_hub.mjs';

const { port, rogues, sids } = workerData;
let isStopped = false;
let abandoned = []; // sessions by requests that nobody closed: they are silent, and end by that
const report = { tricks: {}, taken: 0, unread: 0, outcomes: {} };
const count = (table, name) => { table[name] = (table[name] ?? 0) + 1; };
const any = (list) => list[Math.floor(Math.random() * list.length)];

// A socket that joined, or null; `key` signs its actions.
async function join(me, { namespace = '/', light = new LightSocket(port, me.from) } = {}) {
  const nsp = namespace === '/' ? '' : `${namespace},`;
  const joined = new Promise((done) => {
    light.ended = (why) => { count(report.outcomes, why); done(false); };
    light.heard = (text) => {
      if (text.startsWith('44') || text.startsWith(`41${nsp}`)) done(false);
      if (namespace !== '/' && text.startsWith('40')) done(true);
      if (!text.startsWith('42["auth_context"')) return;
      light.key = JSON.parse(text.slice(2))[1].actionKey;
      done(true);
    };
  });
  light.say(`40${nsp}${JSON.stringify({ token: namespace === '/' ? userToken(me.name) : engineToken(me.name) })}`);
  const isIn = await Promise.race([joined, sleep(10_000, false)]);
  light.heard = () => {};
  if (!isIn) light.end();
  return isIn ? light : null;
}
const say = (light, event, data) => light.say(`42${JSON.stringify([event, data])}`);
const signed = (light, payload, how) => action('click', payload, { secret: light.key, ...how });
// Calls `step` so often a second while the socket lives.
async function every(perSecond, light, step) {
  while (!isStopped && !light.isOver) { step(); await sleep(1000 / perSecond); }
}

const nested = (depth) => '['.repeat(depth) + ']'.repeat(depth);
const kGarbage = [
  () => '', () => 'x', () => '7', () => '0{}', () => '4', () => '42', () => '42[]', () => '42["action"',
  () => '42["connect"]',
  () => '44{"message":"x"}', () => '42-1["a"]', () => '4218446744073709551616["a"]', () => '450-["a"]', () => '4511-["a"]',
  () => '451-["a",{"_placeholder":true,"num":9}]', () => '42/engine,["engine_ready"]', () => '40/nowhere,',
  () => randomBytes(300), () => randomBytes(300).toString('latin1'), () => `42["action",${nested(20_000)}]`,
  () => '42["action",{"type":"\\ud800"}]', () => `42["action",{"payload":"${'x'.repeat(200_000)}"}]`,
  () => '4'.padEnd(1_100_000, 'x'), () => '42["action",{"a":1,"a":2}]',
  () => '42["heartbeat",{"ts":[[[]]]}]', () => '42["presence",7]', () => '42["generate_world",{"config":[]}]',
  () => '42["token_refresh",{"token":"a.b.c"}]', () => '42["agent_heartbeat",{}]', () => '42["__proto__",{"__proto__":1}]',
];

// What a rogue does until its socket ends or it is told to stop.
const kKinds = {
  // As many good actions as it can: a part is taken, the rest is told to wait.
  async flood(me) {
    const light = await join(me);
    if (!light) return;
    let waiting = 0;
    light.heard = (text) => {
      if (text.startsWith('42["action_update"')) { report.taken += 1; waiting -= 1; }
      if (text.startsWith('42["action_error"')) waiting -= 1;
    };
    await every(100, light, () => { say(light, 'action', signed(light, { me: me.name })); waiting += 1; });
    for (const end = Date.now() + 5_000; waiting > 0 && !light.isOver && Date.now() < end;) await sleep(20);
    report.unread += Math.max(waiting, 0);
    light.end();
  },
  async forge(me) {
    const light = await join(me);
    if (!light) return;
    await every(50, light, () => say(light, 'action', signed(light, 1, { change: { sig: newNonce() + newNonce() } })));
    light.end();
  },
  async replay(me) {
    const first = await join(me);
    if (!first) return;
    const said = signed(first, { once: me.name });
    const heard = new Promise((done) => {
      first.heard = (text) => { if (text.startsWith('42["action_update"')) { report.taken += 1; done(); } };
    });
    say(first, 'action', said);
    await Promise.race([heard, sleep(5_000)]);
    await every(40, first, () => say(first, 'action', said));
    first.end();
  },
  async garbage(me) {
    const light = await join(me);
    if (!light) return;
    for (let i = 0; i < 30 && !isStopped && !light.isOver; ++i) {
      light.say(any(kGarbage)());
      await sleep(20);
    }
    light.write(randomBytes(500)); // and no frame at all
    await sleep(50);
    light.end();
  },
  async slowReader(me) {
    const light = await join(me);
    if (!light) return;
    light.socket.pause();
    const payload = 'x'.repeat(20_000);
    await every(20, light, () => { say(light, 'action', signed(light, payload)); report.unread += 1; });
    light.end();
  },
  async storm(me) {
    const polls = Math.random() < 0.3;
    const light = await join(me, polls ? { light: new LightPolls(port, me.from) } : {});
    await sleep(light ? 10 : 50);
    light?.end();
    if (polls && light) abandoned.push({ ...me, sid: light.sid });
  },
  async thief(me) {
    const sid = any(sids);
    const query = `&sid=${sid}`;
    count(report.outcomes, `theft ${(await ask(port, me.from, 'GET', kPolling + query)).status}`);
    count(report.outcomes, `theft ${(await ask(port, me.from, 'POST', kPolling + query, { body: '1' })).status}`);
    const light = new LightSocket(port, me.from, kSocket + query);
    const ended = new Promise((done) => { light.ended = done; });
    light.say('5');
    count(report.outcomes, `theft ${await Promise.race([ended, sleep(5_000, 'lives')])}`);
    light.end();
    await sleep(100);
  },
  async endless(me) {
    const light = await join(me);
    if (!light) return;
    light.say('4510-["action",{}]');
    await every(2, light, () => light.say(Buffer.alloc(90_000)));
    light.end();
  },
  async halves(me) {
    const half = net.connect({ port, host: '127.0.0.1', localAddress: me.from });
    half.on('error', () => {});
    half.write('POST /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n');
    const silent = new LightSocket(port, me.from); // opens, and joins nothing
    await sleep(1_000);
    half.destroy();
    silent.end();
  },
  async guess(me) {
    const guessed = userToken('h1', {}, 'guessed, as anybody may guess one');
    const tokens = [undefined, 'x', 'a.b.c', guessed, userToken('h1', { exp: 1 })];
    const light = new LightSocket(port, me.from);
    await new Promise((done) => {
      light.ended = done;
      light.say(`40${JSON.stringify({ token: any(tokens) })}`);
      setTimeout(done, 2_000);
    });
    light.end();
    await sleep(200);
  },
  async prober(me) {
    const light = new LightPolls(port, me.from);
    if (!await join(me, { light })) return;
    const probe = new LightSocket(port, me.from, `${kSocket}&sid=${light.sid}`);
    const second = new LightSocket(port, me.from, `${kSocket}&sid=${light.sid}`);
    probe.say('2probe');
    second.say('5');
    await sleep(300);
    const query = `${kPolling}&sid=${light.sid}`;
    await Promise.all([ask(port, me.from, 'GET', query), ask(port, me.from, 'GET', query)]);
    for (const each of [light, probe, second]) each.end();
    abandoned.push({ ...me, sid: light.sid });
  },
  async falseEngine(me) {
    const light = await join(me, { namespace: '/engine' });
    if (!light) return;
    const events = ['job_ack', 'job_started', 'job_completed', 'job_failed'];
    await every(30, light, () => {
      const payload = { job_id: `job_${newNonce()}`, jobId: 'x', result: 1, timestamp: 1 };
      light.say(`42/engine,${JSON.stringify([any(events), envelope(payload, { secret: 'guessed by an engine' })])}`);
    });
    light.end();
  },
  async worlds(me) {
    const light = await join(me);
    if (!light) return;
    const world = { ...smallWorld(90), extra: 1 };
    await every(10, light, () => say(light, 'generate_world', { config: world }));
    light.end();
  },
};
const kNames = Object.keys(kKinds);

parentPort.once('message', () => { isStopped = true; });
const all = Array.from({ length: rogues }, async (_, i) => {
  const kind = kNames[i % kNames.length];
  const me = { name: `rogue${i}`, from: `127.2.${i >> 8}.${i & 255}` };
  while (!isStopped) {
    await kKinds[kind](me);
    count(report.tricks, kind);
    await sleep(20);
  }
});
await Promise.all(all);
// Saves the wait for their pings.
abandoned = abandoned.slice(-500);
await Promise.all(abandoned.map(({ from, sid }) => ask(port, from, 'POST', `${kPolling}&sid=${sid}`, { body: '1' })));
parentPort.postMessage(report);
