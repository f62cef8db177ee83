// Signed submissions of overlay nodes (protocol/overlay.md) on Node's own HTTP server and crypto,
// with the checks that Signet makes, written in the usual way: form, scores, node, time, sequence,
// signature over the canonical claim, rates of the node and of its address. JSON.parse does not see
// a member that is there twice. There are no members, epochs or keys, and nothing is sealed.
//   node overlay.mjs                what was submitted is in memory, and gone at a restart
//   node overlay.mjs synced FILE    it is in SQLite (npm's libsql), on disk before the answer
import { createPublicKey, verify } from 'node:crypto';
import { createServer } from 'node:http';

const [kind = 'memory', file] = process.argv.slice(2);
const host = '127.0.0.1';
const kMaxBodyBytes = 16_384;
const kMaxAgeMs = 120_000;
const kMaxAheadMs = 30_000;
const kMaxScores = 64;
const kPerSecond = 1_000_000; // as Signet is told to allow here: the guards count and refuse none
const kName = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$/;
const kPrintable = /^[ -~]{1,64}$/;
const kSpkiOfEd25519 = Buffer.from('302a300506032b6570032100', 'hex');
const kStatus = { malformed: 422, rate_limited: 429, not_found: 404 };

const nodes = new Map(); // name → { key, sequence, bucket, report }
const addresses = new Map(); // address → bucket

class Bucket {
  constructor() { this.left = kPerSecond; this.at = Date.now(); }
  take(now) {
    this.left = Math.min(kPerSecond, this.left + ((now - this.at) / 1000) * kPerSecond);
    this.at = now;
    if (this.left < 1) return false;
    this.left -= 1;
    return true;
  }
}

// RFC 8785 without members that are null: what ECMAScript prints is what it asks for.
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const names = Object.keys(value).filter((name) => value[name] !== null).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`).join(',')}}`;
}

function isSigned(domain, { signature, ...claim }, key) {
  if (typeof signature !== 'string' || !/^[0-9a-fA-F]{128}$/.test(signature)) return false;
  const text = Buffer.from(`${domain}\n${canonical(claim)}`);
  return verify(null, text, key, Buffer.from(signature, 'hex'));
}

function areScores(scores) {
  if (typeof scores !== 'object' || scores === null || Array.isArray(scores)) return false;
  const names = Object.keys(scores);
  return names.length <= kMaxScores && 'overall' in scores && names.every(
    (name) => kPrintable.test(name) && Number.isFinite(scores[name]) && scores[name] >= 0 && scores[name] <= 1);
}

function faultOf(body, name, node, now) {
  const { node_id: id, timestamp, suite_version: suite, scores, sequence, nonce } = body;
  const isOne = kName.test(id ?? '') && kPrintable.test(suite ?? '') && kPrintable.test(nonce ?? '') &&
                Number.isSafeInteger(sequence) && typeof timestamp === 'string';
  const at = Date.parse(timestamp);
  if (!isOne || Number.isNaN(at)) return 'malformed';
  if (!areScores(scores)) return 'out_of_range';
  if (id !== name) return 'node_mismatch';
  if (!node) return 'unknown_node';
  if (now - at > kMaxAgeMs) return 'stale';
  if (at - now > kMaxAheadMs) return 'future';
  if (sequence <= node.sequence) return 'replayed';
  if (!isSigned('signet-benchmark-v1', body, node.key)) return 'bad_signature';
  return node.bucket.take(now) ? null : 'rate_limited';
}

function keepInMemory() {
  return (name, node, body, text, then) => {
    Object.assign(node, { sequence: body.sequence, report: text });
    then();
  };
}

// All that came in one turn of the loop share a commit, as in Signet.
async function keepOnDisk() {
  const { default: Database } = await import('libsql');
  const database = new Database(file);
  database.pragma('journal_mode = WAL');
  database.pragma('synchronous = FULL');
  database.exec('CREATE TABLE node(name TEXT PRIMARY KEY, sequence INTEGER, report TEXT) WITHOUT ROWID');
  database.exec('CREATE TABLE report(number INTEGER PRIMARY KEY, name TEXT, at INTEGER, body TEXT)');
  const row = database.prepare('INSERT OR REPLACE INTO node VALUES(?, ?, ?)');
  const report = database.prepare('INSERT INTO report(name, at, body) VALUES(?, ?, ?)');
  const keepAll = database.transaction((all) => {
    for (const { name, body, text } of all) {
      row.run(name, body.sequence, text);
      report.run(name, Date.parse(body.timestamp), text);
    }
  });
  let waiting = [];
  const commit = () => {
    const all = waiting;
    waiting = [];
    keepAll(all);
    for (const each of all) each.then();
  };
  return (name, node, body, text, then) => {
    node.sequence = body.sequence; // the next one must be above it, whether or not it is on disk yet
    if (waiting.push({ name, body, text, then }) === 1) setImmediate(commit);
  };
}

const keep = kind === 'synced' ? await keepOnDisk() : keepInMemory();

function reply(response, status, body) {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
  response.end(text);
}
const refuse = (response, code) => reply(response, kStatus[code] ?? 400, { detail: code, code });

function register(response, name, body) {
  if (!kName.test(name) || !/^[0-9a-f]{64}$/.test(body.key ?? '')) return refuse(response, 'malformed');
  const der = Buffer.concat([kSpkiOfEd25519, Buffer.from(body.key, 'hex')]);
  const key = createPublicKey({ key: der, format: 'der', type: 'spki' });
  if (!isSigned('signet-node-v1', body, key)) return refuse(response, 'unproven');
  nodes.set(name, { key, sequence: 0, bucket: new Bucket(), report: '' });
  reply(response, 200, { status: 'registered', node_id: name });
}

function submit(response, name, body, text) {
  const node = nodes.get(name);
  const fault = faultOf(body, name, node, Date.now());
  if (fault) return refuse(response, fault);
  keep(name, node, body, text, () => reply(response, 200, { status: 'received', node_id: name, epoch_id: 0 }));
}

function answer(request, response, text) {
  const address = request.socket.remoteAddress;
  if (!addresses.has(address)) addresses.set(address, new Bucket());
  if (!addresses.get(address).take(Date.now())) return refuse(response, 'rate_limited');
  const [, version, subject, name] = request.url.split('/');
  if (request.method === 'GET') return reply(response, 200, { epoch_id: 0, nodes: {} });
  let body;
  try { body = JSON.parse(text); } catch { return refuse(response, 'malformed'); }
  if (version !== 'v1' || typeof body !== 'object' || body === null) return refuse(response, 'malformed');
  if (subject === 'nodes') return register(response, name, body);
  if (subject === 'benchmarks') return submit(response, name, body, text);
  refuse(response, 'not_found');
}

const server = createServer((request, response) => {
  const parts = [];
  let bytes = 0;
  request.on('data', (part) => {
    bytes += part.length;
    if (bytes > kMaxBodyBytes) return request.destroy();
    parts.push(part);
  });
  request.on('end', () => answer(request, response, Buffer.concat(parts).toString()));
});

process.on('SIGTERM', () => process.exit(0));
server.keepAliveTimeout = 0; // connections stay, as those of the generator do
server.listen({ host, port: 0, backlog: 4096 },
              () => console.log(JSON.stringify({ listen: `${host}:${server.address().port}` })));
