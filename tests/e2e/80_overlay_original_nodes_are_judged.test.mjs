// What an emitter and an agent of the original send and read, with Debian's python3-requests.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { promisify } from 'node:util';
import test from 'node:test';
import { eventually, startBroker } from './harness.mjs';

const kOriginal = `
import datetime, json, sys, requests
base, name, overall = sys.argv[1], sys.argv[2], float(sys.argv[3])
body = {"node_id": name, "timestamp": datetime.datetime.now(datetime.timezone.utc).isoformat(),
        "suite_version": "poc-0.1", "scores": {"overall": overall, "honesty": 0.9}, "notes": None,
        "signature": None}
sent = requests.post(f"{base}/v1/benchmarks/{name}", json=body, timeout=10)
config = requests.get(f"{base}/v1/config/{name}", timeout=10)
print(json.dumps({"sent": sent.status_code, "said": sent.json(), "config": config.json()}))
`;
const run = promisify(execFile);
const emit = async (broker, name, overall) =>
  JSON.parse((await run('/usr/bin/python3', ['-c', kOriginal, broker.http, name, overall])).stdout);

const env = { SIGNET_OVERLAY_EPOCH_SECONDS: '1', SIGNET_OVERLAY_ALLOW_UNSIGNED: '1' };

test('an original node is admitted by its score and given its key', async (t) => {
  const broker = await startBroker(t, { env });
  const first = await emit(broker, 'node-a', 0.92);
  assert.equal(first.sent, 200);
  assert.deepEqual(Object.keys(first.said), ['status', 'node_id', 'epoch_id']);
  assert.equal(first.said.status, 'received');
  const config = (name) => broker.request('GET', `/v1/config/${name}`);
  const allowed = await eventually('a decision', async () => {
    const found = (await config('node-a')).json();
    return found.allowed === true && found.psk_base64 && found;
  });
  assert.equal(allowed.reason, 'score 0.92 >= 0.70, fresh');
  assert.equal(Buffer.from(allowed.psk_base64, 'base64').length, 32);

  assert.equal((await emit(broker, 'node-b', 0.65)).sent, 200);
  const denied = await eventually('another decision', async () => {
    const found = (await config('node-b')).json();
    return found.allowed === false && found;
  });
  assert.equal(denied.reason, 'score 0.65 < threshold 0.70');
  assert.equal(denied.psk_base64, undefined);
  const nobody = await config('nobody');
  assert.equal(nobody.status, 200);
  assert.deepEqual([nobody.json().allowed, nobody.json().reason], [null, 'no membership decision']);

  const epoch = (await broker.request('GET', '/v1/epoch')).json();
  assert.match(epoch.secret_hash, /^sha256:[0-9a-f]{16}$/);
  assert.equal(epoch.nodes['node-a'].membership, 'ALLOWED');
  assert.equal(epoch.nodes['node-b'].membership, 'DENIED');
  assert.ok((await broker.request('GET', '/health')).json().epoch_id > 0);
  assert.notEqual(createHmac('sha256', 'x').update('node-a').digest('base64'), allowed.psk_base64);
});

test('what is no good submission changes nothing and says why', async (t) => {
  const broker = await startBroker(t, { env });
  const now = () => new Date().toISOString();
  const good = () => ({ node_id: 'n', timestamp: now(), suite_version: 'p', scores: { overall: 0.9 } });
  const raw = (scores) => JSON.stringify({ ...good(), scores: 0 }).replace('"scores":0', `"scores":${scores}`);
  const rows = [
    ['no JSON', '{', 422],
    ['a list', '[]', 422],
    ['no scores', JSON.stringify({ ...good(), scores: undefined }), 422],
    ['NaN', raw('{"overall":NaN}'), 400],
    ['an infinity', raw('{"overall":-Infinity}'), 400],
    ['beyond a double', raw('{"overall":1e400}'), 400],
    ['over one', raw('{"overall":2.0}'), 400],
    ['below none', raw('{"overall":-0.01}'), 400],
    ['no overall', raw('{"honesty":0.9}'), 400],
    ['another node', JSON.stringify({ ...good(), node_id: 'm' }), 400],
    ['too old', JSON.stringify({ ...good(), timestamp: new Date(Date.now() - 130_000).toISOString() }), 400],
    ['ahead', JSON.stringify({ ...good(), timestamp: new Date(Date.now() + 40_000).toISOString() }), 400],
    ['twice the same', JSON.stringify({ ...good() }).replace('{', '{"node_id":"n",'), 422],
  ];
  for (const [what, body, status] of rows) {
    const answer = await broker.request('POST', '/v1/benchmarks/n', { body });
    assert.equal(answer.status, status, `${what}: ${answer.text}`);
    assert.equal(typeof answer.json().detail, 'string', what);
  }
  const named = await broker.request('POST', '/v1/benchmarks/a%0APostUp=x', { body: good() });
  assert.ok(named.status >= 400 && named.status < 500, `${named.status}`);
  assert.deepEqual((await broker.request('GET', '/v1/epoch')).json().nodes, {});
  for (let i = 0; i < 10; ++i) {
    assert.equal((await broker.request('POST', '/v1/benchmarks/n', { body: good() })).status, 200);
    await new Promise((done) => setTimeout(done, 2));
  }
  assert.equal((await broker.request('POST', '/v1/benchmarks/n', { body: good() })).status, 429);
});

test('to rotate is for operators', async (t) => {
  const broker = await startBroker(t, { env: { SIGNET_OVERLAY_EPOCH_SECONDS: '3600' } });
  const rotate = (headers) => broker.request('POST', '/v1/rotate', { headers });
  assert.equal((await rotate({})).status, 401);
  assert.equal((await rotate({ authorization: 'Bearer wrong' })).status, 403);
  const before = (await broker.request('GET', '/v1/epoch')).json().epoch_id;
  const answer = await rotate({ authorization: `Bearer ${broker.operator_token}` });
  assert.deepEqual([answer.status, answer.json().epoch_id > before], [200, true]);
});
