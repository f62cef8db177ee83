// A program that answers where a broker should, and is none, or one of another version: a failure
// in time, with nothing sent and nothing kept.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import test from 'node:test';
import { Home, joinedHome, redirect, startMute } from './cli.mjs';
import { inviteOf, makeInvite, startBroker } from './harness.mjs';

const kNoBrokers = [
  ['a web server', () => http.createServer((_, response) => response.end('<html>'))],
  ['one that says nothing', () => net.createServer(() => {})],
  ['one that hangs up', () => net.createServer((socket) => socket.destroy())],
  ['one that speaks another protocol', () => net.createServer((socket) => socket.end('SSH-2.0-x\r\n'))],
];
test('what is no broker is told from one that is away, and nothing is lost', { concurrency: true }, async (t) => {
  const broker = await startBroker(t);
  const { signature, ...claim } = inviteOf(broker.invite).invite_payload;
  assert.ok(signature);
  await Promise.all(kNoBrokers.map(([what, make]) =>
    t.test(what, async (each) => {
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
    })));
});

test('a broker of another version is told so, and nothing is sent', async (t) => {
  const broker = await startBroker(t);
  const bob = await joinedHome(t, broker, 'bob');
  await Promise.all([{ type: 'welcome', version: 9 }, { v: 2 },
                       { type: 'error', code: 'unknown_type', message: 'no' }].map(async (hello) => {
    const ada = await joinedHome(t, broker, 'ada');
    const other = await startMute(t, () => null, hello);
    const back = redirect(ada, other.url);
    await ada.fails(5, null, 'peers');
    await ada.fails(5, 'not_sent', 'send', bob.member.publicKey, 'x', '--timeout', '1');
    assert.ok(!other.seen.some(({ type }) => type === 'send'), JSON.stringify(hello));
    back();
    await ada.ok('send', bob.member.publicKey, 'fine');
  }));
  assert.deepEqual((await bob.json('inbox')).messages.map(({ text }) => text), ['fine', 'fine', 'fine']);
});
