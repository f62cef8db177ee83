// A receiver that stops reading costs its own mail only time, and others nothing.
import assert from 'node:assert/strict';
import test from 'node:test';
import { eventually, sleep, startBroker } from './harness.mjs';

const kMiB = 1024 * 1024;
const kBody = 'x'.repeat(32_000);
// The sanitizer keeps what was freed for a while; what is measured is what the broker holds.
const kLean = { ASAN_OPTIONS: 'quarantine_size_mb=4' };
const body = (i) => `${i} ${kBody}`;
const numberOf = (push) => Number(push.ciphertext.split(' ', 1)[0]);
const upTo = (count) => Array.from({ length: count }, (_, i) => i);

// Sends `count` large messages, a few of them on their way at a time.
async function sendMany(peer, to, count) {
  for (let i = 0; i < count; i += 20) {
    const some = upTo(Math.min(20, count - i)).map((more) => peer.mail(to, body(i + more)));
    for (const answer of await Promise.all(some)) assert.equal(answer.type, 'ack');
  }
}

// Numbers of the pushes that came to these peers in turn, each message once.
async function numbers(peers, count) {
  const seen = new Map();
  for (const peer of peers) {
    const isLast = peer === peers.at(-1);
    while (isLast ? seen.size < count : peer.inbox.some(({ type }) => type === 'push')) {
      const push = await peer.next('push');
      if (!seen.has(push.messageId)) seen.set(push.messageId, numberOf(push));
    }
  }
  return [...seen.values()];
}

test('others get theirs at once, memory is bounded, and reading on brings it all in order', async (t) => {
  const broker = await startBroker(t, { env: kLean });
  const { peer: sender } = await broker.joined('sender');
  const slow = await broker.joined('slow');
  const quick = await broker.joined('quick');
  slow.peer.socket.pause();
  await sendMany(sender, '*', 500); // the window of the slow one is full, and the broker warm
  const before = broker.residentBytes();
  await sendMany(sender, '*', 500);
  const grown = broker.residentBytes() - before;
  assert.deepEqual(await numbers([quick.peer], 1000), [...upTo(500), ...upTo(500)]);
  assert.ok(grown < 8 * kMiB, `${grown} bytes for 15 MiB that one does not read`);
  assert.equal(slow.peer.isClosed, false);

  slow.peer.socket.resume();
  assert.deepEqual(await numbers([slow.peer], 1000), [...upTo(500), ...upTo(500)]);
  await slow.peer.none('push');
});

test('who takes nothing for too long is closed with 1013 and finds all of it on return', async (t) => {
  // A window wider than the buffers of the kernel, so that the socket itself stands still.
  const broker = await startBroker(t, { env: kLean, set: {
    'net.slow_consumer_after': '1s', 'net.close_timeout': '20s',
    'claudemesh.unconfirmed_bytes': '128MiB', 'claudemesh.unconfirmed_messages': 65_536 } });
  const { peer: sender } = await broker.joined('sender');
  const slow = await broker.joined('slow');
  slow.peer.socket.pause();
  await sendMany(sender, slow.member, 500);
  await sleep(2_500);
  slow.peer.socket.resume();
  assert.deepEqual(await slow.peer.closed, { code: 1013, reason: 'slow_consumer' });
  assert.equal(await broker.metric('signet_net_closed_total{reason="slow_consumer"}'), 1);
  const again = await broker.connect(slow.member);
  assert.deepEqual(await numbers([slow.peer, again], 500), upTo(500));
});

test('one that never comes back to its socket is gone from the list', async (t) => {
  const broker = await startBroker(t, { env: kLean, set: {
    'net.slow_consumer_after': '500ms', 'net.close_timeout': '500ms',
    'claudemesh.unconfirmed_bytes': '128MiB', 'claudemesh.unconfirmed_messages': 65_536 } });
  const { peer: sender } = await broker.joined('sender');
  const slow = await broker.joined('slow');
  slow.peer.socket.pause();
  await sendMany(sender, slow.member, 500);
  await eventually('it is closed', async () => (await sender.roundTrip()).length === 1);
  assert.equal(await broker.metric('signet_net_closed_total{reason="slow_consumer"}'), 1);
  assert.deepEqual(await numbers([await broker.connect(slow.member)], 500), upTo(500));
});

test('answers that nobody reads are not piled up, and none is left out: the connection ends', async (t) => {
  const broker = await startBroker(t, { env: kLean });
  const { member } = await broker.joined('curious');
  for (let i = 0; i < 12; ++i) { // a list of 24 KB
    (await broker.connect(member)).say({ type: 'set_summary', summary: 's'.repeat(2_000) });
  }
  const ask = async () => {
    const peer = await broker.connect(member);
    peer.socket.pause();
    for (let i = 0; i < 1_600; ++i) peer.say({ type: 'list_peers' });
    await sleep(1_000);
    return peer;
  };
  const peers = [await ask(), await ask()]; // the broker is warm
  const before = broker.residentBytes();
  peers.push(await ask(), await ask());
  const grown = broker.residentBytes() - before;
  assert.ok(grown < 16 * kMiB, `${grown} bytes for 75 MiB of answers that nobody reads`);
  for (const { socket, closed } of peers) {
    socket.resume();
    assert.deepEqual(await closed, { code: 1013, reason: 'slow_consumer' });
  }
});
