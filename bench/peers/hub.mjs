// Hub's users and their signed actions (protocol/hub.md) on Node and socket.io, with the checks that
// Signet makes, written in the usual way: a token at the handshake, then of each action its rate,
// its time, its signature and its nonce. There is no policy, no log, and there are no engines.
//   node hub.mjs                nonces are in memory, and gone at a restart
//   node hub.mjs synced FILE    they are in SQLite, on disk before the action happens
//   node hub.mjs unguarded      whatever is sent happens: no action is checked
// SIGNET_JWT_SECRET, SIGNET_JWT_ISSUER and SIGNET_HMAC_SECRET are as in dev mode of Signet.
import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import { jwtVerify } from 'jose';
import { Server } from 'socket.io';

const [kind = 'guarded', file] = process.argv.slice(2);
const env = process.env;
const tokenSecret = Buffer.from(env.SIGNET_JWT_SECRET);
const host = '127.0.0.1';
const kWindowMs = 15_000;
const kRememberedMs = 300_000;
const kSweepMs = 10_000;
const kActionsPerSecond = 1_000_000; // as Signet is told to allow here: the guard counts and refuses none
const kActionsBurst = 1_000_000;

const users = new Map(); // name → { entry, bucket }

class Bucket {
  constructor() { this.left = kActionsBurst; this.at = Date.now(); }
  take(now) {
    this.left = Math.min(kActionsBurst, this.left + ((now - this.at) / 1000) * kActionsPerSecond);
    this.at = now;
    if (this.left < 1) return false;
    this.left -= 1;
    return true;
  }
}

// Each of them calls `then(isNew)`.
function noncesInMemory() {
  const until = new Map(); // user|nonce → time; the oldest are first
  setInterval(() => {
    const now = Date.now();
    for (const [key, time] of until) {
      if (time > now) break;
      until.delete(key);
    }
  }, kSweepMs);
  return (user, nonce, now, then) => {
    const key = `${user}|${nonce}`;
    if (until.has(key)) return then(false);
    until.set(key, now + kRememberedMs);
    then(true);
  };
}

// All that came in one turn of the loop share a commit, as in Signet.
async function noncesOnDisk() {
  const { default: Database } = await import('libsql');
  const database = new Database(file);
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.exec('CREATE TABLE nonce(user TEXT, nonce TEXT, until INTEGER, PRIMARY KEY(user, nonce))'
                + ' WITHOUT ROWID');
  database.exec('CREATE INDEX nonce_until ON nonce(until)');
  const insert = database.prepare('INSERT OR IGNORE INTO nonce VALUES(?, ?, ?)');
  const sweep = database.prepare('DELETE FROM nonce WHERE until <= ?');
  setInterval(() => sweep.run(Date.now()), kSweepMs);
  const spendAll = database.transaction((all) => {
    for (const each of all) each.isNew = insert.run(each.user, each.nonce, each.until).changes === 1;
  });
  let waiting = [];
  const commit = () => {
    const all = waiting;
    waiting = [];
    spendAll(all);
    for (const each of all) each.then(each.isNew);
  };
  return (user, nonce, now, then) => {
    if (waiting.push({ user, nonce, until: now + kRememberedMs, then }) === 1) setImmediate(commit);
  };
}

function isSigned({ type, payload, ts, nonce, sig }, key) {
  const texts = [type, nonce, sig];
  if (!Number.isSafeInteger(ts) || texts.some((each) => typeof each !== 'string' || !each)) return false;
  const text = `${type}|${JSON.stringify(payload)}|${ts}|${nonce}`;
  const shown = Buffer.from(sig, 'hex');
  const digest = createHmac('sha256', key).update(text).digest();
  return shown.length === digest.length && timingSafeEqual(shown, digest);
}

function categoryOf(type) {
  if (type.startsWith('agent_')) return 'agent';
  if (['click', 'scroll', 'input'].includes(type)) return 'ui';
  if (type.startsWith('nav_')) return 'nav';
  return type.includes('security') ? 'security' : 'system';
}

const http = createServer();
const io = new Server(http, { transports: ['websocket'] });
const spend = kind === 'synced' ? await noncesOnDisk() : noncesInMemory();

io.use(async (socket, next) => {
  const rules = { algorithms: ['HS256'], issuer: env.SIGNET_JWT_ISSUER, requiredClaims: ['exp', 'sub'] };
  try {
    const { payload } = await jwtVerify(socket.handshake.auth.token, tokenSecret, rules);
    socket.data = { user: payload.sub, role: payload.roles?.[0] ?? 'user' };
    next();
  } catch {
    next(new Error('INVALID_TOKEN'));
  }
});

function tell(user) {
  io.to(`user:${user.entry.userId}`).emit('presence_update', { [user.entry.userId]: user.entry });
}

function act(socket, user, { type, payload, ts }) {
  const now = Date.now();
  user.entry.state = 'active';
  user.entry.lastActiveAt = now;
  tell(user);
  const userId = user.entry.userId;
  io.to(`user:${userId}`).emit('action_update', {
    userId, sessionId: socket.id, type, payload, clientTs: ts, serverTs: now, category: categoryOf(type),
  });
}

function onAction(socket, user, action) {
  const refuse = (error) => socket.emit('action_error', { error });
  const now = Date.now();
  if (!user.bucket.take(now)) return refuse('rate_limited');
  if (typeof action !== 'object' || action === null) return refuse('malformed');
  if (Math.abs(now - action.ts) > kWindowMs) return refuse('timestamp_expired');
  if (!isSigned(action, socket.data.key)) return refuse('invalid_signature');
  spend(user.entry.userId, action.nonce, now,
        (isNew) => isNew ? act(socket, user, action) : refuse('replay_detected'));
}

io.on('connection', (socket) => {
  const { user: userId, role } = socket.data;
  const now = Date.now();
  const entry = {
    userId, role, device: 'browser', socketId: socket.id, state: 'active',
    connectedAt: now, lastActiveAt: now,
  };
  if (!users.has(userId)) users.set(userId, { entry, bucket: new Bucket() });
  const user = users.get(userId);
  const info = `signet-hub-action-v1${userId}${socket.id}`;
  socket.data.key = Buffer.from(hkdfSync('sha256', env.SIGNET_HMAC_SECRET, '', info, 32)).toString('hex');
  socket.join(`user:${userId}`);
  const nonce = () => randomBytes(16).toString('hex');
  socket.emit('auth_context', { userId, role, isSimulated: false, actionKey: socket.data.key });
  socket.emit('engine_status', {
    connected: false, lastHeartbeat: null, lastTelemetry: null, reconnectAttempts: 0, healthy: false,
  });
  socket.emit('agent_nonce', {
    HintAgent: nonce(), NavAgent: nonce(), PredictAgent: nonce(), RuleAgent: nonce(),
  });
  tell(user);
  socket.on('action', kind === 'unguarded' ? (action) => act(socket, user, action)
                                           : (action) => onAction(socket, user, action));
  socket.on('disconnect', () => users.delete(userId));
});

process.on('SIGTERM', () => process.exit(0));
http.listen({ host, port: 0, backlog: 4096 },
            () => console.log(JSON.stringify({ listen: `${host}:${http.address().port}` })));
