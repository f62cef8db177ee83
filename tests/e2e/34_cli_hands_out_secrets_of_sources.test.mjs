// An operator gives a client without a key its secret: it is printed once, rotated with an overlap,
// revoked, and never in a list or a log; the one that documents publish is refused.
import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { Home } from './cli.mjs';
import { startBroker } from './harness.mjs';

test('a secret from its making to its end', async (t) => {
  const broker = await startBroker(t);
  const home = new Home(t, { SIGNET_OPERATOR_SOCKET: broker.ready.socket });
  await home.ok('join', broker.invite, '--name', 'ada');

  const made = await home.json('secret', 'add', 'lab/gauge-1', '--tag', 'sensors', '--tag', 'lab');
  assert.equal(made.secret.length, 43);
  assert.equal(made.member, 'lab/gauge-1');
  await home.fails(6, 'conflict', 'secret', 'add', 'lab/gauge-1');

  const rotated = await home.json('secret', 'rotate', 'lab/gauge-1', '--overlap', '1h');
  assert.notEqual(rotated.secret, made.secret);
  assert.equal((await home.ok('secret', 'rotate', 'lab/gauge-1', '--overlap', '0')).trim().length, 43);

  const list = await home.json('secret', 'list');
  const [source] = list.sources;
  assert.deepEqual([source.source, source.member, source.tags, source.overlapUntil, source.revoked],
                   ['lab/gauge-1', 'lab/gauge-1', ['lab', 'sensors'], null, false]);

  await home.fails(2, 'usage', 'secret', 'revoke', 'lab/gauge-1'); // nobody can be asked
  await home.ok('secret', 'revoke', 'lab/gauge-1', '--yes');
  await home.fails(4, 'denied', 'secret', 'rotate', 'lab/gauge-1');
  await home.ok('secret', 'add', 'lab/gauge-1');
  await home.fails(3, 'not_found', 'secret', 'rotate', 'nobody');
  assert.ok(!(await home.ok('member', 'list')).includes('gauge'), 'it has no key');

  const told = JSON.stringify(list) + broker.log.join('\n');
  for (const { secret } of [made, rotated]) assert.ok(!told.includes(secret));
});

test('a secret that clients have is taken from a private file, if it is one', async (t) => {
  const broker = await startBroker(t);
  const home = new Home(t, { SIGNET_OPERATOR_SOCKET: broker.ready.socket });
  await home.ok('join', broker.invite, '--name', 'ada');
  const file = join(home.folder, 'gauge.secret');
  writeFileSync(file, 'a bell \x07 in it\n', { mode: 0o600 }); // what not even dev mode takes
  await home.fails(1, 'bad_request', 'secret', 'add', 'gauge', '--secret-file', file);
  writeFileSync(file, 'the heron waits at noon\n');
  chmodSync(file, 0o644);
  await home.fails(4, 'key_file_readable', 'secret', 'add', 'gauge', '--secret-file', file);
  chmodSync(file, 0o600);
  const added = await home.json('secret', 'add', 'gauge', '--secret-file', file);
  assert.equal(added.secret, undefined, 'whoever made it has it');
});
