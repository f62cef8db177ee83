// Reads and checks the log as a stranger would: RFC 6962 by its recursive definitions, the signed note
// of C2SP, Node's own crypto, and nothing of ours.
import assert from 'node:assert/strict';
import { createHash, createPublicKey, verify } from 'node:crypto';

const kEd25519 = Buffer.from('302a300506032b6570032100', 'hex'); // what DER has before the key (RFC 8410)
const kPage = 1_000;

// --- the tree ---

const sha256 = (...parts) => createHash('sha256').update(Buffer.concat(parts)).digest();
export const leafOf = (line) => sha256(Buffer.from([0]), Buffer.from(line));
const nodeOf = (left, right) => sha256(Buffer.from([1]), left, right);

// The largest power of two below `size`, where the definition splits a tree.
function split(size) {
  let left = 1;
  while (left * 2 < size) left *= 2;
  return left;
}
export function rootOf(leaves, begin = 0, end = leaves.length) {
  if (begin === end) return sha256();
  if (end - begin === 1) return leaves[begin];
  const middle = begin + split(end - begin);
  return nodeOf(rootOf(leaves, begin, middle), rootOf(leaves, middle, end));
}

// The root that a path leads to from a leaf; null where the path has another length than it must.
export function rootByPath(leaf, index, size, path) {
  if (size === 1) return path.length === 0 ? leaf : null;
  if (path.length === 0) return null;
  const left = split(size), rest = path.slice(0, -1), sibling = path.at(-1);
  const isLeft = index < left;
  const below = isLeft ? rootByPath(leaf, index, left, rest) : rootByPath(leaf, index - left, size - left, rest);
  if (below === null) return null;
  return isLeft ? nodeOf(below, sibling) : nodeOf(sibling, below);
}

// Both roots that a consistency proof leads to; null where it has another length than it must.
export function rootsByGrowth(oldRoot, from, to, proof, isWhole = true) {
  if (from === to) {
    if (isWhole) return proof.length === 0 ? [oldRoot, oldRoot] : null;
    return proof.length === 1 ? [proof[0], proof[0]] : null;
  }
  if (proof.length === 0) return null;
  const left = split(to), rest = proof.slice(0, -1), top = proof.at(-1);
  if (from <= left) {
    const roots = rootsByGrowth(oldRoot, from, left, rest, isWhole);
    return roots && [roots[0], nodeOf(roots[1], top)];
  }
  const roots = rootsByGrowth(oldRoot, from - left, to - left, rest, false);
  return roots && [nodeOf(top, roots[0]), nodeOf(top, roots[1])];
}

// --- the signed head ---

// "<origin>+<hash>+<base64 of 0x01 and the key>".
export function verifierOf(text) {
  const [, origin, hash, encoded] = /^([^+\s]+)\+([0-9a-f]{8})\+(\S+)$/.exec(text.trim());
  const bytes = Buffer.from(encoded, 'base64');
  assert.equal(bytes.length, 33);
  assert.equal(sha256(Buffer.from(`${origin}\n`), bytes).toString('hex').slice(0, 8), hash);
  const key = createPublicKey({ key: Buffer.concat([kEd25519, bytes.subarray(1)]), format: 'der', type: 'spki' });
  return { origin, hash, key };
}

// {entries, root} of a note that the key signed; throws for any other.
export function openNote(note, verifier) {
  const blank = note.lastIndexOf('\n\n');
  const text = note.slice(0, blank + 1);
  const [origin, entries, root] = text.split('\n');
  assert.equal(origin, verifier.origin);
  const mine = note.slice(blank + 2).split('\n').map((line) => /^\u2014 (\S+) (\S+)$/.exec(line))
    .find((line) => line && line[1] === origin);
  assert.ok(mine, 'no signature of the log');
  const bytes = Buffer.from(mine[2], 'base64');
  assert.equal(bytes.subarray(0, 4).toString('hex'), verifier.hash);
  assert.ok(verify(null, Buffer.from(text), verifier.key, bytes.subarray(4)), 'the signature is false');
  assert.match(entries, /^(0|[1-9]\d*)$/);
  return { entries: Number(entries), root: Buffer.from(root, 'base64') };
}

// A whole export as text: {entries, head}; throws what is wrong with it.
export function checkExport(text, verifier) {
  assert.ok(text.endsWith('\n'));
  const [first, ...lines] = text.slice(0, -1).split('\n');
  const { 'signet-log': version, key } = JSON.parse(first);
  assert.equal(version, 1);
  assert.deepEqual(verifierOf(key).hash, verifier.hash);
  const { checkpoint } = JSON.parse(lines.pop());
  const head = openNote(checkpoint, verifier);
  assert.equal(head.entries, lines.length, 'as many as were signed');
  const entries = lines.map((line, n) => {
    const entry = JSON.parse(line);
    assert.equal(entry.n, n, 'without a gap');
    return entry;
  });
  assert.deepEqual(rootOf(lines.map(leafOf)), head.root, 'the root of these entries');
  return { entries, head };
}

// --- from a broker ---

async function ask(broker, path) {
  const answer = await broker.operator('GET', `/audit${path}`);
  assert.equal(answer.status, 200, `${path}: ${answer.status} ${answer.text}`);
  return answer.text;
}
export const verifierKey = (broker) => ask(broker, '/key').then((text) => text.trim());
export const checkpointOf = (broker) => ask(broker, '/checkpoint');

// The lines of entries as they are, from number `from` on.
export async function linesOf(broker, from = 0) {
  const lines = [];
  for (;;) {
    const page = (await ask(broker, `/entries?from=${from + lines.length}&limit=${kPage}`)).split('\n').slice(0, -1);
    lines.push(...page);
    if (page.length < kPage) return lines;
  }
}
export const entriesOf = async (broker, from = 0) => (await linesOf(broker, from)).map((line) => JSON.parse(line));

// The log as `signet audit export` writes it.
export async function exportOf(broker) {
  const [key, note] = [await verifierKey(broker), await checkpointOf(broker)];
  const { entries } = openNote(note, verifierOf(key));
  const lines = (await linesOf(broker)).slice(0, entries);
  return [JSON.stringify({ 'signet-log': 1, key }), ...lines, JSON.stringify({ checkpoint: note }), ''].join('\n');
}

const hashesOf = ({ hashes }) => hashes.map((hash) => Buffer.from(hash, 'base64'));

// Is entry `index` with that line in the first `size` entries, whose root is `root`?
export async function isIn(broker, line, index, size, root) {
  const proof = JSON.parse(await ask(broker, `/inclusion?entry=${index}&entries=${size}`));
  return rootByPath(leafOf(line), index, size, hashesOf(proof))?.equals(root) === true;
}
// Did the log only grow from one head to another?
export async function onlyGrew(broker, before, after) {
  assert.ok(before.entries <= after.entries);
  const proof = JSON.parse(await ask(broker, `/consistency?from=${before.entries}&to=${after.entries}`));
  const roots = rootsByGrowth(before.root, before.entries, after.entries, hashesOf(proof));
  return roots !== null && roots[0].equals(before.root) && roots[1].equals(after.root);
}
