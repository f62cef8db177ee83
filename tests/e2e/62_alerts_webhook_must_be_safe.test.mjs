// A webhook that would tell alerts in the clear, or unsigned, keeps the daemon from starting.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import test from 'node:test';
import { cleanEnvironment, signetd, temporaryFolder } from './harness.mjs';

const kSecret = { SIGNET_ALERTS_WEBHOOK_SECRET: 'the secret of this receiver' };
const kRows = [
  ['http over a network', 'http://alerts.example/hook', kSecret, /http is for loopback only/],
  ['a name that looks like loopback', 'http://127.0.0.1.example/', kSecret, /http is for loopback only/],
  ['no URL', 'alerts.example', kSecret, /no https URL/],
  ['a WebSocket', 'wss://alerts.example/', kSecret, /no https URL/],
  ['no secret', 'https://alerts.example/hook', {}, /alerts\.webhook_secret/],
];

for (const [name, url, env, sentence] of kRows) {
  test(name, async (t) => {
    const data = join(temporaryFolder(), 'data');
    const { code, stderr } = await new Promise((resolve) => {
      execFile(signetd, ['dev', '--listen', '127.0.0.1:0', '--data', data, '--set',
                         `alerts.webhook=${url}`, '--set', 'store.reserve_bytes=0'],
               { env: cleanEnvironment(env), timeout: 20_000 },
               (error, stdout, text) => resolve({ code: error?.code, stderr: text }));
    });
    assert.equal(code, 1, stderr);
    assert.match(stderr, sentence);
  });
}
