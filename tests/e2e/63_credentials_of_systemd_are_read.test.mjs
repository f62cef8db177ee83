// systemd hands secrets to a service as files in $CREDENTIALS_DIRECTORY. A setting names one as
// credential:NAME; what is no plain name there, or not there, is a sentence and no start.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { cleanEnvironment, signetd, startBroker, temporaryFolder } from './harness.mjs';

const kToken = 'operator-token-of-this-test-0123456789';

function credentials(t) {
  const folder = join(temporaryFolder(), 'credentials');
  mkdirSync(folder, { mode: 0o700 });
  for (const [name, mode] of [['good', 0o400], ['open', 0o404], ['writable', 0o460]]) {
    writeFileSync(join(folder, name), `${kToken}\n`);
    chmodSync(join(folder, name), mode);
  }
  symlinkSync(join(folder, 'good'), join(folder, 'link'));
  return folder;
}

test('a token that systemd hands over is the operator\'s', async (t) => {
  const folder = credentials(t);
  const broker = await startBroker(t, { set: { 'admin.token_file': 'credential:good' },
                                        env: { CREDENTIALS_DIRECTORY: folder } });
  broker.operator_token = kToken;
  assert.equal((await broker.operator('GET', '/meshes')).status, 200);
});

test('root\'s with an access list is taken there and nowhere else', async (t) => {
  if (process.getuid() !== 0) return t.skip('only root makes files of root');
  const folder = credentials(t);
  chmodSync(join(folder, 'good'), 0o440); // what stat shows of such a list
  const check = (file, env) =>
    spawnSync(signetd, ['config', 'check', '--set', `admin.token_file=${file}`],
              { env: cleanEnvironment(env), encoding: 'utf8' });
  assert.equal(check('credential:good', { CREDENTIALS_DIRECTORY: folder }).status, 0);
  assert.match(check(join(folder, 'good'), {}).stderr, /others than its owner/);
});

test('what is no credential is a sentence', async (t) => {
  const folder = credentials(t);
  const rows = [
    ['credential:good', {}, /CREDENTIALS_DIRECTORY is not set/],
    ['credential:', { CREDENTIALS_DIRECTORY: folder }, /named by/],
    ['credential:../good', { CREDENTIALS_DIRECTORY: folder }, /named by/],
    ['credential:.good', { CREDENTIALS_DIRECTORY: folder }, /named by/],
    ['credential:absent', { CREDENTIALS_DIRECTORY: folder }, /no such file/],
    ['credential:open', { CREDENTIALS_DIRECTORY: folder }, /others than its owner/],
    ['credential:writable', { CREDENTIALS_DIRECTORY: folder }, /others than its owner/],
    ['credential:link', { CREDENTIALS_DIRECTORY: folder }, /symbolic link/],
  ];
  for (const [file, env, why] of rows) {
    const { status, stderr } = spawnSync(signetd, ['config', 'check', '--set', `admin.token_file=${file}`],
                                         { env: cleanEnvironment(env), encoding: 'utf8' });
    assert.equal(status, 1, file);
    assert.match(stderr, why, file);
    assert.ok(!stderr.includes(kToken), 'it tells the content');
    assert.equal(stderr.trim().split('\n').length, 1, stderr);
  }
});
