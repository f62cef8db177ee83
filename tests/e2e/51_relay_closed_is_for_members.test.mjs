// Where the mesh is not open, the keys of its members and no others, each as X25519.
import assert from 'node:assert/strict';
import test from 'node:test';
import { sodium, startBroker } from './harness.mjs';
import { refusal, registered, relayKeys, responseTo } from './relay_client.mjs';

const keysOf = (member) => relayKeys(sodium.crypto_sign_ed25519_sk_to_curve25519(member.secretKey));
const closed = { set: { 'simpatico.open': 'false' } };

test('members only', async (t) => {
  const broker = await startBroker(t, closed);
  const member = await broker.join('ada');
  const ada = await registered(broker, { keys: keysOf(member), receipts: true });
  const bob = await registered(broker, { keys: keysOf(await broker.join('bob')) });
  ada.tell(bob.keys.text, 'hello bob');
  await ada.next('MESSAGE_DELIVERED');
  assert.equal((await bob.hear()).value, 'hello bob');
  const stranger = relayKeys();
  assert.equal(await refusal(broker, (challenge) => responseTo(challenge, stranger)), 'not a member');
  const raw = { ...stranger, text: Buffer.from(member.pubkey, 'hex').toString('base64url') };
  const reason = await refusal(broker, (challenge) => responseTo(challenge, raw));
  assert.match(reason, /does not open|proves nothing/); // an Ed25519 key is none of this format
});

test('until they are none any more', async (t) => {
  const broker = await startBroker(t, closed);
  const member = await broker.join('ada');
  const keys = keysOf(member);
  const ada = await registered(broker, { keys });
  await broker.setStanding(member, 'revoked');
  assert.deepEqual(await ada.closed, { code: 4004, reason: 'not_permitted' });
  assert.equal(await refusal(broker, (challenge) => responseTo(challenge, keys)), 'not a member');
});

test('a proven key that is no member\'s is told so only after the proof', async (t) => {
  const broker = await startBroker(t, closed);
  const member = await broker.join('ada');
  const eve = relayKeys();
  const asMember = (challenge) => responseTo(challenge, eve, { from: keysOf(member).text });
  assert.equal(await refusal(broker, asMember), 'the response does not open');
  const asNobody = (challenge) => responseTo(challenge, eve, { from: relayKeys().text });
  assert.equal(await refusal(broker, asNobody), 'the response does not open');
});
