// What somebody may hear is decided at delivery: within a second of a change of policy, tags or
// standing nothing more comes, while others go on.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { addSource, changeSource, connect, refusal, secretOf, startPulseBroker } from './pulse_client.mjs';
import { eventually, sleep, temporaryFolder } from './harness.mjs';

const policy = (readers) => `
[role.reader]
tags = ["reader"]
[[rule]]
id = "all-connect-and-publish"
allow = ["connect", "publish", "see_presence"]
[[rule]]
id = "readers-hear"
roles = ["reader"]
allow = ["subscribe"]
topics = ${JSON.stringify(readers)}
`;
const kBoth = ['stream.>', 'other.>'];

async function withPolicy(t, text) {
  const file = join(temporaryFolder(), 'policy.toml');
  writeFileSync(file, text);
  const broker = await startPulseBroker(t, { set: { 'policy.file': file } });
  const change = (changed) => { writeFileSync(file, changed); broker.process.kill('SIGHUP'); };
  const setTags = async (member, tags) => {
    const path = `/meshes/${broker.mesh.slug}/members/${member.pubkey}/role`;
    assert.equal((await broker.operator('POST', path, { role: 'member', tags })).status, 200);
  };
  return { broker, change, setTags };
}

// Publishes n = 0, 1, … on both topics until it is told to stop.
async function stream(broker) {
  const publishers = [await connect(broker, 'stream.a', 'p'), await connect(broker, 'other.a', 'p')];
  const state = { n: 0 };
  const timer = setInterval(() => {
    for (const peer of publishers) peer.say({ n: state.n });
    state.n += 1;
  }, 10);
  return { state, stop: () => { clearInterval(timer); return Promise.all(publishers.map((p) => p.leave())); } };
}

const lastOf = (peer, topic) => peer.inbox.map((frame) => frame.pulse ?? frame)
  .filter(({ _mesh_topic }) => _mesh_topic === topic).at(-1)?.n ?? -1;

// A second after `change`, `peer` hears nothing more on `topic`, while pulses go on being published.
async function endsWithinASecond(flow, peer, topic, change) {
  await eventually('it hears', () => lastOf(peer, topic) >= 5);
  await change();
  const { n } = await sleep(1_000, flow.state);
  const heard = lastOf(peer, topic);
  await sleep(500);
  assert.equal(lastOf(peer, topic), heard, 'nothing more');
  assert.ok(heard < n + 2 && flow.state.n > n + 10, 'and pulses went on');
  return heard;
}

async function member(broker, setTags, name) {
  const { member: it, peer } = await broker.joined(name);
  await setTags(it, ['reader']);
  await peer.ask({ type: 'topic_subscribe', pattern: '>' }, 'topic_subscribed');
  return { it, peer };
}

test('a policy that takes a topic away reaches live sessions; a bad one changes nothing', async (t) => {
  const { broker, change, setTags } = await withPolicy(t, policy(kBoth));
  const { peer: wild } = await member(broker, setTags, 'wild');
  const { secret } = await addSource(broker, 'listener', ['reader']);
  const plain = await connect(broker, 'stream.a', 'listener', { secret });
  const flow = await stream(broker);
  await eventually('both hear', () => lastOf(wild, 'stream.a') > 5 && lastOf(plain, 'stream.a') > 5);

  const from = broker.log.length;
  change('[[rule]]\nid = "broken"\nallow = ["fly"]\n');
  await eventually('it is refused', () => broker.log.slice(from).some((line) => line.includes('"error"')));
  const before = lastOf(plain, 'stream.a');
  await eventually('and changes nothing', () => lastOf(plain, 'stream.a') > before + 5);

  await endsWithinASecond(flow, wild, 'stream.a', () => change(policy(['other.>'])));
  const still = lastOf(plain, 'stream.a');
  await sleep(300);
  assert.equal(lastOf(plain, 'stream.a'), still, 'the client of that one topic hears nothing either');
  const other = lastOf(wild, 'other.a');
  await eventually('what is left goes on', () => lastOf(wild, 'other.a') > other + 5);

  change(policy(kBoth)); // and back again, without a new subscription
  await eventually('it hears again', () => lastOf(wild, 'stream.a') > still + 50);
  await flow.stop();
});

test('a tag that is taken away ends it, for this member alone', async (t) => {
  const { broker, setTags } = await withPolicy(t, policy(kBoth));
  const [one, two] = [await member(broker, setTags, 'one'), await member(broker, setTags, 'two')];
  const flow = await stream(broker);
  const heard = await endsWithinASecond(flow, one.peer, 'stream.a', () => setTags(one.it, []));
  await eventually('the other goes on', () => lastOf(two.peer, 'stream.a') > heard + 20);
  await setTags(one.it, ['reader']);
  await eventually('given back', () => lastOf(one.peer, 'stream.a') > heard + 20);

  const secret = await secretOf(broker, 'listener'); // the same of a source without a key
  const setRole = async (tags) => {
    const answer = await changeSource(broker, 'listener', 'role', { role: 'member', tags });
    assert.equal(answer.status, 200, answer.text);
  };
  await setRole(['reader']);
  const plain = await connect(broker, 'stream.a', 'listener', { secret });
  const last = await endsWithinASecond(flow, plain, 'stream.a', () => setRole([]));
  await setRole(['reader']);
  await eventually('given back', () => lastOf(plain, 'stream.a') > last + 20);
  await flow.stop();
});

test('who is revoked hears nothing more and is told 1008', async (t) => {
  const { broker, setTags } = await withPolicy(t, policy(kBoth));
  const { it, peer } = await member(broker, setTags, 'one');
  const flow = await stream(broker);
  await endsWithinASecond(flow, peer, 'stream.a', () => broker.setStanding(it, 'revoked'));
  assert.equal((await peer.closed).code, 1008);
  await flow.stop();
});

test('connect taken away: 4004 for who comes and for who is there', async (t) => {
  const { broker, change } = await withPolicy(t, policy(kBoth));
  const { secret } = await addSource(broker, 'listener', ['reader']);
  const peer = await connect(broker, 'stream.a', 'listener', { secret });
  change(`${policy(kBoth)}
[[rule]]
id = "not-these"
roles = ["reader"]
deny = ["connect"]
`);
  assert.deepEqual(await refusal(peer), [4004, 'not_permitted']);
  const late = connect(broker, 'stream.a', 'listener', { secret });
  await assert.rejects(late, /not_permitted/);
  await connect(broker, 'stream.a', 'somebody-else');
});

test('who may not subscribe is not let into a topic; who may not publish is told for each pulse', async (t) => {
  const { broker } = await withPolicy(t, `
[role.writer]
sources = ["writer"]
proof = "shared"
[[rule]]
id = "connect"
allow = ["connect"]
[[rule]]
id = "writers-write"
roles = ["writer"]
allow = ["publish"]
[[rule]]
id = "others-hear"
roles = ["shared"]
allow = ["subscribe"]
topics = ["open.>"]
`);
  const [writer, reader] = [await connect(broker, 'open.a', 'writer'), await connect(broker, 'open.a', 'reader')];
  for (let n = 0; n < 3; ++n) {
    const { code, ref, message } = await reader.ask({ n }, 'error');
    assert.equal(code, 'denied');
    assert.ok(ref.length > 0 && message.length > 0);
  }
  writer.say({ n: 'heard' });
  assert.deepEqual((await reader.pulses(1)).map(({ n }) => n), ['heard']);
  assert.deepEqual([reader.inbox, reader.isClosed], [[], false], 'a refused pulse is no reason to close');
});
