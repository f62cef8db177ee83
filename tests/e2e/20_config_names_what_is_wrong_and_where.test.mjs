// `signetd config`: a mistake is answered with its place, what was given and what is allowed.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { cleanEnvironment, signetd, temporaryFolder } from './harness.mjs';

function config(t, what, text, { env, flags = [] } = {}) {
  const file = join(temporaryFolder(), 'signet.toml');
  writeFileSync(file, text);
  const answer = spawnSync(signetd, ['config', what, '--config', file, ...flags],
                           { env: cleanEnvironment(env), encoding: 'utf8', timeout: 20_000 });
  const place = (said) => said.replaceAll(file, 'FILE');
  return { status: answer.status, stdout: place(answer.stdout), stderr: place(answer.stderr) };
}

const kOwner = 'ab'.repeat(32);
const kBad = [
  ['unknown key', '[server]\nlisten = ["127.0.0.1:1"]\nshardz = 3', {}, 'FILE:3:1: ', 'server.shards'],
  ['unknown section', '[sever]\nshards = 3', {}, 'FILE:2:1: ', 'sever'],
  ['word for a number', '[server]\nshards = "many"', {}, 'FILE:2:1: ', 'many'],
  ['too large', '[server]\n\nshards = 65', {}, 'FILE:3:1: ', '64'],
  ['unit missing', '[net]\nping_interval = "30"', {}, 'FILE:2:1: ', '30s'],
  ['no address', '[server]\nlisten = ["nowhere"]', {}, 'FILE:2:1: ', 'nowhere'],
  ['no TOML', '[server]\nshards = = 1', {}, 'FILE:2:', ''],
  ['mesh without slug', `[[mesh]]\nowner = "${kOwner}"`, {}, 'FILE:1', 'slug'],
  ['two meshes of one slug', '[[mesh]]\nslug = "a"\n[[mesh]]\nslug = "a"', {}, 'FILE:', 'a'],
  ['owner that is no key', '[[mesh]]\nslug = "a"\nowner = "abc"', {}, 'FILE:3:1: ', '64 hex'],
  ['id with a bar', '[[mesh]]\nslug = "a"\nid = "a|b"', {}, 'FILE:3:1: ', 'a hello'],
  ['bad variable', '', { env: { SIGNET_SERVER_SHARDS: 'x' } }, 'SIGNET_SERVER_SHARDS', 'x'],
  ['bad flag', '', { flags: ['--set', 'server.shards=x'] }, '--set: server.shards', 'x'],
  ['a secret in the file', '[admin]\ntoken = "a-secret"', {}, 'FILE:2:1: ', 'admin.token_file'],
];
for (const [what, text, options, place, also] of kBad) {
  test(`check: ${what}`, (t) => {
    const { status, stdout, stderr } = config(t, 'check', text, options);
    assert.equal(status, 1, stderr);
    assert.equal(stdout, '');
    assert.ok(stderr.startsWith(place) && stderr.includes(also), stderr);
    assert.ok(!stderr.includes('a-secret'), stderr);
    assert.equal(stderr.trimEnd().split('\n').length, 1, stderr);
  });
}

// What the daemon would not start with is no good configuration either: the service's unit asks.
const kUnready = [
  ['a certificate that is not there', '[tls]\ncertificate = "/nosuch/cert.pem"\nkey = "/nosuch/key.pem"', '/nosuch/cert.pem'],
  ['a key without a certificate', '[tls]\nkey = "/nosuch/key.pem"', 'tls.certificate'],
  ['certificates of clients that nobody could have', '[tls]\nclient_certificates = "required"', 'tls.certificate'],
  ['operators that are none', '[operators]\nkeys = ["zz"]', 'operators.keys'],
  ['a folder for the log\'s key that is not there', '[audit]\nkey_file = "/nosuch/key"', 'audit.key_file'],
];
for (const [what, text, also] of kUnready) {
  test(`check and run refuse ${what}`, (t) => {
    const checked = config(t, 'check', text);
    assert.equal(checked.status, 1, checked.stdout);
    assert.ok(checked.stderr.includes(also), checked.stderr);
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'signet.toml'), text);
    const run = spawnSync(signetd, ['run', '--config', join(folder, 'signet.toml'), '--set',
                                    `server.data=${join(folder, 'data')}`, '--set', 'server.listen=127.0.0.1:0',
                                    '--set', 'admin.listen=127.0.0.1:0'],
                          { env: cleanEnvironment(), encoding: 'utf8', timeout: 20_000 });
    assert.equal(run.status, 1, run.stderr);
    assert.ok(run.stderr.includes(also), run.stderr);
  });
}

test('check: a binding without effect is a warning', (t) => {
  const text = '[server]\nbindings = ["hub=nosuch", "overlay=team"]\n[[mesh]]\nslug = "team"\n';
  const { status, stdout, stderr } = config(t, 'check', text);
  assert.deepEqual([status, stdout], [0, 'configuration ok\n']);
  assert.match(stderr, /^warning: server\.bindings: there is no mesh "nosuch"/m);
  assert.match(stderr, /^warning: server\.bindings: the overlay of "team" is off: it needs overlay\.key_file/m);
});

test('check: a good file is ok, and show names where each value is from', (t) => {
  const text = `[server]\nshards = 2\n[[mesh]]\nslug = "team"\nowner = "${kOwner}"\n`;
  assert.deepEqual(config(t, 'check', text), { status: 0, stdout: 'configuration ok\n', stderr: '' });
  const options = { env: { SIGNET_NET_PING_INTERVAL: '20s' }, flags: ['--set', 'net.dead_after=50s'] };
  const { status, stdout } = config(t, 'show', text, options);
  assert.equal(status, 0);
  const lines = stdout.split('\n');
  const line = (key) => lines.find((each) => each.startsWith(`${key} = `));
  assert.equal(line('shards'), 'shards = 2  # FILE:2');
  assert.match(line('ping_interval'), /^ping_interval = "20s" {2}# SIGNET_NET_PING_INTERVAL$/);
  assert.match(line('dead_after'), /^dead_after = "50s" {2}# --set/);
  assert.match(line('drain_timeout'), /# default$/);
  assert.match(line('owner'), new RegExp(kOwner));
});

test('what show prints is itself a good file', (t) => {
  const { stdout } = config(t, 'show', `[[mesh]]\nslug = "team"\nowner = "${kOwner}"\n`);
  assert.deepEqual(config(t, 'check', stdout), { status: 0, stdout: 'configuration ok\n', stderr: '' });
});

test('a secret is never shown', (t) => {
  const secret = 'a-very-secret-token-of-the-operator-42';
  const { status, stdout, stderr } = config(t, 'show', '', { env: { SIGNET_ADMIN_TOKEN: secret } });
  assert.equal(status, 0);
  assert.ok(!`${stdout}${stderr}`.includes(secret));
});

test('a token file must be its owner\'s alone, and no link', (t) => {
  const folder = join(temporaryFolder(), 'secret');
  mkdirSync(folder);
  const file = join(folder, 'token');
  writeFileSync(file, 'a-very-secret-token-of-the-operator-42\n');
  const check = (path) => config(t, 'check', `[admin]\ntoken_file = "${path}"\n`);
  chmodSync(file, 0o600);
  assert.equal(check(file).status, 0);
  symlinkSync(file, `${file}.link`);
  assert.equal(check(`${file}.link`).status, 1);
  assert.equal(check(`${file}.none`).status, 1);
  chmodSync(file, 0o640);
  const { status, stderr } = check(file);
  assert.equal(status, 1);
  assert.ok(stderr.includes(file), stderr);
});

test('an unknown variable of ours is a warning with what was meant', (t) => {
  const { status, stdout, stderr } = config(t, 'check', '', { env: { SIGNET_SERVER_SHARD: '1' } });
  assert.deepEqual([status, stdout], [0, 'configuration ok\n']);
  assert.match(stderr, /^warning: SIGNET_SERVER_SHARD is no setting and is ignored; .*SIGNET_SERVER_SHARDS/);
});

test('doc and env name every setting of show', (t) => {
  const show = config(t, 'show', '').stdout;
  const keys = [...show.matchAll(/^(\w+) = /gm)].map(([, key]) => key);
  const doc = config(t, 'doc', '').stdout;
  const env = config(t, 'env', '').stdout;
  assert.ok(keys.length > 40, `${keys.length} settings`);
  for (const key of keys) {
    assert.ok(doc.includes(`| \`${key}\` |`), key);
    assert.match(env, new RegExp(`^SIGNET_\\w*_?${key.toUpperCase()}\\b`, 'm'));
  }
});

test('a command line that is none ends with 2', () => {
  for (const wrong of [['serve'], ['config'], ['config', 'eat'], ['run', '--config', '/no/such/file'],
                       ['run', '--set', 'nothing'], []]) {
    const answer = spawnSync(signetd, wrong, { env: cleanEnvironment(), timeout: 20_000 });
    assert.equal(answer.status, 2, wrong.join(' '));
  }
  for (const [words, what] of [[[], 'say a command: run, dev or config'], [['bogus'], 'no command is called bogus'],
                               [['help'], 'no command is called help']]) {
    const { stderr } = spawnSync(signetd, words, { env: cleanEnvironment(), encoding: 'utf8', timeout: 20_000 });
    assert.equal(stderr, `signetd: ${what}\n  How it is used: signetd --help\n`);
  }
});
