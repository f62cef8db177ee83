// What the broker hands out is enough for whoever checks it by code of his own: an export with its
// signed head, proofs of single entries and of growth. A byte, a line or an order that was changed
// is seen.
import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import test from 'node:test';
import { addSource, changeSource } from './pulse_client.mjs';
import { checkExport, checkpointOf, exportOf, isIn, linesOf, onlyGrew, openNote, verifierKey, verifierOf }
  from './audit_reader.mjs';
import { startBroker } from './harness.mjs';

const kChanges = 40;

async function startLog(t, options) {
  const broker = await startBroker(t, options);
  const heads = [];
  const verifier = verifierOf(await verifierKey(broker));
  for (let i = 0; i < kChanges; ++i) {
    if (i % 7 === 0) heads.push(openNote(await checkpointOf(broker), verifier));
    await addSource(broker, `source-${i}`);
  }
  await broker.joined('ada');
  return { broker, verifier, heads };
}

test('an export holds what was signed; whatever is changed in it is seen', async (t) => {
  const { broker, verifier } = await startLog(t);
  const text = await exportOf(broker);
  const { entries } = checkExport(text, verifier);
  assert.ok(entries.length > 2 * kChanges);
  assert.deepEqual([...new Set(entries.map(({ at }) => at))].sort(), [...new Set(entries.map(({ at }) => at))]);

  const lines = text.split('\n');
  const notGood = (changed, what) => assert.throws(() => checkExport(changed, verifier), undefined, what);
  const bytes = Buffer.from(text);
  for (let at = lines[0].length; at < bytes.length - 1; at += 97) {
    const changed = Buffer.from(bytes);
    changed[at] ^= 1;
    notGood(changed.toString(), `byte ${at}`);
  }
  for (let i = 1; i < lines.length - 1; ++i) {
    notGood([...lines.slice(0, i), ...lines.slice(i + 1)].join('\n'), `without line ${i}`);
    notGood([...lines.slice(0, i), lines[i], ...lines.slice(i)].join('\n'), `line ${i} twice`);
  }
  notGood([lines[0], lines[2], lines[1], ...lines.slice(3)].join('\n'), 'two lines in another order');

  // Somebody who has not the key signs a shorter log.
  const { checkpoint } = JSON.parse(lines.at(-2));
  const forger = generateKeyPairSync('ed25519').privateKey;
  const body = checkpoint.slice(0, checkpoint.lastIndexOf('\n\n') + 1);
  const signature = Buffer.concat([Buffer.from(verifier.hash, 'hex'), sign(null, Buffer.from(body), forger)]);
  const forged = `${body}\n\u2014 ${verifier.origin} ${signature.toString('base64')}\n`;
  notGood([...lines.slice(0, -2), JSON.stringify({ checkpoint: forged }), ''].join('\n'), 'another signature');
});

test('proofs of entries and of growth lead to the heads that were signed', async (t) => {
  const { broker, verifier, heads } = await startLog(t);
  const lines = await linesOf(broker);
  const last = openNote(await checkpointOf(broker), verifier);
  for (const { entries, root } of [heads[0], heads[3], last]) {
    for (let index = 0; index < entries; index += 1 + Math.floor(entries / 12)) {
      assert.ok(await isIn(broker, lines[index], index, entries, root), `entry ${index} of ${entries}`);
      assert.equal(await isIn(broker, `${lines[index]} `, index, entries, root), false, 'another line is not in it');
    }
  }
  for (const [i, before] of heads.entries()) {
    for (const after of [...heads.slice(i), last]) assert.ok(await onlyGrew(broker, before, after));
    const other = { ...before, root: Buffer.alloc(32, 7) };
    assert.equal(await onlyGrew(broker, other, last), false, 'a log that was another one did not only grow');
  }
  const { status } = await broker.operator('GET', `/audit/inclusion?entry=${last.entries + 100}&entries=1`);
  assert.ok(status >= 400 && status < 500);
});

test('the log is the same after a restart, under the same key; only the operator reads it', async (t) => {
  const { broker, verifier, heads } = await startLog(t);
  const before = await linesOf(broker);
  await broker.restart();
  await changeSource(broker, 'source-1', 'revoke');
  assert.equal(verifierOf(await verifierKey(broker)).hash, verifier.hash);
  const after = await linesOf(broker);
  assert.deepEqual(after.slice(0, before.length), before);
  assert.ok(await onlyGrew(broker, heads.at(-1), openNote(await checkpointOf(broker), verifier)));
  for (const path of ['entries', 'checkpoint', 'key', 'inclusion?entry=0&entries=1', 'consistency?from=1&to=2']) {
    for (const headers of [{}, { authorization: 'Bearer wrong' }]) {
      const { status } = await broker.request('GET', `/api/signet/v1/audit/${path}`, { headers });
      assert.ok([401, 403].includes(status), `${path}: ${status}`);
    }
  }
});
