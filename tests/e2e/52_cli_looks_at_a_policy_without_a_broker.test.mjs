// `signet policy`: a file is checked, tested and asked without a broker, with the place of each
// fault and the rule of each decision.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { Home } from './cli.mjs';

const kGood = `
[role.sensor]
tags = ["sensor"]
[[rule]]
id = "sensors-publish"
roles = ["sensor"]
allow = ["publish"]
topics = ["plant.*.temp"]
[[rule]]
id = "not-the-vault"
deny = ["publish"]
topics = ["plant.vault.>"]
[[test]]
as = { tags = ["sensor"] }
action = "publish"
on = "plant.7.temp"
expect = "allow"
rule = "sensors-publish"
`;
const kFailing = `${kGood}[[test]]
name = "members publish"
as = { roles = ["member"] }
action = "publish"
on = "plant.7.temp"
expect = "allow"
`;

function fileOf(home, text) {
  const file = join(home.folder, 'policy.toml');
  writeFileSync(file, text);
  return file;
}

test('a good policy is good, and its tests are listed', async (t) => {
  const home = new Home(t);
  const file = fileOf(home, kGood);
  const { ok, roles, rules, tests } = await home.json('policy', 'check', file);
  assert.deepEqual({ ok, roles, rules, tests }, { ok: true, roles: 1, rules: 2, tests: 1 });
  const listed = await home.json('policy', 'test', file);
  assert.equal(listed.tests[0].rule, 'sensors-publish');
  assert.equal(listed.tests[0].passed, true);
});

test('every fault is told with its place', async (t) => {
  const home = new Home(t);
  const file = fileOf(home, '[[rule]]\nid = "a"\nallow = ["publsh"]\n[rules]\n');
  const told = await home.run(['policy', 'check', file]);
  assert.equal(told.status, 1);
  assert.deepEqual(told.stdout.replaceAll(file, 'FILE').trimEnd().split('\n'), [
    "FILE:3:10: 'publsh' is no action; did you mean 'publish'?",
    "FILE:4:2: a policy has no key 'rules'; did you mean 'rule'?"]);
  const json = JSON.parse((await home.run(['-o', 'json', 'policy', 'check', file])).stdout);
  assert.equal(json.ok, false);
  assert.equal(json.faults.length, 2);
  await home.fails(3, 'not_found', 'policy', 'check', join(home.folder, 'nowhere'));
});

test('a test that fails blocks the document and is shown', async (t) => {
  const home = new Home(t);
  const file = fileOf(home, kFailing);
  const checked = await home.run(['policy', 'check', file]);
  assert.equal(checked.status, 1);
  assert.match(checked.stdout, /:19:1: test 'members publish' expects allow, but it is denied/);
  const tested = await home.run(['-o', 'json', 'policy', 'test', file]);
  assert.equal(tested.status, 1);
  const { ok, tests } = JSON.parse(tested.stdout);
  assert.equal(ok, false);
  assert.deepEqual(tests.map((each) => each.passed), [true, false]);
});

test('a decision is explained by its rules', async (t) => {
  const home = new Home(t);
  const ask = (...args) => home.json('policy', 'explain', '--file', fileOf(home, kGood), ...args);
  const allowed = await ask('--as', 'role:sensor', 'publish', 'plant.7.temp');
  assert.equal(allowed.allowed, true);
  assert.equal(allowed.rule, 'sensors-publish');
  const denied = await ask('--as', 'role:sensor', 'publish', 'plant.vault.temp');
  assert.equal(denied.allowed, false);
  assert.deepEqual(denied.matched, [{ rule: 'sensors-publish', effect: 'allow' },
                                    { rule: 'not-the-vault', effect: 'deny' }]);
  const nobody = await ask('--as', 'somebody', 'publish', 'plant.7.temp');
  assert.deepEqual([nobody.allowed, nobody.rule, nobody.roles], [false, null, ['member']]);
  const tagged = await ask('--as', 'ab'.repeat(32), '--tag', 'sensor', 'publish', 'plant.7.temp');
  assert.equal(tagged.allowed, true);
  await home.fails(2, null, 'policy', 'explain', '--file', fileOf(home, kGood), '--as', 'role:x',
                   'connect');
});

test('what a question lacks is asked for in words of the command line', async (t) => {
  const home = new Home(t);
  for (const action of ['publish', 'send']) {
    const told = await home.fails(2, 'usage', 'policy', 'explain', '--file', fileOf(home, kGood), '--as',
                                  'role:sensor', action);
    assert.match(told.message, new RegExp(`^${action} is `));
    assert.doesNotMatch(told.message + told.advice, /on = /);
    assert.match(told.advice, /behind the action/);
  }
});

test('the default is a policy itself', async (t) => {
  const home = new Home(t);
  const file = fileOf(home, await home.ok('policy', 'show', '--default'));
  await home.ok('policy', 'check', file);
});
