// The file of the keys is replaced while sessions live: old and new hold together for as long as both
// are in it; a key that is gone proves nobody any more, and ends whom it proved; a broken file
// changes nothing.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import test from 'node:test';
import { connectByToken, endOf, kTokenPolicy, newTokenKey, refusedAtTheDoor, startTokenBroker, token, writeKeys }
  from './token_maker.mjs';

const kWays = {
  'by itself': { set: { 'tls.check_every': '200ms' }, ask: () => {}, took: 'tokens.reloaded',
                 kept: 'tokens.kept_last_good' },
  'at SIGHUP': { set: { 'tls.check_every': '1d' }, ask: (broker) => broker.process.kill('SIGHUP'),
                 took: 'policy.reloaded', kept: 'policy.kept_last_good' },
};
const kGone = [4003, 'bad_token'];

for (const [name, { set, ask, took, kept }] of Object.entries(kWays)) {
  test(`a change is taken ${name}`, async (t) => {
    const [before, after] = [newTokenKey('EdDSA', 'before'), newTokenKey('RS256', 'after')];
    const broker = await startTokenBroker(t, [before], { set });
    const change = async (keys, event = took) => {
      const from = broker.log.length;
      writeKeys(broker.keyFile, keys);
      ask(broker);
      return broker.logged(event, from);
    };
    const came = async (key, source) => connectByToken(broker, source, token(key, source));
    const old = await came(before, 'old');
    assert.deepEqual((await refusedAtTheDoor(broker, 'new', token(after, 'new'))).close, 4003);

    await change([before, after]);
    const fresh = await came(after, 'new');
    const late = await came(before, 'late');

    for (const broken of ['', '{', '{"keys":[]}', '[]', JSON.stringify({ keys: [{ kty: 'oct', k: 'c2hvcnQ' }] }),
                          JSON.stringify({ keys: [after.privateKey.export({ format: 'jwk' })] })]) {
      const { detail } = await change(broken, kept);
      assert.ok(detail.includes('keys.json'), detail);
      assert.ok(!detail.includes('c2hvcnQ'), detail);
    }
    assert.deepEqual([old, late, fresh].map(({ isClosed }) => isClosed), [false, false, false]);
    await (await came(before, 'old')).leave();

    await change([after]);
    for (const peer of [old, late]) {
      const { close, code, message } = await endOf(peer);
      assert.deepEqual([close, code], kGone);
      assert.match(message, /unknown_key/);
    }
    assert.match((await refusedAtTheDoor(broker, 'old', token(before, 'old'))).message, /unknown_key/);
    assert.equal(fresh.isClosed, false);
    await came(after, 'old');
  });
}

// Where keys have no names, or a new one has the old one's name, it is another key all the same.
for (const kid of [undefined, 'the-key']) {
  test(`another key in place of the one ${kid ?? 'without a name'}`, { timeout: 30_000 }, async (t) => {
    const [before, after] = [newTokenKey('HS256', kid), newTokenKey('HS256', kid)];
    for (const key of [before, after]) key.jwk.kid = key.kid = kid;
    const broker = await startTokenBroker(t, [before], { set: { 'tls.check_every': '200ms' } });
    const old = await connectByToken(broker, 'mirror', token(before, 'mirror'));
    const from = broker.log.length;
    writeKeys(broker.keyFile, [after]);
    await broker.logged('tokens.reloaded', from);
    assert.match((await refusedAtTheDoor(broker, 'mirror', token(before, 'mirror'))).message, /bad_signature/);
    await connectByToken(broker, 'mirror', token(after, 'mirror'));
    const { close, code } = await endOf(old);
    assert.deepEqual([close, code], kGone);
  });
}

test('a policy that is broken at SIGHUP keeps no lost key in', { timeout: 30_000 }, async (t) => {
  const [lost, good] = [newTokenKey('EdDSA', 'lost'), newTokenKey('EdDSA', 'good')];
  const broker = await startTokenBroker(t, [lost, good], { policy: kTokenPolicy, set: { 'tls.check_every': '1d' } });
  const [thief, member] = [await connectByToken(broker, 'mirror', token(lost, 'mirror')),
                           await connectByToken(broker, 'core', token(good, 'core'))];
  writeFileSync(broker.policyFile, 'no policy');
  writeKeys(broker.keyFile, [good]);
  broker.process.kill('SIGHUP');
  await broker.logged('policy.kept_last_good');
  await broker.logged('tokens.reloaded');
  assert.equal((await endOf(thief)).code, 'bad_token');
  assert.equal(member.isClosed, false);
});
