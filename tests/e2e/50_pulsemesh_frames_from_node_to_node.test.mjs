// /ws/node/: who proves an id is that node, and a frame goes to the node it names as it was sent.
import assert from 'node:assert/strict';
import test from 'node:test';
import { connect, connectNode, get, handshake, history, kSecret, knock, nodePath, refusal,
         refusalOf, secretOf, startPulseBroker } from './pulse_client.mjs';
import { sleep } from './harness.mjs';

test('a frame is forwarded unchanged, and nothing of it is kept', async (t) => {
  const broker = await startPulseBroker(t);
  const [mirror, core, sage] = [await connectNode(broker, 'mirror'), await connectNode(broker, 'core'),
                                await connectNode(broker, 'sage')];
  const kFrames = [
    '{"target":"core","n":1}', '{ "b" : 1.0, "target":"core", "a": "\\u00e9 é 😀" }',
    '{"_mesh_topic":"mine","_mesh_timestamp":7,"target":"core"}', '{"target":"c\\u006fre","big":12345678901234567890}',
  ];
  for (const frame of kFrames) {
    mirror.say(frame);
    await core.next(() => true);
    assert.equal(core.raw.at(-1), frame);
  }
  core.say({ target: 'mirror', back: true });
  assert.deepEqual(await mirror.next(() => true), { target: 'mirror', back: true });
  mirror.say({ target: 'mirror', to: 'itself' });
  assert.equal((await mirror.next(() => true)).to, 'itself');
  await sleep(200);
  assert.deepEqual([mirror.inbox, core.inbox, sage.inbox], [[], [], []]);
  assert.deepEqual((await history(broker)).messages, []);
  assert.deepEqual((await get(broker, '/api/mesh/topics')).topics, []);
});

test('an absent target is answered, and the connection goes on', async (t) => {
  const broker = await startPulseBroker(t);
  const mirror = await connectNode(broker, 'mirror');
  for (const frame of [{ target: 'core' }, { target: '' }, { n: 1 }, { target: 7 }, { target: null }, { target: 'x y' }]) {
    const { code } = await mirror.ask(frame, 'error');
    assert.equal(code, 'target_not_connected', JSON.stringify(frame));
  }
  const core = await connectNode(broker, 'core');
  mirror.say({ target: 'core', n: 1 });
  assert.equal((await core.next(() => true)).n, 1);
  await core.leave();
  assert.equal((await mirror.ask({ target: 'core', n: 2 }, 'error')).code, 'target_not_connected');
  const secret = await secretOf(broker, 'core');
  const topic = await connect(broker, 'core.reply', 'core', { secret }); // a topic is no node
  assert.equal((await mirror.ask({ target: 'core', n: 3 }, 'error')).code, 'target_not_connected');
  assert.deepEqual(topic.inbox, []);
});

test('the id of the path is the source that is proven', async (t) => {
  const broker = await startPulseBroker(t);
  const secret = await secretOf(broker, 'core');
  for (const [source, how] of [['mirror', {}], ['core', { secret }]]) {
    assert.deepEqual(await refusalOf(broker, handshake(source, how), nodePath('sage')), [4004, 'wrong_node']);
  }
  assert.deepEqual(await refusalOf(broker, handshake('core', { secret: kSecret }), nodePath('core')),
                   [4003, 'bad_signature']);
  await connectNode(broker, 'core');
});

test('a newer proof takes over, on any shard, and the old one is told 4006', async (t) => {
  const broker = await startPulseBroker(t);
  const sender = await connectNode(broker, 'sender');
  let current = await connectNode(broker, 'mirror');
  for (let n = 0; n < 12; ++n) {
    const next = await connectNode(broker, 'mirror');
    assert.deepEqual(await refusal(current), [4006, 'replaced']);
    sender.say({ target: 'mirror', n });
    assert.equal((await next.next(() => true)).n, n);
    current = next;
  }
  const stranger = await knock(broker, nodePath('mirror')); // no proof, no takeover
  stranger.say(handshake('mirror', { secret: 'guessed, as anybody may' }));
  assert.deepEqual(await refusal(stranger), [4003, 'bad_signature']);
  sender.say({ target: 'mirror', n: 'last' });
  assert.equal((await current.next(() => true)).n, 'last');
});

test('of fifty that prove one id at once one is left, and it is reached', async (t) => {
  const broker = await startPulseBroker(t);
  const sender = await connectNode(broker, 'sender');
  const peers = await Promise.all(Array.from({ length: 50 }, () => knock(broker, nodePath('mirror'))));
  const secret = await secretOf(broker, 'mirror');
  for (const peer of peers) peer.say(handshake('mirror', { secret }));
  await Promise.all(peers.map((peer) => peer.next('handshake_ok')));
  let left = peers;
  for (let tries = 0; tries < 200 && left.length !== 1; ++tries, await sleep(20)) {
    left = peers.filter((peer) => !peer.isClosed);
  }
  assert.equal(left.length, 1);
  for (const peer of peers.filter((each) => each !== left[0])) {
    assert.deepEqual(await refusal(peer), [4006, 'replaced']);
  }
  sender.say({ target: 'mirror', n: 1 });
  assert.equal((await left[0].next(() => true)).n, 1);
});
