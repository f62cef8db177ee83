// The log of a broker, from the change that it tells of to a check that believes nobody: an export
// that fails when a byte, a row or its end is changed, a proof of one entry, and a witness that sees
// what only the holder of the log's key could do.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { Home, root } from './cli.mjs';
import { startBroker } from './harness.mjs';

async function operator(t) {
  const broker = await startBroker(t);
  return { broker, home: new Home(t, { SIGNET_OPERATOR_SOCKET: broker.ready.socket }) };
}

test('what changed is in the log, and an export of it holds only as it is', async (t) => {
  const { broker, home } = await operator(t);
  await home.ok('join', broker.invite, '--name', 'Ada Example');
  const tail = await home.json('audit', 'tail', '-n', '1000');
  const events = tail.entries.map((entry) => entry.event);
  assert.equal(events[0], 'log_begun');
  for (const event of ['server_started', 'mesh_added', 'member_added']) {
    assert.ok(events.includes(event), `${event} of ${events}`);
  }
  const text = await home.ok('audit', 'tail', '-n', '3');
  assert.match(text, /^N +AT +EVENT +MESH +SUBJECT/);
  assert.equal(text.trimEnd().split('\n').length, 4);
  assert.doesNotMatch(text + JSON.stringify(tail), /Ada/);

  const file = join(home.folder, 'log.jsonl');
  await home.ok('audit', 'export', '--out', file);
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  const { key } = JSON.parse(lines[0]);
  const verified = await home.json('audit', 'verify', file, '--key', key);
  assert.deepEqual([verified.entries, verified.keyKnown], [lines.length - 2, true]);
  const alone = await home.run(['audit', 'verify', file]);
  assert.match(alone.stderr, /NOT CHECKED AGAINST A KNOWN KEY/);
  assert.equal(alone.status, 0);

  const refuses = async (changed, why) => {
    writeFileSync(`${file}.changed`, changed.join('\n') + '\n');
    const told = await home.fails(4, 'log_not_intact', 'audit', 'verify', `${file}.changed`);
    assert.match(told.message, why);
  };
  const other = lines[2].replace(/\.(\d)/, (_, digit) => `.${(Number(digit) + 1) % 10}`);
  await refuses(lines.with(2, other), /not those that were signed/);
  await refuses(lines.toSpliced(2, 1), /entry 2 is where entry 1 should be/);
  await refuses(lines.toSpliced(-2, 1), /the checkpoint is over/);
  await home.fails(2, 'usage', 'audit', 'verify', file, '--key', 'no key');

  // The page's own way, with nothing of ours.
  const page = readFileSync(join(root, 'docs/audit.md'), 'utf8');
  const script = page.match(/```python\n(.*?)```/s)[1];
  const checked = spawnSync('/usr/bin/python3', ['-c', script, file], { encoding: 'utf8' });
  assert.match(checked.stdout, /^intact: /, checked.stderr);
});

test('an entry is proven away from the log', async (t) => {
  const { home } = await operator(t);
  const proof = await home.ok('audit', 'prove', '1');
  const file = join(home.folder, 'proof.json');
  writeFileSync(file, proof);
  const verified = await home.json('audit', 'verify', '--proof', file, '--key', JSON.parse(proof).key);
  assert.equal(verified.entry.n, 1);
  writeFileSync(file, proof.replace('"n":1,', '"n":0,'));
  await home.fails(4, 'log_not_intact', 'audit', 'verify', '--proof', file);
  await home.fails(3, 'not_found', 'audit', 'prove', '100000');
});

test('a witness believes a log that grows, and none that was set back', async (t) => {
  const { broker, home } = await operator(t);
  const state = join(home.folder, 'seen');
  const first = await home.json('audit', 'witness', '--state', state);
  assert.equal(first.first, true);
  await broker.stop();
  cpSync(broker.data, `${broker.data}.old`, { recursive: true });
  await broker.start();
  for (const name of ['gauge-1', 'gauge-2', 'gauge-3']) {
    await home.ok('--mesh', broker.mesh.slug, 'secret', 'add', name);
  }
  const second = await home.json('audit', 'witness', '--state', state, '--key', first.key);
  assert.equal(second.first, false);
  assert.ok(second.added > 3);
  const file = join(home.folder, 'log.jsonl');
  await home.ok('audit', 'export', '--out', file);
  const verified = await home.json('audit', 'verify', file, '--against', state);
  assert.equal(verified.keyKnown, true, 'what the witness keeps says the key, too');

  const kept = readFileSync(state, 'utf8');
  await broker.stop();
  rmSync(broker.data, { recursive: true });
  cpSync(`${broker.data}.old`, broker.data, { recursive: true });
  await broker.start();
  const told = await home.fails(4, 'log_not_intact', 'audit', 'witness', '--state', state);
  assert.match(told.message, /^History was rewritten: the log once had/);
  assert.equal(readFileSync(state, 'utf8'), kept, 'the evidence stays');
});
