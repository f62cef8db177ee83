// The last thousand pulses over HTTP: as many as asked for, and only what the caller may read.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { addSource, asOperator, asSource, connect, get, history, kSecret, startPulseBroker }
  from './pulse_client.mjs';
import { eventually, temporaryFolder } from './harness.mjs';

const upTo = (from, to) => Array.from({ length: to - from }, (_, i) => from + i);

test('a thousand are kept, of all topics together, the oldest go first', async (t) => {
  const broker = await startPulseBroker(t);
  const peers = [await connect(broker, 'mirror.intent', 'a'), await connect(broker, 'free.topic', 'b')];
  const count = async () => (await get(broker, '/')).message_count;
  for (let n = 0; n < 1_050; ++n) { // of two connections, so wait where the order counts
    peers[n % 2].say({ n });
    if (n % 50 === 49 || n === 1_048) await eventually('they are in', async () => await count() >= n + 1);
  }
  const numbers = async (query) => (await history(broker, query)).messages.map(({ n }) => n).sort((a, b) => a - b);
  const all = await history(broker, '?limit=1000');
  assert.equal(all.messages.length, 1_000);
  assert.ok(all.total >= 1_000, `${all.total}`);
  assert.deepEqual(await numbers('?limit=1000'), upTo(50, 1_050));
  assert.deepEqual(await numbers(''), upTo(950, 1_050), 'a hundred when nothing is said');
  assert.deepEqual(await numbers('?limit=100'), upTo(950, 1_050));
  assert.deepEqual(await numbers('?limit=1'), [1_049]);
  const [last] = (await history(broker, '?limit=1')).messages;
  assert.equal(last._mesh_topic, 'free.topic');
  const none = await history(broker, '?limit=0');
  assert.deepEqual([none.messages, none.total], [[], all.total]);
  const ofOne = all.messages.filter(({ n }) => n % 2 === 0).map(({ n }) => n);
  assert.deepEqual(ofOne, ofOne.slice().sort((a, b) => a - b), 'oldest first');
});

test('a bad limit is 422', async (t) => {
  const broker = await startPulseBroker(t);
  const kBad = ['abc', '-1', '1.5', '', '1e2', '0x10', ' 5', '5 ', '99999999999999999999', 'true', '%00', '+5'];
  for (const limit of kBad) {
    const answer = await broker.request('GET', `/api/mesh/history?limit=${encodeURIComponent(limit)}`,
                                        { headers: asOperator(broker) });
    assert.equal(answer.status, 422, `limit=${limit}`);
  }
});

const kPages = ['/api/mesh/history', '/api/mesh/topics', '/api/mesh/schema', '/api/mesh/history?limit=abc'];
test('without a credential 401, with a wrong one 403, and nothing is told', async (t) => {
  const broker = await startPulseBroker(t);
  const peer = await connect(broker, 'mirror.intent', 'a');
  peer.say({ canary: 'c4n4ry' });
  await eventually('it is there', async () => (await history(broker)).messages.length === 1);
  const kWrong = [
    [{}, 401, 'no_credential'], [{ authorization: 'Bearer wrong' }, 403, /^bad_(secret|token)$/],
    [{ authorization: 'Bearer ' }, 403, 'bad_secret'], [asSource('a', 'wrong'), 403, 'bad_secret'],
    [asSource('a', ''), 403, 'bad_secret'], [{ authorization: `Basic ${kSecret}` }, 403, 'bad_secret'],
    [{ authorization: 'Basic !!!' }, 403, 'bad_secret'], [{ authorization: kSecret }, 403, 'bad_secret'],
  ];
  for (const path of kPages) {
    for (const [headers, wanted, error] of kWrong) {
      const answer = await broker.request('GET', path, { headers });
      assert.equal(answer.status, wanted, `${path} ${JSON.stringify(headers)}`);
      assert.match(answer.json().error, new RegExp(error), `${path} ${JSON.stringify(headers)}`);
      assert.match(answer.headers['www-authenticate'] ?? 'none', wanted === 401 ? /^Basic .*Bearer/ : /^none$/);
      assert.ok(!answer.text.includes('c4n4ry'));
    }
    if (path.includes('?')) continue;
    for (const headers of [asSource('a', kSecret), asOperator(broker)]) {
      assert.equal((await broker.request('GET', path, { headers })).status, 200, path);
    }
  }
  assert.equal(await broker.metric('signet_operator_denied_total'), 0, 'none of it was the operators\' API');
  assert.equal(await broker.metric('signet_reads_refused_total{reason="no_credential"}'), kPages.length);
});

const kPolicy = `
[role.auditor]
tags = ["auditor"]
[[rule]]
id = "everybody-publishes"
allow = ["connect", "publish"]
[[rule]]
id = "auditors-read-mirror"
roles = ["auditor"]
allow = ["subscribe", "read_history"]
topics = ["mirror.>"]
`;
test('history, topics and counts show what the caller may read', async (t) => {
  const file = join(temporaryFolder(), 'policy.toml');
  writeFileSync(file, kPolicy);
  const broker = await startPulseBroker(t, { set: { 'policy.file': file } });
  const auditor = await addSource(broker, 'auditor', ['auditor']);
  const other = await addSource(broker, 'other');
  for (const topic of ['mirror.intent', 'mirror.deep.er', 'core.reply', 'mirror']) {
    const peer = await connect(broker, topic, 'other', { secret: other.secret });
    peer.say({ on: topic });
  }
  const messages = async (headers, query = '') =>
    (await history(broker, query, headers)).messages.map(({ on }) => on).sort();
  await eventually('all are in', async () => (await messages(asOperator(broker))).length === 4);
  const asAuditor = asSource('auditor', auditor.secret);
  assert.deepEqual(await messages(asAuditor), ['mirror.deep.er', 'mirror.intent']);
  assert.deepEqual(await messages(asAuditor, '?limit=1'), ['mirror.deep.er']);
  const { topics } = await get(broker, '/api/mesh/topics', asAuditor);
  assert.deepEqual(topics.map(({ name }) => name).sort(), ['mirror.deep.er', 'mirror.intent']);
  const denied = await broker.request('GET', '/api/mesh/history', { headers: asSource('other', other.secret) });
  assert.deepEqual([denied.status, denied.json().error], [403, 'denied'], denied.text);
  assert.ok(!denied.text.includes('mirror.intent'));
  const why = await broker.operator('GET', `/decisions/${denied.json().ref}`);
  assert.equal(why.json().action, 'read_history', why.text);
});
