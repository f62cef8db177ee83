// list_members: exactly those whom a send of the asker would reach now, connected or not, sorted by
// key, with the digest of all their keys; a long list comes in pages.
import assert from 'node:assert/strict';
import test from 'node:test';
import { hello, newKeys, sodium, startBroker } from './harness.mjs';

// As the page says it, with nothing of ours.
function audienceOf(pubkeys) {
  const keys = Buffer.from([...pubkeys].sort().join(''), 'hex');
  const field = (bytes) => {
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(bytes.length));
    return [length, bytes];
  };
  const text = Buffer.concat([...field(Buffer.from('signet/audience/v1')), ...field(keys)]);
  return Buffer.from(sodium.crypto_generichash(16, text, null)).toString('hex');
}
const list = (peer, fields) => peer.ask({ type: 'list_members', ...fields }, 'members_list');
const keysOf = (...all) => all.map(({ member }) => member.pubkey).sort();

// The list of `target` is `expected`, and a send goes to as many.
async function lists(asker, target, ...expected) {
  const { members, ...rest } = await list(asker.peer, { target });
  assert.deepEqual(members.map(({ pubkey }) => pubkey), keysOf(...expected), target);
  const audience = audienceOf(keysOf(...expected));
  assert.deepEqual(rest, { type: 'members_list', target, audience });
  assert.equal((await asker.peer.mail(target, 'x', { audience })).recipients, expected.length);
}

test('a list is whom a send reaches, the absent too, and never the asker', async (t) => {
  const broker = await startBroker(t);
  const [ann, ben, cem] = [await broker.joined('ann'), await broker.joined('ben'),
                           await broker.joined('cem')];
  await lists(ann, '*', ben, cem);
  await cem.peer.leave();
  await lists(ann, '*', ben, cem);
  await lists(ann, '#ops');
  for (const { peer } of [ann, ben]) {
    await peer.ask({ type: 'channel_join', name: 'ops' }, 'channel_joined');
  }
  await lists(ann, '#ops', ben);
  await lists(ben, '#ops', ann);
  await ben.peer.ask({ type: 'channel_leave', name: 'ops' }, 'channel_left');
  await lists(ann, '#ops');
  const path = `/meshes/demo/members/${cem.member.pubkey}/role`;
  assert.equal((await broker.operator('POST', path, { role: 'admin', tags: ['gpu'] })).status, 200);
  await lists(ben, 'tag:gpu', cem);
  assert.deepEqual((await list(ben.peer, { target: 'tag:gpu' })).members,
                   [{ pubkey: cem.member.pubkey, displayName: 'cem', role: 'admin' }]);
  await broker.setStanding(cem.member, 'quarantined');
  await lists(ann, '*', ben);
  await lists(ann, 'tag:gpu');
  await broker.setStanding(cem.member, 'admitted');
  await lists(ann, '*', ben, cem);
  await broker.setStanding(cem.member, 'revoked');
  await lists(ann, '*', ben);
  const dee = await broker.joined('dee');
  await lists(ann, '*', ben, dee);
  await broker.restartAfterKill();
  await lists({ peer: await broker.connect(ann.member) }, '*', ben, dee);
});

test('without a target it is everyone, and of the own mesh only', async (t) => {
  const broker = await startBroker(t);
  const [ann, ben] = [await broker.joined('ann'), await broker.joined('ben')];
  for (const fields of [{}, { target: null }, { target: '*', after: null }]) {
    const answer = await list(ann.peer, fields);
    assert.deepEqual([answer.target, answer.members.length, answer.audience],
                     ['*', 1, audienceOf(keysOf(ben))]);
  }
});

test('a long list comes in pages of 512 KiB, each with the audience of all', async (t) => {
  const broker = await startBroker(t);
  const { peer, member } = await broker.joined('asker');
  const expected = [];
  const name = '\u0001'.repeat(128); // as long as a name can be, six bytes each on the wire
  for (let left = 700; left > 0; left -= 50) {
    const some = await Promise.all(Array.from({ length: 50 }, () => broker.join(name)));
    expected.push(...some.map(({ pubkey }) => pubkey));
  }
  expected.sort();
  const audience = audienceOf(expected);
  const seen = [];
  for (let page, pages = 1; ; ++pages) {
    page = await list(peer, { target: '*', after: seen.at(-1) ?? null });
    assert.ok(JSON.stringify(page).length < 513 * 1024);
    assert.equal(page.audience, audience);
    seen.push(...page.members.map(({ pubkey }) => pubkey));
    if (page.more) continue;
    assert.equal('more' in page, false);
    assert.equal(pages, 2);
    break;
  }
  assert.deepEqual(seen, expected);
  const behind = await list(peer, { after: 'F'.repeat(64) });
  assert.deepEqual([behind.members, behind.audience, behind.more], [[], audience, undefined]);
  assert.equal((await peer.mail('*', 'x', { audience })).recipients, expected.length);
  assert.ok(!seen.includes(member.pubkey));
});

test('what is no target is a bad frame; too many lists are too many sends', async (t) => {
  const broker = await startBroker(t, { set: { 'limits.sends_per_second': 1,
                                               'limits.sends_burst': 5 } });
  const { peer, member } = await broker.joined('asker');
  const refused = (fields) => peer.ask({ type: 'list_members', ...fields }, 'error');
  for (const target of [member.pubkey, newKeys().pubkey, '', 'ops', '#', '##ops', 'tag:', 7, []]) {
    assert.equal((await refused({ target })).code, 'bad_frame', JSON.stringify(target));
  }
  for (const after of ['', 'ff', `${member.pubkey}0`, 'x'.repeat(64), 7, true]) {
    assert.equal((await refused({ after })).code, 'bad_frame', JSON.stringify(after));
  }
  for (let i = 0; i < 20; ++i) peer.say({ type: 'list_members' });
  const { code, retryAfterMs } = await peer.next('error');
  assert.equal(code, 'rate_limited');
  assert.ok(retryAfterMs >= 1 && retryAfterMs <= 1_000);
  const early = await broker.open();
  assert.equal((await early.ask({ type: 'list_members' }, 'error')).code, 'no_hello');
  early.say(hello(member));
  await early.next('hello_ack');
});
