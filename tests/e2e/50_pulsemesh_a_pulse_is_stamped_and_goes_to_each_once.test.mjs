// The server says when and where a pulse was published; all else stays as its sender wrote it. Every
// other subscriber gets it once, its sender never.
import assert from 'node:assert/strict';
import test from 'node:test';
import { connect, history, nothingMore, PythonClient, startPulseBroker } from './pulse_client.mjs';
import { freshTimestamp } from './harness.mjs';

const kStamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/;
const kTopic = 'mirror.intent';
const withoutStamps = (raw, pulse) => ['_mesh_timestamp', '_mesh_topic']
  .reduce((text, key) => text.replace(`"${key}":${JSON.stringify(pulse[key])}`, ''), raw)
  .replace(/,(?=[,}])/g, '').replace('{,', '{');

test('stamps overwrite what was sent, and the other keys keep text and order', async (t) => {
  const broker = await startPulseBroker(t);
  const [publisher, listener] = [await connect(broker, kTopic, 'p'), await connect(broker, kTopic, 'l')];
  const kPulses = [
    ['{"z":1,"a":2,"m":{"y":1,"b":[3,{}]}}'], ['{"coherence":0.50,"big":12345678901234567890,"e":1E2}'],
    ['{"text":"\\u00e9 é \\/ 😀","source":"somebody else","topic":"another.topic"}'],
    ['{"nested":{"_mesh_topic":"mine","_mesh_timestamp":"mine"}}'],
    ['{"_mesh_topic":"l1e","b":1,"_mesh_timestamp":"l1e","a":2}', '{"b":1,"a":2}'],
    ['{"b":1,"_mesh\\u005ftopic":"l1e","_mesh_timestam\\u0070":{"l1e":1},"a":[]}', '{"b":1,"a":[]}'],
    ['{"_mesh_topic":null,"_mesh_timestamp":7}', '{}'], ['{}'],
    ['{"type":"handshake_ok","client_id":"x"}'], ['{"type":"error","code":"x"}'], ['{"":"","0":1}'],
  ];
  for (const [sent, kept = sent] of kPulses) {
    const before = Date.now();
    publisher.say(sent);
    const [pulse] = await listener.pulses(1);
    const raw = listener.raw.at(-1);
    assert.equal(pulse._mesh_topic, kTopic, sent);
    assert.match(pulse._mesh_timestamp, kStamp);
    const at = Date.parse(`${pulse._mesh_timestamp}Z`);
    assert.ok(at >= before - 1 && at <= Date.now() + 1, `${pulse._mesh_timestamp}`);
    assert.equal(withoutStamps(raw, pulse), kept);
    assert.ok(!raw.includes('l1e'), raw);
  }
  const [last] = (await history(broker, '?limit=1')).messages;
  assert.deepEqual(Object.keys(last).filter((key) => !key.startsWith('_mesh_')), ['0', '']);
});

test('each other subscriber gets every pulse once and in order, the sender none', async (t) => {
  const broker = await startPulseBroker(t);
  const peers = [];
  for (let i = 0; i < 8; ++i) peers.push(await connect(broker, kTopic, `s${i % 3}`)); // sources share
  const stranger = await connect(broker, 'another.topic', 's0');
  const kEach = 25;
  for (let n = 0; n < kEach; ++n) peers.forEach((peer, from) => peer.say({ from, n }));
  for (const [me, peer] of peers.entries()) {
    const pulses = await peer.pulses(kEach * (peers.length - 1));
    for (const from of peers.keys()) {
      const expected = from === me ? [] : Array.from({ length: kEach }, (_, n) => n);
      assert.deepEqual(pulses.filter((pulse) => pulse.from === from).map(({ n }) => n), expected);
    }
  }
  await nothingMore(await connect(broker, kTopic, 'fence'), peers);
  assert.deepEqual(stranger.inbox, []);
});

test('a client that left gets nothing, and one that came later not what was before', async (t) => {
  const broker = await startPulseBroker(t);
  const [publisher, leaver] = [await connect(broker, kTopic, 'p'), await connect(broker, kTopic, 'l')];
  publisher.say({ n: 1 });
  assert.equal((await leaver.pulses(1))[0].n, 1);
  await leaver.leave();
  publisher.say({ n: 2 });
  publisher.say({ n: 3 });
  const later = await connect(broker, kTopic, 'l');
  await nothingMore(publisher, [later]);
});

test('Python and Node hear each other', async (t) => {
  const broker = await startPulseBroker(t);
  const python = new PythonClient(t, broker);
  const node = await connect(broker, kTopic, 'node', { form: 'compact' });
  const timestamp = new Date(freshTimestamp()).toISOString();
  await python.open(kTopic, JSON.stringify({ source: 'python', timestamp, n: { deep: 1.5 } }));
  python.publish('{"source": "python", "target": "core", "payload": {"x": 1.0, "t": "\\u00e9"}}');
  const [pulse] = await node.pulses(1);
  assert.deepEqual([pulse.payload, pulse._mesh_topic], [{ x: 1, t: 'é' }, kTopic]);
  assert.ok(node.raw.at(-1).includes('"payload":{"x":1.0,') ||
            node.raw.at(-1).includes('"payload": {"x": 1.0,'), node.raw.at(-1));
  node.say({ type: 'pulse', topic: 'core.reply', payload: '世界', broadcast: true });
  const heard = JSON.parse((await python.next('frame')).frame);
  assert.deepEqual([heard.payload, heard.topic, heard._mesh_topic], ['世界', 'core.reply', kTopic]);
  await python.leave();
});
