// A token that the mesh believes proves whom it names: of each algorithm, with nobody having made
// the source before, and the token's roles say what it may.
import assert from 'node:assert/strict';
import test from 'node:test';
import { knock, nodePath, topicPath } from './pulse_client.mjs';
import { connectByToken, endOf, kAlgorithms, kTokenPolicy, kTopic, newTokenKey, refusedAtTheDoor, shows,
         startTokenBroker, token } from './token_maker.mjs';
import { sleep } from './harness.mjs';

// Secrets and public keys are never of one set.
const kSets = [['HS256'], kAlgorithms.filter((alg) => alg !== 'HS256')];

for (const algorithms of kSets) {
  test(`${algorithms.join(', ')}: published and heard, by the roles of the token`, async (t) => {
    const keys = algorithms.map((alg) => newTokenKey(alg));
    const broker = await startTokenBroker(t, keys, { policy: kTokenPolicy });
    for (const [i, key] of keys.entries()) {
      const [engine, viewer] = [`engine-${i}`, `viewer-${i}`];
      const hears = await connectByToken(broker, viewer, token(key, viewer, { roles: ['viewer'] }));
      const speaks = await connectByToken(broker, engine, token(key, engine, { roles: ['engine'] }));
      speaks.say({ n: i });
      assert.equal((await hears.pulses(1))[0].n, i);
      assert.equal((await hears.ask({ n: 'not mine' }, 'error')).code, 'denied');
      await sleep(50);
      assert.deepEqual(speaks.inbox, [], 'nothing that was denied is heard');
      await Promise.all([hears.leave(), speaks.leave()]);
    }
  });
}

test('whom a token names, and nobody else', async (t) => {
  const key = newTokenKey('EdDSA');
  const broker = await startTokenBroker(t, [key]);
  for (const other of ['other', 'Mirror', 'mirror.']) {
    const { close, code } = await refusedAtTheDoor(broker, other, token(key, 'mirror'));
    assert.deepEqual([close, code], [4003, 'wrong_subject'], other);
  }
  const node = await knock(broker, nodePath('other'));
  node.say(shows('mirror', token(key, 'mirror')));
  assert.equal((await endOf(node)).code, 'wrong_node');
  const its = await connectByToken(broker, 'mirror', token(key, 'mirror'), nodePath('mirror'));
  assert.equal((await its.ask({ target: 'nobody' }, 'error')).code, 'target_not_connected');
});

test('a member with a key is not to be had by a token', async (t) => {
  const key = newTokenKey('EdDSA');
  const broker = await startTokenBroker(t, [key]);
  const { memberId } = await broker.join('ada');
  const { close, code } = await refusedAtTheDoor(broker, memberId, token(key, memberId));
  assert.deepEqual([close, code], [4004, 'not_permitted']);
});

test('a token counts, and no weaker proof beside it', async (t) => {
  const key = newTokenKey('EdDSA');
  const broker = await startTokenBroker(t, [key]);
  const peer = await knock(broker, topicPath(kTopic));
  peer.say({ ...shows('mirror', 'x.y.z'), signature: 'a'.repeat(64) });
  assert.equal((await endOf(peer)).code, 'bad_token');
  for (const nothing of [null, '', {}]) {
    assert.equal((await refusedAtTheDoor(broker, 'mirror', nothing)).code, 'missing_proof');
  }
  for (const odd of [7, true, ['x'], { token: 'x' }]) {
    assert.equal((await refusedAtTheDoor(broker, 'mirror', odd)).code, 'bad_token', JSON.stringify(odd));
  }
});

test('aud and typ, where they are there, name the mesh and a token', async (t) => {
  const key = newTokenKey('ES256');
  const broker = await startTokenBroker(t, [key]);
  const { slug } = broker.mesh;
  for (const [claims, header] of [[{ aud: slug }], [{ aud: ['another', slug] }], [{}, { typ: 'at+jwt' }],
                                  [{}, { typ: 'application/JWT' }], [{}, { typ: undefined }],
                                  [{ nbf: 0 }], [{ jti: undefined }], [{ iat: undefined }]]) {
    await (await connectByToken(broker, 'mirror', token(key, 'mirror', claims, header))).leave();
  }
});

test('without keys a token proves nothing', async (t) => {
  const key = newTokenKey('EdDSA');
  const broker = await startTokenBroker(t, [newTokenKey('EdDSA')], { set: { 'tokens.keys': '' } });
  const { close, code, message } = await refusedAtTheDoor(broker, 'mirror', token(key, 'mirror'));
  assert.deepEqual([close, code], [4003, 'bad_token']);
  assert.match(message, /unknown_key/);
});
