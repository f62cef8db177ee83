// `signet relay`: people and a client that is made of tweetnacl write to each other's keys.
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { once } from 'node:events';
import { join } from 'node:path';
import test from 'node:test';
import { WebSocketServer } from 'ws';
import { Home } from './cli.mjs';
import { eventually, startBroker } from './harness.mjs';
import { envelope, freshNonce, registered, relayKeys, sealTo, url64 } from './relay_client.mjs';

async function person(t) {
  const home = new Home(t);
  home.key = (await home.json('relay', 'keygen')).publicKey;
  return home;
}

// The words of a send; a key may begin with what looks like an option.
const send = (url, to, text, ...flags) =>
  ['relay', 'send', ...flags, '--url', url, '--', to, text];

// `signet relay listen`, its lines of JSON as they come.
async function listening(home, url, ...more) {
  const child = home.spawn(['relay', 'listen', '--url', url, '-o', 'jsonl', ...more]);
  const lines = [];
  let notes = '';
  child.stderr.on('data', (data) => { notes += data; });
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line)));
  const closed = once(child, 'close').then(([status]) => status);
  await eventually('a connection', () => /connected to/.test(notes));
  return { child, lines, closed, notes: () => notes };
}

test('from a program to a program, and what the receiver learns', async (t) => {
  const broker = await startBroker(t);
  const [ada, bob] = [await person(t), await person(t)];
  const heard = await listening(bob, broker.ws, '--count', '2');
  const sent = await ada.json('relay', 'send', bob.key, 'hello bob', '--url', broker.ws, '--wait');
  assert.deepEqual([sent.to, sent.state], [bob.key, 'delivered']);
  await ada.run(['relay', 'send', bob.key, '-', '--url', broker.http], { input: 'from a pipe\n' });
  assert.equal(await heard.closed, 0);
  assert.deepEqual(heard.lines.map(({ from, text, sealed }) => ({ from, text, sealed })), [
    { from: ada.key, text: 'hello bob', sealed: true },
    { from: ada.key, text: 'from a pipe', sealed: true }]);
});

test('with a client of another make, both ways', async (t) => {
  const broker = await startBroker(t);
  const ada = await person(t);
  const bob = await registered(broker);
  await ada.ok(...send(broker.ws, bob.keys.text, 'h\u00e9llo', '--wait'));
  assert.deepEqual(await bob.hear(), { from: ada.key, value: { text: 'h\u00e9llo' } });
  const heard = await listening(ada, broker.ws);
  bob.tell(ada.key, { text: 'hello ada', n: 1 });
  const line = await eventually('the message', () => heard.lines[0]);
  assert.deepEqual([line.from, line.text, line.json], 
                   [bob.keys.text, 'hello ada', '{"text":"hello ada","n":1}']);
});

test('exit codes say what became of it', async (t) => {
  const broker = await startBroker(t);
  const ada = await person(t);
  const away = relayKeys().text;
  const url = broker.ws;
  await ada.fails(3, 'recipient_not_available', ...send(url, away, 'x', '--wait'));
  await ada.fails(2, 'usage', ...send(url, 'no key', 'x'));
  await ada.fails(2, 'usage', ...send(url, url64(new Uint8Array(32)), 'x'));
  await ada.fails(2, 'usage', ...send(url, away, ''));
  await ada.fails(2, 'usage', 'relay', 'send', '--', away, 'x');
  await ada.fails(1, 'text_too_long', ...send(url, away, 'x'.repeat(60_000)));
  await ada.fails(5, 'unreachable', ...send('ws://127.0.0.1:1', away, 'x'));
  await ada.fails(5, 'no_relay', ...send(`${broker.http}/readyz`, away, 'x'));
  await ada.fails(6, 'file_exists', 'relay', 'keygen');
  const stranger = new Home(t);
  await stranger.fails(3, 'no_relay_key', ...send(url, away, 'x'));
  assert.equal(statSync(join(ada.folder, '.config/signet/relay.key')).mode & 0o777, 0o600);
  const closed = await startBroker(t, { set: { 'simpatico.open': 'false' } });
  await ada.fails(4, 'not_a_member', ...send(closed.ws, away, 'x'));
});

test('who is replaced is told so', async (t) => {
  const broker = await startBroker(t);
  const ada = await person(t);
  const heard = await listening(ada, broker.ws);
  await ada.ok(...send(broker.ws, relayKeys().text, 'x'));
  assert.equal(await heard.closed, 6);
  assert.match(heard.notes(), /took over/);
});

test('what acts on a terminal is shown, and does nothing', async (t) => {
  const broker = await startBroker(t);
  const ada = await person(t);
  const child = ada.spawn(['relay', 'listen', '--url', broker.ws, '--count', '3']);
  let shown = '', notes = '';
  child.stdout.on('data', (data) => { shown += data; });
  child.stderr.on('data', (data) => { notes += data; });
  const closed = once(child, 'close');
  await eventually('a connection', () => /connected to/.test(notes));
  const bob = await registered(broker);
  bob.tell(ada.key, { text: 'a\u001b[2Jb\u202ec\nfake  line' });
  bob.tell(ada.key, { '\u001b]0;x\u0007': 1 });
  bob.say({ ...envelope(bob.keys, ada.key, 'x'), message: 'AAAA' });
  await closed;
  assert.doesNotMatch(shown, /[\u0000-\u0009\u000b-\u001f\u007f\u202e]/);
  assert.match(shown, /\\u001b\[2Jb/);
  assert.match(shown, /\n {4}fake/);
  assert.match(shown, /not opened: does_not_open/);
});

// A relay that challenges as it is told, and registers everybody.
async function startLiar(t, challenge) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  const said = [];
  server.on('connection', (socket) => {
    socket.on('message', (data) => {
      said.push(JSON.parse(data));
      if (said.at(-1).type === 'CHALLENGE_RESPONSE') socket.send('{"type":"REGISTER_SUCCESS"}');
    });
    socket.send(JSON.stringify({ type: 'CHALLENGE', nonce: freshNonce(), challengeText: 'Welcome',
                                 ...challenge() }));
  });
  t.after(() => { server.clients.forEach((each) => each.terminate()); server.close(); });
  return { url: `ws://127.0.0.1:${server.address().port}`, said };
}

test('a relay whose key has changed is loud, and gets nothing', async (t) => {
  let keys = relayKeys();
  const liar = await startLiar(t, () => ({ from: keys.text }));
  const ada = await person(t);
  const words = send(liar.url, relayKeys().text, 'x');
  await ada.ok(...words);
  assert.equal(liar.said.length, 2);
  keys = relayKeys();
  const told = await ada.fails(6, 'relay_key_changed', ...words);
  assert.match(told.message, /^WARNING: /);
  assert.equal(liar.said.length, 2);
});

test('a relay that claims a friend\'s key, or asks for a message, gets nothing', async (t) => {
  const broker = await startBroker(t);
  const ada = await person(t);
  const bob = await registered(broker);
  await ada.ok(...send(broker.ws, bob.keys.text, 'a secret', '--wait'));
  const stolen = await bob.next('MESSAGE');
  // Under the nonce of that message the response would be the very key stream that opens it.
  const asBob = await startLiar(t, () => ({ from: bob.keys.text, nonce: stolen.nonce,
                                            challengeText: 'W'.repeat(100) }));
  await ada.fails(6, 'relay_key_is_a_peer', ...send(asBob.url, relayKeys().text, 'x'));
  await ada.fails(6, 'relay_key_is_a_peer', 'relay', 'listen', '--url', asBob.url);
  const asker = await startLiar(t, () => ({ from: relayKeys().text,
                                            challengeText: '{"text":"pay mallory"}' }));
  await ada.fails(5, 'protocol_error', 'relay', 'listen', '--url', asker.url);
  assert.deepEqual([...asBob.said, ...asker.said], []);
  const server = (await registered(broker)).challenge.from;
  await ada.fails(6, 'peer_is_a_relay', ...send(broker.ws, server, 'x'));
});

test('an own message that a relay brings back is not shown as the friend\'s', async (t) => {
  const ada = await person(t);
  const bob = relayKeys();
  const server = relayKeys();
  const sockets = [];
  const liar = await startLiar(t, () => ({ from: server.text }));
  const heard = await listening(ada, (await reflector(t, server, sockets)).url);
  await ada.ok(...send(liar.url, bob.text, 'as if from bob'));
  const own = await eventually('the envelope', () => liar.said.find((each) => each.type === 'MESSAGE'));
  sockets[0].send(JSON.stringify({ ...own, from: bob.text, to: ada.key }));
  const nonce = freshNonce();
  const true_ = sealTo(ada.key, bob, '{"text":"from bob"}', nonce);
  sockets[0].send(JSON.stringify({ type: 'MESSAGE', from: bob.text, to: ada.key, nonce, message: true_ }));
  await eventually('both', () => heard.lines.length === 2);
  assert.deepEqual(heard.lines.map(({ text, why }) => ({ text, why })),
                   [{ text: null, why: 'reflected' }, { text: 'from bob', why: null }]);
});

// A relay whose sockets the test writes to.
async function reflector(t, server, sockets) {
  const relay = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(relay, 'listening');
  relay.on('connection', (socket) => {
    sockets.push(socket);
    socket.on('message', () => socket.send('{"type":"REGISTER_SUCCESS"}'));
    socket.send(JSON.stringify({ type: 'CHALLENGE', from: server.text, nonce: freshNonce(),
                                 challengeText: 'Welcome' }));
  });
  t.after(() => { relay.clients.forEach((each) => each.terminate()); relay.close(); });
  return { url: `ws://127.0.0.1:${relay.address().port}` };
}
