// Hub as its own clients speak it: socket.io-client (version 4, or 3), tokens by Node's crypto,
// signatures by Node's HMAC. Nothing of ours. Truth: protocol/hub.md.
import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import http from 'node:http';
import { io } from 'socket.io-client';
import WebSocket from 'ws';
import { eventually, sleep, startBroker, temporaryFolder, unique } from './harness.mjs';
import { compact, nowSeconds } from './token_maker.mjs';

export const kJwtSecret = 'a-jwt-secret-of-this-test-alone-32b';
export const kActionSecret = 'an-action-secret-of-this-test-alone';
export const kEngineSecret = 'an-engine-secret-of-this-test-alone';
export const kIssuer = 'hub-test';
const kPatienceMs = 20_000;

export const hmac = (secret, text) => createHmac('sha256', secret).update(text).digest('hex');
export const newNonce = () => randomBytes(16).toString('hex');

export const userToken = (user, change = {}, secret = kJwtSecret) =>
  compact({ alg: 'HS256', typ: 'JWT' },
          { sub: user, roles: ['user'], iat: nowSeconds(), exp: nowSeconds() + 600, iss: kIssuer, ...change },
          (text) => createHmac('sha256', secret).update(text).digest());
export const engineToken = (engineId, change = {}, secret = kJwtSecret) =>
  userToken(undefined, { sub: undefined, roles: undefined, role: 'engine', engineId, ...change }, secret);

// An action as the original client makes one; `change` replaces fields after it was signed.
export function action(type, payload, { secret = kActionSecret, ts = Date.now(), nonce = newNonce(), change = {} } = {}) {
  const sig = hmac(secret, `${type}|${JSON.stringify(payload)}|${ts}|${nonce}`);
  return { type, payload, ts, nonce, sig, ...change };
}
// What an engine signs.
export function envelope(payload, { secret = kEngineSecret, ts = Date.now(), nonce = newNonce(), change = {} } = {}) {
  return { payload, nonce, ts, sig: hmac(secret, JSON.stringify(payload) + nonce + ts), ...change };
}

// One socket of Socket.IO: what came and was not asked for yet waits in `inbox`, in order.
export class HubSocket {
  constructor(socket) {
    this.socket = socket;
    this.inbox = [];
    this.waiting = [];
    this.isOver = false;
    socket.onAny((event, ...args) => { this.inbox.push({ event, data: args[0], args }); this.wake(); });
    this.disconnected = new Promise((over) => socket.on('disconnect', (reason) => {
      this.isOver = true;
      this.wake();
      over(reason);
    }));
  }

  wake() { for (const woken of this.waiting.splice(0)) woken(); }

  say(event, ...args) { this.socket.emit(event, ...args); }

  // Takes the first event of that name, or for which `is` holds, and answers its data.
  async next(event, is = () => true, ms = kPatienceMs) {
    for (const end = Date.now() + ms; ;) {
      const at = this.inbox.findIndex((each) => each.event === event && is(each.data));
      if (at >= 0) return this.inbox.splice(at, 1)[0].data;
      const left = end - Date.now();
      if (left <= 0 || this.isOver) {
        assert.fail(`no ${event} within ${ms} ms (over: ${this.isOver}); there was ` +
                    JSON.stringify(this.inbox).slice(0, 600));
      }
      await new Promise((woken) => {
        const timer = setTimeout(woken, left);
        this.waiting.push(() => { clearTimeout(timer); woken(); });
      });
    }
  }
  async ask(event, data, answer, is) { this.say(event, data); return this.next(answer, is); }

  // A good action, and the update that everybody of the user hears.
  async act(type, payload, options) {
    const said = action(type, payload, options);
    this.say('action', said);
    return this.next('action_update', (data) => data.clientTs === said.ts && data.type === type);
  }
  leave() { this.socket.disconnect(); }
}

export async function startHub(t, options = {}) {
  const { env = {}, set = {}, ...rest } = options;
  return serveHub(t, await startBroker(t, {
    ...rest,
    set,
    env: { SIGNET_JWT_SECRET: kJwtSecret, SIGNET_JWT_ISSUER: kIssuer, SIGNET_HMAC_SECRET: kActionSecret,
           SIGNET_ENGINE_SECRET: kEngineSecret, ...env },
  }));
}

// Clients for a broker that has Hub, however it was set up.
export function serveHub(t, broker) {
  const sockets = [];
  t.after(() => { for (const socket of sockets) socket.disconnect(); });
  broker.dialHub = (namespace, auth, { transports = ['websocket'], client = io, ...more } = {}) => {
    const socket = client(broker.http + namespace, { auth, transports, forceNew: true, reconnection: false, ...more });
    sockets.push(socket);
    return socket;
  };
  // A joined socket, or the error with which it was refused.
  broker.enter = async (namespace, auth, options) => {
    const socket = broker.dialHub(namespace, auth, options);
    const hub = new HubSocket(socket);
    const outcome = await new Promise((done) => {
      socket.on('connect', () => done(null));
      socket.on('connect_error', (error) => done(error));
      socket.on('disconnect', (reason) => done(new Error(reason)));
    });
    if (outcome) {
      socket.disconnect(); // who is refused holds no connection
      throw outcome;
    }
    return hub;
  };
  broker.user = async (name = unique(), { token = userToken(name), ...options } = {}) => {
    const hub = await broker.enter('/', { token }, options);
    hub.context = await hub.next('auth_context');
    hub.name = name;
    return hub;
  };
  broker.engine = async (name = unique(), { token = engineToken(name), dialect, ...options } = {}) => {
    const hub = await broker.enter('/engine', { token }, options);
    hub.name = name;
    await hub.ask('engine_ready', dialect ? { dialect } : {}, 'ready_ack');
    hub.beat = setInterval(() => hub.say('engine_heartbeat', {}), 500).unref();
    return hub;
  };
  return broker;
}

// A world as small as the schema allows: `entities` SPAWN_ENTITY jobs beside the two of the scene.
export function smallWorld(entities = 1) {
  return {
    schema_version: '1.0',
    world: { id: `world_${unique()}`, name: 'Small', gravity: [0, -9.8, 0] },
    scene: { id: 'scene_a', ambientLight: [0.1, 0.2, 0.3], skybox: 'dusk' },
    entities: Array.from({ length: entities }, (_, i) => ({
      id: `e${i}`, type: 'npc',
      transform: { position: [0, 0, 0], rotation: [0, 0, 0], scale: [1, 1, 1] },
      material: { shader: 'pbr', texture: 'stone', color: [1, 1, 1] },
      components: { mesh: 'cube', collider: 'box' },
    })),
    quests: [],
  };
}

// A file for `jobs.types_file`: the three types of a world, each with these lines.
export function typesOfAWorld(...lines) {
  const file = `${temporaryFolder()}/types.toml`;
  const type = (name) => ['[[type]]', `name = "${name}"`, ...lines, ''].join('\n');
  writeFileSync(file, ['BUILD_SCENE', 'LOAD_ASSETS', 'SPAWN_ENTITY'].map(type).join('\n'));
  return file;
}

// Does each job that it is given, as the original engine does.
export function work(engine, { secret = kEngineSecret, result = () => ({ ok: true }), pause = 0 } = {}) {
  engine.done = [];
  engine.socket.on('engine_job', async (job) => {
    const sign = (payload) => envelope(payload, { secret });
    engine.say('job_started', sign({ job_id: job.job_id, lease: job.lease, timestamp: Date.now() }));
    if (pause) await sleep(pause);
    engine.say('job_completed',
               sign({ job_id: job.job_id, lease: job.lease, result: result(job), timestamp: Date.now() }));
    engine.done.push(job.job_id);
  });
}

// --- by hand: Engine.IO in bytes of the test's own, right or wrong ---

// One request of the transport, on a connection of its own; `from` is the address it comes from.
export function knock(broker, method, query, { body, from, signal, headers = {} } = {}) {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    const asked = http.request(`${broker.http}/socket.io/?${query}`,
                               { method, agent: false, localAddress: from, signal, headers: { ...length, ...headers } },
                               async (answer) => {
                                 let text = '';
                                 try {
                                   for await (const part of answer) text += part;
                                 } catch (error) { return reject(error); }
                                 resolve({ status: answer.statusCode, text });
                               });
    asked.on('error', reject);
    asked.end(body);
  });
}
export const kPolling = 'EIO=4&transport=polling', kSocket = 'EIO=4&transport=websocket';

// A WebSocket of the transport: packets as they came in `heard`, binary ones as Buffers.
export class RawHub {
  // `refused` is the answer to an upgrade that was none; else the socket is open.
  static async dial(broker, query = kSocket, { from, ...options } = {}) {
    const raw = new RawHub();
    raw.heard = [];
    raw.waiting = [];
    raw.socket = new WebSocket(`${broker.http.replace('http', 'ws')}/socket.io/?${query}`,
                               { localAddress: from, perMessageDeflate: false, ...options });
    raw.socket.on('message', (data, binary) => { raw.heard.push(binary ? data : data.toString()); raw.wake(); });
    raw.socket.on('error', () => {});
    raw.closed = once(raw.socket, 'close').then(([code]) => { raw.code = code; raw.wake(); return code; });
    const refusal = once(raw.socket, 'unexpected-response').then(async ([, answer]) => {
      raw.refused = { status: answer.statusCode, text: '' };
      for await (const part of answer) raw.refused.text += part;
      raw.socket.terminate();
    });
    await Promise.race([once(raw.socket, 'open'), refusal, raw.closed]);
    return raw;
  }
  // A session of its own that has joined `namespace`.
  static async join(broker, token, { namespace = '/', ...options } = {}) {
    const raw = await RawHub.dial(broker, kSocket, options);
    raw.open = JSON.parse((await raw.next(/^0/)).slice(1));
    const nsp = namespace === '/' ? '' : `${namespace},`;
    raw.say(`40${nsp}${JSON.stringify({ token })}`);
    await raw.next(/^40/);
    if (namespace === '/') await raw.next(/"presence_update"/);
    await raw.roundTrip(namespace);
    return raw;
  }

  wake() { for (const woken of this.waiting.splice(0)) woken(); }
  say(data) { this.socket.send(data); }
  get isClosed() { return this.code !== undefined; }

  // Resolves when something came, or the end.
  more(ms = kPatienceMs) {
    return new Promise((woken, failed) => {
      const what = () => new Error(`nothing came; there was ${JSON.stringify(this.heard).slice(0, 600)}`);
      const timer = setTimeout(() => failed(what()), ms);
      this.waiting.push(() => { clearTimeout(timer); woken(); });
    });
  }
  // Takes what came before the first packet that the expression matches; all, where the end came first.
  async upTo(expression, ms) {
    for (;;) {
      const at = this.heard.findIndex((each) => expression.test(each));
      if (at >= 0 || this.isClosed) return this.heard.splice(0, at < 0 ? this.heard.length : at);
      await this.more(ms);
    }
  }
  // That packet, without what came before it.
  async next(expression, ms) {
    const before = await this.upTo(expression, ms);
    assert.ok(this.heard.length > 0, `no ${expression} (closed: ${this.code}); there was ${JSON.stringify(before)}`);
    return this.heard.shift();
  }
  // What comes before the answer to a heartbeat, or before the end.
  async roundTrip(namespace = '/', number = ++lastHeartbeat) {
    const [said, answer] = namespace === '/'
      ? [`42["heartbeat",{"ts":${number}}]`, new RegExp(`^42\\["heartbeat_result".*"ts":${number}}`)]
      : [`42${namespace},["engine_heartbeat"]`, /"heartbeat_ack"/];
    this.say(said);
    const before = await this.upTo(answer);
    this.heard.shift();
    return before;
  }
  end() { this.socket.terminate(); return this.closed; }
}
let lastHeartbeat = 0;

// How many requests of the transport were refused and sessions ended: for these reasons, or for any.
export async function refusedByTransport(hub, reasons) {
  const family = 'signet_hub_transport_total';
  const series = reasons?.map((reason) => `${family}{reason="${reason}"}`);
  let sum = 0;
  for (const [name, count] of await hub.metrics()) {
    if (series ? series.includes(name) : name.startsWith(family)) sum += count;
  }
  return sum;
}

// A user and an engine with the libraries of their own, who are to notice nothing of what others do.
export async function startBystanders(hub) {
  const [user, engine] = await Promise.all([hub.user('bystander'), hub.engine('forge')]);
  await eventually('the engine is known',
                   () => user.inbox.some(({ event, data }) => event === 'engine_status' && data.healthy));
  await user.act('click', 'first');
  user.inbox = [];
  return {
    // Nothing came, both are there, and what they do next is answered.
    async noticedNothing(name) {
      assert.deepEqual(user.inbox, [], name);
      const said = action('click', name);
      await user.socket.timeout(kPatienceMs).emitWithAck('action', said);
      assert.equal((await user.next('action_update')).payload, name);
      assert.deepEqual(user.inbox.splice(0).map(({ event }) => event), ['presence_update'], name);
      const { jobId } = await engine.ask('job_ack', envelope({ jobId: name, status: 'ok' }), 'ack_received');
      assert.equal(jobId, name);
      const others = engine.inbox.splice(0).map(({ event }) => event).filter((event) => event !== 'heartbeat_ack');
      assert.deepEqual(others, [], name);
    },
  };
}

// A session of Engine.IO by requests.
export class RawPolls {
  static async open(broker, { from } = {}) {
    const raw = new RawPolls();
    Object.assign(raw, { broker, from });
    const answer = await knock(broker, 'GET', kPolling, { from });
    assert.equal(answer.status, 200, answer.text);
    raw.sid = JSON.parse(answer.text.slice(1)).sid;
    return raw;
  }
  static async join(broker, token, options = {}) {
    const raw = await RawPolls.open(broker, options);
    await raw.post(`40${JSON.stringify({ token })}`);
    await raw.until(/"agent_nonce".*"presence_update"/s);
    return raw;
  }

  get query() { return `${kPolling}&sid=${this.sid}`; }
  poll(options) { return knock(this.broker, 'GET', this.query, { from: this.from, ...options }); }
  // Polls until all that came matches, and answers that.
  async until(expression) {
    for (let heard = ''; ;) {
      const { status, text } = await this.poll();
      assert.equal(status, 200, text);
      heard += `${text}\x1e`;
      if (expression.test(heard)) return heard;
    }
  }
  post(body, options) { return knock(this.broker, 'POST', this.query, { body, from: this.from, ...options }); }
  probe(options) { return RawHub.dial(this.broker, `${kSocket}&sid=${this.sid}`, { from: this.from, ...options }); }
}
