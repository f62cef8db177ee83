// An owner makes a mesh and invites, an operator sees and revokes: over the daemon's socket without
// a token, and over HTTP with one. The owner's key stays at home.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { Home } from './cli.mjs';
import { eventually, startBroker } from './harness.mjs';

const kWays = {
  'over the socket': (broker) => ({ SIGNET_OPERATOR_SOCKET: broker.ready.socket }),
  'over HTTP with the token': (broker) => ({ SIGNET_OPERATOR_URL: broker.http,
                                             SIGNET_OPERATOR_TOKEN: broker.operator_token }),
};
for (const [way, environment] of Object.entries(kWays)) {
  test(`a mesh from its making to a revocation, ${way}`, async (t) => {
    const broker = await startBroker(t);
    const owner = new Home(t, environment(broker));
    const made = await owner.json('mesh', 'create', 'team', '--broker', broker.ws, '--name', 'ada');
    const owners = readFileSync(join(owner.folder, '.config/signet/owners.json'), 'utf8');
    assert.equal(JSON.parse(owners).owners[0].pubkey, made.ownerKey);
    const again = await owner.json('mesh', 'create', 'team', '--broker', broker.ws, '--name', 'ada');
    assert.deepEqual([again.meshId, again.ownerKey], [made.meshId, made.ownerKey]);

    const invite = await owner.json('invite', 'create', '--uses', '2', '--expires', '1h');
    const shown = await new Home(t).json('invite', 'show', invite.link);
    assert.deepEqual([shown.mesh, shown.signed, shown.expired, shown.role],
                     ['team', true, false, 'member']);
    const guest = new Home(t);
    await guest.ok('join', invite.link, '--name', 'bob');
    await guest.ok('send', 'ada', 'thank you');
    assert.equal((await owner.json('inbox')).messages[0].text, 'thank you');

    const { members } = await owner.json('member', 'list');
    assert.deepEqual(members.map(({ name, role }) => [name, role]).sort(),
                     [['ada', 'admin'], ['bob', 'member']]);
    await owner.ok('member', 'role', 'bob', 'admin', '--tag', 'dev');
    const bob = (await owner.json('member', 'list')).members.find(({ name }) => name === 'bob');
    assert.deepEqual([bob.role, bob.tags], ['admin', ['dev']]);

    const listed = (await owner.json('invite', 'list')).invites.find((i) => i.digest === invite.digest);
    assert.deepEqual([listed.uses, listed.maxUses, listed.revoked, listed.link],
                     [1, 2, false, invite.link]);
    await owner.ok('invite', 'revoke', invite.digest.slice(0, 12));
    await new Home(t).fails(4, 'invite_revoked', 'join', invite.link);

    await owner.fails(2, 'usage', 'member', 'revoke', 'bob'); // nobody can be asked
    await owner.ok('member', 'revoke', 'bob', '--yes');
    await guest.fails(4, null, 'peers');
    const { meshes } = await owner.json('mesh', 'list', '--broker');
    assert.ok(meshes.some(({ mesh, ownerKey }) => mesh === 'team' && ownerKey === made.ownerKey));
    const secret = JSON.parse(owners).owners[0].secretKey.slice(0, 64);
    assert.ok(!broker.log.join('\n').includes(secret));
  });
}

test('dead letters are listed, and put back unless their recipient is gone', async (t) => {
  const broker = await startBroker(t);
  const ada = new Home(t, { SIGNET_OPERATOR_SOCKET: broker.ready.socket });
  await ada.ok('join', broker.invite, '--name', 'ada');
  const { publicKey } = await new Home(t).json('join', broker.invite, '--name', 'bob');
  await ada.ok('send', 'bob', 'too late');
  await ada.ok('member', 'revoke', 'bob', '--yes');
  const letter = await eventually('a dead letter', async () =>
    (await ada.json('dead', 'list')).deadLetters[0], 60_000);
  assert.deepEqual([letter.recipient, letter.reason], [publicKey, 'recipient_revoked']);
  await ada.fails(4, 'denied', 'dead', 'requeue', String(letter.number), publicKey);
  const { requeued, refused } = await ada.json('dead', 'requeue', '--all');
  assert.deepEqual([requeued, refused], [0, 1]);
  await ada.fails(2, 'usage', 'dead', 'requeue');
  await ada.fails(2, 'usage', 'dead', 'requeue', '--all', String(letter.number), publicKey);
});

// [what is asked, what to do about it]; of `bare` nothing is set up but the mesh itself.
const kNotThere = [
  [['member', 'list', '--mesh', 'none'], /mesh list --broker/],
  [['explain', 'nothing-like-it'], /what the peer was told/],
  [['node', 'explain', 'x', '--mesh', 'demo'], /node list/],
  [['job', 'show', 'job_1', '--mesh', 'demo'], /job list/],
  [['epoch', 'show', '--mesh', 'bare'], /overlay\.key_file/],
  [['secret', 'revoke', 'x', '--mesh', 'demo', '--yes'], /secret list/],
  [['policy', 'explain', '--as', 'role:x', 'connect', '--mesh', 'demo'], /policy show/],
];
test('what is not there is told with where to look', async (t) => {
  const broker = await startBroker(t);
  const home = new Home(t, { SIGNET_OPERATOR_SOCKET: broker.ready.socket });
  await home.ok('mesh', 'create', 'bare', '--broker', broker.ws, '--no-join');
  for (const [command, advice] of kNotThere) {
    const told = await home.fails(3, 'not_found', ...command);
    assert.match(told.advice, advice, command.join(' '));
  }
  assert.match(await home.ok('job', 'list', '--mesh', 'demo'), /^No job in demo\./);
  assert.match(await home.ok('job', 'list', '--mesh', 'demo', '--state', 'failed'), /^No such job in demo\./);
});

test('a decision is explained of whomever a table shows', async (t) => {
  const broker = await startBroker(t);
  const ada = new Home(t, { SIGNET_OPERATOR_SOCKET: broker.ready.socket });
  await ada.ok('join', broker.invite, '--name', 'ada');
  const bob = await new Home(t).json('join', broker.invite, '--name', 'bob the builder');
  const ask = ['policy', 'explain', 'connect', '--as'];
  for (const who of ['bob the builder', bob.publicKey, bob.publicKey.slice(0, 16), bob.memberId]) {
    const told = await ada.json(...ask, who);
    assert.ok(told.allowed && told.roles.includes('member'), `${who}: ${JSON.stringify(told)}`);
  }
  await ada.fails(3, 'no_such_member', ...ask, 'nobody');
  await new Home(t).ok('join', broker.invite, '--name', 'ada');
  await ada.fails(6, 'ambiguous_name', ...ask, 'ada');
  await ada.ok('secret', 'add', 'ada');
  await ada.ok(...ask, 'ada'); // a source's name is the operator's word
});

const kRefused = [
  ['no way is known', {}, 2, 'usage'],
  ['no socket there', { SIGNET_OPERATOR_SOCKET: '/nonexistent/signet.sock' }, 5, 'operator_unreachable'],
  ['no token', (b) => ({ SIGNET_OPERATOR_URL: b.http }), 4, 'denied'],
  ['a wrong token', (b) => ({ SIGNET_OPERATOR_URL: b.http, SIGNET_OPERATOR_TOKEN: 'x' }), 4, 'denied'],
  ['no URL', { SIGNET_OPERATOR_URL: 'nowhere' }, 2, 'usage'],
  ['nobody there', { SIGNET_OPERATOR_URL: 'http://127.0.0.1:1' }, 5, 'operator_unreachable'],
];
test('an operator who can not be reached, or is none, is told so', async (t) => {
  const broker = await startBroker(t);
  for (const [what, env, exit, code] of kRefused) {
    await t.test(what, async () => {
      const home = new Home(t, typeof env === 'function' ? env(broker) : env);
      await home.fails(exit, code, 'member', 'list', '--mesh', 'demo');
    });
  }
  const home = new Home(t, { SIGNET_OPERATOR_SOCKET: broker.ready.socket });
  await home.fails(3, 'not_found', 'member', 'list', '--mesh', 'none');
  await home.fails(3, 'no_such_member', 'member', 'revoke', 'nobody', '--mesh', 'demo', '--yes');
  await home.fails(6, 'conflict', 'mesh', 'create', 'demo', '--broker', broker.ws);
  await home.fails(3, 'not_the_owner', 'invite', 'create'); // what was refused is not owned
  await home.fails(2, 'usage', 'mesh', 'create', 'No Name', '--broker', broker.ws);
  // An option goes before a variable; two options are a mistake.
  await home.fails(4, 'denied', 'member', 'list', '--mesh', 'demo', '--operator-url', broker.http);
  await home.fails(2, 'usage', 'member', 'list', '--mesh', 'demo', '--operator-url', broker.http,
                   '--operator-socket', broker.ready.socket);
  const token = join(home.folder, 'token');
  writeFileSync(token, broker.operator_token, { mode: 0o644 });
  const open = new Home(t);
  await open.fails(4, 'key_file_readable', 'member', 'list', '--mesh', 'demo', '--operator-url',
                   broker.http, '--operator-token-file', token);
});
