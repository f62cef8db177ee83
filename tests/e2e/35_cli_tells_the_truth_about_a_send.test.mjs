// What is not known is not claimed: a broker that takes a message and says nothing, and things that
// are no broker at all.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import test from 'node:test';
import { WebSocketServer } from 'ws';
import { Home, joinedHome, signet } from './cli.mjs';
import { inviteOf, makeInvite, startBroker } from './harness.mjs';

// Points the profile at another address; the way back is what it returns.
function redirect(home, url) {
  const profile = home.profile();
  const before = { ...profile };
  const write = (mesh) => writeFileSync(home.config, JSON.stringify({ version: 1, meshes: [mesh] }));
  write({ ...profile, brokerUrl: url });
  return () => write(before);
}

const kHelloAck = { type: 'hello_ack', presenceId: '0'.repeat(32), memberDisplayName: 'ada' };

// A broker that lets everybody in and answers nothing else but what `answer` says.
async function startMute(t, answer = () => null, helloAnswer = kHelloAck) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', path: '/ws' });
  await once(server, 'listening');
  const seen = [];
  server.on('connection', (socket) => socket.on('message', (data) => {
    const frame = JSON.parse(data);
    seen.push(frame);
    const said = frame.type === 'hello' ? helloAnswer : answer(frame);
    if (said) socket.send(JSON.stringify(said));
  }));
  t.after(() => { server.clients.forEach((each) => each.terminate()); server.close(); });
  return { url: `ws://127.0.0.1:${server.address().port}/ws`, seen };
}

test('a message that may have arrived is not called lost, and comes once', async (t) => {
  const broker = await startBroker(t);
  const ada = await joinedHome(t, broker, 'ada');
  const bob = await joinedHome(t, broker, 'bob');
  const mute = await startMute(t);
  const back = redirect(ada, mute.url);
  const told = await ada.fails(5, 'not_acknowledged', 'send', bob.member.publicKey, 'maybe', '--timeout', '2');
  assert.match(told.advice, /outbox/);
  assert.ok(mute.seen.some(({ type }) => type === 'send'));
  back();
  await ada.ok('inbox');
  await ada.ok('inbox');
  assert.deepEqual((await bob.json('inbox')).messages.map(({ text }) => text), ['maybe']);
});

test('a broker of another version is told so, and nothing is sent', async (t) => {
  const broker = await startBroker(t);
  const ada = await joinedHome(t, broker, 'ada');
  const bob = await joinedHome(t, broker, 'bob');
  for (const hello of [{ type: 'welcome', version: 9 }, { v: 2 },
                       { type: 'error', code: 'unknown_type', message: 'no' }]) {
    const other = await startMute(t, () => null, hello);
    const back = redirect(ada, other.url);
    await ada.fails(5, null, 'peers');
    await ada.fails(5, 'not_sent', 'send', bob.member.publicKey, 'x', '--timeout', '1');
    assert.ok(!other.seen.some(({ type }) => type === 'send'), JSON.stringify(hello));
    back();
  }
  await ada.ok('send', bob.member.publicKey, 'fine');
  assert.deepEqual((await bob.json('inbox')).messages.map(({ text }) => text), ['fine']);
});

test('what the broker refuses is a failure with its code', async (t) => {
  const broker = await startBroker(t);
  const ada = await joinedHome(t, broker, 'ada');
  const bob = await joinedHome(t, broker, 'bob');
  await broker.setStanding({ pubkey: bob.member.publicKey }, 'revoked');
  await ada.fails(3, 'no_such_member', 'send', bob.member.publicKey, 'x');
});

test('what was not shown stays unread', async (t) => {
  const broker = await startBroker(t);
  const ada = await joinedHome(t, broker, 'ada');
  const bob = await joinedHome(t, broker, 'bob');
  await ada.ok('send', 'bob', 'kept');
  for (const command of ['inbox', 'listen --count 1']) {
    const lost = spawnSync('bash', ['-c', `"${signet}" ${command} > /dev/full`],
                           { env: bob.env, encoding: 'utf8', timeout: 60_000 });
    assert.notEqual(lost.status, 0, command);
  }
  assert.deepEqual((await bob.json('inbox')).messages.map(({ text }) => text), ['kept']);
});

const kNoBrokers = [
  ['a web server', () => http.createServer((_, response) => response.end('<html>'))],
  ['one that says nothing', () => net.createServer(() => {})],
  ['one that hangs up', () => net.createServer((socket) => socket.destroy())],
  ['one that speaks another protocol', () => net.createServer((socket) => socket.end('SSH-2.0-x\r\n'))],
];
test('what is no broker is told from one that is away, and nothing is lost', async (t) => {
  const broker = await startBroker(t);
  const { signature, ...claim } = inviteOf(broker.invite).invite_payload;
  assert.ok(signature);
  for (const [what, make] of kNoBrokers) {
    await t.test(what, async (each) => {
      const server = make().listen(0, '127.0.0.1');
      const sockets = new Set();
      server.on('connection', (socket) => { sockets.add(socket); socket.on('error', () => {}); });
      await once(server, 'listening');
      each.after(() => { sockets.forEach((socket) => socket.destroy()); server.close(); });
      const url = `ws://127.0.0.1:${server.address().port}/ws`;
      const ada = await joinedHome(each, broker, 'ada');
      const bob = await joinedHome(each, broker, 'bob');
      redirect(ada, url);
      await ada.fails(5, null, 'peers');
      await ada.fails(5, 'not_sent', 'send', bob.member.publicKey, 'x', '--timeout', '1');
      assert.equal(JSON.parse((await ada.run(['doctor', '-o', 'json'])).stdout).ok, false);
      const made = makeInvite(broker.ownerKeys(), { ...claim, broker_url: url });
      const guest = new Home(each);
      await guest.fails(5, null, 'join', `ic://join/${made.invite_token}`);
      assert.ok(!existsSync(guest.config));
    });
  }
});
