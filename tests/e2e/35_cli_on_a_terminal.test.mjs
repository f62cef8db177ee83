// What only a terminal sees: colours (unless NO_COLOR), a line about what takes long, a question
// before what can't be undone.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import test from 'node:test';
import { joinedHome, signet } from './cli.mjs';
import { startBroker } from './harness.mjs';

// Runs it on a terminal of its own; all that is shown, standard error too.
async function onTerminal(home, args, { env = {}, input = '' } = {}) {
  const command = [signet, ...args].map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['-qec', command, '/dev/null'],
                      { env: { ...home.env, TERM: 'xterm', ...env }, timeout: 60_000 });
  let shown = '';
  child.stdout.on('data', (data) => {
    if (shown === '' && input) child.stdin.write(input);
    shown += data;
  });
  child.stdin.on('error', () => {});
  const [status] = await once(child, 'close');
  return { status, shown };
}

test('colours are there, unless NO_COLOR or JSON was asked for', async (t) => {
  const broker = await startBroker(t);
  const ada = await joinedHome(t, broker, 'ada');
  assert.match((await onTerminal(ada, ['peers'])).shown, /\u001b\[1mNAME/);
  assert.match((await onTerminal(ada, ['send', 'nobody', 'x'])).shown, /\u001b\[31msignet:/);
  for (const [args, env] of [[['peers'], { NO_COLOR: '1' }], [['peers'], { TERM: 'dumb' }],
                             [['peers', '-o', 'json'], {}], [['send', 'nobody', 'x', '-o', 'json'], {}]]) {
    assert.doesNotMatch((await onTerminal(ada, args, { env })).shown, /\u001b\[\d+m/, args.join(' '));
  }
});

test('what takes more than a second says what it waits for', async (t) => {
  const broker = await startBroker(t);
  const ada = await joinedHome(t, broker, 'ada');
  const silent = net.createServer(() => {}).listen(0, '127.0.0.1');
  const sockets = new Set();
  silent.on('connection', (socket) => { sockets.add(socket); socket.on('error', () => {}); });
  await once(silent, 'listening');
  t.after(() => { sockets.forEach((socket) => socket.destroy()); silent.close(); });
  const profile = { ...ada.profile(), brokerUrl: `ws://127.0.0.1:${silent.address().port}/ws` };
  writeFileSync(ada.config, JSON.stringify({ version: 1, meshes: [profile] }));
  const { status, shown } = await onTerminal(ada, ['peers']);
  assert.equal(status, 5);
  assert.match(shown, /\r\u001b\[Kconnecting to ws:\/\/127\.0\.0\.1:\d+\/ws 1 s/);
  assert.doesNotMatch((await ada.run(['peers'])).stderr, /connecting/); // not where nobody looks
});

test('leaving is asked about, and no is no', async (t) => {
  const broker = await startBroker(t);
  const ada = await joinedHome(t, broker, 'ada');
  const no = await onTerminal(ada, ['leave'], { input: 'n\n' });
  assert.equal(no.status, 6, no.shown);
  assert.match(no.shown, /\[y\/N\]/);
  assert.equal(JSON.parse(readFileSync(ada.config, 'utf8')).meshes.length, 1);
  const yes = await onTerminal(ada, ['leave'], { input: 'y\n' });
  assert.equal(yes.status, 0, yes.shown);
  assert.equal(JSON.parse(readFileSync(ada.config, 'utf8')).meshes.length, 0);
});
