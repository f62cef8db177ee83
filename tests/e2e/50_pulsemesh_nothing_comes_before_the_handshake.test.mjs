// Before handshake_ok nothing is delivered and nothing accepted, whoever hurries.
import assert from 'node:assert/strict';
import test from 'node:test';
import { connect, connectNode, handshake, history, knock, nodePath, nothingMore, refusal,
         startPulseBroker, topicPath } from './pulse_client.mjs';
import { eventually, request, sleep } from './harness.mjs';

const kTopic = 'mirror.intent';

test('who has not proven itself hears nothing and is not heard', async (t) => {
  const broker = await startPulseBroker(t);
  const [publisher, listener] = [await connect(broker, kTopic, 'p'), await connect(broker, kTopic, 'l')];
  const silent = await knock(broker, topicPath(kTopic));
  const node = await knock(broker, nodePath('victim'));
  publisher.say({ n: 1 });
  assert.equal((await listener.pulses(1))[0].n, 1);
  const sender = await connectNode(broker, 'sender');
  const answer = await sender.ask({ target: 'victim', n: 1 }, 'error');
  assert.equal(answer.code, 'target_not_connected', 'an unproven node is not there');
  silent.say({ source: 'p', topic: kTopic, payload: 'let me in' });
  assert.deepEqual(await refusal(silent), [4001, 'missing_proof']);
  assert.deepEqual(node.inbox, []);
  await nothingMore(publisher, [listener]);
  assert.equal((await history(broker)).messages.length, 2, 'the first pulse and the fence');
});

test('what is sent right behind a good handshake counts once; behind a bad one never', async (t) => {
  const broker = await startPulseBroker(t);
  const listener = await connect(broker, kTopic, 'l');
  for (let i = 0; i < 20; ++i) {
    const hasty = await knock(broker, topicPath(kTopic));
    hasty.say(handshake('hasty'));
    hasty.say({ i, n: 1 });
    hasty.say({ i, n: 2 });
    assert.deepEqual((await listener.pulses(2)).map((pulse) => [pulse.i, pulse.n]), [[i, 1], [i, 2]]);
    assert.equal((await hasty.next(() => true)).type, 'handshake_ok');

    const liar = await knock(broker, topicPath(kTopic));
    liar.say(handshake('liar', { secret: 'guessed, as anybody may' }));
    for (let n = 0; n < 5; ++n) liar.say({ lie: true });
    assert.deepEqual(await refusal(liar), [4003, 'bad_signature']);
  }
  await nothingMore(await connect(broker, kTopic, 'fence'), [listener]);
});

test('the first frame to a newcomer is its handshake_ok, however much is going on', async (t) => {
  const broker = await startPulseBroker(t);
  const publisher = await connect(broker, kTopic, 'p');
  let isOver = false;
  const flooding = (async () => {
    for (let n = 0; !isOver; ++n) { publisher.say({ n }); await sleep(1); }
  })();
  for (let i = 0; i < 30; ++i) {
    const peer = await knock(broker, topicPath(kTopic));
    peer.say(handshake('newcomer'));
    await eventually('it hears something', () => peer.raw.length > 0);
    assert.equal(JSON.parse(peer.raw[0]).type, 'handshake_ok');
    const [first] = await peer.pulses(1);
    const numbers = (await peer.pulses(3)).map(({ n }) => n);
    assert.deepEqual(numbers, [1, 2, 3].map((more) => first.n + more), 'and then nothing is left out');
    await peer.leave();
  }
  isOver = true;
  await flooding;
});

const upgrade = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13',
                  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' };
test('a path is one segment that is a topic, percent-decoded once', async (t) => {
  const broker = await startPulseBroker(t);
  const kBad = ['/ws/mesh', '/ws/mesh/', '/ws/mesh/a/b', '/ws/mesh/a..b', '/ws/mesh/.a', '/ws/mesh/a.',
                '/ws/mesh/*', '/ws/mesh/a.%3E', '/ws/mesh/a%00', '/ws/mesh/a%20b', '/ws/mesh/%C3%A9',
                '/ws/mesh/%2561', '/ws/mesh/%zz', `/ws/mesh/${'x'.repeat(129)}`,
                `/ws/mesh/${Array(17).fill('a').join('.')}`, '/ws/node/', '/ws/node/a/b', '/ws/node/a%20b'];
  for (const path of kBad) {
    const { status } = await request(broker.http, 'GET', path, { headers: upgrade });
    assert.ok(status >= 400 && status < 500, `${path}: ${status}`);
  }
  const listener = await connect(broker, 'a.b', 'l');
  const peer = await knock(broker, '/ws/mesh/%61%2Eb');
  await peer.ask(handshake('p'), 'handshake_ok');
  peer.say({ n: 1 });
  assert.equal((await listener.pulses(1))[0]._mesh_topic, 'a.b');
});
