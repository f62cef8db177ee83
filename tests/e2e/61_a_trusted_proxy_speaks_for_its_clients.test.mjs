// X-Forwarded-For: believed from a trusted proxy and only as far as trusted ones wrote it; from
// anybody else it means nothing.
import assert from 'node:assert/strict';
import http from 'node:http';
import test from 'node:test';
import { hello, newKeys, startBroker } from './harness.mjs';

const kProxied = { 'server.trusted_proxies': '127.0.0.1' };
const kRare = { 'limits.requests_per_second_address': 1, 'limits.requests_burst_address': 1 };

// One kept-alive connection, as a proxy has, on which many clients ask: shards count each for itself.
function proxyTo(t, broker) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  return (forwarded) => new Promise((resolve, reject) => {
    const headers = forwarded ? { 'x-forwarded-for': forwarded } : {};
    http.get(`${broker.http}/health`, { agent, headers }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode));
    }).on('error', reject);
  });
}

// Asks as `client` until it is over its rate.
async function exhaust(ask, client) {
  for (let i = 0; i < 50; ++i) if (await ask(client) === 429) return;
  assert.fail(`${client} has no limit`);
}

// What `client` gets right behind somebody else's last request, within whose second no place is free.
async function rightAfter(ask, other, client) {
  for (;;) {
    await exhaust(ask, other);
    const asked = performance.now();
    const status = await ask(client);
    if (status === 429 || performance.now() - asked < 400) return status;
  }
}

test('clients behind a trusted proxy have a rate each', async (t) => {
  const broker = await startBroker(t, { set: { ...kProxied, ...kRare } });
  const ask = proxyTo(t, broker);
  await exhaust(ask, '203.0.113.1');
  assert.equal(await ask('203.0.113.2'), 200, 'another client');
  await exhaust(ask, '203.0.113.3');
  assert.equal(await rightAfter(ask, '203.0.113.4', '198.51.100.9, 203.0.113.4'), 429,
               'what a client writes itself is hearsay');
  assert.equal(await rightAfter(ask, '203.0.113.4', '203.0.113.4, 127.0.0.1'), 429, 'over two proxies');
});

test('from anybody else the header changes nothing', async (t) => {
  const broker = await startBroker(t, { set: { 'server.trusted_proxies': '10.0.0.0/8', ...kRare } });
  const ask = proxyTo(t, broker);
  assert.equal(await rightAfter(ask, '203.0.113.1', '203.0.113.2'), 429);
  assert.equal(await rightAfter(ask, '10.0.0.1', '203.0.113.3, 10.0.0.1'), 429);
});

test('connections of a trusted proxy are not counted by its address, and its clients are logged', async (t) => {
  const limit = { 'net.max_connections_per_address': 2 };
  const broker = await startBroker(t, { set: { ...kProxied, ...limit } });
  const open = (client) => broker.open({ headers: { 'x-forwarded-for': client } });
  const peers = await Promise.all([1, 2, 3, 4, 5].map((last) => open(`203.0.113.${last}`)));
  assert.ok(peers.every((peer) => !peer.isClosed));
  peers[0].say(hello({ ...newKeys(), meshId: broker.mesh.id, memberId: 'nobody' }));
  await peers[0].closed;
  assert.match((await broker.logged('hello.rejected')).peer, /^203\.0\.113\.1:/);

  const direct = await startBroker(t, { set: limit });
  const openDirect = (i) => direct.open({ headers: { 'x-forwarded-for': `203.0.113.${i}` } });
  await openDirect(1);
  await openDirect(2);
  await assert.rejects(openDirect(3), 'two are all that one address may have');
});

test('who came by a proxy posts no hook, whatever the proxy calls it', async (t) => {
  for (const set of [{}, kProxied]) {
    const broker = await startBroker(t, { set });
    const post = (headers) => broker.request('POST', '/hook/set-status',
                                             { headers, body: { pid: 1, cwd: '/w', status: 'idle' } });
    assert.equal((await post({})).status, 200);
    for (const client of ['203.0.113.1', '127.0.0.1', '::1', 'unknown', '']) {
      assert.equal((await post({ 'x-forwarded-for': client })).status, 403, client);
    }
  }
});
