// `signet audit` and a verifier of the test's own agree: each takes the export that the other made, and
// a proof that the program wrote holds by the definition of RFC 6962.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { addSource } from './pulse_client.mjs';
import { checkExport, exportOf, leafOf, openNote, rootByPath, verifierKey, verifierOf } from './audit_reader.mjs';
import { Home } from './cli.mjs';
import { startBroker } from './harness.mjs';

test('an export, its check and a proof', async (t) => {
  const broker = await startBroker(t);
  for (let i = 0; i < 5; ++i) await addSource(broker, `source-${i}`);
  const home = new Home(t, { SIGNET_OPERATOR_SOCKET: broker.ready.socket });
  const key = await verifierKey(broker);
  const verifier = verifierOf(key);
  const file = join(home.folder, 'log.jsonl');
  await home.ok('audit', 'export', '--out', file);
  const text = readFileSync(file, 'utf8');
  const { entries, head } = checkExport(text, verifier);
  assert.equal(entries.filter(({ event }) => event === 'secret_set').length, 5);

  const ours = await exportOf(broker);
  writeFileSync(file, ours);
  const { entries: count } = await home.json('audit', 'verify', file, '--key', key);
  assert.equal(count, checkExport(ours, verifier).entries.length);
  writeFileSync(file, ours.replace('"by":"operator"', '"by":"member"'));
  await home.fails(4, 'log_not_intact', 'audit', 'verify', file, '--key', key);

  const lines = text.split('\n');
  const proof = JSON.parse(await home.ok('audit', 'prove', '3'));
  const path = proof.path.map((hash) => Buffer.from(hash, 'base64'));
  const signed = openNote(proof.checkpoint, verifier);
  assert.ok(signed.entries >= head.entries);
  assert.equal(JSON.stringify(proof.entry), lines[4]);
  assert.deepEqual(rootByPath(leafOf(lines[4]), 3, signed.entries, path), signed.root);
});
