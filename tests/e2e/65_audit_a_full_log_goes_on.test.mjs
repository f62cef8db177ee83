// Where the log has no room, traffic goes on without its entries, loudly; what changes the mesh is
// recorded, or is refused; and what members do as often as they like is refused.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { addSource } from './pulse_client.mjs';
import { entriesOf, linesOf } from './audit_reader.mjs';
import { smallDisk } from './disk.mjs';
import { eventually, startBroker, temporaryFolder } from './harness.mjs';

const kMostBytes = 1 << 20; // the least that audit.max_bytes takes
const kAtOnce = 100;

// Joins and leaves channels until the log holds `bytes`.
async function fillLog(broker, bytes) {
  let isFull = false;
  const member = async (name) => {
    const { peer } = await broker.joined(name);
    while (!isFull) {
      for (let i = 0; i < kAtOnce; ++i) {
        peer.say({ type: 'channel_join', name: 'busy' });
        peer.say({ type: 'channel_leave', name: 'busy' });
      }
      for (let i = 0; i < 2 * kAtOnce; ++i) {
        await peer.next((said) => ['channel_joined', 'channel_left', 'error'].includes(said.type));
      }
      isFull ||= await broker.metric('signet_audit_bytes') >= bytes;
    }
  };
  await Promise.all(['one', 'two', 'three', 'four'].map(member));
}

test('audit.max_bytes: admissions go on and are dropped from it, changes are not', async (t) => {
  const set = { 'audit.max_bytes': kMostBytes, 'limits.sends_per_second': 0, 'limits.channel_changes_per_minute': 0 };
  const broker = await startBroker(t, { set });
  const early = await broker.joined('early');
  await early.peer.ask({ type: 'channel_join', name: 'quiet' }, 'channel_joined');
  await fillLog(broker, kMostBytes);
  const from = (await linesOf(broker)).length;
  const { peer, member } = await broker.joined('late');
  assert.equal((await peer.mail(member, 'still')).type, 'ack');
  await eventually('it is counted', async () => await broker.metric('signet_audit_dropped_total') > 0);
  const { detail } = await broker.logged('audit.dropped');
  assert.ok(detail.length > 0);
  assert.equal((await peer.ask({ type: 'channel_join', name: 'busy' }, 'error')).code, 'unavailable');
  await early.peer.ask({ type: 'channel_leave', name: 'quiet' }, 'channel_left');
  await broker.setStanding(member, 'revoked');
  assert.equal((await peer.closed).code, 1008);
  const events = (await entriesOf(broker, from)).map(({ event }) => event);
  assert.deepEqual(events, ['member_added', 'channel_left', 'standing_changed']);
});

const policy = (topics) => `
[[rule]]
id = "all"
allow = ["connect", "send", "see_presence"]
[[rule]]
id = "topics"
allow = ["publish", "subscribe"]
topics = ["${topics}"]
`;

test('a full disk: no policy is taken that is not recorded, and none is made; the rest goes on', async (t) => {
  const disk = smallDisk(t, 64 << 20);
  if (!disk) return;
  const file = join(temporaryFolder(), 'policy.toml');
  writeFileSync(file, policy('before.>'));
  const broker = await startBroker(t, {
    data: join(disk.path, 'data'), set: { 'policy.file': file, 'store.reserve_bytes': 4 << 20 } });
  const { peer, member } = await broker.joined('ada');
  const reload = async (event, topics) => {
    const from = broker.log.length;
    writeFileSync(file, policy(topics));
    broker.process.kill('SIGHUP');
    return broker.logged(event, from);
  };
  const held = async () => (await broker.operator('GET', `/meshes/${broker.mesh.slug}/policy`)).text;
  assert.ok((await held()).includes('before.>'));

  const free = disk.crowd(0);
  await eventually('the disk is full', async () =>
    (await peer.mail(member, 'x'.repeat(10_000))).code === 'store_full');
  const { detail } = await reload('policy.kept_last_good', 'after.>');
  assert.match(detail, /log can't record it: .*full/);
  assert.ok((await held()).includes('before.>'));
  const refused = await broker.operator('POST', `/meshes/${broker.mesh.slug}/sources`, { source: 'mirror' });
  assert.equal(refused.status, 503, refused.text);
  const again = await broker.connect(member); // traffic goes on
  await eventually('it is counted', async () => await broker.metric('signet_audit_dropped_total') > 0);

  free();
  await eventually('there is room again', async () => (await again.mail(member, 'y')).type === 'ack');
  await reload('policy.reloaded', 'after.>');
  assert.ok((await held()).includes('after.>'));
  await addSource(broker, 'mirror');
  const said = (await entriesOf(broker)).map(({ event }) => event);
  assert.equal(said.filter((event) => event === 'policy_changed').length, 2);
  assert.equal(said.filter((event) => event === 'secret_set').length, 1);
});
