// Why a node is a member or not: its inputs, the rule and its trend, for operators; all that is kept
// of it, for the person whose it is; and that it is gone when it is forgotten. status.json beside it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { Home } from './cli.mjs';
import { eventually, newKeys, sodium, startBroker } from './harness.mjs';
import { Node } from './overlay_node.mjs';

const kLong = { SIGNET_OVERLAY_EPOCH_SECONDS: '3600' }; // an epoch is decided when an operator says so

async function operated(t, options = {}) {
  const broker = await startBroker(t, { env: kLong, ...options });
  const home = new Home(t, { SIGNET_OPERATOR_SOCKET: broker.ready.socket });
  const run = (...args) => home.json('--mesh', broker.mesh.slug, ...args);
  return { broker, home, run };
}
async function nodeOf(broker, name, ...scores) {
  const node = new Node(broker, `node-${name}`, await broker.join(name));
  assert.equal((await node.register()).status, 200);
  for (const overall of scores) assert.equal((await node.submit(overall)).status, 200);
  return node;
}

// What the rows of the database say, while nobody serves. Bytes are sealed: only counts are told.
async function rowsOf(broker, name) {
  await broker.stop();
  const script = `
import sqlite3, sys, json
db = sqlite3.connect(sys.argv[1])
count = lambda text, *of: db.execute(text, of).fetchone()[0]
print(json.dumps({"node": count("SELECT count(*) FROM sealed WHERE kind = 'node' AND name = ?", sys.argv[2]),
                  "verdict": count("SELECT count(*) FROM sealed WHERE kind = 'verdict' AND name = ?", sys.argv[2]),
                  "reports": count("SELECT count(*) FROM sealed_report WHERE name = ?", sys.argv[2]),
                  "named": sum(sys.argv[2] in str(row) for row in db.execute("SELECT kind, name FROM sealed"))}))`;
  const told = JSON.parse(execFileSync('/usr/bin/python3', ['-c', script, `${broker.data}/signet.db`, name]));
  for (const file of readdirSync(broker.data).filter((each) => each.startsWith('signet.db'))) {
    const bytes = readFileSync(join(broker.data, file));
    for (const plain of ['signet-benchmark-v1', '"overall"', 'score 0.']) {
      assert.ok(!bytes.includes(plain), `${plain} is in ${file} as it is`);
    }
  }
  await broker.start();
  return told;
}

test('a node is explained, exported and forgotten', async (t) => {
  const { broker, home, run } = await operated(t);
  const [ann, bob] = [await nodeOf(broker, 'ann', 0.5, 0.75, 0.92), await nodeOf(broker, 'bob', 0.65)];
  assert.deepEqual((await run('node', 'list')).nodes.map(({ node, verdict }) => [node, verdict]),
                   [['node-ann', 'UNKNOWN'], ['node-bob', 'UNKNOWN']]);
  const rotated = await run('epoch', 'rotate');
  assert.equal(rotated.epoch, 1);

  const why = await run('node', 'explain', 'node-bob');
  assert.deepEqual([why.verdict, why.reason, why.decision.step, why.decision.epoch],
                   ['DENIED', 'score 0.65 < threshold 0.70', 'below', 1]);
  assert.deepEqual([why.decision.again.same, why.rule.version, why.rule.threshold], [true, 1, 0.7]);
  assert.deepEqual(why.decision.inputs.reports.map(({ overall }) => overall), [0.65]);
  const good = await run('node', 'explain', 'node-ann');
  assert.deepEqual(good.scores.map(({ overall }) => overall), [0.5, 0.75, 0.92]);
  assert.match(good.sparkline, /^[▁▂▃▄▅▆▇█]{3}$/);
  const text = await home.ok('--mesh', broker.mesh.slug, 'node', 'explain', 'node-ann');
  assert.match(text, /^node-ann {2}ALLOWED {2}score 0\.92 >= 0\.70, fresh$/m);
  assert.match(text, /by the step good of rule version 1/);
  assert.match(text, /Decided again from what is kept: the same\./);
  assert.match(text, /[▁▂▃▄▅▆▇█]{3} {2}0\.5 to 0\.92 in the last 3 reports/);

  const file = join(home.folder, 'ann.json');
  const done = await run('node', 'export', 'node-ann', '--out', file);
  assert.equal(done.reports, 3);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const all = JSON.parse(readFileSync(file, 'utf8'));
  assert.equal(all.node, 'node-ann');
  assert.deepEqual(all.former, []);
  const said = all.submissions.map(({ signed }) => JSON.parse(signed.split('\n')[1]).scores.overall);
  assert.deepEqual(said, [0.5, 0.75, 0.92]);
  for (const { signed, signature } of all.submissions) {
    assert.ok(sodium.crypto_sign_verify_detached(Buffer.from(signature, 'hex'), signed,
                                                 ann.member.publicKey), 'as it was signed');
  }

  assert.deepEqual(await rowsOf(broker, 'node-ann'), { node: 1, verdict: 1, reports: 3, named: 2 });
  const kept = await run('node', 'explain', 'node-ann');
  assert.equal(kept.decision.again.same, true, 'also after a restart');
  await home.fails(2, 'usage', '--mesh', broker.mesh.slug, 'node', 'forget', 'node-ann');
  const gone = await run('node', 'forget', 'node-ann', '--yes');
  assert.equal(gone.standing, 'admitted');
  await home.fails(3, 'not_found', '--mesh', broker.mesh.slug, 'node', 'explain', 'node-ann');
  assert.deepEqual(await rowsOf(broker, 'node-ann'), { node: 0, verdict: 0, reports: 0, named: 0 });
  assert.deepEqual((await run('node', 'list')).nodes.map(({ node }) => node), ['node-bob']);

  await broker.setStanding(bob.member, 'revoked');
  assert.equal((await run('node', 'forget', 'node-bob', '--yes')).standing, 'revoked');
  assert.equal((await bob.register()).json().code, 'revoked', 'to be forgotten is no way back');
});

test('the epoch is shown, and decided ahead of its time', async (t) => {
  const { broker, home, run } = await operated(t);
  assert.equal((await run('epoch', 'show')).epoch, 0);
  const none = await home.ok('--mesh', broker.mesh.slug, 'epoch', 'show');
  assert.match(none, /^No epoch of \S+ was decided yet\.$/m);
  await nodeOf(broker, 'ann', 0.92);
  const { epoch } = await run('epoch', 'rotate');
  const shown = await run('epoch', 'show');
  assert.deepEqual([shown.epoch, shown.nodes, shown.allowed, shown.rule.version], [epoch, 1, 1, 1]);
  assert.ok(Date.parse(shown.ends) > Date.parse(shown.decided_at));
  const text = await home.ok('--mesh', broker.mesh.slug, 'epoch', 'show');
  assert.match(text, /^members +1 of 1 nodes$/m);
  await home.fails(2, 'usage', '--mesh', broker.mesh.slug, 'node', 'explain', 'a\nb');
});

test('denials that are held happen by the word of one operator, as they were shown', async (t) => {
  const { broker, home, run } = await operated(t);
  const names = ['ann', 'bob', 'carl'];
  const nodes = [];
  for (const name of names) nodes.push(await nodeOf(broker, name, 0.9));
  await run('epoch', 'rotate');
  await home.fails(6, 'not_held', '--mesh', broker.mesh.slug, 'epoch', 'deny', '--yes');
  for (const node of nodes) assert.equal((await node.submit(0.1)).status, 200);
  await run('epoch', 'rotate');
  const held = names.map((name) => `node-${name}`);
  assert.deepEqual((await run('epoch', 'show')).held_denials, held);
  await home.fails(2, 'usage', '--mesh', broker.mesh.slug, 'epoch', 'deny');
  assert.ok((await run('node', 'list')).nodes.every(({ verdict }) => verdict === 'ALLOWED'));
  assert.deepEqual((await run('epoch', 'deny', '--yes')).denied, held);
  assert.ok((await run('node', 'list')).nodes.every(({ verdict }) => verdict === 'DENIED'));
  assert.deepEqual((await run('epoch', 'show')).held_denials, []);
  assert.equal(Number((await broker.logged('overlay.mass_denial_allowed')).denials), 3);
});

test('who may still have a peer that is out is listed', async (t) => {
  const { broker, home, run } = await operated(t);
  const [ann, bob] = [await nodeOf(broker, 'ann', 0.9), await nodeOf(broker, 'bob', 0.9)];
  const behind = async () => (await run('epoch', 'show')).behind;
  await run('epoch', 'rotate');
  assert.deepEqual((await behind()).nodes.map(({ node, epoch }) => [node, epoch]),
                   [['node-ann', null], ['node-bob', null]]);
  assert.equal((await ann.config()).allowed, true);
  assert.equal((await behind()).count, 1);
  const text = await home.ok('--mesh', broker.mesh.slug, 'epoch', 'show');
  assert.match(text, /^behind +node-bob \(nothing\)$/m);
  await broker.setStanding(bob.member, 'quarantined');
  await eventually('ann has not heard of it', async () => {
    const { count, nodes } = await behind();
    return count === 1 && nodes[0].node === 'node-ann' && nodes[0].epoch === 1;
  });
  assert.equal(await broker.metric('signet_overlay_nodes_behind'), 1);
  await ann.config();
  assert.deepEqual(await behind(), { count: 0, nodes: [] });
  assert.equal(await broker.metric('signet_overlay_nodes_behind'), 0);
});

test('a mesh without an overlay says so', async (t) => {
  const { broker, home } = await operated(t);
  const body = { slug: 'other', owner_pubkey: newKeys().pubkey };
  assert.equal((await broker.operator('POST', '/meshes', body)).status, 200);
  const told = await home.fails(3, 'not_found', '--mesh', 'other', 'node', 'list');
  assert.match(told.message, /no overlay is bound to this mesh/);
});

test('status.json is written whole after each decision, for its owner alone, or not at all', async (t) => {
  const { broker, run } = await operated(t);
  const path = join(broker.data, 'status.json');
  const status = () => JSON.parse(readFileSync(path, 'utf8'));
  const node = await nodeOf(broker, 'ann', 0.92);
  await run('epoch', 'rotate');
  await eventually('the first decision is told', () => existsSync(path) && status().epoch.id === 1);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const first = status();
  assert.equal(first.nodes['node-ann'].membership, 'ALLOWED');
  assert.deepEqual(Object.keys(first.nodes['node-ann']),
                   ['membership', 'last_update_utc', 'last_benchmark', 'reason']);
  assert.equal(first.nodes['node-ann'].last_benchmark.overall, 0.92);
  const text = readFileSync(path, 'utf8');
  for (const secret of [node.member.pubkey, Buffer.from(node.wireguard).toString('base64')]) {
    assert.ok(!text.includes(secret));
  }
  assert.ok(!existsSync(`${path}.new`));
  await node.submit(0.3);
  await run('epoch', 'rotate');
  await eventually('the next one', () => status().nodes['node-ann'].membership === 'DENIED');

  const off = await operated(t, { set: { 'overlay.status_file': '' } });
  await nodeOf(off.broker, 'ann', 0.92);
  await off.run('epoch', 'rotate');
  assert.ok(!existsSync(join(off.broker.data, 'status.json')));
});

test('a status.json that cannot be written stops no decision', async (t) => {
  const { broker, run } = await operated(t, { set: { 'overlay.status_file': '/nowhere/status.json' } });
  await nodeOf(broker, 'ann', 0.92);
  assert.equal((await run('epoch', 'rotate')).epoch, 1);
  assert.equal((await run('node', 'explain', 'node-ann')).verdict, 'ALLOWED');
  await eventually('it is counted', async () =>
    await broker.metric('signet_overlay_status_file_failed_total') >= 1);
  assert.ok(broker.log.some((line) => line.includes('overlay.status_file_failed')));
});

test('the log has the node, the epoch and each verdict that changed, and verifies', async (t) => {
  const { broker, home, run } = await operated(t);
  const ann = await nodeOf(broker, 'ann', 0.92);
  await run('epoch', 'rotate');
  await run('epoch', 'rotate');
  await ann.submit(0.3);
  await run('epoch', 'rotate');
  await run('node', 'forget', 'node-ann', '--yes');
  const { entries } = await home.json('audit', 'tail', '-n', '1000');
  const ours = entries.filter(({ event }) => /^(node_|epoch_|verdict_)/.test(event));
  assert.deepEqual(ours.map(({ event, code }) => [event, code]), [
    ['node_registered', null],
    ['epoch_decided', 'epoch:1.rule:1.allowed:1.denied:0'],
    ['verdict_changed', 'allowed.good'],
    ['epoch_decided', 'epoch:2.rule:1.allowed:1.denied:0'],
    ['epoch_decided', 'epoch:3.rule:1.allowed:0.denied:1'],
    ['verdict_changed', 'denied.below'],
    ['node_forgotten', null],
  ]);
  assert.equal(new Set(ours.filter(({ subject }) => subject).map(({ subject }) => subject)).size, 1);
  assert.ok(ours.every(({ event, hash }) => (event === 'epoch_decided') <= /^[0-9a-f]{64}$/.test(hash)));
  assert.doesNotMatch(JSON.stringify(ours), /node-ann|0\.92/);
  assert.match(await home.ok('audit', 'tail', '-n', '10'), /epoch_decided .*epoch:3\.rule:1\.allowed:0\.denied:1/);
  const file = join(home.folder, 'log.jsonl');
  await home.ok('audit', 'export', '--out', file);
  const { key } = JSON.parse(readFileSync(file, 'utf8').split('\n')[0]);
  assert.equal((await home.json('audit', 'verify', file, '--key', key)).keyKnown, true);
});
