// Somebody tries keys, and replays a captured hello: the log says so, the metrics page does, and a
// webhook is told by signed calls, in order, each tried again until it is taken.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import test from 'node:test';
import { eventually, hello, startBroker } from './harness.mjs';

const kSecret = 'the secret of this receiver';

// Answers the nth call with the nth of `statuses` (0: never), and 204 from then on.
async function startReceiver(t, statuses = []) {
  const calls = [];
  const server = http.createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    calls.push({ ...request, method: request.method, path: request.url, headers: request.headers, body });
    const status = statuses[calls.length - 1] ?? 204;
    if (status !== 0) response.writeHead(status).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => { server.closeAllConnections(); server.close(); });
  return { calls, url: `http://127.0.0.1:${server.address().port}/hook` };
}

function startAlarmed(t, receiver, set = {}) {
  return startBroker(t, {
    set: { 'alerts.every': '100ms', 'alerts.failed_proofs': 3, 'alerts.replays': 1,
           'alerts.disk_free': 0, 'alerts.webhook': receiver.url, ...set },
    env: { SIGNET_ALERTS_WEBHOOK_SECRET: kSecret } });
}

async function refusal(broker, said) {
  const peer = await broker.open();
  peer.say(said);
  return (await peer.next('error')).code;
}

function checkSignature({ headers, body }) {
  const [, time, mac] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(headers['signet-signature']);
  assert.ok(Math.abs(Date.now() / 1000 - Number(time)) < 60, `signed at ${time}`);
  assert.equal(mac, createHmac('sha256', kSecret).update(`${time}.${body}`).digest('hex'));
}

test('tried keys and a replay are told to a receiver that fails at first', async (t) => {
  const receiver = await startReceiver(t, [500, 500, 0]);
  const broker = await startAlarmed(t, receiver, { 'alerts.webhook_timeout': '300ms' });
  const active = (alert) => broker.metric(`signet_alert_active{alert="${alert}"}`);
  const member = await broker.join('member');
  assert.equal(await active('failed_proofs'), 0);
  for (let i = 0; i < 3; ++i) {
    const said = hello(member, {}, { signature: '00'.repeat(64) });
    assert.equal(await refusal(broker, said), 'bad_signature');
  }
  const began = await broker.logged('alert.began');
  assert.deepEqual([began.level, began.alert, began.value, began.threshold],
                   ['warn', 'failed_proofs', 3, 3]);
  assert.deepEqual([await active('failed_proofs'), await active('replays')], [1, 0]);

  const line = broker.log.length;
  const captured = hello(member);
  const peer = await broker.open();
  peer.say(captured);
  await peer.next('hello_ack');
  assert.equal(await refusal(broker, captured), 'replayed');
  const second = await broker.logged('alert.began', line);
  assert.equal(second.alert, 'replays');

  await eventually('both were taken', () => receiver.calls.length >= 5);
  const ids = receiver.calls.map(({ headers }) => headers['signet-delivery']);
  assert.deepEqual(ids, [began.id, began.id, began.id, began.id, second.id]);
  for (const call of receiver.calls) {
    checkSignature(call);
    const body = JSON.parse(call.body);
    const { since, at, server, ...rest } = body;
    const first = body.id === began.id;
    assert.deepEqual(rest, { alert: first ? 'failed_proofs' : 'replays', state: 'began',
                             value: first ? 3 : 1, threshold: first ? 3 : 1, id: body.id });
    assert.equal(since, at);
    assert.ok(Math.abs(Date.now() - Date.parse(at)) < 60_000, at);
    assert.ok(server.endsWith(`:${new URL(broker.http).port}`), server);
    assert.deepEqual([call.method, call.path, call.headers['content-type']],
                     ['POST', '/hook', 'application/json']);
  }
  await eventually('it counted them', async () =>
    await broker.metric('signet_webhook_delivered_total') === 2);
  assert.equal(await broker.metric('signet_webhook_failed_total'), 0);
  assert.ok(!broker.log.join('\n').includes(kSecret), 'the log holds the secret');
});

test('a receiver that hangs holds up neither the alerts nor the end', async (t) => {
  const receiver = await startReceiver(t, [0]);
  const broker = await startAlarmed(t, receiver, { 'alerts.webhook_timeout': '60s' });
  for (let i = 0; i < 3; ++i) await broker.request('GET', '/api/signet/v1/meshes');
  await broker.logged('alert.began');
  await eventually('the call is under way', () => receiver.calls.length === 1);
  const before = Date.now();
  assert.equal((await broker.stop()).code, 0);
  assert.ok(Date.now() - before < 4_000, `the end took ${Date.now() - before} ms`);
});
