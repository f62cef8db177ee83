// Who is let in, and what is refused with which word: each namespace in the order of its rules.
import assert from 'node:assert/strict';
import test from 'node:test';
import { action, engineToken, envelope, hmac, kActionSecret, newNonce, startHub, userToken } from './hub_client.mjs';
import { nowSeconds } from './token_maker.mjs';

const past = { iat: nowSeconds() - 900, exp: nowSeconds() - 300 };

test('users: tokens, then signatures', async (t) => {
  const hub = await startHub(t, { set: { 'limits.penalty_failures': '0' } });
  const kTokens = {
    'none': [undefined, 'AUTH_REQUIRED'],
    'no token at all': [{}, 'AUTH_REQUIRED'],
    'no token, and not simulated': [{ simulated: false }, 'AUTH_REQUIRED'],
    'of another secret': [{ token: userToken('ann', {}, 'another-secret-that-nobody-believes') }, 'INVALID_TOKEN'],
    'over': [{ token: userToken('ann', past) }, 'INVALID_TOKEN'],
    'of another issuer': [{ token: userToken('ann', { iss: 'elsewhere' }) }, 'INVALID_TOKEN'],
    'no token': [{ token: 'a.b.c' }, 'INVALID_TOKEN'],
    'of nobody': [{ token: userToken(undefined, { sub: undefined }) }, 'INVALID_TOKEN_PAYLOAD'],
  };
  for (const [name, [auth, code]] of Object.entries(kTokens)) {
    for (const transports of [['websocket'], ['polling']]) {
      await assert.rejects(hub.enter('/', auth, { transports }), { message: code }, name);
    }
  }
  await assert.rejects(hub.enter('/elsewhere', {}), { message: 'Invalid namespace' });

  const ann = await hub.user('ann');
  const late = Date.now() - 15_500;
  const kActions = {
    'too old': [action('click', 1, { ts: late }), 'timestamp_expired'],
    'too old comes before a bad signature': [action('click', 1, { ts: late, change: { sig: '00' } }), 'timestamp_expired'],
    'ahead': [action('click', 1, { ts: Date.now() + 16_000 }), 'timestamp_expired'],
    'a bad signature': [action('click', 1, { change: { sig: hmac('x', 'y') } }), 'invalid_signature'],
    'no signature': [action('click', 1, { change: { sig: undefined } }), 'invalid_signature'],
    'no nonce': [action('click', 1, { change: { nonce: undefined } }), 'invalid_signature'],
    'no time': [action('click', 1, { change: { ts: undefined } }), 'invalid_signature'],
    'another payload': [action('click', 1, { change: { payload: 2 } }), 'invalid_signature'],
    'another type': [action('click', 1, { change: { type: 'scroll' } }), 'invalid_signature'],
    "an engine's secret": [action('click', 1, { secret: 'an-engine-secret-of-this-test-alone' }), 'invalid_signature'],
  };
  for (const [name, [said, error]] of Object.entries(kActions)) {
    assert.equal((await ann.ask('action', said, 'action_error')).error, error, name);
  }
  // A nonce is spent by a good signature only.
  const nonce = newNonce();
  ann.say('action', action('click', 1, { nonce, change: { sig: hmac('x', 'y') } }));
  assert.equal((await ann.next('action_error')).error, 'invalid_signature');
  await ann.act('click', 1, { nonce });
  assert.equal((await ann.ask('action', action('click', 1, { nonce }), 'action_error')).error, 'replay_detected');
  await (await hub.user('bob')).act('click', 1, { nonce }); // another user's nonces are another's
  assert.deepEqual(ann.inbox.filter(({ event }) => event === 'action_update'), []);

  for (const data of [undefined, null, 7, 'text', [], {}]) {
    ann.say('action', ...(data === undefined ? [] : [data]));
    assert.ok((await ann.next('action_error')).error, JSON.stringify(data));
  }
  ann.say('nobody_listens', 1);
  await ann.act('click', 2);
});

// As with the original, and where `signetd dev` is not told otherwise.
test('who asks to be simulated needs no token', async (t) => {
  const hub = await startHub(t);
  const guest = await hub.enter('/', { simulated: true });
  const { userId, role, isSimulated } = await guest.next('auth_context');
  assert.deepEqual([userId, role, isSimulated], ['simulated', 'user', true]);
  await guest.act('click', 1);
  await assert.rejects(hub.enter('/engine', { simulated: true }));
  const extraHeaders = { 'x-forwarded-for': '203.0.113.9' }; // a tunnel on this machine
  await assert.rejects(hub.enter('/', { simulated: true }, { extraHeaders }), { message: 'AUTH_REQUIRED' });
  await assert.rejects(hub.enter('/', { simulated: true, token: 'a.b.c' }), { message: 'INVALID_TOKEN' });
  const strict = await startHub(t, { set: { 'hub.simulated': 'false' } });
  await assert.rejects(strict.enter('/', { simulated: true }), { message: 'AUTH_REQUIRED' });
});

test('agents: time, signature, nonce', async (t) => {
  const hub = await startHub(t);
  const ann = await hub.user('ann');
  const beat = ({ ts = Date.now(), nonce = newNonce(), body = { ok: 1 }, sig, agentId = 'NavAgent' } = {}) =>
    ({ agentId, ts, nonce, body, alg: 'HMAC-SHA256',
       sig: sig ?? hmac(kActionSecret, `${agentId}|${ts}|${JSON.stringify(body)}`) });
  const ask = async (said) => {
    const { ok, reason } = await ann.ask('agent_heartbeat', said, 'agent_heartbeat_result');
    return ok || reason;
  };
  const good = beat();
  assert.equal(await ask(good), true);
  assert.equal(await ask(good), 'replay_detected');
  assert.equal(await ask({ ...good, nonce: newNonce() }), 'replay_detected', 'the nonce is not signed');
  assert.equal(await ask(beat({ ts: Date.now() - 16_000 })), 'timestamp_skew');
  assert.equal(await ask(beat({ sig: hmac('x', 'y') })), 'signature_failed');
  assert.equal(await ask(beat({ agentId: 'HintAgent', nonce: good.nonce })), true, 'each agent has its own');
});

test('engines: tokens, then envelopes', async (t) => {
  const hub = await startHub(t, { set: { 'limits.penalty_failures': '0' } });
  for (const auth of [undefined, {}, { token: userToken('ann') }, { token: engineToken('e1', {}, 'another-secret-that-nobody-knows') },
                      { token: engineToken('e1', past) }, { token: engineToken('e1', { role: 'user' }) },
                      { token: engineToken(undefined) }]) {
    await assert.rejects(hub.enter('/engine', auth), JSON.stringify(auth));
  }
  const engine = await hub.engine('e1', { token: engineToken('e1', { iss: 'sovereign-core' }) });
  const payload = { job_id: 'job_none', timestamp: 1 };
  const late = Date.now() - 31_000;
  const good = envelope({ jobId: 'any', status: 'ok' });
  const kPackets = [
    ['job_started', { payload }, 'job_started_rejected', 'ENGINE_PACKET_INCOMPLETE'],
    ['job_status', undefined, 'status_rejected', 'ENGINE_PACKET_INCOMPLETE'],
    ['job_started', envelope(payload, { ts: late, change: { sig: 'x' } }), 'job_started_rejected', 'ENGINE_TIMESTAMP_EXPIRED'],
    ['job_progress', envelope(payload, { secret: kActionSecret }), 'job_progress_rejected', 'ENGINE_SIGNATURE_INVALID'],
    ['job_completed', envelope(payload, { change: { payload: { job_id: 'other' } } }), 'job_completed_rejected', 'ENGINE_SIGNATURE_INVALID'],
    ['job_failed', envelope({ ...payload, error: 'x' }), 'job_failed_rejected', 'JOB_UNKNOWN'],
  ];
  for (const [event, said, answer, reason] of kPackets) {
    assert.deepEqual(await engine.ask(event, said, answer), { reason }, `${event} ${reason}`);
  }
  assert.equal((await engine.ask('job_ack', good, 'ack_received')).jobId, 'any');
  assert.deepEqual(await engine.ask('job_ack', good, 'job_ack_rejected'), { reason: 'ENGINE_NONCE_REPLAY' });
  assert.equal((await engine.ask('engine_error', envelope({ error: 'hot' }), 'error_ack')).received, true);
});
