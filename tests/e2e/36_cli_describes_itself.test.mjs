// Help, the reference page and completions come from one tree of commands.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { Home, root } from './cli.mjs';

test('docs/commands.md is what the program prints', async (t) => {
  const printed = await new Home(t).ok('reference');
  assert.equal(readFileSync(join(root, 'docs/commands.md'), 'utf8'), printed,
               'write it anew: build/dev/signet reference > docs/commands.md');
});

test('every command has help, and none hides an undescribed option', async (t) => {
  const home = new Home(t);
  const page = await home.ok('reference');
  const commands = [...page.matchAll(/^##+ ([a-z][a-z -]*)$/gm)].map(([, name]) => name.split(' '));
  assert.ok(commands.length >= 35, `${commands.length}`);
  for (const command of commands) {
    const help = await home.ok(...command, '--help');
    assert.ok(help.length > 60, command.join(' '));
  }
  assert.doesNotMatch(page, /^\| `[^`]+` \| +\|$/m);
});

// What bash offers for a line whose last word is being typed.
function complete(script, line) {
  const words = line.split(' ');
  const ask = `${script}\nCOMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})\n` +
              `COMP_CWORD=${words.length - 1}\n_signet\nprintf '%s\\n' "\${COMPREPLY[@]}"`;
  const answer = spawnSync('bash', ['--norc', '-c', ask], { encoding: 'utf8' });
  assert.equal(answer.status, 0, answer.stderr);
  return answer.stdout.trimEnd().split('\n');
}

test('bash completes commands, options and their values', async (t) => {
  const script = await new Home(t).ok('completion', 'bash');
  const check = spawnSync('bash', ['-n'], { input: script, encoding: 'utf8' });
  assert.deepEqual([check.status, check.stderr], [0, '']);
  assert.deepEqual(complete(script, 'signet me'), ['mesh', 'member']);
  assert.deepEqual(complete(script, 'signet mesh '), 
                   complete(script, 'signet mesh ').filter((word) => word !== 'send'));
  assert.ok(complete(script, 'signet mesh ').includes('create'));
  assert.deepEqual(complete(script, 'signet mesh create --br'), ['--broker']);
  assert.deepEqual(complete(script, 'signet send bob x --priority n'), ['now', 'next']);
  assert.deepEqual(complete(script, 'signet -o j'), ['json', 'jsonl']);
  assert.deepEqual(complete(script, 'signet -o json pee'), ['peers']);
  assert.ok(!complete(script, 'signet ').includes('reference'));
});

test('zsh gets a script of the same commands', async (t) => {
  const home = new Home(t);
  const script = await home.ok('completion', 'zsh');
  assert.match(script, /^#compdef signet\n/);
  assert.match(script, /' mesh create'\) offers='/);
  assert.doesNotMatch(script, /\b(path|words)=/); // both are zsh's own
  if (spawnSync('zsh', ['--version']).status === 0) {
    assert.equal(spawnSync('zsh', ['-n'], { input: script }).status, 0);
  }
});

test('version says which', async (t) => {
  const home = new Home(t);
  const { version, gitSha } = await home.json('version');
  assert.equal(await home.ok('version'), `signet ${version} (${gitSha})\n`);
  assert.equal(await home.ok('--version'), `signet ${version} (${gitSha})\n`);
});
