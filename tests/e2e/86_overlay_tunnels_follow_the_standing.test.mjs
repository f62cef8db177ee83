// Real tunnels of wireguard-go between network namespaces, each with the agent of ours. The broker
// is a host at the switch like the others and in no tunnel, so agents reach it whatever they are.
//
//   ns broker ── 192.0.2.1  ─┐
//   ns ann    ── 192.0.2.11 ─┼─ switch        ann ═ bob ═ cem  in 10.10.0.0/24
//   ns bob    ── 192.0.2.12 ─┤                each with each: a key of its own for each pair
//   ns cem    ── 192.0.2.13 ─┘
import assert from 'node:assert/strict';
import test from 'node:test';
import { join } from 'node:path';
import { Home } from './cli.mjs';
import { eventually, sleep } from './harness.mjs';
import { missing, Network, startSwitchedBroker, TunnelNode } from './tunnels.mjs';

const skip = missing();
const kCutMs = 5_000; // from the decision until nothing passes; agents ask as often as they ship
const env = { SIGNET_OVERLAY_EPOCH_SECONDS: '2' };

async function meshOf(t, names, { pace = [], ...options } = {}) {
  const network = new Network(t);
  const { broker, authority } = await startSwitchedBroker(t, network, { env, ...options });
  const nodes = [];
  for (const [at, name] of names.entries()) {
    const node = new TunnelNode(t, network, broker, authority, name, `192.0.2.${11 + at}`);
    nodes.push((await node.join()).startAgent(...pace));
  }
  return { broker, nodes, network };
}
const standing = (broker, node, wanted) =>
  broker.operator('POST', `/meshes/${broker.mesh.slug}/members/${node.member.publicKey}/standing`, { standing: wanted });

// Traffic in both ways of who goes, and of the others.
async function underTraffic([ann, bob, cem]) {
  for (const [one, other] of [[ann, bob], [ann, cem], [bob, cem], [cem, ann]]) await one.reaches(other);
  const traffic = { cut: [ann.pings(cem), cem.pings(ann), cem.pings(bob)],
                    kept: [ann.pings(bob), bob.pings(ann)] };
  await sleep(1_000);
  return traffic;
}
async function isCut(t, [ann, bob, cem], { cut, kept }, decided) {
  await eventually('nobody has its peer', async () =>
    (await ann.peers()).length === 1 && (await bob.peers()).length === 1, kCutMs);
  await sleep(kCutMs);
  for (const pings of cut) {
    const { back, last } = await pings.end();
    assert.ok(back > 0, 'there was a live session');
    assert.ok(last - decided < kCutMs, `the last packet passed ${last - decided} ms after the decision`);
    t.diagnostic(`the last packet passed ${(last - decided).toFixed(0)} ms after the decision`);
  }
  for (const pings of kept) {
    const { sent, back } = await pings.end();
    assert.equal(back, sent, 'the others notice nothing');
  }
  assert.deepEqual(await cem.peers(), [], 'its own agent let go of the others');
  assert.equal(await cem.quietly('ping', '-c', '1', '-W', '1', ann.overlay), false);
}

test('members ping each other; who is quarantined is cut within five seconds, with its live session', { skip }, async (t) => {
  const { broker, nodes } = await meshOf(t, ['ann', 'bob', 'cem']);
  const [ann, , cem] = nodes;
  const traffic = await underTraffic(nodes);
  const answer = await standing(broker, cem, 'quarantined');
  const decided = Date.now();
  assert.equal(answer.status, 200, answer.text);
  await isCut(t, nodes, traffic, decided);

  assert.equal((await standing(broker, cem, 'admitted')).status, 200);
  await cem.reaches(ann);
  await ann.reaches(cem);
  assert.equal((await standing(broker, cem, 'revoked')).status, 200);
  await eventually('it is gone', async () => (await ann.peers()).length === 1, kCutMs);
});

test('whom operators revoke together is cut within five seconds, too', { skip }, async (t) => {
  const desk = new Home(t); // of the operators, with their keys
  const operators = [];
  for (const name of ['olga', 'omar']) {
    operators.push((await desk.json('keygen', '--out', `${name}.key`)).publicKey);
  }
  const set = { 'operators.keys': operators.join(','), 'operators.needed': '2' };
  const { broker, nodes } = await meshOf(t, ['ann', 'bob', 'cem'], { set });
  const { home } = nodes[0]; // from where the broker is reached
  home.env.SIGNET_OPERATOR_SOCKET = broker.ready.socket;
  await home.ok('revoke', 'propose', '--node', 'cem', '--out', 'cem.proposal');
  for (const name of ['olga', 'omar']) {
    await home.ok('revoke', 'sign', 'cem.proposal', '--yes', '--key', join(desk.folder, `${name}.key`));
  }
  const traffic = await underTraffic(nodes);
  await home.ok('revoke', 'apply', 'cem.proposal', '--yes');
  await isCut(t, nodes, traffic, Date.now());
});

test('a score below the threshold ends the tunnel, a good one brings it back', { skip }, async (t) => {
  const { nodes: [ann, bob] } = await meshOf(t, ['ann', 'bob'], { pace: ['--every', '1s'] });
  await ann.reaches(bob);
  bob.does(0.3);
  await eventually('it is out', async () => (await ann.peers()).length === 0);
  assert.equal(await bob.quietly('ping', '-c', '1', '-W', '1', ann.overlay), false);
  bob.does(0.95);
  await bob.reaches(ann);
});

test('without a broker nothing changes', { skip }, async (t) => {
  const { broker, nodes: [ann, bob] } = await meshOf(t, ['ann', 'bob']);
  await ann.reaches(bob);
  const pings = ann.pings(bob);
  await broker.kill();
  await sleep(6_000); // three epochs
  const { sent, back } = await pings.end();
  assert.ok(sent > 40);
  assert.equal(back, sent);
  await broker.start();
  assert.equal((await ann.endAgent()).at(0), 0);
  await sleep(500);
  await ann.reaches(bob); // its tunnels stay when an agent ends
});
