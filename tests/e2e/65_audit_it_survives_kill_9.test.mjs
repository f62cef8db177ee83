// SIGKILL while changes are made: after each start the log has no gap, every change that was
// acknowledged has its entry and none is there without its change, and it only grew since each head
// that was signed before.
import assert from 'node:assert/strict';
import test from 'node:test';
import { checkpointOf, linesOf, leafOf, onlyGrew, openNote, rootOf, verifierKey, verifierOf } from './audit_reader.mjs';
import { randomFrom, seedOf } from './load.mjs';
import { sleep, startBroker } from './harness.mjs';

const kKills = Number(process.env.SIGNET_TEST_KILLS ?? 10);
const kServingMs = 150;
const kAtOnce = 8;

// Makes sources until the broker is gone; counts what was acknowledged.
function startChanging(broker, state) {
  const worker = async () => {
    for (;;) {
      const source = `source-${state.tried}`;
      state.tried += 1;
      try {
        const answer = await broker.operator('POST', `/meshes/${broker.mesh.slug}/sources`, { source });
        assert.equal(answer.status, 200, answer.text);
        state.acknowledged.push(source);
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error;
        return;
      }
    }
  };
  return Promise.all(Array.from({ length: kAtOnce }, worker));
}

async function sourcesOf(broker) {
  const names = [];
  for (let after = ''; after !== null;) {
    const query = `?limit=1000${after && `&after=${encodeURIComponent(after)}`}`;
    const page = (await broker.operator('GET', `/meshes/${broker.mesh.slug}/sources${query}`)).json();
    names.push(...page.sources.map(({ source }) => source));
    after = page.next;
  }
  return names;
}

test(`${kKills} kills`, { timeout: 60_000 + kKills * 5_000 }, async (t) => {
  const random = randomFrom(seedOf(t));
  const broker = await startBroker(t, { set: { 'audit.checkpoint_every': '100ms' } });
  const verifier = verifierOf(await verifierKey(broker));
  const state = { tried: 0, acknowledged: [] };
  const heads = [];
  let before = [];
  for (let kill = 0; kill < kKills; ++kill) {
    const changing = startChanging(broker, state);
    await sleep(random() * kServingMs);
    await broker.kill();
    await changing;
    await broker.start();

    const lines = await linesOf(broker);
    const entries = lines.map((line) => JSON.parse(line));
    assert.deepEqual(entries.map(({ n }) => n), entries.map((_, i) => i), 'no gap');
    assert.deepEqual(lines.slice(0, before.length), before, 'what was read once stays');
    const set = entries.filter(({ event }) => event === 'secret_set').length;
    const names = await sourcesOf(broker);
    assert.equal(set, names.length, 'each change has its entry, and each entry its change');
    const known = new Set(names);
    assert.deepEqual(state.acknowledged.filter((name) => !known.has(name)), []);

    const leaves = lines.map(leafOf);
    for (const { entries: count, root } of heads) assert.deepEqual(rootOf(leaves, 0, count), root, `head of ${count}`);
    const head = openNote(await checkpointOf(broker), verifier);
    if (heads.length > 0) assert.ok(await onlyGrew(broker, heads.at(-1), head));
    heads.push(head);
    before = lines;
  }
  t.diagnostic(`${state.acknowledged.length} of ${state.tried} acknowledged, ${before.length} entries`);
  assert.ok(state.acknowledged.length >= kKills);
});
