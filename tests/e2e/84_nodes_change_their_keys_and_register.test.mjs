// How a node comes in, how it gets other keys, and what of both can't be said twice.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { eventually, makeInvite, newKeys, startBroker, temporaryFolder } from './harness.mjs';
import { Node, wireguardKey } from './overlay_node.mjs';
import { startTlsBroker } from './tls_broker.mjs';
import { issued, selfSigned } from './tls_proxy.mjs';

const env = { SIGNET_OVERLAY_EPOCH_SECONDS: '1' };
const outcome = ({ status, json }) => [status, json().code];

async function allowedNode(broker, name) {
  const node = new Node(broker, `node-${name}`, await broker.join(name));
  assert.equal((await node.register()).status, 200);
  assert.equal((await node.submit(0.9)).status, 200);
  await eventually(`${name} is allowed`, async () => (await node.config()).allowed === true);
  return node;
}

test('of a name that nobody has nothing is decided', async (t) => {
  const broker = await startBroker(t, { env });
  const ann = new Node(broker, 'node-ann', await broker.join('ann'));
  const { status, allowed, reason } = await ann.config('ready=1&uses=1');
  assert.deepEqual([status, allowed, reason], [200, null, 'no membership decision']);
  assert.equal((await ann.register()).status, 200);
  const other = new Node(broker, 'node-ann', await broker.join('bob'));
  assert.equal((await other.config()).status, 401, 'of a node, by its key alone');
});

test('a node gets another key for WireGuard, and stays what it is', async (t) => {
  const broker = await startBroker(t, { env });
  const [ann, bob] = [await allowedNode(broker, 'ann'), await allowedNode(broker, 'bob')];
  const address = (await ann.register()).json().address;
  const asked = ann.rekeying({ wireguard: wireguardKey() });
  const done = await ann.postKey(asked);
  assert.deepEqual([done.status, done.json().status, done.json().address], [200, 'rekeyed', address]);
  assert.deepEqual(outcome(await ann.postKey(asked)), [401, 'replayed']);
  const config = await ann.config();
  assert.deepEqual([config.allowed, config.keys], [true, undefined], 'nothing is sealed to the old fresh key');
  assert.equal((await ann.submit(0.9)).status, 200);
  await eventually('its keys again', async () => (await ann.config()).keys);

  const taken = ann.rekeying({ wireguard: bob.wireguard });
  assert.deepEqual(outcome(await ann.postKey(taken)), [409, 'key_taken']);
  const forged = ann.rekeying({ wireguard: wireguardKey() }, bob.member);
  assert.deepEqual(outcome(await ann.postKey(forged)), [401, 'unproven']);
  await broker.restartAfterKill();
  assert.deepEqual(outcome(await ann.postKey(asked)), [401, 'replayed'], 'its time is on disk');
});

test('a node gets another key that signs, and the old one is over', async (t) => {
  const broker = await startBroker(t, { env });
  const ann = await allowedNode(broker, 'ann');
  const socket = await broker.connect(ann.member);
  const [old, next] = [ann.member, newKeys()];
  const alone = ann.rekeying({ wireguard: ann.wireguard, key: next });
  delete alone.key_signature;
  assert.equal((await ann.postKey(alone)).status, 422, 'the new key has to agree');
  const asked = ann.rekeying({ wireguard: ann.wireguard, key: next });
  assert.equal((await ann.postKey(asked)).status, 200);
  assert.equal((await socket.closed).code, 1008, 'who has the old key is no member any more');
  const late = await ann.submit(0.9);
  assert.deepEqual(outcome(late), [400, 'bad_signature']);
  assert.deepEqual(outcome(await ann.register()), [403, 'revoked']);
  ann.member = { ...old, ...next };
  assert.equal((await ann.submit(0.9)).status, 200);
  await eventually('it is allowed as before', async () => {
    const config = await ann.config();
    return config.allowed === true && config.keys;
  });
});

test('an invite lets a node in with one request, and a use is counted', async (t) => {
  const broker = await startBroker(t, { env });
  const link = makeInvite(broker.ownerKeys(), { mesh_id: broker.mesh.id });
  const added = await broker.operator('POST', '/invites', { invite_token: link.invite_token, max_uses: 1 });
  assert.equal(added.status, 200, added.text);
  const zoe = new Node(broker, 'node-zoe', newKeys());
  assert.deepEqual(outcome(await zoe.register()), [403, 'not_invited']);
  const entered = await zoe.register({ invite: link.invite_token });
  assert.equal(entered.status, 200, entered.text);
  assert.equal((await zoe.submit(0.9)).status, 200);
  await eventually('it is allowed', async () => (await zoe.config()).allowed === true);
  const again = await broker.postJoin({ ...link, peer_pubkey: zoe.member.pubkey, display_name: 'zoe' });
  assert.equal(again.json().alreadyMember, true, 'it is a member like any other');
  const peer = await broker.connect({ ...zoe.member, memberId: again.json().memberId, meshId: broker.mesh.id });
  peer.socket.close();
  const yan = new Node(broker, 'node-yan', newKeys());
  assert.deepEqual(outcome(await yan.register({ invite: link.invite_token })), [403, 'not_invited']);
  assert.deepEqual(outcome(await yan.register({ invite: 'nothing' })), [403, 'not_invited']);
});

test('a mesh that lists its nodes takes these alone', async (t) => {
  const keys = newKeys();
  const broker = await startBroker(t, { env, set: { 'overlay.register': 'listed',
                                                    'overlay.listed': `node-zoe=${keys.pubkey}` } });
  const member = new Node(broker, 'node-ann', await broker.join('ann'));
  assert.deepEqual(outcome(await member.register()), [403, 'not_invited']);
  const squatter = new Node(broker, 'node-zoe', newKeys());
  assert.deepEqual(outcome(await squatter.register()), [403, 'not_invited']);
  const zoe = new Node(broker, 'node-zoe', keys);
  assert.equal((await zoe.register()).status, 200);
});

test('a certificate of the named authority lets in the node that it names', async (t) => {
  const folder = temporaryFolder();
  const authority = selfSigned(folder, 'clients');
  const shown = issued(folder, 'node-zoe', authority, 'email:zoe@example.org');
  const { broker } = await startTlsBroker(t, {
    env, set: { 'tls.client_ca': authority.cert, 'tls.client_certificates': 'optional',
                'overlay.register': 'certificate' },
  });
  const tls = { cert: readFileSync(shown.cert), key: readFileSync(shown.key) };
  const plain = broker.request;
  const zoe = new Node(broker, 'node-zoe', newKeys());
  const other = new Node(broker, 'node-yan', newKeys());
  assert.deepEqual(outcome(await zoe.register()), [403, 'not_invited'], 'without one');
  broker.request = (method, path, asked = {}) => plain(method, path, { ...asked, tls });
  assert.deepEqual(outcome(await other.register()), [403, 'not_invited'], 'it is of another name');
  const entered = await zoe.register();
  assert.equal(entered.status, 200, entered.text);
});

test('registrations of one address are few a minute', async (t) => {
  const broker = await startBroker(t, { env, set: { 'overlay.registrations_per_minute': '3' } });
  const ann = new Node(broker, 'node-ann', await broker.join('ann'));
  for (let i = 0; i < 3; ++i) assert.equal((await ann.register()).status, 200);
  assert.deepEqual(outcome(await ann.register()), [429, 'rate_limited']);
  assert.equal((await ann.submit(0.9)).status, 200, 'reports are counted on their own');
});
