// A key file that others can read or replace is refused at start, with its name and without its
// content; and what the broker writes itself nobody else can read.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, lstatSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync }
  from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { cleanEnvironment, signetd, startBroker, temporaryFolder } from './harness.mjs';

const kSecret = 'c0ffee'.repeat(10) + 'beef'; // 64 hex digits: good as a token and as a seed
const put = (mode) => (path) => { writeFileSync(path, `${kSecret}\n`); chmodSync(path, mode); };

const kRefused = [
  ['read by the group', put(0o640), /others than its owner/],
  ['read by all', put(0o604), /others than its owner/],
  ['written by the group', put(0o620), /others than its owner/],
  ['written by all', put(0o602), /others than its owner/],
  ['run by all', put(0o701), /others than its owner/],
  ['open to all', put(0o777), /others than its owner/],
  ['a symbolic link', (path) => {
    put(0o600)(`${path}.real`);
    symlinkSync(`${path}.real`, path);
  }, /symbolic link/],
  ['a link to nothing', (path) => symlinkSync('/nonexistent', path), /symbolic link/],
  ['a folder', (path) => mkdirSync(path), /regular file/],
  ['a pipe that nobody writes', (path) => spawnSync('mkfifo', ['-m', '600', path]), /regular file/],
  ['a device', (path) => symlinkSync('/dev/zero', path), /symbolic link/],
  ['two lines', (path) => { writeFileSync(path, `${kSecret}\n${kSecret}\n`, { mode: 0o600 }); }, /one line/],
  ['over 4 KiB', (path) => { writeFileSync(path, 'c0'.repeat(4_000), { mode: 0o600 }); }, /4 KiB/],
];

function start(...command) {
  return spawnSync(signetd, command, { env: cleanEnvironment(), encoding: 'utf8', timeout: 20_000 });
}
function assertRefused({ status, stdout, stderr }, path, why, what) {
  assert.equal(status, 1, `${what}: ${stderr}`);
  assert.match(stderr, why, what);
  assert.ok(stderr.includes(path), `${what}: ${stderr}`);
  assert.equal(stdout, '', what);
  assert.ok(!stderr.includes(kSecret.slice(0, 16)), `${what}: it tells the content`);
}

for (const name of ['owner.key', 'operator.token']) {
  test(`${name} must be its owner's alone`, (t) => {
    for (const [what, make, why] of kRefused) {
      const folder = temporaryFolder();
      const data = join(folder, 'data');
      mkdirSync(join(data, 'dev'), { recursive: true, mode: 0o700 });
      const path = join(data, 'dev', name);
      make(path);
      const run = start('dev', '--listen', '127.0.0.1:0', '--data', data, '--ready-json',
                        '--set', 'store.reserve_bytes=0');
      assertRefused(run, path, why, what);
    }
  });
}

test('admin.token_file must be its owner\'s alone', (t) => {
  const folder = temporaryFolder();
  for (const [what, make, why] of kRefused) {
    const path = join(folder, 'token');
    rmSync(path, { recursive: true, force: true });
    make(path);
    const file = join(folder, 'signet.toml');
    writeFileSync(file, `[server]\nlisten = ["127.0.0.1:0"]\n[admin]\nlisten = "none"\ntoken_file = "${path}"\n`);
    assertRefused(start('run', '--config', file, '--data', join(folder, 'data')), 'token', why, what);
  }
});

test('what the broker writes is for its own user', async (t) => {
  const broker = await startBroker(t);
  const { peer, member } = await broker.joined('member');
  await peer.mail(member, 'x');
  const files = readdirSync(broker.data, { recursive: true }).map((name) => join(broker.data, name));
  assert.ok(files.length >= 4, files.join(' '));
  for (const path of [broker.data, ...files]) {
    const { mode } = lstatSync(path);
    assert.equal(mode & 0o077, 0, `${path}: ${(mode & 0o777).toString(8)}`);
  }
});

test('a key that was made once is kept, and its file is whole', async (t) => {
  const broker = await startBroker(t);
  const { owner_pubkey } = broker.mesh;
  await broker.restartAfterKill();
  assert.equal(broker.mesh.owner_pubkey, owner_pubkey);
  assert.equal(broker.ownerKeys().pubkey, owner_pubkey);
  assert.deepEqual(readdirSync(join(broker.data, 'dev')).filter((name) => name.endsWith('.new')), []);
});
