// Somebody changes the log in the broker's own database while it is down. What its start can see it says,
// by a line and a figure; and whoever kept a signed head sees what it can't.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import test from 'node:test';
import { checkExport, checkpointOf, exportOf, linesOf, openNote, rootOf, leafOf, verifierKey, verifierOf }
  from './audit_reader.mjs';
import { addSource } from './pulse_client.mjs';
import { startBroker } from './harness.mjs';

const kSql = 'import sqlite3, sys\nd = sqlite3.connect(sys.argv[1])\nd.executescript(sys.argv[2])\nd.commit()\nd.close()\n';
const change = (broker, sql) => execFileSync('/usr/bin/python3', ['-c', kSql, `${broker.data}/signet.db`, sql]);

const kLast = '(SELECT MAX(number) FROM log_entry)';
// What is done, and whether the start itself finds it.
const kChanges = [
  ['nothing', 'SELECT 1', false],
  ['the last line', `UPDATE log_entry SET line = replace(line, 'secret_set', 'secret_sey') WHERE number = ${kLast}`, true],
  ['a line is gone', 'DELETE FROM log_entry WHERE number = 3', true],
  ['the last line is gone', `DELETE FROM log_entry WHERE number = ${kLast}`, true],
  ['a line in the middle', "UPDATE log_entry SET line = replace(line, 'configuration', 'operator') WHERE number = 3", true],
  ['a hash is gone', 'DELETE FROM log_hash WHERE position = 2', true],
  ['the signed head', "UPDATE log_checkpoint SET note = replace(note, 'signet', 'sygnet')", true],
  ['all of it', 'DELETE FROM log_entry; DELETE FROM log_hash', true],
];
// After these the lines are those that were signed.
const kSound = ['nothing', 'a hash is gone', 'the signed head'];
// The log as it was at an earlier head: nothing in it is wrong, as after a restore.
function backTo(entries) {
  const hashes = 2 * entries - entries.toString(2).replaceAll('0', '').length;
  return ['an earlier head', `DELETE FROM log_entry WHERE number >= ${entries};` +
    `DELETE FROM log_hash WHERE position >= ${hashes}; DELETE FROM log_checkpoint WHERE entries > ${entries}`, false];
}

test('each change is seen, at the start or by who kept a head', async (t) => {
  const broker = await startBroker(t);
  const verifier = verifierOf(await verifierKey(broker));
  const earlier = openNote(await checkpointOf(broker), verifier);
  for (let i = 0; i < 4; ++i) await addSource(broker, `source-${i}`);
  const kept = openNote(await checkpointOf(broker), verifier);
  await broker.stop();
  cpSync(broker.data, `${broker.data}.whole`, { recursive: true });
  t.after(() => rmSync(`${broker.data}.whole`, { recursive: true, force: true }));
  for (const [what, sql, isFound] of [...kChanges, backTo(earlier.entries)]) {
    rmSync(broker.data, { recursive: true });
    cpSync(`${broker.data}.whole`, broker.data, { recursive: true });
    change(broker, sql);
    await broker.start();
    assert.equal(await broker.metric('signet_audit_damaged'), isFound ? 1 : 0, what);
    assert.equal(broker.log.some((line) => line.includes('"audit.damaged"')), isFound, what);
    const isWhole = await exportOf(broker).then((text) => checkExport(text, verifier)).then(() => true, () => false);
    const same = rootOf((await linesOf(broker)).slice(0, kept.entries).map(leafOf)).equals(kept.root);
    assert.equal(isWhole && same, kSound.includes(what), `${what}: an export, and the head that was kept`);
    await broker.stop();
  }
});
