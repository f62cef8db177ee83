// SHA-256 with the secret behind the text is no MAC: `signetd run` takes it only where the operator
// says so, and dev, where old clients are tried out, always.
import assert from 'node:assert/strict';
import test from 'node:test';
import { connect, handshake, kSecret, refusalOf, startPulseBroker, topicPath } from './pulse_client.mjs';
import { runBoundBroker } from './bound_broker.mjs';

const kTopic = 'public.a';

test('run: the HMAC opens, the digest does not', async (t) => {
  const broker = await runBoundBroker(t, ['pulsemesh=team'], ['team']);
  for (const form of ['hmac', 'hmac with alg']) await connect(broker, kTopic, 'c', { form });
  for (const form of ['spaced', 'compact']) {
    const refused = await refusalOf(broker, handshake('c', { form }), topicPath(kTopic));
    assert.deepEqual(refused, [4003, 'bad_signature'], form);
  }
  const told = await broker.logged('handshake.digest_off');
  assert.ok(told.source === 'c' && told.do.includes('pulsemesh.legacy_digest'), JSON.stringify(told));
});

test('run, where the operator allows it: both', async (t) => {
  const broker = await runBoundBroker(t, ['pulsemesh=team'], ['team'], { 'pulsemesh.legacy_digest': true });
  for (const form of ['hmac', 'hmac with alg', 'spaced', 'compact']) await connect(broker, kTopic, 'c', { form });
});

test('dev takes clients as they are, unless it is told not to', async (t) => {
  const dev = await startPulseBroker(t);
  for (const form of ['spaced', 'compact']) await connect(dev, kTopic, 'c', { form, secret: kSecret });
  const strict = await startPulseBroker(t, { set: { 'pulsemesh.legacy_digest': false } });
  assert.deepEqual(await refusalOf(strict, handshake('c')), [4003, 'bad_signature']);
  await connect(strict, kTopic, 'c', { form: 'hmac' });
});
