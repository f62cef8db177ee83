// Whatever is wrong with what it is given: one sentence, an exit code, and nothing lost.
import assert from 'node:assert/strict';
import { chmodSync, copyFileSync, existsSync, readFileSync, readdirSync, symlinkSync, writeFileSync }
  from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { Home, joinedHome } from './cli.mjs';
import { inviteOf, makeInvite, newKeys, startBroker } from './harness.mjs';

const link = (made) => `ic://join/${made.invite_token}`;
const seconds = (from = 0) => Math.floor(Date.now() / 1000) + from;

// [what, how the link is made, exit, code]
const kInvites = [
  ['no link', () => 'hello', 1, 'invite_malformed'],
  ['nothing', () => '', 1, 'invite_malformed'],
  ['a piece of a link', () => 'ic://join/abc', 1, 'invite_malformed'],
  ['a cut link', (_, own, broker) => broker.invite.slice(0, -9), 1, 'invite_malformed'],
  ['a changed role', (b, own) => link(makeInvite(own, b, { role: 'admin' })), 1, 'invite_bad_signature'],
  ['a changed broker', (b, own) => link(makeInvite(own, b, { broker_url: 'ws://127.0.0.1:1/ws' })), 1,
    'invite_bad_signature'],
  ['an expired one', (b, own) => link(makeInvite(own, { ...b, expires_at: seconds(-5) })), 4,
    'invite_expired'],
  ['one that is not registered', (b, own) => link(makeInvite(own, { ...b, expires_at: seconds(99) })), 4,
    'invite_not_found'],
  ['one of another owner', (b) => {
    const stranger = newKeys();
    return link(makeInvite(stranger, { ...b, owner_pubkey: stranger.pubkey }));
  }, 4, 'invite_owner_mismatch'],
  ['one of another mesh', (b, own) => link(makeInvite(own, { ...b, mesh_id: 'nowhere' })), 4,
    'mesh_not_found'],
  ['a broker that is away', (b, own) => link(makeInvite(own, { ...b, broker_url: 'ws://127.0.0.1:1/ws' })),
    5, null],
  ['a broker address that is none', (b, own) => link(makeInvite(own, { ...b, broker_url: 'nowhere' })), 1,
    null],
];
test('an invite that is not good is refused and leaves nothing behind', async (t) => {
  const broker = await startBroker(t);
  const { signature, ...claim } = inviteOf(broker.invite).invite_payload;
  assert.ok(signature);
  const home = new Home(t);
  for (const [what, make, exit, code] of kInvites) {
    await t.test(what, async () => {
      const made = make({ ...claim }, broker.ownerKeys(), broker);
      await home.fails(exit, code, 'join', made, '--name', 'x');
      assert.ok(!existsSync(home.config), what);
    });
  }
});

test('an invite that puts a joined mesh elsewhere gets no key', async (t) => {
  const broker = await startBroker(t);
  const home = await joinedHome(t, broker, 'ada');
  const kept = readFileSync(home.config, 'utf8');
  const { signature, ...claim } = inviteOf(broker.invite).invite_payload;
  assert.ok(signature);
  const stranger = newKeys();
  for (const [what, broker_url] of [['another broker', 'ws://127.0.0.1:1/ws'],
                                    ['another owner', claim.broker_url]]) {
    const evil = link(makeInvite(stranger, { ...claim, broker_url, owner_pubkey: stranger.pubkey }));
    const told = await home.fails(6, 'mesh_claimed', 'join', evil);
    assert.match(told.advice, /signet leave demo/, what);
    assert.equal(readFileSync(home.config, 'utf8'), kept, what);
  }
  await home.fails(2, 'usage', 'send', 'bob', '');
});

const kSeed = 'c0ffee'.repeat(10) + 'beef';
const kKeyFiles = [
  ['read by all', (path) => { writeFileSync(path, kSeed); chmodSync(path, 0o644); }, 4, 'key_file_readable'],
  ['read by the group', (path) => { writeFileSync(path, kSeed); chmodSync(path, 0o640); }, 4,
    'key_file_readable'],
  ['missing', () => {}, 3, null],
  ['no key', (path) => writeFileSync(path, 'hello', { mode: 0o600 }), 1, 'bad_key'],
  ['a symbolic link', (path) => {
    writeFileSync(`${path}.real`, kSeed, { mode: 0o600 });
    symlinkSync(`${path}.real`, path);
  }, 4, null],
];
test('a key file that others read, or that is none, is refused', async (t) => {
  const broker = await startBroker(t);
  for (const [what, make, exit, code] of kKeyFiles) {
    await t.test(what, async () => {
      const home = new Home(t);
      const path = join(home.folder, 'my.key');
      make(path);
      const told = await home.fails(exit, code, 'join', broker.invite, '--key', path);
      assert.ok(!JSON.stringify(told).includes(kSeed.slice(0, 12)), what);
      assert.ok(!existsSync(home.config), what);
    });
  }
});

const kConfigs = [
  ['read by all', (text) => text, 0o644, 4, 'key_file_readable', /chmod 600/],
  ['written by the group', (text) => text, 0o620, 4, 'key_file_readable', /chmod 600/],
  ['broken', (text) => text.slice(0, -9), 0o600, 1, 'file_broken', /config\.json/],
  ['of a later version', (text) => text.replace('"version":1', '"version":2'), 0o600, 1, 'file_broken',
    /version/],
  ['with a broken key', (text) => text.replace(/"secretKey":"[0-9a-f]{8}/, '"secretKey":"zzzzzzzz'), 0o600,
    1, 'bad_key', /key/],
  ['with the key of somebody else', (text) => text.replace(/"pubkey":"[0-9a-f]{8}/, '"pubkey":"00000000'),
    0o600, 1, 'bad_key', /key/],
];
test('a configuration that is not good is refused and kept', async (t) => {
  const broker = await startBroker(t);
  const home = await joinedHome(t, broker, 'ada');
  const good = readFileSync(home.config, 'utf8');
  for (const [what, change, mode, exit, code, why] of kConfigs) {
    await t.test(what, async () => {
      writeFileSync(home.config, change(good));
      chmodSync(home.config, mode);
      const told = await home.fails(exit, code, 'peers');
      assert.match(`${told.message} ${told.advice}`, why);
      assert.equal(readFileSync(home.config, 'utf8'), change(good));
      assert.ok(!JSON.stringify(told).includes(JSON.parse(good).meshes[0].secretKey.slice(0, 12)));
    });
  }
});

test('a symbolic link as configuration is refused', async (t) => {
  const broker = await startBroker(t);
  const home = await joinedHome(t, broker, 'ada');
  const copy = join(home.folder, 'elsewhere.json');
  copyFileSync(home.config, copy);
  chmodSync(copy, 0o600);
  const linked = new Home(t);
  linked.folderFor('.config/signet');
  symlinkSync(copy, linked.config);
  await linked.fails(4, 'key_file_link', 'peers');
});

test('a corrupt state is put aside and not lost', async (t) => {
  const broker = await startBroker(t);
  const home = await joinedHome(t, broker, 'ada');
  await home.ok('peers');
  const state = join(home.state, readdirSync(home.state).find((name) => name.endsWith('.db')));
  const rubbish = 'this is no database '.repeat(500);
  writeFileSync(state, rubbish);
  const told = await home.fails(1, 'state_corrupt', 'inbox');
  const aside = readdirSync(home.state).map((name) => join(home.state, name))
    .find((path) => existsSync(path) && readFileSync(path, 'utf8').startsWith(rubbish.slice(0, 100)));
  assert.ok(aside, readdirSync(home.state).join(' '));
  assert.ok(told.message.includes(aside), told.message);
  await home.ok('inbox');
});

test('a state that others can read is refused', async (t) => {
  const broker = await startBroker(t);
  const home = await joinedHome(t, broker, 'ada');
  await home.ok('peers');
  const state = join(home.state, readdirSync(home.state).find((name) => name.endsWith('.db')));
  chmodSync(state, 0o644);
  await home.fails(4, 'state_not_yours', 'inbox');
});

test('a member that the broker does not know is denied', async (t) => {
  const broker = await startBroker(t);
  const home = await joinedHome(t, broker, 'ada');
  const bob = await joinedHome(t, broker, 'bob');
  await home.ok('send', 'bob', 'this name is known from now on');
  await broker.setStanding({ pubkey: home.member.publicKey }, 'revoked');
  const send = ['send', 'bob', 'x', '--timeout', '3600']; // longer than this test waits
  for (const command of [['peers'], ['inbox'], ['send', 'carol', 'x'], ['listen', '--timeout', '20'], send,
                         [...send, '--queue'], [...send, '--wait']]) {
    const told = await home.fails(4, null, ...command);
    assert.match(told.advice, /signet leave/, command.join(' '));
  }
  const findings = JSON.parse((await home.run(['doctor', '-o', 'json'])).stdout).findings;
  assert.ok(!findings.some(({ check }) => check === 'outbox'), 'nothing is left to be sent');

  assert.match((await home.fails(4, 'member_revoked', 'join', broker.invite)).advice, /signet leave/);
  await home.ok('leave', '--yes');
  await home.ok('join', broker.invite, '--name', 'ada');
  await home.ok('send', 'bob', 'back');
  assert.ok((await bob.json('inbox')).messages.some(({ text }) => text === 'back'));
});

const kUsage = [
  [[], /subcommand/], [['eat'], /no command is called eat/], [['send'], /to is required/i], [['send', 'bob'], /text/],
  [['mesh'], /subcommand/], [['send', 'bob', 'x', '--priority', 'soon'], /soon|priority/],
  [['status', 'set', 'asleep'], /asleep|status/], [['peers', '--nothing'], /nothing/],
  [['invite', 'create', '--uses', '0'], /uses/], [['listen', '--count', '-1'], /count/],
  [['completion', 'fish'], /fish|shell/],
  [['listen', '--timeout', 'nan'], /timeout/], [['listen', '--timeout', 'inf'], /timeout/],
  [['join', 'x', '--name', 'a'.repeat(129)], /128 bytes/],
  [['mesh', 'create', 'x', '--broker', 'http://h'], /WebSocket/],
];
test('a command line that is none ends with 2', async (t) => {
  const home = new Home(t);
  for (const [args, why] of kUsage) {
    const told = await home.fails(2, 'usage', ...args);
    assert.match(told.message, why, args.join(' '));
  }
  const people = await home.run(['eat']);
  assert.deepEqual([people.status, people.stdout], [2, '']);
  assert.match(people.stderr, /--help/);
});

test('without a mesh every command that needs one says how to get one', async (t) => {
  const home = new Home(t);
  for (const command of [['peers'], ['inbox'], ['listen'], ['send', 'bob', 'x'], ['channel', 'list'],
                         ['status', 'set', 'idle'], ['mesh', 'show'], ['leave', '--yes']]) {
    const told = await home.fails(3, 'no_mesh', ...command);
    assert.match(told.advice, /signet join/);
  }
  assert.match((await home.fails(3, 'not_the_owner', 'invite', 'create')).advice, /signetd dev.*--show/);
});
