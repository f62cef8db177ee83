// A peer that is denied gets a code and a reference; the operator finds the rule by the reference.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { addSource, connect, handshake, knock, startPulseBroker, topicPath } from './pulse_client.mjs';
import { temporaryFolder } from './harness.mjs';

const kPolicy = `
[[rule]]
id = "all-may"
allow = ["connect", "publish", "subscribe", "send", "read_history", "see_presence"]
[[rule]]
id = "nobody-on-secret-topics"
deny = ["publish"]
topics = ["secret.>"]
[[rule]]
id = "no-strangers"
roles = ["banned"]
deny = ["connect"]
[role.banned]
sources = ["banned"]
proof = "shared"
`;

async function start(t) {
  const file = join(temporaryFolder(), 'policy.toml');
  writeFileSync(file, kPolicy);
  return startPulseBroker(t, { set: { 'policy.file': file } });
}
async function explained(broker, ref) {
  const answer = await broker.operator('GET', `/decisions/${ref}`);
  assert.equal(answer.status, 200, answer.text);
  return answer.json();
}

test('a refused publication: its rule, who, what and on what', async (t) => {
  const broker = await start(t);
  const { secret } = await addSource(broker, 'mirror');
  const peer = await connect(broker, 'secret.plans', 'mirror', { secret });
  const listener = await connect(broker, 'secret.plans', 'listener');
  const { type, code, ref, message, ...more } = await peer.ask({ n: 1 }, 'error');
  assert.deepEqual([type, code, more], ['error', 'denied', {}]);
  assert.ok(!message.includes('nobody-on-secret-topics'), 'the rule is the operator\'s');
  const decision = await explained(broker, ref);
  const text = JSON.stringify(decision);
  assert.equal(decision.rule, 'nobody-on-secret-topics');
  assert.deepEqual([decision.action, decision.on], ['publish', 'secret.plans']);
  assert.ok(text.includes('mirror'), text);
  assert.deepEqual(listener.inbox, []);
  const second = await peer.ask({ n: 2 }, 'error');
  assert.notEqual(second.ref, ref);
});

test('a refused connection has its reference too', async (t) => {
  const broker = await start(t);
  const peer = await knock(broker, topicPath('mirror.intent'));
  const { code, ref } = await peer.ask(handshake('banned'), 'error');
  assert.equal(code, 'not_permitted');
  assert.equal((await peer.closed).code, 4004);
  const decision = await explained(broker, ref);
  assert.deepEqual([decision.rule, decision.action], ['no-strangers', 'connect']);
});

test('a member of claudemesh gets the same', async (t) => {
  const broker = await start(t);
  const { peer } = await broker.joined('member');
  const { code, ref, id } = await peer.ask({ type: 'topic_publish', id: 'x1', topic: 'secret.plans', pulse: {} }, 'error');
  assert.deepEqual([code, id], ['denied', 'x1']);
  assert.equal((await explained(broker, ref)).rule, 'nobody-on-secret-topics');
});

test('a reference is the operator\'s to look up, and nobody can guess one', async (t) => {
  const broker = await start(t);
  const peer = await connect(broker, 'secret.plans', 'p');
  const refs = new Set();
  for (let i = 0; i < 20; ++i) refs.add((await peer.ask({ i }, 'error')).ref);
  assert.equal(refs.size, 20);
  const [ref] = refs;
  for (const headers of [{}, { authorization: 'Bearer wrong' }]) {
    const { status } = await broker.request('GET', `/api/signet/v1/decisions/${ref}`, { headers });
    assert.ok([401, 403].includes(status));
  }
  for (const wrong of ['nothing', 'a'.repeat(ref.length), '%00', '..']) {
    const { status } = await broker.operator('GET', `/decisions/${wrong}`);
    assert.ok([400, 404].includes(status), `${wrong}: ${status}`);
  }
});
