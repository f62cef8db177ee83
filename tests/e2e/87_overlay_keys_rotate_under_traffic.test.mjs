// A hundred changes of keys under traffic, and a broker that is killed in the midst of them. Two
// nodes have a session that stays; two others make a new handshake after each change, since a
// session that stands does not show whether both ends have one key.
//
//   ns broker ── 192.0.2.1  ─┐
//   ns ann    ── 192.0.2.11 ─┤
//   ns bob    ── 192.0.2.12 ─┼─ switch        ann ═ bob  never lose a packet
//   ns cem    ── 192.0.2.13 ─┤                cem ═ dan  meet anew each time
//   ns dan    ── 192.0.2.14 ─┘
import assert from 'node:assert/strict';
import test from 'node:test';
import { eventually, sleep } from './harness.mjs';
import { missing, Network, startSwitchedBroker, TunnelNode } from './tunnels.mjs';

const skip = missing();
const kRotations = 100;
const kKills = 5;
// So that a change takes a second and not half a minute, agents ask often, too; all else is as it
// ships.
const often = ['--every', '1s', '--poll', '200ms'];
const options = { env: { SIGNET_OVERLAY_EPOCH_SECONDS: '1' },
                  set: { 'overlay.switch_ahead': '400ms', 'overlay.key_grace': '400ms' } };

async function meshOf(t, names) {
  const network = new Network(t);
  const { broker, authority } = await startSwitchedBroker(t, network, options);
  const nodes = [];
  for (const [at, name] of names.entries()) {
    const node = new TunnelNode(t, network, broker, authority, name, `192.0.2.${11 + at}`);
    nodes.push((await node.join()).startAgent(...often));
  }
  return { broker, nodes };
}
const used = async (node) => (await node.shows()).in_use;
async function nextKeys(node, before) {
  return eventually(`keys after ${before}: ${node.said.slice(-3).join(' | ')}`, async () => {
    const now = await used(node);
    return now > before && now;
  }, 20_000);
}
// The interface forgets its sessions, so that the next packet needs a handshake.
async function meetAnew(node, other) {
  await node.exec('ip', 'link', 'set', node.interface, 'down');
  await node.exec('ip', 'link', 'set', node.interface, 'up');
  await node.reaches(other, 15_000);
}

test('a hundred changes of keys lose no packet', { skip }, async (t) => {
  const { nodes: [ann, bob, cem, dan] } = await meshOf(t, ['ann', 'bob', 'cem', 'dan']);
  await ann.reaches(bob);
  await cem.reaches(dan);
  const pings = [ann.pings(bob, 0.05), bob.pings(ann, 0.05)];
  const seen = new Set();
  let keys = await used(ann);
  let met = 0;
  while (seen.size < kRotations) {
    seen.add(await ann.presharedKeys());
    keys = await nextKeys(ann, keys);
    if (seen.size % 4 === 0) { await meetAnew(cem, dan); ++met; }
  }
  for (const each of pings) {
    const { sent, back } = await each.end();
    assert.equal(back, sent, `${sent - back} of ${sent} were lost`);
    t.diagnostic(`${sent} packets, none lost, ${met} new handshakes, ${seen.size} keys`);
  }
  assert.ok(met >= kRotations / 5);
});

test('a broker that is killed amid a change loses no packet either', { skip }, async (t) => {
  const { broker, nodes: [ann, bob, cem, dan] } = await meshOf(t, ['ann', 'bob', 'cem', 'dan']);
  await ann.reaches(bob);
  await cem.reaches(dan);
  const pings = ann.pings(bob, 0.05);
  let keys = await used(ann);
  for (let kill = 0; kill < kKills; ++kill) {
    await sleep(200 + 1_000 * Math.random());
    await broker.restartAfterKill();
    keys = await nextKeys(ann, keys);
    await meetAnew(cem, dan);
  }
  const { sent, back } = await pings.end();
  assert.equal(back, sent, `${sent - back} of ${sent} were lost`);
});
