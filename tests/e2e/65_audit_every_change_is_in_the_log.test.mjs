// Each change that an operator, an invite, a token or the configuration makes leaves its entry in the
// log, and so do admissions and refusals; no name, key, address or text of a peer is in it.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import test from 'node:test';
import { addSource, changeSource, connect, handshake, refusalOf } from './pulse_client.mjs';
import { connectByToken, newTokenKey, refusedAtTheDoor, revokeTokens, startTokenBroker, token, writeKeys }
  from './token_maker.mjs';
import { entriesOf, linesOf } from './audit_reader.mjs';
import { eventually, hello, inviteOf, makeInvite, newKeys, startBroker, temporaryFolder } from './harness.mjs';
import { newOperators, post, settingsOf, signedBy, statement } from './operators.mjs';
import { Node, wireguardKey } from './overlay_node.mjs';
import { startTlsBroker } from './tls_broker.mjs';
import { issued, selfSigned } from './tls_proxy.mjs';

const kPolicy = `
[[rule]]
id = "all"
allow = ["connect", "publish", "subscribe", "send", "read_history", "see_presence"]
`;
const kFields = ['n', 'at', 'event', 'mesh', 'subject', 'code', 'by', 'hash', 'count'];
// What an entry says, without what differs from run to run.
const gist = ({ event, code, by, hash, subject }) =>
  [event, code ?? '', by ?? '', hash ? 'hash' : '', subject ? 'subject' : ''].join(' ').trim().replace(/ +/g, ' ');

// The new entries once `change` was acknowledged: exactly `wanted`, traffic aside.
async function leaves(broker, wanted, change) {
  const from = (await entriesOf(broker)).length;
  await change();
  const entries = (await entriesOf(broker, from))
    .filter(({ event }) => !['admitted', 'refused', 'ended', 'suppressed'].includes(event));
  assert.deepEqual(entries.map(gist), wanted);
  return entries;
}
const done = (answer) => assert.equal(answer.status, 200, answer.text);

test('changes, each with who made it, at once', async (t) => {
  const key = newTokenKey('EdDSA');
  const broker = await startTokenBroker(t, [key], { policy: kPolicy, set: { 'tls.check_every': '200ms' } });
  const started = (await entriesOf(broker)).map(gist);
  assert.equal(started[0], 'log_begun');
  assert.match(started[1], /^server_started \d/);
  for (const each of ['policy_changed configuration hash', 'mesh_added configuration hash',
                      'token_keys_changed configuration hash', 'invite_added member operator hash']) {
    assert.ok(started.includes(each), `${each} of ${started}`);
  }

  const canaries = ['hypatia', 'the-laboratory', 'mirror-of-hypatia', 'canary-token-id', 'canary-subject', 'quiet-room'];
  const keys = newKeys();
  const [added] = await leaves(broker, ['member_added member invite hash subject'],
                               () => broker.join('hypatia', keys).then((it) => { keys.memberId = it.memberId; }));
  const member = { ...keys, meshId: broker.mesh.id };
  const path = `/meshes/${broker.mesh.slug}/members/${keys.pubkey}`;
  const peer = await broker.connect(member);
  await leaves(broker, ['channel_joined member hash subject'],
               () => peer.ask({ type: 'channel_join', name: 'quiet-room' }, 'channel_joined'));
  await leaves(broker, ['channel_left member hash subject'],
               () => peer.ask({ type: 'channel_leave', name: 'quiet-room' }, 'channel_left'));
  await leaves(broker, ['role_changed admin operator subject'], async () =>
    done(await broker.operator('POST', `${path}/role`, { role: 'admin', tags: ['quiet-room'] })));
  const [stood] = await leaves(broker, ['standing_changed quarantined operator subject'], async () =>
    done(await broker.operator('POST', `${path}/standing`, { standing: 'quarantined' })));
  assert.equal(stood.subject, added.subject, 'one member, one pseudonym');
  await leaves(broker, ['mesh_added operator hash'], async () =>
    done(await broker.operator('POST', '/meshes', { slug: 'the-laboratory', owner_pubkey: newKeys().pubkey })));
  await leaves(broker, ['invite_revoked operator hash'], async () => done(
    await broker.operator('POST', '/invites/revoke', { invite_token: inviteOf(broker.invite).invite_token })));

  await leaves(broker, ['member_added member operator subject', 'secret_set set operator subject'], async () =>
    canaries.push((await addSource(broker, 'mirror-of-hypatia')).secret));
  await leaves(broker, ['secret_set set operator subject'], async () =>
    done(await changeSource(broker, 'mirror-of-hypatia', 'rotate', { overlap_seconds: 5 })));
  await leaves(broker, ['secret_revoked operator subject'], async () =>
    done(await changeSource(broker, 'mirror-of-hypatia', 'revoke')));

  const shown = token(key, 'canary-subject', { jti: 'canary-token-id' });
  await leaves(broker, ['member_added member token subject'], () => connectByToken(broker, 'canary-subject', shown));
  await leaves(broker, ['tokens_revoked token operator hash'], async () =>
    done(await revokeTokens(broker, { id: 'canary-token-id' })));
  await leaves(broker, ['tokens_revoked subject operator subject'], async () =>
    done(await revokeTokens(broker, { subject: 'canary-subject' })));
  await leaves(broker, ['policy_changed configuration hash'], async () => {
    writeFileSync(broker.policyFile, `${kPolicy}\n[[rule]]\nid = "new"\ndeny = ["dispatch"]\n`);
    broker.process.kill('SIGHUP');
    await broker.logged('policy.reloaded');
  });
  await leaves(broker, [], async () => { // nothing changed
    const from = broker.log.length;
    broker.process.kill('SIGHUP');
    await broker.logged('policy.reloaded', from);
  });
  await leaves(broker, ['token_keys_changed configuration hash'], async () => {
    writeKeys(broker.keyFile, [key, newTokenKey('RS256')]);
    await broker.logged('tokens.reloaded');
  });

  const text = (await linesOf(broker)).join('\n');
  for (const canary of [...canaries, keys.pubkey, keys.memberId, shown, broker.mesh.id, broker.mesh.slug, '127.0.0.1',
                        broker.operator_token]) {
    assert.ok(!text.includes(canary), `${canary} is in the log`);
  }
  for (const entry of await entriesOf(broker)) {
    assert.deepEqual(Object.keys(entry), kFields.filter((name) => name in entry));
    assert.match(entry.subject ?? '0'.repeat(32), /^[0-9a-f]{32}$/);
    assert.match(entry.hash ?? '0'.repeat(64), /^[0-9a-f]{64}$/);
  }
});

test('admissions and refusals, within two seconds, each by its code', async (t) => {
  const key = newTokenKey('EdDSA');
  const broker = await startTokenBroker(t, [key]);
  const { member, peer } = await broker.joined('hypatia');
  const bad = await broker.open();
  bad.say(hello(member, {}, { signature: '5a'.repeat(64) }));
  await bad.closed;
  const { secret } = await addSource(broker, 'mirror');
  await connect(broker, 'mirror.intent', 'mirror', { secret });
  await connectByToken(broker, 'core', token(key, 'core'));
  await refusedAtTheDoor(broker, 'core', token(key, 'core', { exp: 1, iat: 0 }));
  await refusalOf(broker, 'no handshake');
  for (let i = 0; i < 3; ++i) await refusalOf(broker, handshake('<script>alert(1)</script>'.slice(0, 9)));
  await broker.setStanding(member, 'revoked');
  await peer.closed;
  const wanted = ['admitted key subject', 'admitted secret subject', 'admitted token subject',
                  'refused bad_signature subject', 'refused token_expired subject', 'refused not_json subject',
                  'refused no_source subject', 'ended revoked subject'];
  await eventually('all of them', async () => {
    const said = (await entriesOf(broker)).map(gist);
    return wanted.every((each) => said.includes(each));
  }, 4_000).catch(async (error) => {
    const said = (await entriesOf(broker)).map(gist);
    assert.deepEqual(wanted.filter((each) => !said.includes(each)), [], error.message);
  });
});

// How often each code was refused, and in how many entries.
async function refusals(broker) {
  const told = new Map();
  for (const { event, code, count, subject } of await entriesOf(broker)) {
    if (event !== 'refused') continue;
    assert.match(subject, /^[0-9a-f]{32}$/);
    const { times, entries } = told.get(code) ?? { times: 0, entries: 0 };
    told.set(code, { times: times + (count ?? 1), entries: entries + 1 });
  }
  return told;
}

test('what is asked over HTTP and refused: joins, submissions, nodes and statements', async (t) => {
  const operators = newOperators(3);
  const broker = await startBroker(t, { set: { ...settingsOf(operators), 'audit.repeat_window': '10m' } });
  const node = new Node(broker, 'node-nobody', await broker.join('hypatia'));
  const forged = { ...makeInvite(newKeys(), { mesh_id: broker.mesh.id }), peer_pubkey: newKeys().pubkey,
                   display_name: 'mallory' };
  const text = await statement(broker, 'revoke', node.member.memberId);
  const rows = [
    ['a join', async () => (await broker.postJoin(forged)).json().error],
    ['a submission', async () => (await node.post('[]')).json().code],
    ['a node', async () => (await node.postKey(node.rekeying({ wireguard: wireguardKey() }))).json().code],
    ['a statement', async () => (await post(broker, signedBy(text, [operators[0]]))).code],
  ];
  const codes = [];
  for (const [what, ask] of rows) {
    const code = await ask();
    assert.match(code, /^[a-z_]+$/, what);
    for (let again = 1; again < 5; ++again) assert.equal(await ask(), code, what);
    codes.push(code);
  }
  assert.equal(new Set(codes).size, rows.length, codes.join());
  await eventually('the first of each', async () => {
    const told = await refusals(broker);
    return codes.every((code) => told.has(code));
  });
  await broker.restart(); // what is only counted so far is written at the end
  const told = await refusals(broker);
  for (const [i, code] of codes.entries()) assert.deepEqual(told.get(code), { times: 5, entries: 2 }, rows[i][0]);
  const lines = (await linesOf(broker)).join('\n');
  for (const canary of ['node-nobody', 'mallory', forged.peer_pubkey]) assert.ok(!lines.includes(canary), canary);
});

test('a client certificate that TLS refuses', async (t) => {
  const folder = temporaryFolder();
  const clients = selfSigned(folder, 'clients');
  const { cert, key } = issued(folder, 'eve', selfSigned(folder, 'strangers'), 'email:eve@example.org');
  const { broker } = await startTlsBroker(t, {
    set: { 'tls.client_ca': clients.cert, 'tls.client_certificates': 'optional' } });
  const shown = { cert: readFileSync(cert), key: readFileSync(key) };
  for (let i = 0; i < 5; ++i) await assert.rejects(broker.request('GET', '/health', { tls: shown }));
  await eventually('an entry', async () => (await refusals(broker)).has('certificate'));
  await broker.restart();
  assert.equal((await refusals(broker)).get('certificate').times, 5);
});

test('audit.traffic says what of them is kept', async (t) => {
  for (const [traffic, wanted] of [['refusals', ['refused bad_signature subject']], ['none', []]]) {
    const broker = await startTokenBroker(t, [newTokenKey('EdDSA')], { set: { 'audit.traffic': traffic } });
    await broker.joined('hypatia');
    await refusalOf(broker, handshake('mirror'));
    await broker.restart();
    const said = (await entriesOf(broker)).map(gist);
    assert.deepEqual(said.filter((each) => /^(admitted|refused|ended)/.test(each)), wanted);
    assert.ok(said.includes('member_added member invite hash subject'));
  }
});
