// What others chose (names, texts, channels) never writes to the terminal, in any format.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Home, joinedHome } from './cli.mjs';
import { startBroker } from './harness.mjs';

const kEvil = 'e\u001b[31m\u009b2J\u202evil\r\u0007';
// eslint-disable-next-line no-control-regex
const kActs = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/;

test('a name and a text with escape codes come out as text', async (t) => {
  const broker = await startBroker(t);
  const ada = await joinedHome(t, broker, 'ada');
  const evil = new Home(t);
  await evil.ok('join', broker.invite, '--name', kEvil);
  const listening = evil.listen();
  await listening.connected();
  await evil.ok('send', 'ada', `first\n${kEvil}\nada  2026  direct, sealed`);
  for (const format of ['table', 'json', 'jsonl']) {
    for (const command of [['peers'], ['peers', '--all'], ['inbox', '--peek']]) {
      const said = await ada.ok(...command, '-o', format);
      assert.doesNotMatch(said, kActs, `${command} ${format}: ${JSON.stringify(said)}`);
      assert.match(said, /\\u001b\[31m/, `${command} ${format}`);
    }
  }
  const shown = await ada.ok('inbox');
  assert.ok(shown.includes('\n    ada  2026'), shown); // no line of a text looks like another message
  assert.ok(!/^ada {2}2026/m.test(shown), shown);
});

test('colours are for terminals: a pipe gets none', async (t) => {
  const broker = await startBroker(t);
  const ada = await joinedHome(t, broker, 'ada');
  for (const command of [['peers'], ['mesh', 'list'], ['doctor'], ['--help'], ['eat']]) {
    const { stdout, stderr } = await ada.run(command);
    assert.doesNotMatch(stdout + stderr, /\u001b/, command.join(' '));
  }
});

test('in JSON standard output is JSON and nothing else, line for line in jsonl', async (t) => {
  const broker = await startBroker(t);
  const ada = await joinedHome(t, broker, 'ada');
  const bob = await joinedHome(t, broker, 'bob');
  await ada.ok('channel', 'join', 'ops');
  for (const command of [['peers'], ['peers', '--all'], ['mesh', 'list'], ['mesh', 'show'], ['channel', 'list'],
                         ['status', 'set', 'idle'], ['version'], ['inbox'], ['send', 'bob', 'x'], ['eat'],
                         ['send', 'nobody', 'x'], ['doctor']]) {
    JSON.parse((await ada.run([...command, '-o', 'json'])).stdout);
    const lines = (await ada.run(['-o', 'jsonl', ...command])).stdout.split('\n');
    assert.equal(lines.pop(), '', command.join(' '));
    lines.forEach((line) => JSON.parse(line));
  }
  assert.equal((await bob.json('inbox')).messages.length, 2);
});
