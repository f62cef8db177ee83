// The edges of the windows, on a clock that stands still, to the millisecond; and captured actions,
// shown again on every socket, transport and shard, while and after their window, behind kill -9 and
// behind a stepped clock: none of them happens again. SIGNET_TEST_REPLAYS sets how many are tried.
import assert from 'node:assert/strict';
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { eventually, sleep, temporaryFolder } from './harness.mjs';
import { action, engineToken, envelope, hmac, kActionSecret, newNonce, startHub, userToken } from './hub_client.mjs';
import { nowSeconds } from './token_maker.mjs';

const kWindows = [15, 30, 60]; // seconds: the format's, an engine's, and the largest that there is
const kReplays = Number(process.env.SIGNET_TEST_REPLAYS ?? 2_000);

// The library of Debian's package faketime, for programs with threads.
const library = ['x86_64', 'aarch64'].map((machine) =>
  `/usr/lib/${machine}-linux-gnu/faketime/libfaketimeMT.so.1`).find((path) => existsSync(path));
const skip = library === undefined && 'the package faketime is not installed';

// A broker whose wall clock stands at `hub.standsAt` (ms) until it is set again.
async function hubOfClock(t, seconds) {
  const file = join(temporaryFolder(), 'clock');
  const start = 1000 * nowSeconds();
  const freeze = (ms) => { // whole or not at all: the broker reads it at every look at the clock
    writeFileSync(`${file}.new`, `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')}\n`);
    renameSync(`${file}.new`, file);
  };
  freeze(start);
  const env = { LD_PRELOAD: library, FAKETIME_TIMESTAMP_FILE: file, FAKETIME_NO_CACHE: '1',
                FAKETIME_DONT_FAKE_MONOTONIC: '1', FAKETIME_DONT_RESET: '1', TZ: 'UTC',
                ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:verify_asan_link_order=0` };
  const set = { 'hub.action_window': `${seconds}s`, 'hub.engine_window': `${seconds}s`,
                'hub.idle_after': '1h', 'hub.disconnect_after': '1h' };
  const hub = await startHub(t, { env, set });
  const longLived = { iat: nowSeconds() - 3_600, exp: nowSeconds() + 3_600 }; // whatever the clock says
  hub.freeze = freeze;
  hub.startedAt = start;
  hub.come = (name, options) => hub.user(name, { token: userToken(name, longLived), ...options });
  // By the clock of now: the second sweep from here on begins once the first is done.
  hub.swept = async () => {
    const count = () => hub.metric('broker_ttl_sweeps_total');
    const enough = await count() + 2;
    await eventually('two sweeps', async () => { await sleep(200); return await count() >= enough; }, 60_000);
  };
  hub.comeEngine = (name) => hub.engine(name, { token: engineToken(name, longLived) });
  return hub;
}

const beat = (ts, { nonce = newNonce(), body = {} } = {}) =>
  ({ agentId: 'NavAgent', ts, nonce, body, sig: hmac(kActionSecret, `NavAgent|${ts}|${JSON.stringify(body)}`) });

// What each kind of signed packet is answered: 'taken', or why not.
const kSpeakers = {
  async action(user, ts, nonce) {
    user.say('action', action('click', 1, { ts, nonce }));
    await eventually('an answer', () => user.inbox.some(({ event }) => /action_(update|error)/.test(event)));
    const { event, data } = user.inbox.find((each) => /action_(update|error)/.test(each.event));
    user.inbox = [];
    return event === 'action_update' ? 'taken' : data.error;
  },
  async heartbeat(user, ts, nonce) {
    const { ok, reason } = await user.ask('agent_heartbeat', beat(ts, { nonce }), 'agent_heartbeat_result');
    return ok ? 'taken' : reason;
  },
  async packet(engine, ts, nonce) {
    engine.say('job_ack', envelope({ jobId: 'any' }, { ts, nonce }));
    await eventually('an answer', () => engine.inbox.some(({ event }) => /ack_re/.test(event)));
    const { event, data } = engine.inbox.find((each) => /ack_re/.test(each.event));
    engine.inbox = [];
    return event === 'ack_received' ? 'taken' : data.reason;
  },
};
const kLate = { action: 'timestamp_expired', heartbeat: 'timestamp_skew', packet: 'ENGINE_TIMESTAMP_EXPIRED' };

test('the edges belong to the window, and a millisecond more does not', { skip }, async (t) => {
  await Promise.all(kWindows.map(async (seconds) => {
    const hub = await hubOfClock(t, seconds);
    const [user, engine] = [await hub.come('ann'), await hub.comeEngine('e1')];
    const [window, now] = [1000 * seconds, hub.startedAt];
    for (const [kind, speak] of Object.entries(kSpeakers)) {
      const who = kind === 'packet' ? engine : user;
      const kRows = [
        [now - window, 'taken'], [now - window - 1, kLate[kind]], [now + window, 'taken'], [now + window + 1, kLate[kind]],
        [now, 'taken'], [0, kLate[kind]], [-now, kLate[kind]], [Number.MAX_SAFE_INTEGER, kLate[kind]],
        [Number.MIN_SAFE_INTEGER, kLate[kind]],
      ];
      for (const [ts, expected] of kRows) {
        assert.equal(await speak(who, ts), expected, `${kind}, ${seconds} s, ${ts - now}`);
      }
    }
  }));
});

test('a nonce is one user\'s, whatever the session and the type; agents and engines have their own', { skip }, async (t) => {
  const hub = await hubOfClock(t, 15);
  const now = hub.startedAt;
  const [one, two, other, engine, otherEngine] = [
    await hub.come('ann'), await hub.come('ann', { transports: ['polling'] }), await hub.come('bob'),
    await hub.comeEngine('e1'), await hub.comeEngine('e2')];
  const nonce = newNonce();
  const act = async (who, type, secret) => {
    who.inbox = [];
    who.say('action', action(type, null, { ts: now, nonce, secret }));
    await eventually('an answer', () => who.inbox.some(({ event }) => /action_(update|error)/.test(event)));
    return who.inbox.find(({ event }) => /action_(update|error)/.test(event)).data.error ?? 'taken';
  };
  assert.equal(await act(one, 'click', two.context.actionKey), 'invalid_signature', 'the key of another session');
  assert.equal(await act(one, 'click', one.context.actionKey), 'taken');
  assert.equal(await act(one, 'click', one.context.actionKey), 'replay_detected');
  assert.equal(await act(one, 'scroll', one.context.actionKey), 'replay_detected', 'another type');
  assert.equal(await act(two, 'click', two.context.actionKey), 'replay_detected', 'another session');
  assert.equal(await act(two, 'click'), 'replay_detected', 'by the shared secret');
  assert.equal(await act(other, 'click'), 'taken', 'another user');
  one.inbox = [];
  assert.equal(await kSpeakers.heartbeat(one, now, nonce), 'taken', 'an agent');
  assert.equal(await kSpeakers.heartbeat(two, now, newNonce()), 'replay_detected', 'the same text of that agent');
  assert.equal(await kSpeakers.packet(engine, now, nonce), 'taken', 'an engine');
  assert.equal(await kSpeakers.packet(engine, now, nonce), 'ENGINE_NONCE_REPLAY');
  assert.equal(await kSpeakers.packet(otherEngine, now, nonce), 'taken', 'another engine');
});

// Says each captured action again, so many times on each socket; each is refused for its own reason,
// which is `fresh` where only its nonce stands against it.
async function replayAll(sockets, captured, { now, window, times, what, fresh }) {
  const expected = captured.map(({ ts }) => (Math.abs(ts - now) <= window ? fresh : 'timestamp_expired'));
  const wanted = Array(times).fill(expected).flat().sort();
  await Promise.all(sockets.map(async (socket) => {
    socket.inbox = [];
    for (let i = 0; i < times; ++i) for (const said of captured) socket.say('action', said);
    const answers = () => socket.inbox.filter(({ event }) => event.startsWith('action_'));
    await eventually(`${what}: all are answered`, () => answers().length >= wanted.length);
    const told = answers().map(({ event, data }) => (event === 'action_update' ? 'taken' : data.error));
    assert.deepEqual(told.sort(), wanted, what);
  }));
  return sockets.length * wanted.length;
}

test('nothing that was captured in its window happens again', { skip }, async (t) => {
  await Promise.all(kWindows.map(async (seconds) => {
    const hub = await hubOfClock(t, seconds);
    const [window, begin] = [1000 * seconds, hub.startedAt];
    // Several sockets, so that each shard has some; and requests.
    const kWays = [{}, {}, {}, { transports: ['polling'] }];
    const everywhere = () => Promise.all(kWays.map((options) => hub.come('ann', options)));
    let sockets = await everywhere();
    const captured = [];
    for (const offset of [-window, -window + 1, -1, 0, 1, window - 1, window]) {
      const said = action('click', offset, { ts: begin + offset });
      sockets[0].say('action', said);
      for (const each of sockets) await each.next('action_update', ({ clientTs }) => clientTs === said.ts);
      captured.push(said);
    }
    const kMoments = [0, 1_000, window, 2 * window, 2 * window + 1_000];
    // What an honest user is answered then; nobody is said to repeat what was forgotten.
    const kSteps = [[900_000, 'taken'], [0, 'unavailable'], [-900_000, 'taken'], [0, 'unavailable']];
    const rounds = 2 * kMoments.length + kSteps.length + 1;
    const times = Math.max(1, Math.round(kReplays / kWindows.length / rounds / captured.length / sockets.length));
    let tried = 0;
    const replayAt = async (offset, what, fresh = 'replay_detected') => {
      hub.freeze(begin + offset);
      const how = { now: begin + offset, window, times, what: `${seconds} s, ${what}, ${offset} ms later`, fresh };
      tried += await replayAll(sockets, captured, how);
    };
    for (const offset of kMoments) await replayAt(offset, 'the same process');
    await hub.kill();
    hub.freeze(begin);
    await hub.start();
    sockets = await everywhere();
    for (const offset of kMoments) await replayAt(offset, 'after kill -9');
    // Far beyond the memory, until it has forgotten; and back.
    const bobActsAt = async (offset) => {
      hub.freeze(begin + offset);
      return kSpeakers.action(await hub.come('bob'), begin + offset);
    };
    for (const [offset, answer] of kSteps) {
      assert.equal(await bobActsAt(offset), answer, `${seconds} s, stepped, ${offset} ms later`);
      if (offset > 0) await hub.swept();
      await replayAt(offset, 'stepped', 'unavailable');
    }
    assert.equal(await bobActsAt(125_000), 'taken', 'past what was forgotten');
    await hub.kill();
    hub.freeze(begin);
    await hub.start();
    sockets = await everywhere();
    await replayAt(0, 'after another kill -9', 'unavailable');
    assert.equal(await hub.metric('signet_hub_actions_total'), 0);
    t.diagnostic(`${tried} replays in a window of ${seconds} s`);
  }));
});
