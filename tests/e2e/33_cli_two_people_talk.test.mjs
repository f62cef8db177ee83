// Two people join by a link and write to each other, each with nothing but the program.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Home, joinedHome } from './cli.mjs';
import { eventually, startBroker } from './harness.mjs';

test('join prints only JSON, and a second join is the same member', async (t) => {
  const broker = await startBroker(t);
  const home = new Home(t);
  const first = await home.run(['join', broker.invite, '--name', 'ada', '-o', 'json']);
  assert.equal(first.status, 0, first.stderr);
  const said = JSON.parse(first.stdout);
  assert.deepEqual({ ok: said.ok, mesh: said.mesh, meshId: said.meshId, again: said.alreadyMember },
                   { ok: true, mesh: 'demo', meshId: broker.mesh.id, again: false });
  assert.match(said.publicKey, /^[0-9a-f]{64}$/);
  assert.equal(home.profile().pubkey, said.publicKey);
  assert.equal(home.profile().secretKey.slice(64), said.publicKey);
  const again = await home.json('join', broker.invite);
  assert.deepEqual([again.memberId, again.alreadyMember], [said.memberId, true]);
});

test('a message waits in the inbox and is read once', async (t) => {
  const broker = await startBroker(t);
  const ada = await joinedHome(t, broker, 'ada');
  const bob = await joinedHome(t, broker, 'bob');
  const sent = await ada.json('send', 'bob', 'hello bob');
  assert.deepEqual([sent.state, sent.recipients, sent.to], ['stored', 1, bob.member.publicKey]);
  for (const flags of [['--peek'], []]) {
    const { messages } = await bob.json('inbox', ...flags);
    assert.equal(messages.length, 1);
    const { id, from, kind, sealed, text } = messages[0];
    assert.deepEqual({ id, from, kind, sealed, text },
                     { id: sent.messageId, from: ada.member.publicKey, kind: 'direct', sealed: true,
                       text: 'hello bob' });
  }
  assert.deepEqual((await bob.json('inbox')).messages, []);
  assert.equal((await bob.json('inbox', '--all')).messages[0].text, 'hello bob');
});

test('listen shows what comes, from standard input too, and --wait waits for it', async (t) => {
  const broker = await startBroker(t);
  const ada = await joinedHome(t, broker, 'ada');
  const bob = await joinedHome(t, broker, 'bob');
  const listening = bob.listen('--count', '2');
  await listening.connected();
  const waited = await ada.json('send', bob.member.publicKey.slice(0, 8), 'one', '--wait');
  assert.ok(['received', 'read'].includes(waited.state), waited.state);
  assert.deepEqual(waited.receivedBy, [bob.member.publicKey]);
  const piped = await ada.run(['send', 'demo:bob', '-'], { input: 'two\nlines\n' });
  assert.equal(piped.status, 0, piped.stderr);
  assert.equal((await listening.message('one')).kind, 'direct');
  await listening.message('two\nlines');
  assert.equal(await listening.closed, 0);
});

test('a channel and everybody are reached, sealed', async (t) => {
  const broker = await startBroker(t);
  const ada = await joinedHome(t, broker, 'ada');
  const bob = await joinedHome(t, broker, 'bob');
  await bob.ok('channel', 'join', 'ops');
  await ada.ok('channel', 'join', '#ops');
  const { channels } = await ada.json('channel', 'list');
  assert.deepEqual(channels, [{ name: '#ops', members: 2, joined: true }]);
  const listening = bob.listen('--count', '2');
  await listening.connected();
  await ada.ok('send', '#ops', 'to the channel');
  await ada.ok('send', '*', 'to all');
  const channel = await listening.message('to the channel');
  const all = await listening.message('to all');
  assert.deepEqual([channel.kind, channel.target, channel.sealed], ['channel', '#ops', true]);
  assert.deepEqual([all.kind, all.sealed], ['broadcast', true]);
  await bob.ok('channel', 'leave', 'ops');
  assert.equal((await ada.json('channel', 'list')).channels[0].members, 1);
});

test('plain text to everybody arrives marked as not sealed', async (t) => {
  const broker = await startBroker(t);
  const ada = await joinedHome(t, broker, 'ada');
  const bob = await joinedHome(t, broker, 'bob');
  await ada.ok('send', '*', 'in the clear', '--plain');
  const { messages: [message] } = await bob.json('inbox');
  assert.deepEqual([message.text, message.sealed], ['in the clear', false]);
  await ada.fails(2, 'usage', 'send', 'bob', 'x', '--plain');
});

test('peers shows who is here and who is away, and both see one safety number', async (t) => {
  const broker = await startBroker(t);
  const ada = await joinedHome(t, broker, 'ada');
  const bob = await joinedHome(t, broker, 'bob');
  await bob.ok('status', 'set', 'working');
  await bob.ok('summary', 'set', 'writes tests');
  assert.equal((await ada.json('peers', '--all')).peers.find((p) => p.name === 'bob').status, 'away');
  const listening = bob.listen();
  await listening.connected();
  const { peers } = await ada.json('peers');
  const seen = peers.find((peer) => peer.key === bob.member.publicKey);
  assert.deepEqual([seen.name, seen.status, seen.summary], ['bob', 'working', 'writes tests']);
  await bob.ok('status', 'set', 'dnd');
  await bob.ok('summary', 'set', '');
  await eventually('the running listener says it', async () => {
    const now = (await ada.json('peers')).peers.find((peer) => peer.key === bob.member.publicKey);
    return now.status === 'dnd' && now.summary === '';
  });
  const mine = await ada.json('peers', 'verify', 'bob');
  const theirs = await bob.json('peers', 'verify', 'ada');
  assert.match(mine.safetyNumber, /^(\d{5} ){11}\d{5}$/);
  assert.equal(mine.safetyNumber, theirs.safetyNumber);
  await ada.fails(6, 'number_differs', 'peers', 'verify', 'bob', '--number', '12345');
  const done = await ada.json('peers', 'verify', 'bob', '--number', theirs.safetyNumber);
  assert.equal(done.verified, true);
  assert.equal((await ada.json('peers')).peers.find((p) => p.name === 'bob').pinned, 'verified');
  listening.child.kill('SIGTERM');
  assert.equal(await listening.closed, 0);
});

test('several meshes side by side: one must be named', async (t) => {
  const [one, two] = [await startBroker(t), await startBroker(t, { command:
    ['dev', '--listen', '127.0.0.1:0', '--ready-json', '--mesh', 'team'] })];
  const ada = await joinedHome(t, one, 'ada');
  const bob = await joinedHome(t, two, 'bob');
  await ada.ok('join', two.invite, '--name', 'ada');
  const told = await ada.fails(2, 'usage', 'send', 'bob', 'x');
  assert.match(told.message, /demo, team/);
  await ada.ok('send', 'team:bob', 'by prefix');
  await ada.ok('send', 'bob', 'by option', '--mesh', 'team');
  assert.deepEqual((await bob.json('inbox')).messages.map(({ text }) => text), ['by prefix', 'by option']);
  await ada.fails(3, 'no_such_mesh', 'send', 'other:bob', 'x');
  await ada.ok('leave', 'team', '--yes');
  assert.deepEqual((await ada.json('mesh', 'list')).meshes.map(({ mesh }) => mesh), ['demo']);
});
