// A send that names its audience goes to exactly these or is not stored; whoever joins, leaves or
// is revoked in between is never among the receivers of what was sealed without it in mind.
import assert from 'node:assert/strict';
import test from 'node:test';
import { startBroker, unique } from './harness.mjs';

const audience = async (peer, target) =>
  (await peer.ask({ type: 'list_members', target }, 'members_list')).audience;
const channel = (verb) => (who, name) =>
  who.peer.ask({ type: `channel_${verb}`, name }, verb === 'join' ? 'channel_joined'
                                                                   : 'channel_left');
const join = channel('join'), leave = channel('leave');

async function three(t, options) {
  const broker = await startBroker(t, options);
  const [ann, ben, cem] = [await broker.joined('ann'), await broker.joined('ben'),
                           await broker.joined('cem')];
  for (const who of [ann, ben]) await join(who, 'ops');
  return { broker, ann, ben, cem };
}

test('who joins or leaves changes the audience, and nothing is stored for another', async (t) => {
  const { broker, ann, ben, cem } = await three(t);
  const old = await audience(ann.peer, '#ops');
  const send = async (id, named) => {
    const answer = await ann.peer.mail('#ops', id, { id, audience: named });
    return answer.code ?? answer.recipients;
  };
  assert.equal(await send('1', old), 1);
  await join(cem, 'ops');
  assert.equal(await send('2', old), 'audience_changed');
  assert.equal(await send('2', await audience(ann.peer, '#ops')), 2);
  await leave(ben, 'ops');
  assert.equal(await send('3', old), 'audience_changed');
  await leave(cem, 'ops');
  await join(ben, 'ops');
  assert.equal(await send('3', old.toUpperCase()), 1);
  await broker.setStanding(ben.member, 'revoked');
  assert.equal(await send('4', old), 'audience_changed');
  assert.deepEqual(await ben.peer.texts(3), ['1', '2', '3']);
  assert.deepEqual(await cem.peer.texts(1), ['2']);
  await cem.peer.none('push');
  assert.equal(await broker.metric('broker_messages_rejected_total{reason="audience_changed"}'), 3);
});

test('a retry of what was stored: the audience is no part of the message', async (t) => {
  const { broker, ann, cem } = await three(t);
  const old = await audience(ann.peer, '#ops');
  const id = unique();
  const first = await ann.peer.mail('#ops', 'sealed', { id, audience: old });
  assert.deepEqual(await ann.peer.mail('#ops', 'sealed', { id, audience: old }), first);
  await join(cem, 'ops');
  await broker.restartAfterKill();
  const again = await broker.connect(ann.member);
  const retry = await again.mail('#ops', 'sealed', { id, audience: old });
  assert.equal(retry.code, 'audience_changed', 'the page says so');
  const now = await audience(again, '#ops');
  assert.deepEqual(await again.mail('#ops', 'sealed', { id, audience: now }), first);
  assert.deepEqual(await again.mail('#ops', 'sealed', { id }), first);
  assert.equal((await again.mail('#ops', 'sealed anew', { id, audience: now })).code, 'id_reused');
  const late = await broker.connect(cem.member);
  await late.none('push');
});

test('an audience is 32 hex digits, of several, or the frame is bad', async (t) => {
  const { ann, ben } = await three(t);
  const good = await audience(ann.peer, '*');
  const code = async (to, named) => (await ann.peer.mail(to, 'x', { audience: named })).code;
  for (const bad of ['', 'x', good.slice(1), `${good}0`, good + good, `${good.slice(1)}g`, 7, true,
                     [good], {}]) {
    assert.equal(await code('*', bad), 'bad_frame', JSON.stringify(bad));
  }
  assert.equal(await code(ben.member, good), 'bad_frame');
  assert.equal(await code(ben.member, null), undefined);
  assert.equal(await code('*', good), undefined);
  assert.deepEqual(await ben.peer.texts(2), ['x', 'x']);
  await ben.peer.none('push');
});

test('who names no audience sends as ever, whoever comes and goes', async (t) => {
  const { ann, ben, cem } = await three(t);
  for (const verb of [join, leave, join]) {
    await verb(cem, 'ops');
    assert.equal((await ann.peer.mail('#ops', 'plain')).recipients, verb === join ? 2 : 1);
  }
  assert.deepEqual(await ben.peer.texts(3), Array(3).fill('plain'));
  assert.deepEqual(await cem.peer.texts(2), Array(2).fill('plain'));
});

test('in a storm of joins and leaves every receiver was in the audience it was sealed to', async (t) => {
  const { ann, ben, cem } = await three(t, { set: { 'limits.sends_per_second': 10_000,
                                                    'limits.sends_burst': 10_000 } });
  let isRunning = true;
  const storm = (async () => {
    while (isRunning) { await join(cem, 'ops'); await leave(cem, 'ops'); }
  })();
  const sent = { stored: 0, refused: 0 };
  for (let i = 0; i < 200; ++i) {
    const { members, audience: named } =
      await ann.peer.ask({ type: 'list_members', target: '#ops' }, 'members_list');
    const keys = members.map(({ pubkey }) => pubkey).join(' ');
    const answer = await ann.peer.mail('#ops', keys, { audience: named });
    if (answer.type === 'ack') { assert.equal(answer.recipients, members.length); sent.stored += 1; }
    else { assert.equal(answer.code, 'audience_changed'); sent.refused += 1; }
  }
  isRunning = false;
  await storm;
  t.diagnostic(JSON.stringify(sent));
  assert.ok(sent.stored > 0);
  await ben.peer.texts(sent.stored);
  await cem.peer.roundTrip();
  for (const push of cem.peer.inbox.filter(({ type }) => type === 'push')) {
    assert.ok(push.ciphertext.includes(cem.member.pubkey));
  }
});
