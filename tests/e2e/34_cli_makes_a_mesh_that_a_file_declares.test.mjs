// A mesh that `[[mesh]]` of the configuration declares becomes its owner's: by a key that is made
// first, or by the one that `mesh create` says has to stand there.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { Home } from './cli.mjs';
import { startBroker, temporaryFolder } from './harness.mjs';

const kBare = '[[mesh]]\nslug = "team"\n';

// A broker that stays at one address, whatever its file says of the mesh.
async function run(t, mesh) {
  const folder = temporaryFolder();
  const file = join(folder, 'signet.toml');
  const write = (listen, text) => writeFileSync(file, `[server]\nlisten = ["${listen}"]\n${text}`);
  write('127.0.0.1:0', mesh);
  const broker = await startBroker(t, { command: ['run', '--config', file], data: join(folder, 'data') });
  broker.declare = (text) => write(broker.listen, text);
  return broker;
}
const operator = (broker) => ({ SIGNET_OPERATOR_SOCKET: join(broker.data, 'signet.sock') });
const creation = (broker) => ['mesh', 'create', 'team', '--broker', broker.ws, '--name', 'ada'];

test('a key that is made first is the owner\'s', async (t) => {
  const keys = new Home(t);
  const { publicKey, file } = await keys.json('keygen', '--out', join(keys.folder, 'owner.key'));
  const broker = await run(t, `${kBare}owner = "${publicKey}"\n`);
  const owner = new Home(t, operator(broker));
  await owner.fails(6, 'conflict', ...creation(broker)); // a fresh key is another owner
  const made = await owner.json(...creation(broker), '--owner-key', file);
  assert.equal(made.ownerKey, publicKey, 'what was begun with the fresh one is not gone on with');
  const { link } = await owner.json('invite', 'create');
  await new Home(t).ok('join', link, '--name', 'bob');
  assert.equal((await owner.json(...creation(broker))).ownerKey, publicKey, 'and stays so');

  const told = await owner.fails(3, 'no_overlay', 'node', 'register', 'node-a');
  assert.match(told.message, /the controller has no overlay/);
  assert.match(told.advice, /overlay\.key_file/);
});

test('of a mesh without an owner its key is told, and does when it stands there', async (t) => {
  const broker = await run(t, kBare);
  const owner = new Home(t, operator(broker));
  const told = await owner.fails(6, 'conflict', ...creation(broker));
  assert.match(told.message, /team is declared without an owner/);
  const [line, key] = /owner = "([0-9a-f]{64})"/.exec(told.advice);
  broker.declare(`${kBare}${line}\n`);
  await broker.restart();
  assert.equal((await owner.json(...creation(broker))).ownerKey, key);
  await owner.ok('invite', 'create');
});
