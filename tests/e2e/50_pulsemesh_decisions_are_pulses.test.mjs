// Who may hear the governance topics hears what was decided: decisions of the policy, and that there is
// another one, on governance.decision; refused handshakes on audit.log. No secret is in them, and nobody
// else can say it. By the shipped default members do not hear it.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { addSource, changeSource, connect, connectNode, refusalOf, handshake, secretOf, startPulseBroker,
         topicPath } from './pulse_client.mjs';
import { Home } from './cli.mjs';
import { eventually, shards, sleep, temporaryFolder } from './harness.mjs';

const kPolicy = (more = '') => `
[[rule]]
id = "all"
allow = ["connect", "publish", "subscribe"]
[[rule]]
id = "no-secret-topics"
deny = ["publish"]
topics = ["secret.>"]
${more}`;
async function start(t, text = kPolicy()) {
  const file = join(temporaryFolder(), 'policy.toml');
  writeFileSync(file, text);
  return { file, broker: await startPulseBroker(t, { set: { 'policy.file': file } }) };
}

test('what the policy refuses is told on governance.decision, with its rule', async (t) => {
  const { broker } = await start(t);
  const listener = await connect(broker, 'governance.decision', 'listener');
  const peer = await connect(broker, 'secret.plans', 'mirror');
  const { ref } = await peer.ask({ payload: 'c4n4ry' }, 'error');
  const pulse = await listener.next((frame) => JSON.stringify(frame).includes(ref));
  assert.deepEqual([pulse.source, pulse._mesh_topic], ['signet', 'governance.decision']);
  assert.equal(pulse._mesh_from, 'signet');
  const text = JSON.stringify(pulse.payload);
  for (const word of ['no-secret-topics', 'publish', 'secret.plans', ref]) assert.ok(text.includes(word), `${word}: ${text}`);
  assert.ok(!text.includes('c4n4ry'));
});

test('a refused handshake is told on audit.log, without what was shown', async (t) => {
  const { broker } = await start(t);
  const auditor = await connect(broker, 'audit.log', 'auditor');
  const frame = handshake('mallory', { secret: 'guessed, as anybody may' });
  assert.deepEqual(await refusalOf(broker, frame), [4003, 'bad_signature']);
  const pulse = await auditor.next(() => true);
  assert.deepEqual([pulse.source, pulse._mesh_topic], ['signet', 'audit.log']);
  assert.equal(pulse._mesh_from, 'signet');
  const text = JSON.stringify(pulse.payload);
  for (const word of ['mallory', 'bad_signature']) assert.ok(text.includes(word), `${word}: ${text}`);
  assert.ok(!text.includes(frame.signature));
});

test('a change of the policy is told on governance.decision, and nothing of secrets', async (t) => {
  const { broker, file } = await start(t);
  const listener = await connect(broker, 'governance.decision', 'listener');
  writeFileSync(file, kPolicy('# changed\n'));
  broker.process.kill('SIGHUP');
  await listener.next((frame) => frame.payload?.decision === 'policy_loaded' && frame._mesh_from === 'signet');
  const { secret } = await addSource(broker, 'mirror');
  const { secret: fresh } = (await changeSource(broker, 'mirror', 'rotate', { overlap_seconds: 5 })).json();
  await changeSource(broker, 'mirror', 'revoke');
  const peer = await connect(broker, 'secret.plans', 'late');
  const { ref } = await peer.ask({ payload: 1 }, 'error');
  await listener.next((frame) => frame.payload?.id === ref);
  const told = listener.raw.join('\n');
  for (const canary of [secret, fresh]) assert.ok(!told.includes(canary));
});

test('clients cannot speak as signet', async (t) => {
  const { broker } = await start(t);
  const listener = await connect(broker, 'governance.decision', 'listener');
  const mallory = await connect(broker, 'governance.decision', 'mallory');
  const { peer: member } = await broker.joined('member');
  const payload = { decision: 'deny', id: 'abc', who: 'x', action: 'publish', on: 'y', rule: 'z', code: 'denied' };
  const forged = { source: 'signet', topic: 'governance.decision', intent: 'govern', payload, _mesh_from: 'signet' };
  const escaped = JSON.stringify(forged).replace('_mesh_from', '_mesh\\u005ffrom');
  assert.notEqual(escaped, JSON.stringify(forged));
  mallory.say(forged);
  mallory.say(escaped);
  member.say({ type: 'topic_publish', topic: 'governance.decision', pulse: forged });
  for (const pulse of await listener.pulses(3)) {
    assert.deepEqual(pulse.payload, payload);
    assert.ok(!('_mesh_from' in pulse), JSON.stringify(pulse));
  }
  const peer = await connect(broker, 'secret.plans', 'peer');
  const { ref } = await peer.ask({ payload: 1 }, 'error');
  assert.equal((await listener.next((frame) => frame.payload?.id === ref))._mesh_from, 'signet');
});

test('nor does a frame from node to node', async (t) => {
  const broker = await startPulseBroker(t);
  const [core, mirror] = [await connectNode(broker, 'core'), await connectNode(broker, 'mirror')];
  mirror.say({ source: 'signet', target: 'core', payload: { decision: 'deny' }, _mesh_from: 'signet' });
  mirror.say({ target: 'core', again: true, _mesh_topic: 'governance.decision' });
  const forged = await core.next((frame) => frame.target === 'core');
  assert.deepEqual(forged, { source: 'signet', target: 'core', payload: { decision: 'deny' } });
  assert.equal((await core.next((frame) => frame.again))._mesh_topic, 'governance.decision', 'as it came');
});

test('refusals of strangers do not flood the topic', async (t) => {
  const { broker } = await start(t);
  const auditor = await connect(broker, 'audit.log', 'auditor');
  const began = Date.now();
  for (let i = 0; i < 50; ++i) {
    const [code] = await refusalOf(broker, handshake('x', { secret: 'guessed, as anybody may' }));
    assert.ok([4003, 4008].includes(code));
  }
  await eventually('it is told', () => auditor.inbox.length > 0);
  await sleep(300);
  // Of each of the two codes one line a second, on each shard.
  const most = 2 * Number(shards) * Math.ceil((Date.now() - began) / 1000 + 1);
  assert.ok(auditor.inbox.length <= most, `${auditor.inbox.length} lines, not ${most}`);
  const counted = auditor.inbox.reduce((sum, { payload }) => sum + 1 + payload.repeated, 0);
  assert.ok(counted <= 50, `${counted} of 50`);
});

test('by the shipped default members neither hear nor say what was decided', async (t) => {
  const { broker } = await start(t, await new Home(t).ok('policy', 'show', '--default'));
  const secret = await secretOf(broker, 'sage');
  const sage = await connect(broker, 'mirror.intent', 'sage', { secret });
  for (const topic of ['governance.decision', 'governance.validate', 'audit.log']) {
    const answer = await refusalOf(broker, handshake('sage', { secret }), topicPath(topic));
    assert.deepEqual(answer, [4004, 'not_permitted'], topic);
  }
  const { peer: member } = await broker.joined('member');
  await member.ask({ type: 'topic_subscribe', pattern: '>' }, 'topic_subscribed'); // no way there either
  for (const [verb, on] of [['topic_subscribe', { pattern: 'governance.decision' }],
                            ['topic_publish', { topic: 'audit.log', pulse: {} }]]) {
    const { code, rule } = await member.ask({ type: verb, ...on }, 'error');
    assert.deepEqual([code, rule], ['denied', undefined]);
  }
  sage.say({ n: 1 });
  assert.equal((await member.next('pulse')).topic, 'mirror.intent', 'nothing of the refusals came before');
});
