// Keys lie in files of mode 0600, changes of two processes are both kept, and claudemesh's
// configuration is taken over.
import assert from 'node:assert/strict';
import { chmodSync, existsSync, lstatSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { Home, joinedHome } from './cli.mjs';
import { startBroker } from './harness.mjs';

test('everything that is written is its owner\'s alone', async (t) => {
  const broker = await startBroker(t);
  const home = new Home(t, { SIGNET_OPERATOR_SOCKET: broker.ready.socket });
  await home.ok('mesh', 'create', 'team', '--broker', broker.ws);
  await home.ok('invite', 'create');
  await home.ok('keygen', '--out', join(home.folder, 'k.key'));
  await home.ok('inbox');
  const files = readdirSync(home.folder, { recursive: true }).map((name) => join(home.folder, name));
  assert.ok(files.some((path) => path.endsWith('.db')), files.join(' '));
  for (const path of files) {
    const { mode } = lstatSync(path);
    assert.equal(mode & 0o077, 0, `${path} ${(mode & 0o777).toString(8)}`);
  }
});

test('keygen overwrites nothing', async (t) => {
  const home = new Home(t);
  const path = join(home.folder, 'a.key');
  const { publicKey } = await home.json('keygen', '--out', path);
  const seed = readFileSync(path, 'utf8');
  assert.match(seed, /^[0-9a-f]{64}\n$/);
  await home.fails(6, 'file_exists', 'keygen', '--out', path);
  assert.equal(readFileSync(path, 'utf8'), seed);
  await home.fails(5, 'disk', 'keygen', '--out', join(home.folder, 'none/a.key'));
  const broker = await startBroker(t);
  assert.equal((await home.json('join', broker.invite, '--key', path)).publicKey, publicKey);
});

test('XDG folders are respected', async (t) => {
  const broker = await startBroker(t);
  const home = new Home(t);
  const env = { XDG_CONFIG_HOME: home.folderFor('c'), XDG_STATE_HOME: home.folderFor('s') };
  const joined = await home.run(['join', broker.invite], { env });
  assert.equal(joined.status, 0, joined.stderr);
  assert.equal((await home.run(['inbox'], { env })).status, 0);
  assert.ok(existsSync(join(env.XDG_CONFIG_HOME, 'signet/config.json')));
  assert.ok(readdirSync(join(env.XDG_STATE_HOME, 'signet')).some((name) => name.endsWith('.db')));
  assert.ok(!existsSync(home.config) && !existsSync(home.state));
});

test('two processes that change the configuration lose neither change', async (t) => {
  const brokers = await Promise.all([1, 2, 3, 4].map(() => startBroker(t)));
  const home = new Home(t);
  await Promise.all(brokers.map((broker) => home.ok('join', broker.invite)));
  const { meshes } = JSON.parse(readFileSync(home.config, 'utf8'));
  assert.deepEqual(meshes.map(({ meshId }) => meshId).sort(), brokers.map((b) => b.mesh.id).sort());
  assert.equal(new Set(meshes.map(({ slug }) => slug)).size, 4);
  assert.deepEqual(readdirSync(join(home.folder, '.config/signet')).sort(), ['config.json', 'lock']);
});

// A claudemesh configuration of a member that has joined.
async function oldHome(t, broker, mode = 0o600) {
  const member = await broker.join('old');
  const home = new Home(t);
  const hex = (bytes) => Buffer.from(bytes).toString('hex');
  const file = join(home.folderFor('.claudemesh'), 'config.json');
  writeFileSync(file, JSON.stringify({ version: 1, meshes: [{
    meshId: member.meshId, memberId: member.memberId, slug: 'demo', name: 'Demo', pubkey: member.pubkey,
    secretKey: hex(member.secretKey), brokerUrl: broker.ws, joinedAt: '2026-01-01T00:00:00.000Z',
    theirs: { kept: [1.0] } }] }, null, 2));
  chmodSync(file, mode);
  return { home, file, member };
}

test('a claudemesh configuration is taken over once, and says so', async (t) => {
  const broker = await startBroker(t);
  const { home, member } = await oldHome(t, broker);
  const first = await home.run(['peers', '-o', 'json']);
  assert.equal(first.status, 0, first.stderr);
  assert.match(first.stderr, /took over 1 mesh/);
  assert.equal(JSON.parse(first.stdout).peers[0].key, member.pubkey);
  assert.deepEqual(home.profile().theirs, { kept: [1] });
  assert.doesNotMatch((await home.run(['peers'])).stderr, /took over/);
  await home.ok('leave', '--yes');
  await home.fails(3, 'no_mesh', 'peers'); // it does not come back by itself
  assert.equal((await home.json('mesh', 'import')).imported, 1);
});

test('a claudemesh configuration that others read is refused', async (t) => {
  const broker = await startBroker(t);
  const { home, file } = await oldHome(t, broker, 0o644);
  for (const command of [['peers'], ['mesh', 'import'], ['mesh', 'import', file]]) {
    const told = await home.fails(4, 'key_file_readable', ...command);
    assert.equal(told.advice, `Run: chmod 600 '${file}'`);
  }
  assert.ok(!existsSync(home.config));
  chmodSync(file, 0o600);
  await home.ok('mesh', 'import', file);
  await home.fails(3, 'file_missing', 'mesh', 'import', '/nonexistent');
});

test('leaving forgets the key and the mail here, and only that', async (t) => {
  const broker = await startBroker(t);
  const home = await joinedHome(t, broker, 'ada');
  await home.ok('inbox');
  await home.fails(2, 'usage', 'leave');
  const left = await home.json('leave', '--yes');
  assert.deepEqual([left.publicKey, left.revoked], [home.member.publicKey, false]);
  assert.deepEqual(JSON.parse(readFileSync(home.config, 'utf8')).meshes, []);
  assert.ok(!readdirSync(home.state).some((name) => name.includes('.db')), readdirSync(home.state).join());
  const { members } = (await broker.operator('GET', '/meshes/demo/members')).json();
  assert.equal(members[0].standing, 'admitted');
});
