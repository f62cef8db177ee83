// The command line and the client library at a broker that ends TLS itself.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Home } from './cli.mjs';
import { startTlsBroker } from './tls_broker.mjs';

test('who names the authority joins over https and talks over wss', async (t) => {
  const { broker, authority } = await startTlsBroker(t);
  const stranger = new Home(t);
  await stranger.fails(4, null, 'join', broker.invite);
  const home = new Home(t);
  await home.ok('join', broker.invite, '--ca-file', authority.cert, '--name', 'ada');
  const { peer, member } = await broker.joined('bob');
  await home.ok('send', 'bob', 'hello over TLS');
  assert.equal((await peer.next('push')).priority, 'next');
  assert.equal(member.name, 'bob');
  const doctor = await home.run(['doctor', '-o', 'json']);
  const found = JSON.parse(doctor.stdout).findings.filter(({ check }) => check === 'tls');
  assert.match(found[0].what, /^TLSv1\.3 /);
});
