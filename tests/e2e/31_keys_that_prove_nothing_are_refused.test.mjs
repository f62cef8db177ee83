// Keys that anybody could sign for: published samples, points of small order, points with a twin.
// None of them becomes a member of a mesh that is run, and none says a hello.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { hello, hex, makeInvite, newKeys, sodium, startBroker, temporaryFolder } from './harness.mjs';

const kToken = 'operator-token-of-this-test-0123456789';
const filled = (byte) => new Uint8Array(32).fill(byte);
const counted = (first, step) => Uint8Array.from({ length: 32 }, (_, i) => (first + step * i) & 255);

// The seeds that documents and test suites print: the format's own, RFC 8032's, repeated bytes.
const kSeeds = [
  counted(0, 1), counted(255, -1), counted(1, 1),
  ...[0, 1, 2, 3, 4, 5, 7, 0x11, 0x22, 0x2a, 0x30, 0x41, 0x42, 0x55, 0x61, 0xaa, 0xff].map(filled),
  ...['9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
      '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
      'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
      'f5e5767cf153319517630f226876b86c8160cc583bc013744c6bf255f5cc0ee5',
      '833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42'].map(sodium.from_hex)];

// Small order, in all their spellings: under these R = S = 0 or R = identity can verify.
const kSmallOrder = [
  '00'.repeat(32), '01' + '00'.repeat(31), 'ec' + 'ff'.repeat(30) + '7f',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  '00'.repeat(31) + '80', '01' + '00'.repeat(30) + '80', 'ec' + 'ff'.repeat(31),
  'ed' + 'ff'.repeat(30) + '7f', 'ee' + 'ff'.repeat(30) + '7f'];

// The key of seed 00..1f plus each point of small order that is none of the identity.
const kMixedOrder = [
  'ea5ef8400c31ef41e28f22e718b43f66981b29cf645af2a0e223799bedaace47',
  '62d5a653bcdb4ced227281ab7f0f2d1eebed4fb114b1aead9758cf56aeebd493',
  '8b2a59ac4324b312dd8d7e5480f0d2e11412b04eeb4e515268a730a951142b6c',
  'b154bd62188ae283dd187fefe8c31f5e276edf083b4cff11c9d5cff856c74440',
  '38fd00c26d1ce27e6f4b55b15fbebffae98052f763b21625375d037af012b0a7',
  'b502ff3d92e31d8190b4aa4ea0414005167fad089c4de9dac8a2fc850fed4f58',
  '3cab429de7751d7c22e78010173ce0a1d89120f7c4b300ee362a3007a938bbbf'];

async function runMesh(t) {
  const folder = temporaryFolder();
  const file = join(folder, 'signet.toml');
  const owner = newKeys();
  writeFileSync(file, `[server]\nlisten = ["127.0.0.1:0"]\n[limits]\n` +
    'requests_per_second_address = 0\nhellos_per_second_address = 0\n' +
    `[[mesh]]\nslug = "team"\nid = "mesh-team"\nowner = "${owner.pubkey}"\n`);
  const broker = await startBroker(t, { command: ['run', '--config', file], data: join(folder, 'data'),
                                        env: { SIGNET_ADMIN_TOKEN: kToken } });
  broker.operator_token = kToken;
  const invite = makeInvite(owner, { mesh_id: 'mesh-team', mesh_slug: 'team' });
  const body = { invite_token: invite.invite_token, max_uses: 100 };
  assert.equal((await broker.operator('POST', '/invites', body)).status, 200);
  broker.joinWith = async (pubkey) => (await broker.postJoin(
    { ...invite, peer_pubkey: pubkey, display_name: 'x' })).json();
  return broker;
}

test('no sample, small or mixed key is enrolled', async (t) => {
  const broker = await runMesh(t);
  const samples = kSeeds.map((seed) => hex(sodium.crypto_sign_seed_keypair(seed).publicKey));
  for (const pubkey of [...samples, ...kSmallOrder, ...kMixedOrder]) {
    assert.equal((await broker.joinWith(pubkey)).error, 'bad_key', pubkey);
    assert.equal((await broker.joinWith(pubkey.toUpperCase())).error, 'bad_key', pubkey);
  }
  const { members } = (await broker.operator('GET', '/meshes/team/members')).json();
  assert.deepEqual(members, []);
  assert.equal((await broker.joinWith(newKeys().pubkey)).ok, true, 'the invite itself is good');
});

test('no hello of such a key gets in', async (t) => {
  const broker = await runMesh(t);
  const seed = sodium.crypto_sign_seed_keypair(kSeeds[0]);
  const member = { meshId: 'mesh-team', memberId: 'm', secretKey: seed.privateKey };
  const forged = [...kSmallOrder.slice(0, 7), hex(seed.publicKey)].map((r) => r + '00'.repeat(32));
  for (const pubkey of [...kSmallOrder, ...kMixedOrder]) {
    for (const signature of forged) {
      const peer = await broker.open();
      peer.say(hello({ ...member, pubkey }, {}, { signature }));
      assert.equal((await peer.closed).reason, 'bad_signature', pubkey);
    }
    const peer = await broker.open(); // one in eight verifies, and names nobody
    peer.say(hello({ ...member, pubkey }));
    assert.match((await peer.closed).reason, /^(bad_signature|unauthorized)$/);
  }
  assert.equal(await broker.metric('broker_connections_total'), 0);
});
