// The routing table of v1: a pulse goes to its topic and to the topics of its target nodes, once to
// each connection and never back to its sender.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { connect, startPulseBroker } from './pulse_client.mjs';
import { eventually, sleep, temporaryFolder } from './harness.mjs';

// As the page has it.
const kNodes = {
  mirror: 'mirror.intent mirror.update mirror.query',
  pulsemesh: 'system.genesis system.health_check system.health_response wake.node_ready',
  core: 'core.reply core.status core.ingest core.reasoning',
  sage: 'audit.log governance.decision governance.validate',
  kronos: 'kronos.index kronos.decay kronos.query kronos.query_result',
  shadow: 'shadow.provenance shadow.query shadow.query_result',
};
const kTargets = {
  'mirror.intent': 'core sage pulsemesh', 'mirror.update': 'core pulsemesh', 'mirror.query': 'core',
  'system.genesis': 'mirror core sage kronos shadow', 'system.health_check': 'mirror core sage kronos shadow',
  'system.health_response': 'pulsemesh', 'wake.node_ready': 'pulsemesh', 'core.reply': 'mirror pulsemesh',
  'core.status': 'mirror sage pulsemesh', 'core.ingest': 'sage kronos shadow',
  'core.reasoning': 'mirror sage kronos', 'audit.log': 'core mirror shadow',
  'governance.decision': 'core mirror shadow', 'governance.validate': 'sage', 'kronos.index': 'kronos',
  'kronos.query': 'kronos', 'kronos.decay': 'core sage mirror', 'kronos.query_result': 'core mirror',
  'shadow.provenance': 'shadow', 'shadow.query': 'shadow', 'shadow.query_result': 'core mirror',
};
const kTopics = Object.values(kNodes).flatMap((topics) => topics.split(' '));
const reachOf = (topic) => new Set([topic, ...(kTargets[topic] ?? '').split(' ')
  .flatMap((node) => (kNodes[node] ?? '').split(' ')).filter((reached) => reached !== '')]);

// Two subscribers of each topic publish once each: what everybody gets is what the table says.
test('each of 21 topics reaches exactly whom the table names, and each of them once', async (t) => {
  assert.equal(kTopics.length, 21);
  const broker = await startPulseBroker(t);
  const peers = [];
  for (const topic of [...kTopics, 'unlisted.topic']) {
    for (const twin of [1, 2]) {
      const peer = await connect(broker, topic, `client-${twin}`);
      peers.push(Object.assign(peer, { topic, name: `${topic} ${twin}` }));
    }
  }
  for (const peer of peers) peer.say({ by: peer.name, said: peer.topic });
  const expected = new Map(peers.map((receiver) => [receiver, peers
    .filter((sender) => sender !== receiver && reachOf(sender.topic).has(receiver.topic))
    .map(({ name }) => name).sort()]));
  for (const [receiver, names] of expected) {
    await eventually(`${receiver.name} gets ${names.length}`, () => receiver.inbox.length >= names.length);
  }
  await sleep(500);
  for (const [receiver, names] of expected) {
    assert.deepEqual(receiver.inbox.map(({ by }) => by).sort(), names, receiver.name);
    for (const pulse of receiver.inbox) assert.equal(pulse._mesh_topic, pulse.said, 'where it was published');
  }
});

test('a topic that targets its own node neither echoes nor doubles', async (t) => {
  const broker = await startPulseBroker(t);
  for (const topic of ['kronos.index', 'shadow.query', 'governance.validate', 'wake.node_ready']) {
    const [sender, twin] = [await connect(broker, topic, 'a'), await connect(broker, topic, 'a')];
    sender.say({ n: 1 });
    sender.say({ n: 2 });
    assert.deepEqual((await twin.pulses(2)).map(({ n }) => n), [1, 2]);
    twin.say({ n: 3 });
    assert.deepEqual((await sender.pulses(1)).map(({ n }) => n), [3]);
    await sleep(200);
    assert.deepEqual([sender.inbox, twin.inbox], [[], []], topic);
    await Promise.all([sender.leave(), twin.leave()]);
  }
});

const kOwnRoutes = `
[nodes]
north = ["weather.north", "alarm.north"]
south = ["weather.south"]
[targets]
"weather.north" = ["south"]
"alarm.all" = ["north", "south"]
`;
test('a mesh routes by a document of its own, and by a new one after SIGHUP', async (t) => {
  const file = join(temporaryFolder(), 'routes.toml');
  writeFileSync(file, kOwnRoutes);
  const broker = await startPulseBroker(t, { set: { 'policy.routes': file } });
  const [north, south, alarm] = [await connect(broker, 'weather.north', 'a'),
                                 await connect(broker, 'weather.south', 'b'),
                                 await connect(broker, 'alarm.all', 'c')];
  north.say({ n: 1 });
  assert.equal((await south.pulses(1))[0].n, 1);
  south.say({ n: 2 });
  alarm.say({ n: 3 });
  assert.deepEqual([(await north.pulses(1))[0].n, (await south.pulses(1))[0].n], [3, 3]);
  const core = await connect(broker, 'core.reply', 'd'); // v1's table holds no more
  const mirror = await connect(broker, 'mirror.query', 'e');
  mirror.say({ n: 4 });

  writeFileSync(file, kOwnRoutes.replace('"weather.north" = ["south"]', '"weather.south" = ["north"]'));
  broker.process.kill('SIGHUP');
  await eventually('the new table holds', async () => {
    south.say({ n: 5 });
    await sleep(50);
    return north.inbox.length > 0;
  });
  const heard = south.inbox.length;
  north.say({ n: 6 });
  await sleep(300);
  assert.equal(south.inbox.length, heard, 'nothing from north to south any more');
  assert.deepEqual(core.inbox, []);

  writeFileSync(file, '[targets]\n"weather.south" = ["nowhere"]\n'); // a bad one changes nothing
  const from = broker.log.length;
  broker.process.kill('SIGHUP');
  await eventually('it is said', () => broker.log.slice(from).some((line) => line.includes('"error"')));
  north.inbox.length = 0;
  south.say({ n: 7 });
  assert.equal((await north.pulses(1))[0].n, 7);
});
