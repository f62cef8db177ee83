// pulsemesh.secret holds in every mesh that a binding of PulseMesh names, by host or by path, and in
// no other one; over HTTP a mesh is found by its host, or by a path of its own.
import assert from 'node:assert/strict';
import test from 'node:test';
import { asSource, connect, handshake, knock, kSecret, topicPath } from './pulse_client.mjs';
import { runBoundBroker } from './bound_broker.mjs';

const kMeshes = ['lab', 'plant', 'hall'];
const form = 'hmac';
const asAnybody = asSource('anybody', kSecret);

test('bound by path, by host, and not at all', async (t) => {
  const kRows = ['pulsemesh/ws/mesh/public.lab.=lab', 'pulsemesh@plant.example=plant'];
  const broker = await runBoundBroker(t, kRows, kMeshes);
  await connect(broker, 'public.lab.a', 'c', { form });
  const plant = await knock(broker, topicPath('public.a'), { headers: { host: 'plant.example' } });
  await plant.ask(handshake('c', { form }), 'handshake_ok');
  const history = (host) => broker.request('GET', '/api/mesh/history', { headers: { host, ...asAnybody } });
  assert.equal((await history('plant.example')).status, 200);
  assert.equal((await history('127.0.0.1')).status, 404, 'lab has no row for this path');
});

test('a row for the path of HTTP shows a mesh that is bound by path', async (t) => {
  const kRows = ['pulsemesh/ws/mesh/public.lab.=lab', 'pulsemesh/api/mesh/=lab'];
  const broker = await runBoundBroker(t, kRows, kMeshes);
  const peer = await connect(broker, 'public.lab.a', 'c', { form });
  const { topics } = (await broker.request('GET', '/api/mesh/topics', { headers: asAnybody })).json();
  assert.deepEqual(topics.map(({ name }) => name), ['public.lab.a']);
  await peer.leave();
});

test('a mesh that no row of PulseMesh reaches has no such secret', async (t) => {
  const broker = await runBoundBroker(t, ['pulsemesh=lab', 'simpatico=hall', '*=plant'], kMeshes);
  const sources = async (slug) => (await broker.operator('GET', `/meshes/${slug}/sources`)).json().sources.length;
  assert.deepEqual(await Promise.all(kMeshes.map(sources)), [1, 0, 0]);
});
