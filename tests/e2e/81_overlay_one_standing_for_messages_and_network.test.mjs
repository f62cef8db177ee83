// A node is the credential of a member: what its score does to it, it does to the member's sockets.
import assert from 'node:assert/strict';
import test from 'node:test';
import { eventually, sleep, startBroker } from './harness.mjs';
import { Node } from './overlay_node.mjs';

const env = { SIGNET_OVERLAY_EPOCH_SECONDS: '1' };

async function nodeOf(broker, name, overall) {
  const member = await broker.join(name);
  const node = new Node(broker, `node-${name}`, member);
  const registered = await node.register();
  assert.equal(registered.status, 200, registered.text);
  const sent = await node.submit(overall);
  assert.equal(sent.status, 200, sent.text);
  return node;
}
const allowed = (node) => eventually(`${node.name} is allowed`, async () => {
  const found = await node.config();
  return found.allowed === true && found.keys && found;
});

test('two nodes are given the keys of each other, and of nobody else', async (t) => {
  const broker = await startBroker(t, { env });
  const [ann, bob] = [await nodeOf(broker, 'ann', 0.92), await nodeOf(broker, 'bob', 0.8)];
  const config = await allowed(ann);
  await allowed(bob);
  assert.ok(config.keys.current > 0);
  const box = Buffer.from(config.keys.sealed[0].box, 'base64');
  assert.ok(box.length > 48 && !box.includes('PrivateKey') && !box.includes('Interface'));

  const twice = await ann.config();
  const again = await ann.config('', { authorization: twice.authorization });
  assert.deepEqual([again.status, again.code], [401, 'replayed']);
  const moved = await ann.config('', { target: '/v1/config/node-bob' });
  assert.deepEqual([moved.status, moved.code], [401, 'unproven']);
  const open = await broker.request('GET', '/v1/config/node-ann');
  assert.equal(open.json().keys, undefined, 'without a proof there are no keys');
  const stranger = new Node(broker, 'node-zoe', bob.member);
  assert.equal((await stranger.register()).json().code, 'key_taken');
  const outside = new Node(broker, 'node-ann', { ...bob.member });
  assert.equal((await outside.register()).json().code, 'name_taken');
});

test('keys change while both follow, and at most two epochs are offered', async (t) => {
  const broker = await startBroker(t, { env });
  const nodes = [await nodeOf(broker, 'ann', 0.92), await nodeOf(broker, 'bob', 0.8)];
  const first = (await allowed(nodes[0])).keys.current;
  await allowed(nodes[1]);
  await eventually('a change', async () => {
    await sleep(200); // an agent asks a few times a second at most
    let offered;
    for (const node of nodes) {
      offered = (await node.config()).keys;
      assert.ok(offered.sealed.length <= 2);
      const said = [`uses=${offered.current}`];
      if (offered.next) said.unshift(`ready=${offered.next}`);
      await node.config(said.join('&'));
    }
    return offered.current > first;
  }, 60_000);
});

test('who falls below the threshold loses its sockets and its peers, and comes back by a good score', async (t) => {
  const broker = await startBroker(t, { env });
  const [ann, bob] = [await nodeOf(broker, 'ann', 0.92), await nodeOf(broker, 'bob', 0.8)];
  await allowed(ann);
  await allowed(bob);
  const socket = await broker.connect(bob.member);
  const bystander = await broker.connect(ann.member);
  assert.equal((await bob.submit(0.3)).status, 200);
  const closed = await socket.closed;
  assert.equal(closed.code, 1008, JSON.stringify(closed));
  const denied = await bob.config();
  assert.deepEqual([denied.allowed, denied.reason, denied.keys],
                   [false, 'score 0.30 < threshold 0.70', undefined]);
  assert.equal((await bystander.roundTrip()).length, 1, 'others stay');
  assert.equal((await bob.submit(0.9)).status, 200);
  await allowed(bob);
  await broker.connect(bob.member);
});

test('who is revoked leaves the overlay at once, also over kill -9', async (t) => {
  const broker = await startBroker(t, { env: { SIGNET_OVERLAY_EPOCH_SECONDS: '2' } });
  const [ann, bob] = [await nodeOf(broker, 'ann', 0.92), await nodeOf(broker, 'bob', 0.8)];
  await allowed(ann);
  await allowed(bob);
  const before = await bob.submit(0.9);
  assert.equal(before.status, 200);
  await broker.setStanding(bob.member, 'revoked');
  await eventually('it is out', async () => (await bob.config()).allowed === false, 2_000);
  const late = await bob.submit(0.99);
  assert.deepEqual([late.status, late.json().code], [400, 'revoked']);
  await broker.restartAfterKill();
  assert.equal((await bob.config()).allowed, false);
  const kept = await ann.config();
  assert.equal(kept.allowed, true);
  const replay = ann.submission(0.9, { sequence: 1 });
  assert.equal((await ann.post(replay)).json().code, 'replayed', 'its sequence is on disk');
});
