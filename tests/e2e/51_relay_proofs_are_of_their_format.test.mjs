// A proof of one format proves nothing in another.
import assert from 'node:assert/strict';
import test from 'node:test';
import { hello, sodium, startBroker } from './harness.mjs';
import { challenged, refusal, registered, relayKeys, responseTo } from './relay_client.mjs';

test('a response to a challenge is no hello', async (t) => {
  const broker = await startBroker(t);
  const member = await broker.join('ada');
  const keys = relayKeys(sodium.crypto_sign_ed25519_sk_to_curve25519(member.secretKey));
  const { challenge } = await challenged(broker);
  const peer = await broker.open();
  const answer = await peer.ask(responseTo(challenge, keys), 'error');
  assert.match(answer.code, /^(no_hello|unknown_type)$/);
  await peer.leave();
});

test('a hello is no response to a challenge', async (t) => {
  const broker = await startBroker(t);
  const member = await broker.join('ada');
  assert.equal(await refusal(broker, hello(member)), 'Unexpected message type: hello');
});

test('who registered here says nothing to the mesh, and hears nothing of it', async (t) => {
  const broker = await startBroker(t);
  const { member, peer } = await broker.joined('ada');
  const keys = relayKeys(sodium.crypto_sign_ed25519_sk_to_curve25519(member.secretKey));
  const relay = await registered(broker, { keys, receipts: true });
  await peer.mail('*', 'to everybody');
  relay.say({ type: 'send', id: 'i', targetSpec: '*', priority: 'now', nonce: 'n', ciphertext: 'c' });
  assert.equal((await relay.next((frame) => frame.error)).error, 'MISMATCHED_SOCKET_PUBLIC_KEY');
  relay.say({ type: 'send', from: keys.text, to: keys.text, message: 'm' });
  assert.equal((await relay.next((frame) => frame.error)).error, 'MISSING_TYPE_MESSAGE');
  await relay.silent();
  await peer.none('push');
});
