// signet topic: two people on topics, for a terminal and for a program.
import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';
import test from 'node:test';
import { joinedHome } from './cli.mjs';
import { eventually, startBroker } from './harness.mjs';

// `signet topic sub`, subscribed. Its lines as they come, and what it notes on standard error.
async function listening(home, ...args) {
  const child = home.spawn(['topic', 'sub', ...args]);
  const said = { child, lines: [], notes: '' };
  child.stderr.on('data', (data) => { said.notes += data; });
  createInterface({ input: child.stdout }).on('line', (line) => said.lines.push(line));
  said.closed = new Promise((resolve) => child.on('close', resolve));
  await eventually('it is subscribed', () => /subscribed/.test(said.notes));
  return said;
}

async function two(t) {
  const broker = await startBroker(t);
  return { broker, ada: await joinedHome(t, broker, 'ada'), bob: await joinedHome(t, broker, 'bob') };
}

test('what one publishes the other sees, one line a pulse', async (t) => {
  const { ada, bob } = await two(t);
  const people = await listening(bob, 'build.>', '--count', '2');
  const programs = await listening(bob, 'build.>', '*.done', '-o', 'jsonl', '--count', '2');
  const said = await ada.json('topic', 'pub', 'build.done', '{"ok":true,\n "by": "ci"}');
  assert.ok(said.number > 0);
  assert.match(await ada.ok('topic', 'pub', 'build.done', '{"ok":false}'), /^Published on build\.done .*\.\n$/);
  assert.deepEqual([await people.closed, await programs.closed], [0, 0]);
  assert.match(people.lines[0], /^2\S+Z  build\.done  [0-9a-f]{16}  \{"ok":true,"by":"ci",/);
  assert.equal(people.lines.length, 2);
  const first = JSON.parse(programs.lines[0]);
  assert.deepEqual([first.topic, first.number, first.missed, first.gap, first.pulse.by],
                   ['build.done', said.number, 0, false, 'ci']);
  assert.equal(JSON.parse(programs.lines[1]).pulse.ok, false);
});

test('a pulse from standard input, and what is none', async (t) => {
  const { ada } = await two(t);
  const piped = await ada.run(['topic', 'pub', 'a.b', '-'], { input: '{"n":1}\n' });
  assert.equal(piped.status, 0, piped.stderr);
  await ada.fails(1, 'bad_pulse', 'topic', 'pub', 'a.b', '[1]');
  await ada.fails(1, 'bad_pulse', 'topic', 'pub', 'a.b', '{"a":1,"a":2}');
  await ada.fails(1, 'bad_topic', 'topic', 'pub', 'a..b', '{}');
  await ada.fails(1, 'bad_topic', 'topic', 'sub', 'a*');
  await ada.fails(2, 'usage', 'topic', 'sub');
});

test('history, first or alone, and a gap that nobody can overlook', async (t) => {
  const broker = await startBroker(t, { set: { 'pulsemesh.history': '3' } });
  const ada = await joinedHome(t, broker, 'ada');
  const numbers = [];
  for (let n = 0; n < 5; ++n) {
    numbers.push((await ada.json('topic', 'pub', 'a.b', JSON.stringify({ n }))).number);
  }
  const kept = await ada.json('topic', 'history', 'a.*');
  assert.deepEqual(kept.pulses.map(({ pulse }) => pulse.n), [2, 3, 4]);
  assert.deepEqual([kept.gap, kept.more, kept.next], [false, false, numbers[4]]);
  const after = await ada.run(['topic', 'history', '--after', String(numbers[0]), '--limit', '1']);
  assert.match(after.stderr, /WARNING: a gap/);
  assert.match(after.stderr, /--after/);
  const since = await ada.run(['topic', 'sub', 'a.b', '--since', String(numbers[0]), '--count', '3']);
  assert.equal(since.status, 0, since.stderr);
  assert.match(since.stderr, /WARNING: a gap/);
  assert.equal(since.stdout.trimEnd().split('\n').length, 3);
});

test('the list names topics and how many listen', async (t) => {
  const { ada, bob } = await two(t);
  assert.match(await ada.ok('topic', 'list'), /Nobody listens/);
  const sub = await listening(bob, 'a.b', 'c.>');
  assert.deepEqual((await ada.json('topic', 'list')).topics, [{ name: 'a.b', subscribers: 1 }]);
  sub.child.kill('SIGINT');
  assert.equal(await sub.closed, 0);
});

test('what a peer publishes acts on no terminal', async (t) => {
  const { broker, bob } = await two(t);
  const { peer } = await broker.joined('eve');
  const sub = await listening(bob, '>', '--count', '1');
  peer.say({ type: 'topic_publish', topic: 'a.b', pulse: { s: '\u001b[2J\u202e\n\u0007' } });
  assert.equal(await sub.closed, 0);
  assert.equal(sub.lines.length, 1);
  assert.doesNotMatch(sub.lines[0], /[\u0000-\u001f\u007f\u202e]/);
});

test('a broker that goes and comes is noted, and the pulses go on', async (t) => {
  const { broker, ada, bob } = await two(t);
  broker.options.command = ['dev', '--listen', broker.listen, '--ready-json'];
  const sub = await listening(bob, 'a.b', '--count', '2');
  await ada.ok('topic', 'pub', 'a.b', '{"n":1}');
  await eventually('the first', () => sub.lines.length === 1);
  await broker.restart();
  await eventually('it is back', () => sub.notes.match(/connected to/g).length >= 2);
  await eventually('and listens', async () =>
    (await ada.json('topic', 'list')).topics.some(({ name }) => name === 'a.b'));
  await ada.ok('topic', 'pub', 'a.b', '{"n":2}');
  assert.equal(await sub.closed, 0);
  assert.match(sub.notes, /WARNING: a gap/);
});
