// Packets that break a rule of Engine.IO, of Socket.IO or of an event: whoever said them hears what
// the formats name, an error event or the end, and nobody else notices.
import assert from 'node:assert/strict';
import test from 'node:test';
import { engineToken, envelope, RawHub, RawPolls, refusedByTransport, startBystanders, startHub, userToken }
  from './hub_client.mjs';

const kMost = 1_000_000; // bytes of a message: the format's
const kUnproven = 16 * 1024;
const kSet = { 'limits.penalty_failures': '0', 'hub.idle_after': '1m' };

// What is heard: the transport's end without a word, or after the server's `1`; or these packets of
// a session that goes on.
const kCut = { heard: [], code: 1000 };
const kClosed = { heard: ['1'], code: 1000 };
const kTooLong = { heard: [], code: 1009 };
const on = (...heard) => ({ heard, code: undefined });
const event = (name, data) => `42${JSON.stringify([name, data])}`;
const action = (error) => on(event('action_error', { error }));
const beat = (n) => event('heartbeat_result', { userId: 'mallory', ok: true, ts: n });
const kAnswered = on('42["heartbeat_result",{"userId":"mallory","ok":true}]');
const noNamespace = (name) => on(`44${name},{"message":"Invalid namespace"}`);
const nested = (depth) => '['.repeat(depth) + ']'.repeat(depth);
const text = (bytes) => ({ bytes }); // sent as a text frame, whatever is in it

const kEngineIo = {
  'nothing': [[''], kCut],
  'a type beyond the last': [['7'], kCut],
  'a letter for a type': [['x'], kCut],
  "the server's open": [['0{"sid":"mine"}'], kCut],
  'a ping, which is the server\'s to send': [['2'], kCut],
  'the ping of a probe': [['2probe'], kCut],
  'a pong that nobody asked for': [['3'], on()],
  'an upgrade of what is upgraded': [['5'], kCut],
  'a noop': [['6'], kCut],
  'a close': [['1'], kCut],
  'a body of two packets in one frame': [['42["nobody"]\x1e42["nobody"]'], on()],
  'base64 as in a body': [['bAQID'], kCut],
  'bytes that no packet announced': [[Buffer.from([1, 2, 3])], kClosed],
  'no bytes that no packet announced': [[Buffer.alloc(0)], kClosed],
  'no UTF-8': [[text(Buffer.from([0x34, 0x32, 0xff]))], { heard: [], code: 1007 }],
  'one byte more than a message may have': [['4'.padEnd(kMost + 1, ' ')], kTooLong],
  'attachments of more than one may have': [[Buffer.alloc(kMost + 1)], kTooLong],
};

const kSocketIo = {
  'no packet': [['4'], kClosed],
  'a type beyond the last': [['47'], kClosed],
  'a letter for a type': [['4x'], kClosed],
  'an event without data': [['42'], kClosed],
  'no list': [['42{}'], kClosed],
  'an empty list': [['42[]'], kClosed],
  'a list that does not end': [['42["action"'], kClosed],
  'null for a name': [['42[null]'], kClosed],
  'an object for a name': [['42[{"toString":"action"}]'], kClosed],
  'a number for a name': [['42[1]'], on()],
  ...Object.fromEntries(['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener',
                         'conn\\u0065ct'].map((name) => [`the reserved name ${name}`, [[`42["${name}"]`], kClosed]])),
  'broken JSON behind a name that there is': [['42["action",}{]'], action('malformed')],
  'broken JSON behind a name that there is not': [['42["nobody",}{]'], on()],
  'a key twice': [['42["action",{"type":"a","type":"b"}]'], action('malformed')],
  'half a surrogate': [['42["action",{"type":"\\ud800"}]'], action('malformed')],
  'half a surrogate in a name': [['42["\\ud800"]'], kClosed],
  'a null character': [['42["action",{"type":"\\u0000"}]'], action('invalid_signature')],
  'a hundred levels': [[`42["action",{"payload":${nested(100)}}]`], action('malformed')],
  'a hundred thousand levels': [[`42["action",${nested(100_000)}]`], action('malformed')],
  'a hundred thousand levels of an unknown event': [[`42["nobody",${nested(100_000)}]`], on()],
  '__proto__': [['42["action",{"__proto__":{"type":"click"},"constructor":{"prototype":1}}]'], action('invalid_signature')],
  'an event named __proto__': [['42["__proto__",{"__proto__":1}]'], on()],
  'an event that there is not': [['42["nobody_listens",{"ts":1}]'], on()],
  'an id over 2^53': [['429007199254740993["heartbeat",{"ts":-1}]'], on('439007199254740993[]', beat(-1))],
  'the largest id': [['4218446744073709551615["nobody"]'], on('4318446744073709551615[]')],
  'an id that does not fit': [['4218446744073709551616["heartbeat"]'], kClosed],
  'an id below zero': [['42-1["heartbeat"]'], kClosed],
  'an acknowledgement that nobody asked for': [['4317["x"]'], on()],
  'an acknowledgement without an id': [['43["x"]'], kClosed],
  'an acknowledgement that is no list': [['431{}'], kClosed],
  'the word of the server alone': [['44{"message":"x"}'], kClosed],
  'a second CONNECT': [['40{"token":"x"}'], on()],
  'a second CONNECT without data': [['40'], on()],
  'a CONNECT that is a list': [['40[]'], kClosed],
  'a CONNECT with an id': [['401{}'], kClosed],
  'DISCONNECT with data': [['41{}'], kClosed],
  'DISCONNECT from where nobody is': [['41/engine,'], on()],
  'an unknown namespace': [['40/elsewhere,{}'], noNamespace('/elsewhere')],
  'a namespace without a comma': [['40/elsewhere'], noNamespace('/elsewhere')],
  'a namespace of two': [['40/engine/more,{}'], noNamespace('/engine/more')],
  'a namespace with a query': [['40/elsewhere?token=x,{}'], noNamespace('/elsewhere')],
  'a namespace of 65 bytes': [[`40/${'n'.repeat(64)},{}`], kClosed],
  'a namespace with a line in it': [['40/a\nb,{}'], kClosed],
  'an event where nobody is': [['42/engine,["engine_ready"]'], kClosed],
  'an event of an unknown namespace': [['42/elsewhere,["action"]'], kClosed],
};

const kPlace = (n) => `{"_placeholder":true,"num":${n}}`;
const kAttachments = {
  'no number of attachments': [['45["action"]'], kClosed],
  'none announced': [['450-["action"]'], kClosed],
  'more than ten announced': [['4511-["action"]'], kClosed],
  'a placeholder beyond those announced': [[`451-["action",${kPlace(1)}]`], kClosed],
  'a placeholder below none': [[`451-["action",${kPlace(-1)}]`], kClosed],
  'two placeholders for one':
    [[`451-["action",{"a":${kPlace(0)},"b":${kPlace(0)}}]`, Buffer.from('x')], action('invalid_signature')],
  'fewer placeholders than announced': [['452-["action",{}]', Buffer.from('x'), Buffer.from('y')], action('invalid_signature')],
  'a placeholder for all of it': [[`451-["action",${kPlace(0)}]`, Buffer.from('x')], action('invalid_signature')],
  'one more than announced': [['451-["nobody"]', Buffer.from('x'), Buffer.from('y')], kClosed],
  'a text between': [['452-["action",{}]', Buffer.from('x'), '42["heartbeat"]'], kClosed],
  'another header between': [['451-["action",{}]', '451-["action",{}]'], kClosed],
  'together more than a message': [['452-["action",{}]', Buffer.alloc(600_000), Buffer.alloc(600_000)], kClosed],
  'an acknowledgement with attachments': [[`461-7[${kPlace(0)}]`, Buffer.from('x')], on()],
  'broken JSON with attachments': [['451-["action",}{]'], kClosed],
};

// Each event of a user, with data of each wrong kind; undefined is none at all.
const kWrong = { 'no data': undefined, 'null': null, 'true': true, 'a number': 7, 'a text': 'text', 'a list': [1] };
const job = (error) => on(event('job_error', { error }));
const kWrongEvents = {
  action: [() => action('malformed'), { '{}': [{}, action('invalid_signature')],
    'a ts that is a text': [{ type: 'click', ts: '1', nonce: 'n', sig: '00' }, action('invalid_signature')],
    'a ts that is huge': [{ type: 'click', ts: 1e300, nonce: 'n', sig: '00' }, action('invalid_signature')],
    'a ts beyond the window and all of a wrong kind': [{ type: 7, ts: 1, nonce: {}, sig: [] }, action('timestamp_expired')] }],
  heartbeat: [() => kAnswered, { 'a ts that is a list': [{ ts: [1] }, kAnswered],
    'a ts without an end': [{ ts: 'x'.repeat(1_000) }, kAnswered] }],
  presence: [() => on(), { '{}': [{}, on()], 'a state that there is not': ['asleep', on()] }],
  agent_heartbeat: [() => on(event('agent_heartbeat_result', { ok: false, reason: 'malformed' })),
    { '{}': [{}, on(event('agent_heartbeat_result', { ok: false, reason: 'signature_failed' }))] }],
  generate_world: [() => job('invalid_payload'),
    { '{}': [{}, job('missing_config')], 'null': [{ config: null }, job('missing_config')] }],
  token_refresh: [() => on(event('token_error', { error: 'malformed' })), {
    '{}': [{}, on(event('token_error', { error: 'malformed' }))],
    'a number': [{ token: 7 }, on(event('token_error', { error: 'malformed' }))] }],
};
const kEvents = {};
for (const [name, [answer, more]] of Object.entries(kWrongEvents)) {
  for (const [what, data] of Object.entries(kWrong)) kEvents[`${name}: ${what}`] = [[event(name, data)], answer()];
  for (const [what, [data, heard]] of Object.entries(more)) kEvents[`${name}: with ${what}`] = [[event(name, data)], heard];
}

// What an engine says: each envelope of a wrong kind, then good ones about nothing.
const kSigned = ['job_ack', 'job_status', 'job_started', 'job_progress', 'job_completed', 'job_failed', 'engine_error'];
const engineEvent = (name, data) => `42/engine,${JSON.stringify([name, data])}`;
const rejected = (name, reason) =>
  on(engineEvent(name === 'job_status' ? 'status_rejected' : `${name}_rejected`, { reason }));
const kEngineEvents = {};
for (const name of kSigned) {
  for (const [what, data] of [...Object.entries(kWrong), ['{}', {}], ['a payload that is a text', envelope('{}')],
                              ['a ts that is a text', envelope({}, { ts: `${Date.now()}` })],
                              ['a nonce of a number', envelope({}, { nonce: 7 })]]) {
    kEngineEvents[`${name}: ${what}`] = [[engineEvent(name, data)], rejected(name, 'ENGINE_PACKET_INCOMPLETE')];
  }
  const payload = name === 'engine_error' ? { error: 7 } : { job_id: 7 };
  kEngineEvents[`${name}: a payload of another kind`] =
    [[engineEvent(name, envelope(payload))], rejected(name, 'ENGINE_PAYLOAD_INVALID')];
  if (!/started|progress|completed|failed/.test(name)) continue;
  const nothing = { job_id: 'job_none', progress: 1, result: 1, error: 'x' };
  kEngineEvents[`${name}: a job that there is not`] = [[engineEvent(name, envelope(nothing))], rejected(name, 'JOB_UNKNOWN')];
}
Object.assign(kEngineEvents, {
  'broken JSON': [['42/engine,["job_ack",}{]'], rejected('job_ack', 'ENGINE_PACKET_INCOMPLETE')],
  'an event of a user': [['42/engine,["action",{}]'], on()],
  'an event that there is not': [['42/engine,["__proto__",{}]'], on()],
  'a second CONNECT': [['40/engine,{}'], on()],
});

// Before CONNECT, and CONNECT itself.
const kToken = userToken('mallory');
const refused = (message) => ({ heard: [`44{"message":"${message}"}`, '1'], code: 1000 });
const kNewcomers = {
  'an event': [['42["action",{}]'], kClosed],
  'an event to engines': [['42/engine,["engine_ready"]'], kClosed],
  'attachments': [['451-["action",{}]'], kClosed],
  'more than 16 KiB': [[`40{"token":"${'x'.repeat(kUnproven)}"}`], kTooLong],
  'no token': [['40'], refused('AUTH_REQUIRED')],
  'a token of a wrong kind': [['40{"token":{"length":7}}'], refused('AUTH_REQUIRED')],
  'a token that is none': [['40{"token":"__proto__"}'], refused('INVALID_TOKEN')],
  'an engine without a token': [['40/engine,'], { heard: ['41/engine,', '1'], code: 1000 }],
  'an unknown namespace': [['40/elsewhere,{}'], { heard: ['44/elsewhere,{"message":"Invalid namespace"}', '1'], code: 1000 }],
  'broken JSON': [['40{"token":}'], refused('AUTH_REQUIRED')],
};

// Bodies of POST, while a poll waits: what the POST is answered, what the poll brings, and whether
// the session goes on.
const kOk = [200, 'ok'], kBad = [400, '{"code":3,"message":"Bad request"}'];
const error = (code) => event('action_error', { error: code });
const kBodies = {
  'no packet': ['x', kBad, '1', false],
  'nothing': ['', kBad, '1', false],
  'a separator alone': ['\x1e', kBad, '1', false],
  'a separator at the end': ['42["nobody"]\x1e', kBad, '1', false],
  'a good packet before a bad one': ['42["action"]\x1ex', kBad, '1', false],
  'another separator': ['42["nobody"]\n42["action"]', kOk, null, true],
  'lengths, as of revision 3': ['12:42["action"]', kOk, '6', false], // which is a close with data
  'no base64': ['b!!!!', kBad, '1', false],
  'base64 without its padding': ['bAQ', kBad, '1', false],
  'base64 of URLs': ['b-_-_', kBad, '1', false],
  'bytes that no packet announced': ['bAQ==', kOk, '1', false],
  'no UTF-8': [Buffer.from([0x34, 0x32, 0xff]), kBad, '1', false],
  'a thousand and one packets': [Array(1_001).fill('42["nobody"]').join('\x1e'), kBad, '1', false],
  "the server's packet": ['6', kBad, '1', false],
  'no packet of Socket.IO': ['4x', kOk, '1', false],
  'a bad one behind a good one': ['42["action"]\x1e4x', kOk, `${error('malformed')}\x1e1`, false],
  'an action of nothing': ['42["action"]', kOk, error('malformed'), true],
  'attachments in base64': ['451-["action",{}]\x1ebAQ==', kOk, error('invalid_signature'), true],
  'more than a body may have': ['4'.padEnd(kMost + 1, ' '), [413], null, true],
};

// Says `packets`, and answers what came of it. What waits for the disk may come behind what does not.
async function hear(victim, packets, { expected, namespace }) {
  for (const packet of packets) victim.socket.send(packet.bytes ?? packet, packet.bytes ? { binary: false } : {});
  while (victim.heard.length < expected.heard.length && !victim.isClosed) await victim.more();
  return { heard: await victim.roundTrip(namespace), code: victim.code };
}

async function sayAll(hub, bystanders, subject, rows, come, namespace) {
  let [victim, ended] = [null, 0];
  for (const [name, [packets, expected]] of Object.entries(rows)) {
    victim ??= await come();
    assert.deepEqual(await hear(victim, packets, { expected, namespace }), expected, `${subject}: ${name}`);
    await bystanders.noticedNothing(`${subject}: ${name}`);
    if (victim.isClosed) [victim, ended] = [null, ended + 1];
  }
  return ended;
}

test('on a WebSocket', async (t) => {
  const hub = await startHub(t, { set: kSet });
  const bystanders = await startBystanders(hub);
  // Attachments that never all come.
  const endless = await RawHub.join(hub, userToken('endless'));
  endless.say('453-["action",{}]');
  endless.say(Buffer.from('x'));

  const broken = () => refusedByTransport(hub, ['malformed', 'too_early', 'too_fast']);
  const before = await broken();
  const join = () => RawHub.join(hub, kToken);
  const joinEngine = () => RawHub.join(hub, engineToken('rogue'), { namespace: '/engine' });
  const dial = async () => { const raw = await RawHub.dial(hub); await raw.next(/^0/); return raw; };
  let ended = 0;
  for (const [subject, rows, come, namespace] of [
    ['Engine.IO', kEngineIo, join], ['Socket.IO', kSocketIo, join], ['attachments', kAttachments, join],
    ['events', kEvents, join], ['engines', kEngineEvents, joinEngine, '/engine'], ['newcomers', kNewcomers, dial]]) {
    ended += await sayAll(hub, bystanders, subject, rows, come, namespace);
  }
  const counted = await broken() - before;
  assert.ok(counted > 40 && counted <= ended, `${counted} of ${ended}`);
  assert.ok(await hub.metric('signet_hub_actions_refused_total{reason="malformed"}') >= 10);
  assert.ok(await hub.metric('signet_jobs_refused_total{reason="invalid_payload"}') >= 6);
  assert.ok(await hub.metric('signet_hub_engines_refused_total{reason="ENGINE_PACKET_INCOMPLETE"}') >= 70);

  assert.equal(await endless.closed, 1000);
  assert.deepEqual(endless.heard, ['1']);
  assert.equal(await refusedByTransport(hub, ['incomplete']), 1);
  await bystanders.noticedNothing('endless attachments');
});

const kUnknown = [400, '{"code":1,"message":"Session ID unknown"}'];
// Polls and posts `body` at once, in this order: if the POST was quicker by its thread, once more.
async function pollAndPost(hub, body, goesOn) {
  for (;;) {
    const victim = await RawPolls.join(hub, kToken);
    const poll = victim.poll();
    const posted = await victim.post(body);
    const isLate = !goesOn && (await poll).status !== 200;
    if (!isLate) return { victim, poll, posted };
  }
}

test('in bodies of long-polling', async (t) => {
  const hub = await startHub(t, { set: kSet });
  const bystanders = await startBystanders(hub);
  for (const [name, [body, answer, heard, goesOn]] of Object.entries(kBodies)) {
    const { victim, poll, posted } = await pollAndPost(hub, body, goesOn);
    assert.deepEqual([posted.status, posted.text].slice(0, answer.length), answer, name);
    if (heard !== null) assert.equal((await poll).text, heard, name);
    await bystanders.noticedNothing(name);
    const after = await victim.post('42["heartbeat",{"ts":5}]');
    assert.deepEqual([after.status, after.text], goesOn ? kOk : kUnknown, name);
    if (goesOn) assert.equal((await (heard === null ? poll : victim.poll())).text, beat(5), name);
    await victim.post('1');
  }
  // Who has joined nothing holds less.
  const newcomer = await RawPolls.open(hub);
  assert.equal((await newcomer.post(`40{"token":"${'x'.repeat(kUnproven)}"}`)).status, 400);
  assert.equal((await newcomer.poll()).status, 400);
  await bystanders.noticedNothing('a large body of a newcomer');
});
