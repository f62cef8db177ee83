// What keeps web pages and runaway scripts out of /hook/set-status, in the original's own bodies.
import assert from 'node:assert/strict';
import test from 'node:test';
import { request, startBroker } from './harness.mjs';

const kBody = { pid: 1, cwd: '/w', status: 'idle' };
const post = (broker, body, headers) => broker.request('POST', '/hook/set-status', { body, headers });

test('the thirty-first hook a minute of one process is 429, another process is not', async (t) => {
  const broker = await startBroker(t);
  for (let i = 0; i < 30; ++i) assert.equal((await post(broker, kBody)).status, 200);
  const over = await post(broker, kBody);
  assert.deepEqual([over.status, over.text], [429, 'rate limited']);
  assert.equal((await post(broker, { ...kBody, pid: 2 })).status, 200);
  assert.equal(await broker.metric('broker_hook_requests_total'), 32);
  assert.equal(await broker.metric('broker_hook_requests_rate_limited_total'), 1);
});

test('a body over the limit is 413', async (t) => {
  const broker = await startBroker(t, { set: { 'claudemesh.hook_max_body': 300 } });
  const large = await post(broker, { ...kBody, cwd: 'x'.repeat(400) });
  assert.deepEqual([large.status, large.text], [413, 'payload too large']);
  const huge = await post(await startBroker(t), { ...kBody, cwd: 'x'.repeat(70_000) });
  assert.deepEqual([huge.status, huge.text], [413, 'payload too large']);
});

const kIncomplete = [{}, { cwd: '/w' }, { status: 'idle' }, { cwd: '/w', status: 'asleep' },
                     { cwd: 7, status: 'idle' }, [], 'no json', '', '"text"', { cwd: '', status: 'idle' }];
test('a body without cwd and status is told so', async (t) => {
  const broker = await startBroker(t);
  for (const body of kIncomplete) {
    const answer = await post(broker, body);
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.json(), { ok: false, error: 'cwd and status required' });
  }
});

test('a web page is refused by its Origin, and a rebound name by its Host', async (t) => {
  const broker = await startBroker(t);
  const port = new URL(broker.http).port;
  const refused = [{ origin: 'https://evil.example' }, { origin: 'null' }, { origin: broker.http },
                   { host: `evil.example:${port}` }, { host: 'localhost.evil.example' }];
  for (const headers of refused) {
    const { status } = await post(broker, kBody, headers);
    assert.equal(status, 403, JSON.stringify(headers));
  }
  for (const host of [`localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`]) {
    assert.equal((await post(broker, kBody, { host })).status, 200, host);
  }
});

test('a name of server.hosts is a Host like localhost', async (t) => {
  const broker = await startBroker(t, { set: { 'server.hosts': 'broker.internal' } });
  assert.equal((await post(broker, kBody, { host: 'broker.internal:80' })).status, 200);
  assert.equal((await request(broker.http, 'GET', '/hook/set-status')).status, 405);
});
