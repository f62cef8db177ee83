// `signet doctor`: each thing that is wrong is found, named, and comes with what to do.
import assert from 'node:assert/strict';
import { chmodSync, readdirSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import test from 'node:test';
import { Home, joinedHome } from './cli.mjs';
import { startBroker } from './harness.mjs';

async function findings(home, exit, ...args) {
  const { status, stdout, stderr } = await home.run(['doctor', '-o', 'json', ...args]);
  assert.equal(status, exit, stdout + stderr);
  const said = JSON.parse(stdout);
  assert.equal(said.ok, exit === 0, stdout);
  for (const each of said.findings) {
    if (each.health === 'wrong') assert.ok(each.advice, JSON.stringify(each));
    assert.doesNotMatch(each.advice ?? '', /signet doctor/, 'nobody is sent in a circle');
  }
  return (check) => said.findings.find((each) => each.check === check && each.health !== 'ok') ??
                    said.findings.find((each) => each.check === check);
}

test('nothing is wrong with what works', async (t) => {
  const broker = await startBroker(t);
  const home = await joinedHome(t, broker, 'ada');
  const of = await findings(home, 0);
  for (const check of ['config', 'key', 'disk', 'dns', 'tcp', 'health', 'version', 'clock', 'state', 'hello']) {
    assert.equal(of(check)?.health, 'ok', `${check}: ${JSON.stringify(of(check))}`);
  }
  assert.match(await home.ok('doctor'), /^ok +demo hello: /m);
});

test('no mesh is a warning', async (t) => {
  const of = await findings(new Home(t), 0);
  assert.match(of('config').advice, /signet join/);
});

test('one folder for both is looked at once', async (t) => {
  const folder = new Home(t).folder;
  const home = new Home(t, { XDG_CONFIG_HOME: folder, XDG_STATE_HOME: folder });
  const { findings: said } = JSON.parse((await home.run(['doctor', '-o', 'json'])).stdout);
  const folders = said.filter(({ what }) => what.startsWith(`${folder}/signet `));
  assert.equal(folders.length, 1, JSON.stringify(folders));
});

test('what is wrong is found', async (t) => {
  const broker = await startBroker(t);
  const home = await joinedHome(t, broker, 'ada');
  await home.ok('peers');

  chmodSync(home.config, 0o644);
  assert.match((await findings(home, 1))('config').advice, /chmod 600/);
  chmodSync(home.config, 0o600);

  chmodSync(dirname(home.config), 0o777);
  assert.match((await findings(home, 1))('config').advice, /chmod 700/);
  chmodSync(dirname(home.config), 0o755);
  assert.equal((await findings(home, 0))('config').health, 'warning');
  chmodSync(dirname(home.config), 0o700);

  await broker.setStanding({ pubkey: home.member.publicKey }, 'revoked');
  assert.equal((await findings(home, 1))('hello').health, 'wrong');

  const state = join(home.state, readdirSync(home.state).find((name) => name.endsWith('.db')));
  writeFileSync(state, 'rubbish'.repeat(1000));
  assert.equal((await findings(home, 1))('state').health, 'wrong');

  await broker.stop();
  assert.equal((await findings(home, 1))('tcp').health, 'wrong');
});

test('what answers and is no broker, or has another clock, is found', async (t) => {
  const broker = await startBroker(t);
  const home = await joinedHome(t, broker, 'ada');
  const health = { status: 'ok', db: 'up', version: '9.9.9', gitSha: 'x', uptime: 1 };
  let answer = { body: '<html>', date: new Date() };
  const server = http.createServer((_, response) => {
    response.sendDate = false;
    if (answer.date) response.setHeader('Date', answer.date.toUTCString());
    response.end(answer.body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => { server.closeAllConnections(); server.close(); });
  const profile = home.profile();
  profile.brokerUrl = `ws://127.0.0.1:${server.address().port}/ws`;
  writeFileSync(home.config, JSON.stringify({ version: 1, meshes: [profile] }));
  assert.match((await findings(home, 1))('health').what, /no Signet broker/);
  answer = { body: JSON.stringify(health), date: new Date(Date.now() - 300_000) };
  let of = await findings(home, 1);
  assert.equal(of('clock').health, 'wrong');
  assert.match(of('clock').what, /(299|300|30[1-9]|31\d) s ahead of/);
  assert.equal(of('version').health, 'warning');
  assert.equal(of('hello').health, 'wrong');
  answer = { body: JSON.stringify({ ...health, status: 'degraded' }), date: new Date() };
  of = await findings(home, 1);
  assert.match(of('health').what, /degraded/);
  profile.brokerUrl = 'ws://no-such-host.invalid:1/ws';
  writeFileSync(home.config, JSON.stringify({ version: 1, meshes: [profile] }));
  assert.equal((await findings(home, 1))('dns').health, 'wrong');
});
