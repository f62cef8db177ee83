// What a hello says beside its four signed fields is only shown. Whoever can write on the wire may
// change it, and gains nothing: no other identity, right, tag or mailbox, and no second use.
import assert from 'node:assert/strict';
import test from 'node:test';
import { freshTimestamp, hello, startBroker } from './harness.mjs';

const kHints = [
  { sessionId: 'of somebody else' }, { sessionId: 'x'.repeat(12_000) }, { sessionId: 7 },
  { pid: -1 }, { pid: 2 ** 53 }, { pid: 1e300 }, { pid: '1' }, { pid: null },
  { cwd: '../../etc' }, { cwd: '\u202e/\n' }, { cwd: [] },
  { displayName: 'root' }, { displayName: '' }, { displayName: { toString: 'x' } },
  { role: 'admin' }, { role: 'owner', isAdmin: true }, { tags: ['secret'] }, { groups: ['secret'] },
  { standing: 'admitted' }, { presenceId: '00'.repeat(16) }, { sessionPubkey: '00'.repeat(32) },
  { memberNumber: 1 }, { mesh: 'other' }, { id: 'x', messageId: 'x' }, { origin: 'operator' },
];

// What decides: who is a member of what, what waits, and what a session may do and is called.
async function state(broker, watcher, hint) {
  const members = (await broker.operator('GET', '/meshes/demo/members')).json();
  const letters = (await broker.operator('GET', '/meshes/demo/dead-letters')).json();
  const peers = (await watcher.roundTrip()).map(({ pubkey, status }) => ({ pubkey, status }));
  return { members, letters, peers, waiting: await broker.metric('broker_queue_depth'),
           refused: await broker.metric('broker_connections_rejected_total{reason="unauthorized"}'),
           hint };
}
const byKey = (a, b) => (a.pubkey < b.pubkey ? -1 : 1);

test('a changed hint changes nothing that decides', async (t) => {
  const broker = await startBroker(t);
  const { peer: watcher, member: other } = await broker.joined('watcher');
  const member = await broker.join('member');
  let plain;
  for (const hint of [{}, ...kHints]) {
    const peer = await broker.open();
    peer.say(hello(member, {}, hint));
    const ack = await peer.next('hello_ack');
    assert.equal(ack.memberDisplayName, 'member', JSON.stringify(hint));
    assert.notEqual(ack.presenceId, hint.presenceId);
    const text = `from ${JSON.stringify(hint).slice(0, 40)}`;
    assert.equal((await peer.mail(other, text)).type, 'ack');
    const push = await watcher.next((f) => f.type === 'push' && f.ciphertext === text);
    assert.equal(push.senderPubkey, member.pubkey);
    assert.equal((await watcher.mail('tag:secret', 'for the tagged')).recipients, 0);
    await peer.none('push', 0);
    const seen = await state(broker, watcher);
    seen.peers.sort(byKey);
    plain ??= seen;
    assert.deepEqual({ ...seen, waiting: 0 }, { ...plain, waiting: 0 }, JSON.stringify(hint));
    await peer.leave();
    while ((await watcher.roundTrip()).length > 1);
  }
});

test('a captured hello with other hints is the same hello', async (t) => {
  const broker = await startBroker(t);
  const member = await broker.join('member');
  const timestamp = freshTimestamp();
  await (await broker.open()).ask(hello(member, { timestamp }), 'hello_ack');
  for (const hint of kHints) {
    const peer = await broker.open();
    peer.say(hello(member, { timestamp }, hint));
    assert.equal((await peer.closed).reason, 'replayed', JSON.stringify(hint));
  }
});
