// A page in headless Chromium, with the browser's own WebSocket: PulseMesh in the compact form, and
// the relay with the browser build of tweetnacl.
import assert from 'node:assert/strict';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { Page } from './browser.mjs';
import { freshTimestamp, startBroker } from './harness.mjs';
import { connect, isoAt, kSecret, PythonClient, startPulseBroker } from './pulse_client.mjs';
import { registered } from './relay_client.mjs';

const kNacl = fileURLToPath(new URL('node_modules/tweetnacl/nacl-fast.min.js', import.meta.url));
const webSocketOf = (broker) => broker.http.replace(/^http/, 'ws');

// --- in the page: nothing from outside is in scope but what is given ---

async function pulsePage({ url, secret }) {
  const hex = (bytes) => Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');
  const sign = async (message) => { // as v1's browser client does it
    const text = JSON.stringify(message, Object.keys(message).sort()) + secret;
    return hex(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
  };
  // A socket that has said its handshake; `frames` grows, `closed` resolves with the code.
  const open = async (topic, more = {}) => {
    const message = { source: 'browser', target: 'pulsemesh', timestamp: new Date().toISOString(), ...more };
    const socket = new WebSocket(`${url}/ws/mesh/${encodeURIComponent(topic)}`);
    const it = { socket, frames: [], arrived: [] };
    socket.onmessage = ({ data }) => {
      it.frames.push(JSON.parse(data));
      for (const woken of it.arrived.splice(0)) woken();
    };
    it.closed = new Promise((resolve) => { socket.onclose = ({ code, wasClean }) => resolve({ code, wasClean }); });
    await new Promise((resolve) => { socket.onopen = resolve; });
    socket.send(JSON.stringify({ message, signature: await sign(message) }));
    it.next = async () => {
      while (it.frames.length === 0) await new Promise((woken) => it.arrived.push(woken));
      return it.frames.shift();
    };
    return it;
  };

  const flat = await open('mirror.intent', { note: 'grüß dich, 世界 😀', n: 1.5, tiny: 1e-7, ok: true, none: null });
  await tell('welcome', await flat.next());
  flat.socket.send(JSON.stringify({ type: 'pulse', topic: 'mirror.intent', payload: 'from the page 😀', broadcast: true }));
  await tell('published');
  await tell('heard', [await flat.next(), await flat.next()]);

  const nested = await open('mirror.intent', { inner: { unsigned: true } });
  const said = await nested.next();
  const { code, wasClean } = said.type === 'error' ? await nested.closed : {};
  await tell('nested', { said: [said.type, said.code], code, wasClean, more: nested.frames });

  flat.socket.send('no JSON');
  await tell('ended', { ...await flat.closed, frames: flat.frames });
}

async function relayPage({ url, to }) {
  const text64 = (bytes) => btoa(String.fromCharCode(...bytes)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
  const bytes64 = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));
  const keys = nacl.box.keyPair();
  const from = text64(keys.publicKey);
  const seal = (their, nonce, text) => text64(nacl.secretbox(
    new TextEncoder().encode(text), bytes64(nonce), nacl.box.before(bytes64(their), keys.secretKey)));

  const socket = new WebSocket(`${url}/${from}`);
  const frames = [], waiting = [];
  socket.onmessage = ({ data }) => { frames.push(JSON.parse(data)); waiting.shift()?.(); };
  const next = async () => {
    if (frames.length === 0) await new Promise((woken) => waiting.push(woken));
    return frames.shift();
  };
  const challenge = await next();
  const { from: server, nonce, challengeText, type } = challenge;
  socket.send(JSON.stringify({ type: 'CHALLENGE_RESPONSE', from, to: server, nonce,
                               message: seal(server, nonce, challengeText) }));
  await tell('registered', { challenge: type, answer: await next(), from });
  const fresh = text64(nacl.randomBytes(24));
  const said = JSON.stringify({ hello: 'from the page 😀' });
  socket.send(JSON.stringify({ type: 'MESSAGE', from, to, nonce: fresh, message: seal(to, fresh, said) }));
  const reply = await next();
  const opened = nacl.secretbox.open(bytes64(reply.message), bytes64(reply.nonce),
                                     nacl.box.before(bytes64(reply.from), keys.secretKey));
  await tell('reply', { from: reply.from, to: reply.to, text: opened && new TextDecoder().decode(opened) });
  await tell('left', frames);
}

// --- the tests ---

test('PulseMesh: the compact form, beside Node and Python', async (t) => {
  const broker = await startPulseBroker(t);
  const python = new PythonClient(t, broker);
  await python.open('mirror.intent', JSON.stringify({ source: 'python', timestamp: isoAt(freshTimestamp()) }));
  const node = await connect(broker, 'mirror.intent', 'node');
  const page = await Page.open(t, pulsePage, { url: webSocketOf(broker), secret: kSecret });

  const welcome = await page.hear('welcome');
  assert.deepEqual([welcome.type, welcome.client_id], ['handshake_ok', 'browser']);
  const published = await page.next('published');
  const [atNode] = await node.pulses(1);
  assert.deepEqual(Object.keys(atNode).filter((key) => !key.startsWith('_')), ['type', 'topic', 'payload', 'broadcast']);
  assert.equal(atNode.payload, 'from the page 😀');
  assert.equal(JSON.parse((await python.next('frame')).frame).payload, 'from the page 😀');
  node.say({ payload: 'from node 世界' });
  await python.next('frame');
  python.publish('{"payload": "from python \\ud83d\\ude00"}');
  published.answer();
  const heard = await page.hear('heard');
  assert.deepEqual(heard.map(({ payload }) => payload), ['from node 世界', 'from python 😀']);

  const nested = await page.hear('nested');
  assert.deepEqual(nested, { said: ['error', 'bad_signature'], code: 4003, wasClean: true, more: [] });
  const ended = await page.hear('ended');
  assert.equal(ended.code, 1000);
  assert.deepEqual(ended.frames.map(({ type, code }) => [type, code]), [['error', 'not_a_pulse']]);
  await python.leave();
});

test('the relay: sealed by the page, opened by Node, and back', async (t) => {
  const broker = await startBroker(t);
  const bob = await registered(broker);
  const page = await Page.open(t, relayPage, { url: webSocketOf(broker), to: bob.keys.text }, [kNacl]);
  const { challenge, answer, from } = await page.hear('registered');
  assert.deepEqual([challenge, answer], ['CHALLENGE', { type: 'REGISTER_SUCCESS' }]);
  const heard = await bob.hear();
  assert.deepEqual(heard, { from, value: { hello: 'from the page 😀' } });
  bob.tell(from, { hello: 'from node 世界' });
  const reply = await page.hear('reply');
  assert.deepEqual([reply.from, reply.to, JSON.parse(reply.text)], [bob.keys.text, from, { hello: 'from node 世界' }]);
  assert.deepEqual(await page.hear('left'), [], 'nothing else comes to a page');
});
