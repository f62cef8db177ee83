// Health, readiness, metrics and the small print of HTTP, as the page and the operator expect.
import assert from 'node:assert/strict';
import test from 'node:test';
import { request, startBroker } from './harness.mjs';

test('/health says that it is well, which version, and for how long', async (t) => {
  const broker = await startBroker(t);
  const answer = await broker.request('GET', '/health');
  assert.equal(answer.status, 200);
  const { version, gitSha, uptime, epoch_id: epoch, ...rest } = answer.json();
  assert.deepEqual(rest, { status: 'ok', db: 'up' });
  assert.ok(typeof version === 'string' && typeof gitSha === 'string' && Number.isInteger(uptime));
  assert.equal(epoch, 0, 'no epoch is decided at the start');
  assert.match(answer.headers['content-type'], /^application\/json/);
});

test('/livez and /readyz answer, and readiness names what it tested', async (t) => {
  const broker = await startBroker(t);
  assert.equal((await broker.request('GET', '/livez')).status, 200);
  const ready = await broker.request('GET', '/readyz');
  assert.equal(ready.status, 200);
  assert.deepEqual(ready.json(), { ready: true, store: 'ok', disk: 'ok', clock: 'ok' });
});

test('/metrics has each series once, a HELP and a TYPE for each, and the original names', async (t) => {
  const broker = await startBroker(t);
  const { peer } = await broker.joined('member');
  await peer.mail('*', 'x', { priority: 'low' });
  const answer = await broker.request('GET', '/metrics');
  assert.match(answer.headers['content-type'], /^text\/plain; version=0\.0\.4/);
  const lines = answer.text.trimEnd().split('\n');
  const series = lines.filter((line) => !line.startsWith('#')).map((line) => {
    assert.match(line, /^[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? -?[0-9.e+-]+$/);
    return line.slice(0, line.lastIndexOf(' '));
  });
  assert.equal(new Set(series).size, series.length, 'a series occurs twice');
  const families = new Set(series.map((name) => name.replace(/\{.*/, '')));
  const described = (kind) => new Set(lines.filter((line) => line.startsWith(`# ${kind} `))
    .map((line) => line.split(' ')[2]));
  for (const name of families) {
    const base = name.replace(/_(bucket|sum|count)$/, '');
    for (const kind of ['HELP', 'TYPE']) {
      assert.ok(described(kind).has(name) || described(kind).has(base), `${kind} ${name}`);
    }
  }
  for (const name of [
    'broker_connections_total', 'broker_connections_rejected_total', 'broker_connections_active',
    'broker_messages_routed_total', 'broker_messages_rejected_total', 'broker_queue_depth',
    'broker_ttl_sweeps_total', 'broker_hook_requests_total',
    'broker_hook_requests_rate_limited_total', 'broker_db_healthy']) {
    assert.ok(families.has(name), name);
  }
  for (const priority of ['now', 'next', 'low']) {
    assert.ok(series.includes(`broker_messages_routed_total{priority="${priority}"}`));
  }
});

test('the public answers carry CORS, OPTIONS is 204, HEAD has no body', async (t) => {
  const broker = await startBroker(t);
  for (const path of ['/health', '/metrics', '/readyz']) {
    const answer = await broker.request('GET', path);
    assert.equal(answer.headers['access-control-allow-origin'], '*', path);
    assert.equal((await broker.request('HEAD', path)).text, '');
  }
  const joined = await broker.postJoin('{}');
  assert.equal(joined.headers['access-control-allow-origin'], '*');
  for (const path of ['/join', '/hook/set-status', '/health']) {
    const answer = await broker.request('OPTIONS', path);
    assert.deepEqual([answer.status, answer.text], [204, '']);
    assert.equal(answer.headers['access-control-allow-origin'], '*');
  }
});

test('unknown paths are 404, wrong methods 405, large bodies 413', async (t) => {
  const broker = await startBroker(t);
  const status = async (method, path, options) => (await request(broker.http, method, path, options)).status;
  for (const path of ['/nope', '/health/', '/metrics/health', '/join/x']) {
    assert.equal(await status('GET', path), 404, path);
  }
  assert.equal(await status('POST', '/health'), 405);
  assert.equal(await status('GET', '/join'), 405);
  assert.equal(await status('POST', '/join', { body: 'x'.repeat(70_000) }), 413);
  assert.equal(await status('GET', '/ws'), 426);
});
