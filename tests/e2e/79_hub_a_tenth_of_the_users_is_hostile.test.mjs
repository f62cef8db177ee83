// The long run of tests/soak/hub_users.mjs in short: a tenth of the users floods, forges, replays,
// steals and stalls, and the others notice nothing. In full: MINUTES=10 node tests/soak/hub_users.mjs
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

const kProgram = fileURLToPath(new URL('../soak/hub_users.mjs', import.meta.url));
const kKinds = 13; // of mischief; one rogue each
// Bounds that a sanitized build on a busy machine keeps; the full run has its own.
const kShort = { MINUTES: '0.06', USERS: `${10 * kKinds}`, ACTION_EVERY_MS: '1000', P99_MS: '5000', GROWTH_MIB: '256' };

test('the others notice nothing', async (t) => {
  const env = { ...process.env, ...kShort };
  const soak = spawn(process.execPath, [kProgram], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => soak.kill('SIGTERM'));
  let [said, told] = ['', ''];
  soak.stdout.on('data', (bytes) => { said += bytes; });
  soak.stderr.on('data', (bytes) => { told += bytes; });
  const [code] = await once(soak, 'close');
  const summary = JSON.parse(said);
  assert.deepEqual(summary.broken, [], told);
  assert.equal(code, 0, told);
  assert.equal(Object.keys(summary.tricks).length, kKinds, said);
  assert.ok(summary.actions > 100 && summary.jobs > 0, said);
  t.diagnostic(`${summary.actions} actions, p99 ${summary.p99_ms} ms`);
});
