// Who may hear the governance topics hears what was decided: decisions of the policy, and that there is
// another one, on governance.decision; refused handshakes on audit.log. No secret is in them.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { addSource, changeSource, connect, refusalOf, handshake, startPulseBroker } from './pulse_client.mjs';
import { sleep, temporaryFolder } from './harness.mjs';

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
  const text = JSON.stringify(pulse.payload);
  for (const word of ['mallory', 'bad_signature']) assert.ok(text.includes(word), `${word}: ${text}`);
  assert.ok(!text.includes(frame.signature));
});

test('a change of the policy and of a source is told on governance.decision', async (t) => {
  const { broker, file } = await start(t);
  const listener = await connect(broker, 'governance.decision', 'listener');
  writeFileSync(file, kPolicy('# changed\n'));
  broker.process.kill('SIGHUP');
  await listener.next((frame) => /policy/.test(JSON.stringify(frame)));
  const { secret } = await addSource(broker, 'mirror');
  const { secret: fresh } = (await changeSource(broker, 'mirror', 'rotate', { overlap_seconds: 5 })).json();
  await changeSource(broker, 'mirror', 'revoke');
  await sleep(300);
  const told = listener.raw.join('\n');
  for (const canary of [secret, fresh]) assert.ok(!told.includes(canary));
});

test('refusals of strangers do not flood the topic, and clients cannot speak as signet', async (t) => {
  const { broker } = await start(t);
  const auditor = await connect(broker, 'audit.log', 'auditor');
  for (let i = 0; i < 50; ++i) {
    const [code] = await refusalOf(broker, handshake('x', { secret: 'guessed, as anybody may' }));
    assert.ok([4003, 4008].includes(code));
  }
  await sleep(300);
  assert.ok(auditor.inbox.length <= 50, `${auditor.inbox.length}`);
});
