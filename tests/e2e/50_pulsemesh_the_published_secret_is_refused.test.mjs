// The secret that v1's page prints proves nothing: `signetd run` does not start with it, only `dev`
// does, and without any secret nobody is let in.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { connect, handshake, kPublishedSecret, kSecret, refusalOf, startPulseBroker } from './pulse_client.mjs';
import { cleanEnvironment, signetd, startBroker, temporaryFolder } from './harness.mjs';

// What `signetd run` with that secret in the environment says and how it ends; null: it runs.
async function run(t, secret) {
  const folder = temporaryFolder();
  const file = join(folder, 'signet.toml');
  writeFileSync(file, '[server]\nlisten = ["127.0.0.1:0"]\n[admin]\nlisten = "none"\n[store]\nreserve_bytes = 0\n' +
                      '[[mesh]]\nslug = "team"\n');
  const daemon = spawn(signetd, ['run', '--config', file, '--data', join(folder, 'data')],
                       { env: cleanEnvironment({ SIGNET_PULSEMESH_SECRET: secret }) });
  t.after(() => daemon.kill('SIGKILL'));
  let said = '';
  daemon.stdout.on('data', (bytes) => { said += bytes; });
  const runs = new Promise((resolve) => daemon.stderr.on('data', (bytes) => {
    said += bytes;
    if (said.includes('server.listening')) resolve(null);
  }));
  const code = await Promise.race([once(daemon, 'exit').then(([number]) => number), runs]);
  return { code, said };
}

test('signetd run refuses it and its like, says why, and does not say the value', async (t) => {
  for (const secret of [kPublishedSecret, 'Mirror:Logos:2025', 'mirror:logos:2026', 'short', 'a'.repeat(32)]) {
    const { code, said } = await run(t, secret);
    assert.ok(code !== null && code !== 0, `it runs with ${secret}`);
    assert.match(said, /secret/i);
    assert.ok(!said.includes(secret), said);
  }
});

test('signetd run starts with a good one', async (t) => {
  assert.equal((await run(t, kSecret)).code, null);
});

test('dev takes it', async (t) => {
  const broker = await startPulseBroker(t, { secret: kPublishedSecret });
  await connect(broker, 'mirror.intent', 'c', { secret: kPublishedSecret });
});

test('without a secret nobody is in, with the empty one neither', async (t) => {
  const broker = await startBroker(t);
  for (const secret of ['', kPublishedSecret, kSecret, 'undefined']) {
    const [code] = await refusalOf(broker, handshake('c', { secret }));
    assert.equal(code, 4003, secret);
  }
});
