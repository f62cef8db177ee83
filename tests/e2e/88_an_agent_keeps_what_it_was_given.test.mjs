// The node agent without a tunnel: what it writes for one, and what it does when nobody answers.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { joinedHome, redirect } from './cli.mjs';
import { eventually, sleep, startBroker } from './harness.mjs';

const env = { SIGNET_OVERLAY_EPOCH_SECONDS: '1' };
const suite = ['--suite-command', 'printf', '{"suite_version":"e2e-1","scores":{"overall":0.9}}'];

// A member with a node and the file that its agent would apply.
async function nodeHome(t, broker, name) {
  const home = await joinedHome(t, broker, name);
  home.node = `node-${name}`;
  home.registered = await home.json('node', 'register', home.node);
  home.file = join(home.folder, 'wg0.conf');
  home.text = () => { try { return readFileSync(home.file, 'utf8'); } catch { return ''; } };
  home.peers = () => [...home.text().matchAll(/PublicKey = (\S+)/g)].map(([, key]) => key);
  home.agent = (...more) => {
    const child = home.spawn(['node', 'run', home.node, '--dry-run', home.file, '--every', '6s',
                              '--poll', '200ms', ...more, ...suite]);
    child.said = '';
    child.stderr.on('data', (data) => { child.said += data; });
    child.ended = once(child, 'close');
    return child;
  };
  return home;
}
const sees = (one, ...others) => eventually(`${one.name} has its peers`, () =>
  one.peers().sort().join() === others.map((each) => each.registered.wireguard_key).sort().join());

test('two agents are given each other; who is revoked is in nobody\'s file any more', async (t) => {
  const broker = await startBroker(t, { env });
  const [ann, bob] = [await nodeHome(t, broker, 'ann'), await nodeHome(t, broker, 'bob')];
  assert.equal((await ann.json('node', 'register', ann.node)).address, ann.registered.address,
               'once more is harmless');
  const [first, second] = [ann.agent(), bob.agent()];
  await sees(ann, bob);
  await sees(bob, ann);
  assert.equal(statSync(ann.file).mode & 0o777, 0o600);
  assert.match(ann.text(), /^PrivateKey = \S{44}$/m);
  const key = (home) => /PresharedKey = (\S+)/.exec(home.text())[1];
  await eventually('one key at both ends', () => key(ann) === key(bob));

  const shown = await ann.json('node', 'show', ann.node);
  assert.equal(shown.allowed, true);
  assert.ok(shown.in_use > 0);
  const all = JSON.stringify(shown);
  assert.ok(!all.includes(key(ann)) && !all.includes(/PrivateKey = (\S+)/.exec(ann.text())[1]));
  await ann.fails(6, 'node_busy', 'node', 'run', ann.node, '--dry-run', '-');
  await ann.fails(6, 'node_busy', 'node', 'rekey', ann.node);

  await broker.setStanding({ pubkey: bob.member.publicKey }, 'revoked');
  await eventually('it is out', () => ann.peers().length === 0 && bob.peers().length === 0, 5_000);
  first.kill('SIGTERM');
  second.kill('SIGTERM');
  assert.deepEqual([(await first.ended)[0], (await second.ended)[0]], [0, 0]);
});

test('without a controller an agent goes on with what it has, also behind a restart', async (t) => {
  const broker = await startBroker(t, { env });
  const [ann, bob] = [await nodeHome(t, broker, 'ann'), await nodeHome(t, broker, 'bob')];
  let agent = ann.agent();
  bob.agent();
  await sees(ann, bob);
  agent.kill('SIGKILL');
  await agent.ended;
  writeFileSync(ann.file, '');
  redirect(ann, 'ws://127.0.0.1:9/ws');
  agent = ann.agent();
  await sees(ann, bob);
  await eventually('it says so', () => /controller_away/.test(agent.said));
  await sleep(1_000);
  assert.equal(ann.peers().length, 1);
  agent.kill('SIGINT');
  assert.equal((await agent.ended)[0], 0);
});

test('a node changes its WireGuard key, and its peers are told', async (t) => {
  const broker = await startBroker(t, { env });
  const [ann, bob] = [await nodeHome(t, broker, 'ann'), await nodeHome(t, broker, 'bob')];
  const agent = ann.agent();
  bob.agent();
  await sees(bob, ann);
  agent.kill('SIGTERM');
  await agent.ended;
  const changed = await ann.json('node', 'rekey', ann.node);
  assert.notEqual(changed.wireguard_key, ann.registered.wireguard_key);
  ann.registered.wireguard_key = changed.wireguard_key;
  ann.agent();
  await sees(bob, ann);
  await sees(ann, bob);
});

test('what is wrong with the line is one sentence', async (t) => {
  const broker = await startBroker(t, { env });
  const ann = await nodeHome(t, broker, 'ann');
  await ann.fails(3, 'no_such_node', 'node', 'run', 'nobody', '--dry-run', '-');
  await ann.fails(2, 'usage', 'node', 'run', ann.node);
  await ann.fails(2, 'usage', 'node', 'run', ann.node, '--dry-run', '-', '--every', 'soon');
  await ann.fails(2, 'usage', 'node', 'run', ann.node, '--dry-run', '-', '--suite-command');
  await ann.fails(2, 'usage', 'node', 'run', ann.node, '--interface', 'no such name');
  await ann.fails(2, 'usage', 'node', 'register', 'a/b');
  await ann.fails(2, 'usage', 'node', 'register', 'b', '--endpoint', 'host.example:1');
  await ann.fails(4, 'insecure_http', 'node', 'register', 'b', '--controller', 'http://192.0.2.1:1');
  const wrong = await ann.run(['node', 'run', ann.node, '--dry-run', '-', '--once',
                               '--suite-command', 'false']);
  assert.equal(wrong.status, 5, wrong.stderr);
  assert.doesNotMatch(wrong.stderr, /Is the broker running/);
  const told = await ann.fails(5, 'suite_failed', 'node', 'run', ann.node, '--dry-run', '-', '--once',
                               '--suite-command', 'false');
  assert.match(told.message, /the benchmark command failed: it exited with 1/);
});

test('one look is one document', async (t) => {
  const broker = await startBroker(t, { env });
  const ann = await nodeHome(t, broker, 'ann');
  const look = ['-o', 'json', 'node', 'run', ann.node, '--dry-run', '-', '--once', ...suite];
  const said = await eventually('it is allowed', async () => {
    const told = JSON.parse((await ann.run(look)).stdout);
    if (!told.allowed) await sleep(1_000); // ten reports a minute are taken
    return told.allowed && told;
  });
  assert.deepEqual([said.ok, said.node], [true, ann.node]);
  assert.match(said.configuration, /^\[Interface\]/m);
});

test('of a node that is new nothing is decided yet', async (t) => {
  const broker = await startBroker(t, { env: { SIGNET_OVERLAY_EPOCH_SECONDS: '86400' } });
  const ann = await nodeHome(t, broker, 'ann');
  const said = await ann.ok('node', 'run', ann.node, '--dry-run', '-', '--once', ...suite);
  assert.match(said, /^Nothing is decided of node-ann yet\.$/m);
});
