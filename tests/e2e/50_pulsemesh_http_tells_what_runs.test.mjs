// The pages of v1: status, topics and schema.
import assert from 'node:assert/strict';
import test from 'node:test';
import { addSource, asOperator, asSource, connect, get, kSecret, startPulseBroker } from './pulse_client.mjs';
import { eventually } from './harness.mjs';

test('GET / says how it is to who asks for JSON; a browser gets a page', async (t) => {
  const broker = await startPulseBroker(t);
  const kAll = ['service', 'version', 'status', 'active_topics', 'active_connections', 'message_count'];
  const accept = 'application/json';
  for (const headers of [{ accept, ...asOperator(broker) }, { accept, ...asSource('c', kSecret) }]) {
    assert.deepEqual(Object.keys(await get(broker, '/', headers)), kAll);
  }
  const open = await get(broker, '/', { accept });
  assert.deepEqual(Object.keys(open).slice(0, 3), kAll.slice(0, 3));
  assert.deepEqual([open.service, open.status], ['PulseMesh Relay', 'operational']);
  assert.equal(typeof open.version, 'string');
  const browser = await broker.request('GET', '/', {
    headers: { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' } });
  assert.equal(browser.status, 200);
  assert.match(browser.headers['content-type'], /^text\/html/);
});

test('counts are those of what is there', async (t) => {
  const broker = await startPulseBroker(t);
  const headers = { accept: 'application/json', ...asOperator(broker) };
  const counts = async () => {
    const { active_topics, active_connections, message_count } = await get(broker, '/', headers);
    return [active_topics, active_connections, message_count];
  };
  assert.deepEqual(await counts(), [0, 0, 0]);
  const peers = [await connect(broker, 'mirror.intent', 'a'), await connect(broker, 'mirror.intent', 'b'),
                 await connect(broker, 'core.reply', 'c')];
  for (const peer of peers) peer.say({ n: 1 });
  await eventually('all are counted', async () => String(await counts()) === '2,3,3');
  const { topics } = await get(broker, '/api/mesh/topics');
  assert.deepEqual(topics.sort((a, b) => a.name < b.name ? -1 : 1), [
    { name: 'core.reply', subscribers: 1, active: true },
    { name: 'mirror.intent', subscribers: 2, active: true }]);
  await peers[0].leave();
  await peers[2].leave();
  await eventually('who left is not', async () => String(await counts()) === '1,1,3');
  assert.deepEqual((await get(broker, '/api/mesh/topics')).topics.map(({ subscribers }) => subscribers), [1]);
});

test('the schema is JSON and describes a handshake and a pulse', async (t) => {
  const broker = await startPulseBroker(t);
  const schema = await get(broker, '/api/mesh/schema');
  const text = JSON.stringify(schema);
  for (const word of ['source', 'target', 'topic', 'intent', 'payload', 'coherence', 'timestamp', 'metadata']) {
    assert.ok(text.includes(`"${word}"`), word);
  }
});

test('a source of its own, or one with the shared secret, may ask from this machine', async (t) => {
  const broker = await startPulseBroker(t);
  const own = await addSource(broker, 'mirror');
  for (const path of ['/api/mesh/topics', '/api/mesh/history', '/api/mesh/schema']) {
    await get(broker, path, asSource('mirror', own.secret));
    await get(broker, path, asSource('anybody', kSecret));
    for (const headers of [asSource('mirror', kSecret), asSource('anybody', own.secret)]) {
      const { status } = await broker.request('GET', path, { headers });
      assert.ok([401, 403].includes(status), `${path}: ${status}`);
    }
  }
});
