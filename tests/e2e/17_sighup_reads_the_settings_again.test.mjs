// SIGHUP: live settings apply at once, others are named, and a bad file changes nothing.
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { sleep, startBroker, temporaryFolder } from './harness.mjs';

async function configured(t, text) {
  const file = join(temporaryFolder(), 'signet.toml');
  writeFileSync(file, text);
  const command = ['dev', '--listen', '127.0.0.1:0', '--ready-json', '--config', file];
  const broker = await startBroker(t, { command });
  // Writes the file, asks for it to be read, and answers the first log line of that event.
  const reread = (changed, event) => {
    const from = broker.log.length;
    if (changed === null) rmSync(file); else writeFileSync(file, changed);
    broker.process.kill('SIGHUP');
    return event === undefined ? sleep(300) : broker.logged(event, from);
  };
  return { broker, file, reread };
}

test('a live setting applies at once and the peers stay', async (t) => {
  const { broker, reread } = await configured(t, '[server]\nlog_level = "info"\n');
  const { member, peer } = await broker.joined('member');
  const { ts, ...changed } = await reread('[server]\nlog_level = "warn"\n', 'config.changed');
  assert.deepEqual(changed, { level: 'info', event: 'config.changed', setting: 'server.log_level',
                              from: 'info', to: 'warn' });
  const from = broker.log.length;
  await (await broker.connect(member)).leave();
  assert.deepEqual(broker.log.slice(from).filter((line) => line.includes('"info"')), []);
  await reread('[server]\nlog_level = "info"\n');
  await broker.connect(member);
  await broker.logged('hello.admitted', from);
  assert.equal((await peer.roundTrip()).length, 2);
});

test('what needs a restart is said and does not change', async (t) => {
  const { broker, reread } = await configured(t, '');
  const { peer } = await broker.joined('member');
  const said = await reread('[claudemesh]\nmax_connections = 1\n', 'config.needs_restart');
  assert.equal(said.level, 'warn');
  assert.deepEqual([said.setting, said.from, said.to], ['claudemesh.max_connections', '10000', '1']);
  await broker.joined('second');
  assert.equal((await peer.roundTrip()).length, 2);
});

const kBad = [
  ['a value that is not allowed', '[server]\nlog_level = "loud"\n', ':2:1: '],
  ['a key that is none', '[server]\ndrain_timeout = "3s"\nlog_levle = "info"\n', ':3:1: '],
  ['no TOML', '[server\n', ':1:'],
  ['no file', null, ': '],
];
test('a bad file is named with its line, and the last good settings stay', async (t) => {
  const { broker, file, reread } = await configured(t, '[server]\nlog_level = "warn"\n');
  const { member, peer } = await broker.joined('member');
  const from = broker.log.length;
  for (const [what, text, place] of kBad) {
    const { level, detail } = await reread(text, 'config.kept_last_good');
    assert.equal(level, 'error', what);
    assert.ok(detail.startsWith(`${file}${place}`), `${what}: ${detail}`);
  }
  await broker.connect(member);
  assert.equal((await peer.roundTrip()).length, 2);
  assert.ok(!broker.log.slice(from).some((line) => line.includes('hello.admitted')), 'still warn');
  await reread('[server]\nlog_level = "info"\n');
  await broker.connect(member);
  await broker.logged('hello.admitted', from);
});

test('a storm of SIGHUP ends nothing', async (t) => {
  const { broker, reread } = await configured(t, '');
  const { peer } = await broker.joined('member');
  for (let i = 0; i < 100; ++i) broker.process.kill('SIGHUP');
  await reread('[server]\nlog_level = "debug"\n', 'config.changed');
  assert.equal((await peer.roundTrip()).length, 1);
});
