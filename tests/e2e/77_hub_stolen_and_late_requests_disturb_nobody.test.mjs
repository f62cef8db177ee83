// Sids of others, of nobody and of the past, requests that may not come, and probes that come late,
// twice or beside another: refused as the format's own server does it; whose session it is, and
// everybody else, goes on.
import assert from 'node:assert/strict';
import test from 'node:test';
import { eventually, sleep } from './harness.mjs';
import { knock, kPolling, kSocket, RawHub, RawPolls, refusedByTransport, startBystanders, startHub, userToken }
  from './hub_client.mjs';

const kThief = '127.0.0.2';
const kSet = { 'limits.penalty_failures': '0', 'hub.idle_after': '1m', 'hub.upgrade_timeout': '500ms' };
const kToken = userToken('mallory');
const kUnknown = [400, { code: 1, message: 'Session ID unknown' }], kBad = [400, { code: 3, message: 'Bad request' }];
const kOk = [200, 'ok'], kCut = [[], 1000];

const told = ({ status, text }) => [status, text.startsWith('{') ? JSON.parse(text) : text];
const socketOf = (sid) => `${kSocket}&sid=${sid}`;
// What a WebSocket hears that says these packets: all of it and the end, or the refusal.
async function dialled(hub, query, packets = [], options = {}) {
  const raw = await RawHub.dial(hub, query, options);
  if (raw.refused) return told(raw.refused);
  for (const packet of packets) raw.say(packet);
  return [(await raw.closed, raw.heard), raw.code];
}
// Likewise a probe. The end of the one before may be known to its client before it is to the session.
async function probed(hub, sid, packets) {
  for (;;) {
    const heard = await dialled(hub, socketOf(sid), packets);
    if (heard[0] !== 400) return heard;
  }
}
const beat = (n) => [`42["heartbeat",{"ts":${n}}]`,
                     `42["heartbeat_result",{"userId":"mallory","ok":true,"ts":${n}}]`];

// A session of polling is as it was: a poll that waits is answered with what it asks for.
async function goesOn(session, name, poll = session.poll()) {
  const [said, answer] = beat(7);
  assert.deepEqual(told(await session.post(said)), kOk, name);
  assert.deepEqual(told(await poll), [200, answer], name);
}
async function isOver(session, name) {
  assert.deepEqual(told(await session.poll()), kUnknown, name);
  assert.deepEqual(told(await session.post('1')), kUnknown, name);
  assert.deepEqual(await dialled(session.broker, socketOf(session.sid)), kUnknown, name);
}
const other = (character) => (character === 'x' ? 'y' : 'x');

// Each is given a session of polling that has joined, and leaves it as it was.
const kStaysAsItWas = {
  'a poll by a stolen sid': async ({ hub, sid }) =>
    assert.deepEqual(told(await knock(hub, 'GET', `${kPolling}&sid=${sid}`, { from: kThief })), kUnknown),
  'a POST by a stolen sid': async ({ hub, sid }) => {
    for (const body of ['1', '42["heartbeat",{"ts":1}]', 'x', '4'.padEnd(50_000, ' ')]) {
      assert.deepEqual(told(await knock(hub, 'POST', `${kPolling}&sid=${sid}`, { from: kThief, body })), kUnknown);
    }
  },
  'an upgrade by a stolen sid': async ({ hub, sid }) =>
    assert.deepEqual(await dialled(hub, socketOf(sid), ['5'], { from: kThief }), kUnknown),
  'a sid that is nearly it': async ({ hub, sid }) => {
    for (const near of [sid.slice(0, -1) + other(sid.at(-1)), sid.slice(0, -1), `${sid}A`, other(sid[0]) + sid.slice(1),
                        `${sid}%00`, sid.toLowerCase() === sid ? sid.toUpperCase() : sid.toLowerCase()]) {
      assert.deepEqual(told(await knock(hub, 'GET', `${kPolling}&sid=${near}`)), kUnknown, near);
      assert.deepEqual(told(await knock(hub, 'POST', `${kPolling}&sid=${near}`, { body: '1' })), kUnknown, near);
      assert.deepEqual(await dialled(hub, socketOf(near), ['5']), kUnknown, near);
    }
  },
  'another method': async ({ hub, sid }) => {
    for (const method of ['DELETE', 'PUT', 'PATCH']) {
      const answer = await knock(hub, method, `${kPolling}&sid=${sid}`, { body: '1' });
      assert.deepEqual(told(answer), method === 'PATCH' ? [501, 'method'] : kBad, method);
    }
  },
  'a request that is none of the transport': async ({ hub, sid }) => {
    for (const [query, expected] of [['', [0, 'Transport unknown']], [`sid=${sid}`, [0, 'Transport unknown']],
      ['EIO=4&transport=webtransport', [0, 'Transport unknown']], ['EIO=4&transport=__proto__', [0, 'Transport unknown']],
      [`EIO=3&transport=polling&sid=${sid}`, [5, 'Unsupported protocol version']],
      ['transport=polling', [5, 'Unsupported protocol version']], [`${kSocket}&sid=${sid}`, [3, 'Bad request']],
      [kSocket, [3, 'Bad request']]]) {
      const { status, text } = await knock(hub, 'GET', query);
      assert.deepEqual([status, JSON.parse(text)], [400, { code: expected[0], message: expected[1] }], query);
    }
    assert.deepEqual(told(await knock(hub, 'POST', kPolling, { body: '1' })),
                     [400, { code: 2, message: 'Bad handshake method' }]);
    assert.deepEqual(await dialled(hub, `${kPolling}&sid=${sid}`), kBad, 'an upgrade to polling');
  },
  'a probe that says nothing': async ({ hub, sid }) => assert.deepEqual(await probed(hub, sid), kCut),
  'a probe that stops halfway': async ({ hub, sid }) =>
    assert.deepEqual(await probed(hub, sid, ['2probe']), [['3probe'], 1000]),
  'a probe that goes': async ({ hub, sid }) => {
    const raw = await RawHub.dial(hub, socketOf(sid));
    raw.say('2probe');
    await raw.next(/^3probe$/);
    await raw.end();
  },
  'a probe that says what it may not': async ({ hub, sid }) => {
    for (const packet of ['x', '', '2', '2probex', '3probe', '6', '0{}', '1', beat(1)[0], Buffer.from('2probe'),
                          Buffer.from('5')]) {
      assert.deepEqual(await probed(hub, sid, [packet]), kCut, String(packet));
    }
  },
  'a probe too long for whom it is': async ({ hub, sid }) =>
    assert.deepEqual(await probed(hub, sid, ['2'.padEnd(1_000_001, 'x')]), [[], 1009]),
};

async function counted(hub, reasons) {
  for (const reason of reasons) assert.ok(await refusedByTransport(hub, [reason]) > 0, reason);
}

test('a session of polling stays as it was', async (t) => {
  const hub = await startHub(t, { set: kSet });
  const bystanders = await startBystanders(hub);
  const session = await RawPolls.join(hub, kToken);
  for (const [name, attack] of Object.entries(kStaysAsItWas)) {
    await attack({ hub, sid: session.sid });
    await goesOn(session, name);
    await bystanders.noticedNothing(name);
  }
  await counted(hub, ['bad_request', 'unknown_sid', 'stolen_sid', 'bad_probe']);
});

// A session of polling that goes over to a WebSocket.
async function upgraded(session) {
  const raw = await session.probe();
  for (const [said, answer] of [['2probe', '3probe'], ['5']]) {
    raw.say(said);
    if (answer) assert.equal(await raw.next(/^/), answer);
  }
  return raw;
}
const goesOnBy = async (raw, name) => assert.deepEqual(await raw.roundTrip(), [], name);

// Each begins and ends a session of its own.
const kSessions = {
  'two polls at once': async ({ join }) => {
    const session = await join();
    const both = await Promise.all([session.poll(), session.poll()]);
    assert.deepEqual(both.map(told).sort(), [[200, '1'], kBad]);
    await isOver(session);
  },
  'a poll that goes away': async ({ join }) => {
    const session = await join();
    await eventually('its end', async () => {
      const gone = new AbortController();
      const poll = session.poll({ signal: gone.signal }).catch(() => null);
      await sleep(20); // it is no poll before its head came
      gone.abort();
      return (await poll)?.status === 400;
    });
    await isOver(session);
  },
  'a POST without a body': async ({ join }) => {
    const session = await join();
    assert.deepEqual(told(await session.post('')), kBad);
    await isOver(session);
  },
  'a sid of the past': async ({ join }) => {
    const session = await join();
    assert.deepEqual(told(await session.post('1')), kOk);
    await isOver(session);
  },
  'a sid of a WebSocket of the past': async ({ hub }) => {
    const raw = await RawHub.join(hub, kToken);
    await raw.end();
    const look = async () => (await knock(hub, 'GET', `${kPolling}&sid=${raw.open.sid}`)).text;
    await eventually('its end', async () => (await look()).includes('Session ID unknown'));
  },
  'the sid of a WebSocket': async ({ hub }) => {
    const raw = await RawHub.join(hub, kToken);
    const { sid } = raw.open;
    for (const [from, expected] of [[kThief, kUnknown], [undefined, kBad]]) {
      assert.deepEqual(told(await knock(hub, 'GET', `${kPolling}&sid=${sid}`, { from })), expected);
      assert.deepEqual(told(await knock(hub, 'POST', `${kPolling}&sid=${sid}`, { from, body: '1' })), expected);
      assert.deepEqual(await dialled(hub, socketOf(sid), ['5'], { from }), expected);
    }
    await goesOnBy(raw);
    await raw.end();
  },
  'a second probe, and requests and sockets behind the upgrade': async ({ hub, join }) => {
    const session = await join();
    const poll = session.poll();
    await sleep(20);
    const raw = await session.probe();
    assert.deepEqual(await dialled(hub, socketOf(session.sid), ['2probe']), kBad, 'beside a probe');
    raw.say('2probe');
    assert.equal(await raw.next(/^/), '3probe');
    assert.deepEqual(told(await poll), [200, '6'], 'a poll is let go');
    raw.say('2probe');
    assert.equal(await raw.next(/^/), '3probe');
    raw.say('5');
    await goesOnBy(raw, 'upgraded');
    assert.deepEqual(told(await session.poll()), kBad);
    assert.deepEqual(told(await session.post(beat(1)[0])), kBad);
    assert.deepEqual(await dialled(hub, socketOf(session.sid), ['2probe', '5']), kBad, 'beside the carrier');
    await goesOnBy(raw, 'still there');
    raw.say('5');
    assert.deepEqual([await raw.closed, raw.heard], [1000, []], 'a second upgrade');
    await isOver(session);
  },
  'an upgrade without a probe': async ({ hub, join }) => {
    const session = await join();
    const poll = session.poll();
    await sleep(20);
    const raw = await session.probe();
    assert.deepEqual(await dialled(hub, socketOf(session.sid)), kBad); // by now the poll is known
    raw.say('5');
    assert.deepEqual(told(await poll), [200, '6']);
    await goesOnBy(raw);
    await raw.end();
  },
  'a probe after the one that was too late': async ({ hub, join }) => {
    const session = await join();
    assert.deepEqual(await dialled(hub, socketOf(session.sid), ['2probe']), [['3probe'], 1000]);
    const raw = await upgraded(session);
    await goesOnBy(raw);
    await raw.end();
  },
  'an upgrade of a session that ended meanwhile': async ({ join }) => {
    const session = await join();
    const raw = await session.probe();
    raw.say('2probe');
    await raw.next(/^3probe$/);
    assert.deepEqual(told(await session.post('1')), kOk);
    assert.equal(await raw.closed, 1000);
    await isOver(session);
  },
};

test('a session ends, or goes over once', async (t) => {
  const hub = await startHub(t, { set: kSet });
  const bystanders = await startBystanders(hub);
  const join = () => RawPolls.join(hub, kToken);
  for (const [name, story] of Object.entries(kSessions)) {
    await story({ hub, join });
    await bystanders.noticedNothing(name);
  }
  await counted(hub, ['unknown_sid', 'stolen_sid', 'two_polls', 'bad_upgrade', 'bad_probe', 'malformed']);
  assert.ok(await hub.metric('signet_hub_upgrades_total') >= 3);
  await eventually('only the bystanders are there', async () => await hub.metric('signet_hub_sessions') === 2);
});
