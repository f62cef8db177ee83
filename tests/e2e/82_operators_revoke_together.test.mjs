// What takes several operators is done by as many as it takes, once, and by no way around them.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { Home } from './cli.mjs';
import { base64, eventually, hex, newKeys, sodium, startBroker, temporaryFolder } from './harness.mjs';
import { asked, digestOfDenials, holds, listText, newOperators, post, say, settingsOf, signatureOf,
         signedBy, statement } from './operators.mjs';
import { Node } from './overlay_node.mjs';

const kEpoch = { SIGNET_OVERLAY_EPOCH_SECONDS: '1' };
const begin = (t, operators, change = {}) =>
  startBroker(t, { env: kEpoch, ...change, set: { ...settingsOf(operators), ...change.set } });

async function nodeOf(broker, name, overall) {
  const member = await broker.join(name);
  const node = new Node(broker, `node-${name}`, member);
  const registered = await node.register();
  assert.equal(registered.status, 200, registered.text);
  assert.equal((await node.submit(overall)).status, 200);
  return node;
}
const allowed = (node, is = true) => eventually(`${node.name}: allowed is ${is}`, async () => {
  const found = await node.config();
  return found.allowed === is && found;
});
const revocations = async (broker) => (await broker.request('GET', '/v1/revocations')).json();

test('two of three end a member everywhere at once, and the server signs that it was so', async (t) => {
  const operators = newOperators(3);
  const broker = await begin(t, operators);
  const [ann, bob] = [await nodeOf(broker, 'ann', 0.92), await nodeOf(broker, 'bob', 0.8)];
  await allowed(ann);
  await allowed(bob);
  assert.equal((await ann.config()).revocations, undefined);
  const socket = await broker.connect(bob.member);
  const bystander = await broker.connect(ann.member);
  const text = await statement(broker, 'revoke', bob.member.memberId);
  const before = Date.now();
  const done = await post(broker, signedBy(text, [operators[0], operators[2]]));
  assert.deepEqual(done, { http: 200, status: 'done', serial: 1, action: 'revoke' });
  await socket.closed;
  assert.ok(Date.now() - before < 2_000, 'its sockets close within two seconds');
  await eventually('its tunnel is out', async () => (await bob.config()).allowed === false, 5_000);
  assert.equal((await bystander.roundTrip()).length, 1);

  const list = await revocations(broker);
  assert.equal(list.serial, 1);
  assert.equal(list.entries[0].statement, text);
  assert.equal(list.entries[0].wireguard, base64(bob.wireguard));
  assert.ok(holds(listText(list), list.signature, list.signer), 'the server signed it');
  for (const { signer, signature } of list.entries[0].signatures) {
    assert.ok(holds(text, signature, signer), 'and each operator her statement');
  }
  const key = (await broker.operator('GET', '/audit/key')).text.trim();
  const logKey = Buffer.from(key.split('+').slice(2).join('+'), 'base64'); // origin+hash+key
  assert.equal(hex(logKey.subarray(1)), list.signer, 'by the key of its log');
  assert.equal((await ann.config()).revocations, 1);
  const log = (await broker.operator('GET', '/audit/entries?limit=50')).text.trim().split('\n');
  const events = log.map((line) => JSON.parse(line)).map(({ event, code }) => `${event} ${code ?? ''}`);
  assert.ok(events.includes('operators_decided revoke:1'), events.join());
  assert.equal(events.filter((each) => each === 'operator_signed 1').length, 2);
});

test('fewer, twice, others, again, late and elsewhere: nothing happens', async (t) => {
  const operators = newOperators(3);
  const broker = await begin(t, operators);
  const bob = await broker.join('bob');
  const [olga, omar] = operators;
  const text = await statement(broker, 'revoke', bob.memberId);
  const now = async (change) => statement(broker, 'revoke', bob.memberId, change);
  const bad = signatureOf(text, omar);
  bad.signature = bad.signature.replace(/^./, (digit) => (digit === '0' ? '1' : '0'));
  const rows = [
    ['one of two', signedBy(text, [olga]), 'too_few_signatures'],
    ['nobody', signedBy(text, []), 'too_few_signatures'],
    ['one twice', signedBy(text, [olga, olga]), 'duplicate_signer'],
    ['a stranger', signedBy(text, [olga, newKeys()]), 'unknown_signer'],
    ['the member itself', signedBy(text, [olga, bob]), 'unknown_signer'],
    ['one bad signature', { statement: text, signatures: [signatureOf(text, olga), bad] }, 'bad_signature'],
    ['over', signedBy(await now({ expires: Date.now() - 1 }), operators), 'expired'],
    ['for two days', signedBy(await now({ expires: Date.now() + 172_800_000 }), operators), 'too_long_lived'],
    ['another mesh', signedBy(await now({ mesh: 'mesh-other' }), operators), 'wrong_mesh'],
    ['another policy', signedBy(await now({ policy: 7 }), operators), 'stale_policy'],
    ['a serial that was', signedBy(await now({ serial: 0 }), operators), 'stale_serial'],
    ['a statement of no form', signedBy(`${text}\n`, operators), 'malformed'],
    ['signatures of another statement',
     { ...signedBy(await now({ serial: 2 }), operators), statement: text }, 'bad_signature'],
    ['no JSON', 'revoke bob', 'malformed'],
  ];
  for (const [name, body, code] of rows) {
    const answer = await post(broker, body);
    assert.equal(answer.code, code, `${name}: ${JSON.stringify(answer)}`);
    assert.ok(answer.http >= 400 && answer.http < 500 && answer.detail, name);
  }
  const peer = await broker.connect(bob);
  assert.equal((await peer.roundTrip()).length, 1, 'bob is here as before');
  assert.equal((await asked(broker)).serial, 0);
  assert.equal((await revocations(broker)).entries.length, 0);
  assert.ok(await broker.metric('signet_operator_statements_refused_total{reason="duplicate_signer"}') >= 1);

  const body = signedBy(text, [olga, omar]);
  assert.equal((await post(broker, body)).status, 'done');
  assert.equal((await post(broker, body)).code, 'stale_serial', 'a replay');
  await broker.restartAfterKill();
  assert.equal((await post(broker, body)).code, 'stale_serial', 'also behind kill -9');
  assert.equal((await revocations(broker)).entries.length, 1);
});

test('one token revokes nobody, whatever the settings say later', async (t) => {
  const operators = newOperators(3);
  const broker = await begin(t, operators);
  const bob = await broker.join('bob');
  const path = `/meshes/${broker.mesh.slug}/members/${bob.pubkey}/standing`;
  const alone = await broker.operator('POST', path, { standing: 'revoked' });
  assert.equal(alone.status, 403);
  assert.match(alone.json().detail, /signet revoke propose/);
  await broker.setStanding(bob, 'quarantined');
  await broker.setStanding(bob, 'admitted');

  broker.options.set = settingsOf(newOperators(1), 1);
  await broker.restart();
  await broker.logged('operators.setting_ignored');
  assert.deepEqual((await asked(broker)).operators, operators.map((each) => each.pubkey));
  assert.equal((await broker.operator('POST', path, { standing: 'revoked' })).status, 403);
  broker.options.set = {};
  await broker.restart();
  assert.equal((await broker.operator('POST', path, { standing: 'revoked' })).status, 403);

  broker.options.set = { ...settingsOf(operators), 'operators.emergency': 'true' };
  await broker.restart();
  await broker.logged('operators.emergency');
  assert.equal(await broker.metric('signet_operators_emergency'), 1);
  const text = await statement(broker, 'quorum', '3');
  assert.equal((await post(broker, signedBy(text, [operators[1]]))).status, 'done');
  assert.equal((await broker.operator('POST', path, { standing: 'revoked' })).status, 200);
});

test('of statements that race each other and kill -9, none is done twice and none is lost', async (t) => {
  const operators = newOperators(3);
  const broker = await begin(t, operators);
  const members = [];
  for (let i = 0; i < 6; ++i) members.push(await broker.join(`peer-${i}`));
  const confirmed = [];
  for (const [i, member] of members.entries()) {
    const { serial } = await asked(broker);
    const other = members[(i + 1) % members.length];
    const bodies = await Promise.all([member, member, other].map(async (each) =>
      signedBy(await statement(broker, 'revoke', each.memberId, { serial: serial + 1 }), operators.slice(0, 2))));
    const answers = bodies.map((body) => post(broker, body).catch(() => ({ lost: true })));
    if (i % 2 === 1) await broker.restartAfterKill();
    const told = await Promise.all(answers);
    assert.ok(told.filter((each) => each.status === 'done').length <= 1, JSON.stringify(told));
    if (told.some((each) => each.status === 'done')) confirmed.push(serial + 1);
    const list = await revocations(broker);
    const serials = list.entries.map((each) => Number(each.statement.split('\n')[4]));
    assert.deepEqual(serials, [...new Set(serials)].sort((a, b) => a - b));
    for (const each of confirmed) assert.ok(serials.includes(each), `serial ${each} was confirmed`);
    assert.equal(list.serial, (await asked(broker)).serial);
  }
  assert.ok(confirmed.length >= 3);
});

test('many are denied in one step by the names that were signed', async (t) => {
  const operators = newOperators(3);
  const broker = await begin(t, operators);
  const nodes = [];
  for (const name of ['ann', 'bob', 'carl']) nodes.push(await nodeOf(broker, name, 0.9));
  for (const node of nodes) await allowed(node);
  await Promise.all(nodes.map((node) => node.submit(0.2)));
  const held = await eventually('the denials are held', async () => {
    const now = await asked(broker);
    return now.held === 3 && now;
  });
  assert.deepEqual(held.held_names, nodes.map((node) => node.name));
  assert.equal(held.held_digest, digestOfDenials(held.held_names));
  for (const node of nodes) assert.equal((await node.config()).allowed, true);
  const wrong = digestOfDenials(['node-ann']);
  assert.equal(await say(broker, 'deny_many', wrong, operators.slice(0, 2)), 'not_held');
  assert.equal(await say(broker, 'deny_many', held.held_digest, operators.slice(0, 1)), 'too_few_signatures');
  assert.equal(await say(broker, 'deny_many', held.held_digest, operators.slice(0, 2)), 'done');
  for (const node of nodes) await allowed(node, false);
});

test('threshold, operators, quorum and owner are theirs, also behind a restart', async (t) => {
  const operators = newOperators(3);
  const [olga, omar, otto] = operators;
  const broker = await begin(t, operators);
  const [ann, bob] = [await nodeOf(broker, 'ann', 0.92), await nodeOf(broker, 'bob', 0.8)];
  await allowed(ann);
  await allowed(bob);
  const early = signedBy(await statement(broker, 'revoke', ann.member.memberId), operators);
  assert.equal(await say(broker, 'threshold', '0.85', [olga, omar]), 'done');
  await allowed(bob, false);
  assert.equal((await post(broker, early)).code, 'stale_policy');
  await broker.restartAfterKill();
  await broker.logged('operators.setting_ignored');
  assert.equal((await bob.submit(0.84)).status, 200);
  assert.equal((await ann.submit(0.92)).status, 200);
  await allowed(ann);
  assert.equal((await bob.config()).allowed, false, 'the setting says 0.70');

  const nina = newKeys();
  assert.equal(await say(broker, 'operator_add', nina.pubkey, [olga, omar]), 'done');
  assert.equal(await say(broker, 'quorum', '5', operators), 'not_possible');
  assert.equal(await say(broker, 'quorum', '3', [olga, nina]), 'done');
  assert.equal(await say(broker, 'operator_remove', otto.pubkey, [olga, nina]), 'too_few_signatures');
  assert.equal(await say(broker, 'operator_remove', otto.pubkey, [olga, nina, otto]), 'done');
  assert.equal(await say(broker, 'operator_remove', olga.pubkey, [olga, nina, omar]), 'not_possible');
  assert.equal(await say(broker, 'quorum', '2', [olga, omar, otto]), 'unknown_signer');
  const owner = newKeys();
  assert.equal(await say(broker, 'policy_owner', owner.pubkey, [olga, nina, omar]), 'done');
  await broker.restart();
  const shown = (await broker.operator('GET', `/meshes/${broker.mesh.slug}`)).json();
  assert.equal(shown.ownerPubkey, owner.pubkey);
  assert.equal((await asked(broker)).needed, 3);
});

test('a stolen node key is replaced by the operators', async (t) => {
  const operators = newOperators(3);
  const broker = await begin(t, operators);
  const bob = await nodeOf(broker, 'bob', 0.9);
  await allowed(bob);
  const stolen = { ...bob.member };
  const fresh = newKeys();
  assert.equal(await say(broker, 'rekey', `node-bob ${fresh.pubkey}`, operators.slice(1)), 'done');
  assert.equal((await bob.config()).status, 401, 'the stolen key asks for nothing');
  bob.member = { ...stolen, ...fresh };
  assert.equal((await bob.submit(0.9)).status, 200);
  await allowed(bob);
});

test('a node that changed its key is still the one whom the operators named', async (t) => {
  const operators = newOperators(3);
  const broker = await begin(t, operators);
  const bob = await nodeOf(broker, 'bob', 0.9);
  await allowed(bob);
  const [old, next] = [bob.member, newKeys()];
  const change = await bob.postKey(bob.rekeying({ wireguard: bob.wireguard, key: next }));
  assert.equal(change.status, 200, change.text);
  bob.member = { ...old, ...next };
  await allowed(bob);
  const path = `/meshes/${broker.mesh.slug}/members/${old.pubkey}/standing`;
  const late = await broker.operator('POST', path, { standing: 'quarantined' });
  assert.equal(late.status, 409, 'who says it of the old key is told the new one');
  assert.ok(late.text.includes(next.pubkey), late.text);
  assert.equal(await say(broker, 'revoke', old.memberId, operators.slice(1)), 'done');
  await allowed(bob, false);
  assert.equal((await revocations(broker)).entries[0].wireguard, base64(bob.wireguard));
  const again = await bob.postKey(bob.rekeying({ wireguard: bob.wireguard, key: newKeys() }));
  assert.equal(again.json().code, 'revoked');
});

test('settings that cannot be are refused in a sentence', async (t) => {
  const [olga, omar] = newOperators(2);
  const rows = [
    [settingsOf([olga], 2), /operators\.needed: 2 can't sign where 1/],
    [settingsOf([olga, olga]), /is there twice/],
    [{ ...settingsOf([olga, omar]), 'operators.keys': `${olga.pubkey},abc` }, /"abc" is no public key/],
    [settingsOf([olga, omar], 0), /operators\.needed/],
  ];
  const good = await begin(t, [olga, omar]);
  const { spawnSync } = await import('node:child_process');
  const { signetd } = await import('./harness.mjs');
  for (const [set, sentence] of rows) {
    const flags = Object.entries(set).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
    const home = new Home(t);
    const ended = spawnSync(signetd, ['dev', '--listen', '127.0.0.1:0', '--ready-json', '--data',
                                      join(home.folder, 'data'), ...flags],
                            { env: home.env, encoding: 'utf8', timeout: 30_000 });
    assert.notEqual(ended.status, 0);
    assert.match(ended.stderr, sentence);
  }
  assert.equal((await asked(good)).needed, 2);
});

test('people propose, sign and apply with the command line', async (t) => {
  const home = new Home(t);
  const keys = [];
  for (const name of ['olga', 'omar', 'otto']) {
    keys.push((await home.json('keygen', '--out', `${name}.key`)).publicKey);
  }
  const broker = await begin(t, keys.map((pubkey) => ({ pubkey })));
  const bob = await broker.join('bob');
  const peer = await broker.connect(bob);
  home.env.SIGNET_OPERATOR_URL = broker.operators ?? broker.http;
  home.env.SIGNET_OPERATOR_TOKEN = broker.operator_token;
  const where = ['--broker-url', broker.http];
  const mesh = ['--mesh', broker.mesh.slug];

  const proposed = await home.json(...mesh, 'revoke', 'propose', 'bob', '--out', 'bob.proposal', ...where);
  assert.equal(proposed.target, bob.memberId);
  assert.match(proposed.does, /^Revoke the member member-/);
  const conflict = await home.fails(6, 'file_exists', ...mesh, 'revoke', 'propose', 'bob', '--out', 'bob.proposal', ...where);
  assert.ok(conflict);
  await home.ok('revoke', 'sign', 'bob.proposal', '--key', 'olga.key', '--yes');
  await home.fails(6, 'already_signed', 'revoke', 'sign', 'bob.proposal', '--key', 'olga.key', '--yes');
  await home.fails(4, 'too_few_signatures', 'revoke', 'apply', 'bob.proposal', '--yes', ...where);
  const file = join(home.folder, 'bob.proposal');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace(bob.memberId, 'member-0000000000000000'));
  await home.fails(4, 'bad_signature', 'revoke', 'sign', 'bob.proposal', '--key', 'omar.key', '--yes');
  writeFileSync(file, text);
  const asking = await home.run(['revoke', 'sign', 'bob.proposal', '--key', 'omar.key']);
  assert.equal(asking.status, 2, 'nobody is there to be asked');
  await home.ok('revoke', 'sign', 'bob.proposal', '--key', 'omar.key', '--yes');
  await home.ok('revoke', 'apply', 'bob.proposal', '--yes', ...where);
  await peer.closed;
  await home.fails(6, 'stale_serial', 'revoke', 'apply', 'bob.proposal', '--yes', ...where);
  const listed = await home.json('revoke', 'list', ...where);
  assert.deepEqual(listed.revocations.map((each) => each.member), [bob.memberId]);
  assert.deepEqual(listed.revocations[0].signers, keys.slice(0, 2));
  await home.fails(4, 'wrong_signer', 'revoke', 'list', '--signer', keys[0], ...where);

  const short = await home.json('revoke', 'propose', '--threshold', '0.8', '--expires', '1s', '--out', 't.proposal', ...where);
  assert.equal(short.target, '0.80');
  await eventually('it is over', async () =>
    (await home.run(['-o', 'json', 'revoke', 'sign', 't.proposal', '--key', 'olga.key', '--yes'])).stdout.includes('proposal_expired'));
  await home.fails(6, 'not_held', 'revoke', 'propose', '--deny-many', '--out', 'd.proposal', ...where);
  await home.fails(2, null, 'revoke', 'propose', '--threshold', '7', '--out', 'x.proposal', ...where);
  await home.fails(2, null, 'revoke', 'propose', '--out', 'y.proposal', ...where);
});

// Operators whose keys the command line made, and a home that reaches the operator's API.
async function homeOfOperators(t) {
  const home = new Home(t);
  const keys = [];
  for (const name of ['olga', 'omar']) {
    keys.push((await home.json('keygen', '--out', `${name}.key`)).publicKey);
  }
  const broker = await begin(t, keys.map((pubkey) => ({ pubkey })));
  home.env.SIGNET_OPERATOR_URL = broker.operators ?? broker.http;
  home.env.SIGNET_OPERATOR_TOKEN = broker.operator_token;
  const noted = async (...args) => {
    const answer = await home.run(args);
    assert.equal(answer.status, 0, `${args.join(' ')}: ${answer.stderr}${answer.stdout}`);
    return answer.stderr;
  };
  return { home, broker, noted, where: ['--broker-url', broker.http] };
}

test('whom a proposal is about is looked up, and shown to whoever signs', async (t) => {
  const { home, broker, noted, where } = await homeOfOperators(t);
  const eve = await nodeOf(broker, 'eve', 0.9);
  const { memberId, pubkey } = eve.member;
  const other = await broker.join(memberId); // calls itself by her id
  const propose = (file, ...what) => home.json('revoke', 'propose', ...what, '--out', file, ...where);
  assert.equal((await propose('node.proposal', '--node', 'node-eve')).target, memberId);
  assert.equal((await propose('id.proposal', memberId)).target, memberId);
  assert.equal((await propose('key.proposal', other.pubkey.toUpperCase())).target, other.memberId);
  const refused = [['no_such_node', '--node', 'node-nobody'], ['no_such_member', 'member-0000000000000000'],
                   ['no_such_member', 'nobody']];
  for (const [code, ...what] of refused) {
    await home.fails(3, code, 'revoke', 'propose', ...what, '--out', 'none.proposal', ...where);
  }
  const sign = ['revoke', 'sign', 'node.proposal', '--yes', '--key'];
  const shown = await noted(...sign, 'olga.key');
  assert.ok(shown.includes(`${memberId} has the key ${pubkey} and is called "eve"`), shown);
  home.env.SIGNET_OPERATOR_URL = 'http://127.0.0.1:9';
  assert.match(await noted(...sign, 'omar.key'), /who the member is could not be shown: /);
  await home.ok('revoke', 'apply', 'node.proposal', '--yes', ...where);

  const nobody = await statement(broker, 'revoke', 'member-0000000000000000');
  writeFileSync(join(home.folder, 'nobody.proposal'), JSON.stringify(signedBy(nobody, [])));
  home.env.SIGNET_OPERATOR_URL = broker.operators ?? broker.http;
  await home.fails(3, 'no_such_member', 'revoke', 'sign', 'nobody.proposal', '--yes', '--key', 'olga.key');
});

test('who signs that many are denied sees their names, and no other digest', async (t) => {
  const { home, broker, noted, where } = await homeOfOperators(t);
  const nodes = [];
  for (const name of ['ann', 'bob', 'carl']) nodes.push(await nodeOf(broker, name, 0.9));
  for (const node of nodes) await allowed(node);
  await Promise.all(nodes.map((node) => node.submit(0.2)));
  await eventually('the denials are held', async () => (await asked(broker)).held === 3);
  const alone = await home.fails(4, 'denied', '--mesh', broker.mesh.slug, 'epoch', 'deny', '--yes');
  assert.match(alone.message, /revoke propose --deny-many/);
  const all = (text) => nodes.every((node) => text.includes(`it denies ${node.name}\n`));
  const proposed = await noted('revoke', 'propose', '--deny-many', '--out', 'many.proposal', ...where);
  assert.ok(all(proposed), proposed);
  const sign = ['revoke', 'sign', 'many.proposal', '--yes', '--key'];
  const shown = await noted(...sign, 'olga.key');
  assert.ok(all(shown), shown);

  const other = await statement(broker, 'deny_many', digestOfDenials(['node-ann']));
  writeFileSync(join(home.folder, 'other.proposal'), JSON.stringify(signedBy(other, [])));
  await home.fails(6, 'not_held', 'revoke', 'sign', 'other.proposal', '--yes', '--key', 'olga.key');

  home.env.SIGNET_OPERATOR_URL = 'http://127.0.0.1:9';
  assert.match(await noted(...sign, 'omar.key'), /the names of the nodes could not be shown: /);
  await home.ok('revoke', 'apply', 'many.proposal', '--yes', ...where);
  for (const node of nodes) await allowed(node, false);
});

test('an overlay whose mesh is not there yet says so, and is there after the next start', async (t) => {
  const folder = temporaryFolder();
  const key = join(folder, 'overlay.key');
  writeFileSync(key, hex(sodium.randombytes_buf(32)), { mode: 0o600 });
  const file = join(folder, 'signet.toml');
  writeFileSync(file, `[server]\nlisten = ["127.0.0.1:0"]\nbindings = ["overlay=plant"]\n` +
                      `[overlay]\nkey_file = "${key}"\n`);
  const token = 'operator-token-of-this-test-0123456789';
  const broker = await startBroker(t, { command: ['run', '--config', file], data: join(folder, 'data'),
                                        env: { SIGNET_ADMIN_TOKEN: token } });
  broker.operator_token = token;
  const told = await broker.logged('overlay.no_mesh');
  assert.equal(told.mesh, 'plant');
  assert.match(told.do, /signet mesh create.*start again/);
  const made = await broker.operator('POST', '/meshes', { slug: 'plant', owner_pubkey: newKeys().pubkey });
  assert.equal(made.status, 200, made.text);
  assert.equal((await broker.operator('GET', '/meshes/plant/epoch')).status, 404);
  await broker.restart();
  assert.equal((await broker.operator('GET', '/meshes/plant/epoch')).status, 200);
  assert.ok(!broker.log.some((line) => line.includes('overlay.no_mesh')));
});
