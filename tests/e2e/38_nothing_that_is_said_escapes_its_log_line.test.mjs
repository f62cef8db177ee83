// Two hundred texts that end lines, colour terminals, turn the reading direction or close a JSON
// string, in every place where a peer can put one: each line of the log stays one JSON object that
// is safe to print.
import assert from 'node:assert/strict';
import net from 'node:net';
import test from 'node:test';
import { closeOf, eventually, hello, newKeys, sleep, startBroker } from './harness.mjs';
import { action, engineToken, envelope, hmac, kActionSecret, kPolling, knock as askHub, RawHub, smallWorld, startHub,
         userToken } from './hub_client.mjs';
import { newOperators, settingsOf, signedBy } from './operators.mjs';
import { Node } from './overlay_node.mjs';
import { handshake, kSecret, knock, startPulseBroker, topicPath } from './pulse_client.mjs';
import { newTokenKey, shows, startTokenBroker, token } from './token_maker.mjs';

const kForged = '{"ts":"2026-01-01T00:00:00.000Z","level":"error","event":"forged.by.a.peer"}';
const range = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const kBreaks = ['\n', '\r', '\r\n', '\n\n', '\0', '\v', '\f', '\x85', '\u2028', '\u2029'];
const kCorpus = [
  ...range(0, 0x1f).map((c) => `c0 ${String.fromCharCode(c)} c0`),
  ...range(0x7f, 0x9f).map((c) => `c1 ${String.fromCharCode(c)} c1`),
  ...range(0x200b, 0x200f).map((c) => `mark ${String.fromCharCode(c)}gnp.exe`),
  ...range(0x202a, 0x202e).map((c) => `bidi ${String.fromCharCode(c)}gnp.exe`),
  ...range(0x2066, 0x2069).map((c) => `isolate ${String.fromCharCode(c)}gnp.exe`),
  ...kBreaks.map((b) => `line${b}${kForged}`), ...kBreaks.map((b) => `"}${b}${kForged}${b}{"a":"`),
  ...['"', '\\', '\\"', '"}', '"}]}', '","level":"error', '\\u0022', '\\u000a', '\\n', '\\', '"\\',
      '\'', '`', '</script>', '<!--', '{{7*7}}', '${jndi:ldap://x/a}', '$(id)', '`id`', '; rm -rf /',
      '| cat', '%s%s%s%n', '%n%n%n', '%x', '%99999999s', '%0d%0a', '%00', '{}', '{0}', '{:>9999}'],
  ...['[31mred', '[2J', '[1;1H', ']0;title\x07', ']8;;http://x\x1b\\link', '[?1049h', 'c', 'P', '[6n',
      '(0', '[8m', '[5m', '#8', '^x\x1b\\', '_x\x1b\\'].map((code) => `\x1b${code}`),
  ...['\x9b31m', '\x9d0;t\x9c', '\b\b\b\b', '\x7f\x7f', '\r    ', 'a\rb', '\t\t'],
  ...['e' + '\u0301'.repeat(500), '\ufeff', '\ufffe', '\uffff', '\u{10ffff}', '\u{e0001}tag',
      '\u{1f600}', '\u00ad', '\u061c', '\u180e', '\u2060', '\u3164', '\uff1b', '\u{1d173}'],
  ...['x', '\n', '"', '\\', '\x1b', '\u202e', 'é', '\u{1f600}'].flatMap((c) =>
    [10, 255, 256, 257, 1_000, 1_500].map((times) => c.repeat(times))),
];

// What no line may hold outside of an escape: controls, and what a terminal hides or turns.
const kUnsafe = /[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/u;

function check(log) {
  for (const line of log) {
    assert.doesNotMatch(line, kUnsafe);
    const told = JSON.parse(line);
    assert.match(told.event, /^[a-z0-9_.]+$/, line);
    assert.ok(!told.event.startsWith('forged'), line);
    assert.match(told.level, /^(debug|info|warn|error)$/);
    assert.ok(Buffer.byteLength(line) <= 4_096, line);
  }
}

// A request with any bytes in its path and headers.
async function http(broker, path, headers) {
  const { hostname, port } = new URL(broker.http);
  const socket = net.connect(Number(port), hostname);
  socket.on('error', () => {});
  socket.resume();
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.end(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${lines}\r\n`);
  await closeOf(socket);
}

// At least one hostile path is there to be seen: refusals are told once a second.
async function tellsHostilePath(broker, ask) {
  const from = broker.log.length;
  await sleep(1_100);
  await ask(encodeURIComponent(`"}\n\x1b[31m${kForged}\u202e`));
  await eventually('it is told', () => broker.log.slice(from).some((line) => line.includes('forged.by.a.peer')));
}

test('each line of the log stays one safe JSON object', async (t) => {
  assert.ok(kCorpus.length >= 200, `${kCorpus.length} texts`);
  const broker = await startBroker(t, { set: { 'server.log_level': 'debug' } });
  const { peer, member } = await broker.joined('member');
  const meant = (text) => JSON.stringify({ type: text, id: text });
  for (const text of kCorpus) {
    const odd = await broker.open({ headers: { 'user-agent': encodeURIComponent(text).slice(0, 900) } });
    // Who has proven nothing may say 16 KiB: escapes make six bytes of one.
    const isLong = Buffer.byteLength(JSON.stringify(text)) > 4_000;
    const hints = isLong ? { cwd: text } : { sessionId: text, cwd: text, displayName: text };
    odd.say(hello(member, {}, { ...hints, signature: isLong ? 'x' : text }));
    await odd.closed;
    const liar = await broker.open();
    liar.say(hello({ ...member, ...newKeys(), meshId: text, memberId: text }));
    await liar.closed;
    const good = await broker.connect(member, hints);
    for (const frame of [{ type: 'send', id: text, targetSpec: text, priority: text, nonce: text, ciphertext: text },
                         { type: 'set_summary', summary: text }, { type: 'channel_join', name: text },
                         { type: 'set_status', status: text }, { type: 'receipt', messageId: text, state: text },
                         { [text]: text, type: 'hello' }]) good.say(frame);
    good.say(meant(text));
    good.say(text === '' ? ' ' : text); // no JSON at all
    await good.roundTrip();
    await good.leave();
    await http(broker, `/api/signet/v1/${encodeURIComponent(text).slice(0, 1_900)}`,
               { 'User-Agent': text, 'X-Odd': text });
    await http(broker, `/${text}`, { 'User-Agent': text, Origin: text, Authorization: text });
    await broker.postJoin({ invite_token: text, peer_pubkey: text, display_name: text, mesh_id: text });
    await broker.request('POST', '/hook/set-status', { body: { pid: 1, cwd: text, status: text } });
  }
  await tellsHostilePath(broker, (hostile) => http(broker, `/api/signet/v1/${hostile}`, {}));
  assert.equal((await peer.mail('*', 'x')).type, 'ack');
  await broker.stop();
  check(broker.log);
  const told = new Set(broker.log.map((line) => JSON.parse(line).event));
  for (const event of ['hello.rejected', 'hello.admitted', 'frame.refused', 'operator.denied']) {
    assert.ok(told.has(event), event);
  }
});

// Whatever the answer was: it came, so what was said has been read.
async function answered(peer) {
  await Promise.race([peer.next(() => true).catch(() => {}), peer.closed]);
  peer.vanish();
  await peer.closed;
}

function assertTold(log, events) {
  const told = new Set(log.map((line) => JSON.parse(line).event));
  for (const event of events) assert.ok(told.has(event), `${event}; there are ${[...told].join(' ')}`);
}

// Each text in every place of PulseMesh: topic and node of the path, source, target, what is sent.
test('so it does where topics are spoken', async (t) => {
  const broker = await startPulseBroker(t, { set: { 'server.log_level': 'debug',
                                                    'server.trusted_proxies': '127.0.0.1' } });
  for (const text of kCorpus) {
    const inPath = encodeURIComponent(text).slice(0, 900).replace(/%[0-9A-F]?$/, '');
    for (const kind of ['mesh', 'node']) {
      await http(broker, `/ws/${kind}/${inPath}`, {
        'X-Forwarded-For': text, 'X-Forwarded-Proto': text, 'User-Agent': text, Origin: text,
        Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==' });
    }
    const peer = await knock(broker, topicPath('mirror.intent'));
    peer.say(handshake('old-1', { secret: kSecret, message: { source: text, target: text } }));
    peer.say({ type: 'publish', topic: text, source: text, message: { [text]: text }, data: text });
    peer.say({ type: text, id: text });
    await answered(peer);
  }
  await broker.stop();
  check(broker.log);
  assertTold(broker.log, ['handshake.refused']);
});

// And in what a token says of itself, good or not: its key's name, type, subject, id, issuer, roles.
test('so it does where tokens are shown', async (t) => {
  const key = newTokenKey('HS256', 'good');
  const broker = await startTokenBroker(t, [key], { set: { 'server.log_level': 'debug' } });
  for (const text of kCorpus) {
    const short = text.slice(0, 200);
    const odd = { sub: short, jti: short, iss: short, aud: short, roles: [short] };
    for (const shown of [token(key, short, odd), token(key, 'mirror', {}, { kid: short, typ: short })]) {
      const peer = await knock(broker, topicPath('mirror.intent'));
      peer.say(shows('mirror', shown));
      await answered(peer);
    }
  }
  await broker.stop();
  check(broker.log);
  assertTold(broker.log, ['handshake.refused']);
});

// And in every place of Socket.IO: query, namespace, names of events, tokens, and what users and
// engines sign, so that it goes as deep as it can.
test('so it does where users and engines are', async (t) => {
  const hub = await startHub(t, { set: { 'server.log_level': 'debug', 'limits.penalty_failures': '0' } });
  const event = (name, data) => JSON.stringify([name, data]);
  const beat = (agentId, ts, body) => ({ agentId, ts, nonce: agentId, body, alg: 'HMAC-SHA256',
    sig: hmac(kActionSecret, `${agentId}|${ts}|${JSON.stringify(body)}`) });
  for (const text of kCorpus) {
    const short = text.slice(0, 200);
    const inQuery = encodeURIComponent(short);
    await askHub(hub, 'GET', `${kPolling}&sid=${inQuery}`, { headers: { 'X-Odd': inQuery } });
    await askHub(hub, 'POST', `EIO=${inQuery}&transport=${inQuery}`, { body: text });
    const claims = { jti: short, iss: short, roles: [short] };
    for (const [namespace, auth] of [['', { token: text }], ['', { token: userToken(short) }],
                                     ['', { token: userToken('ann', claims) }], [`/${text},`, { [text]: text }],
                                     ['/engine,', { token: engineToken(short, { role: short }) }]]) {
      const stranger = await RawHub.dial(hub);
      stranger.say(`40${namespace}${JSON.stringify(auth)}`);
      await stranger.upTo(/^4[01234]/);
      await stranger.end();
    }
    const user = await RawHub.join(hub, userToken('ann'));
    const world = { ...smallWorld(), schema_version: text };
    for (const [name, data] of [
      ['action', action(short, { [text]: text }, { nonce: short, change: { category: text } })],
      ['action', { type: text, payload: text, ts: text, nonce: text, sig: text }], ['presence', { state: text }],
      ['agent_heartbeat', beat(short, Date.now(), { [text]: text })], ['heartbeat', { ts: text }],
      ['generate_world', { config: world }], ['generate_world', { config: { ...smallWorld(), [text]: text } }],
      ['token_refresh', { token: text }], ['token_refresh', { token: userToken(short) }], [text, { [text]: text }]]) {
      user.say(`42${event(name, data)}`);
    }
    await user.roundTrip();
    user.say(`4${text}`); // no packet: mostly its end
    await user.end();
    const engine = await RawHub.join(hub, engineToken('forge'), { namespace: '/engine' });
    for (const [name, data] of [
      ['engine_ready', { dialect: text }], ['job_started', { payload: { job_id: text }, nonce: text, sig: text }],
      ['job_progress', envelope({ job_id: text, progress: 1, message: text }, { nonce: short })],
      ['job_failed', envelope({ job_id: text, error: text })], ['job_ack', envelope({ jobId: text, status: text })],
      [text, text], ['engine_error', envelope({ error: text })]]) engine.say(`42/engine,${event(name, data)}`);
    await engine.next(/"error_ack"/); // behind the nonces of all
    await engine.end();
  }
  await hub.stop();
  check(hub.log);
  assertTold(hub.log, ['hub.connect_refused', 'hub.user_joined', 'hub.action_refused', 'hub.agent_refused',
                       'job.refused', 'hub.ended', 'hub.engine_joined', 'hub.engine_error']);
});

// And in what nodes and operators of the overlay say: names in paths and bodies, notes, statements.
test('so it does where nodes are judged', async (t) => {
  const operators = newOperators(2);
  const broker = await startBroker(t, { set: { 'server.log_level': 'debug', 'overlay.submissions_per_minute': '60000',
                                               'overlay.submissions_burst': '60000', 'overlay.epoch': '1s',
                                               ...settingsOf(operators) } });
  const good = new Node(broker, 'node-good', await broker.join('good'));
  assert.equal((await good.register()).status, 200);
  for (const text of kCorpus) {
    const short = text.slice(0, 200);
    const odd = new Node(broker, encodeURIComponent(short).slice(0, 400).replace(/%[0-9A-F]?$/, ''), good.member);
    await odd.register({ node_id: text, wireguard: text });
    await odd.submit(0.9, { node_id: text });
    await odd.config('', { authorization: `Signet-Node ${odd.name} ${odd.name} ${odd.name} x` });
    await odd.postKey({ node_id: text, wireguard: text, key: text, signature: text });
    await good.submit(0.9, { notes: text, suite_version: short, nonce: short, scores: { overall: 0.9, [text]: text } });
    await good.submit(0.9, { notes: text });
    await good.config(`ready=${odd.name}&${odd.name}=1`);
    await broker.request('POST', '/v1/revoke', { body: signedBy(text, operators) });
    const statement = `signet-operator-v1\n${broker.mesh.id}\nquarantine\n${short}\n1\n1\n${Date.now() + 60_000}\n`;
    await broker.request('POST', '/v1/revoke', { body: signedBy(statement, operators) });
  }
  await tellsHostilePath(broker, (hostile) => broker.request('POST', `/v1/nodes/${hostile}`, { body: {} }));
  await broker.stop();
  check(broker.log);
  assertTold(broker.log, ['overlay.node_refused', 'overlay.submission_refused', 'operators.refused']);
});
