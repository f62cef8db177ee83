// SIGTERM: everybody is told to come again, nothing acknowledged is lost, and the end comes in time.
import assert from 'node:assert/strict';
import net from 'node:net';
import test from 'node:test';
import { hello, startBroker } from './harness.mjs';
import { RawSocket } from './raw_socket.mjs';

const kMostMs = 5_000;

async function end(broker, signal = 'SIGTERM') {
  const before = Date.now();
  const { code } = await broker.end(signal);
  assert.equal(code, 0, broker.log.slice(-5).join('\n'));
  return Date.now() - before;
}

// A TCP connection that says `text` and then nothing.
function halfOpen(t, broker, text) {
  const { hostname, port } = new URL(broker.http);
  const socket = net.connect(Number(port), hostname);
  socket.on('error', () => {});
  t.after(() => socket.destroy());
  return new Promise((resolve) => socket.on('connect', () => socket.write(text, () => resolve(socket))));
}

test('all clients are closed with 1001, spread over the jitter, and the exit code is 0', async (t) => {
  const broker = await startBroker(t, { set: { 'server.drain_jitter': '1s' } });
  const member = await broker.join('member');
  const peers = [await broker.open()]; // one that said no hello
  for (let i = 0; i < 20; ++i) peers.push(await broker.connect(member));
  const moments = peers.map(async ({ closed }) => ({ ...(await closed), at: Date.now() }));
  const took = await end(broker);
  assert.ok(took < kMostMs, `it took ${took} ms`);
  const ends = await Promise.all(moments);
  for (const { code, reason } of ends) assert.deepEqual({ code, reason }, { code: 1001, reason: 'going_away' });
  const times = ends.map(({ at }) => at).sort((a, b) => a - b);
  assert.ok(times.at(-1) - times[0] > 200, 'they were not sent away all at once');
});

test('nobody who does not answer holds up the end', async (t) => {
  const broker = await startBroker(t, { set: { 'server.drain_jitter': null } });
  const { hostname } = new URL(broker.http);
  for (const text of ['', 'GET /ws HTTP/1.1\r\nHost: ', `POST /join HTTP/1.1\r\nHost: ${hostname}\r\n` +
                      'Content-Length: 100\r\n\r\n{']) {
    await halfOpen(t, broker, text);
  }
  const receiver = await broker.join('receiver');
  const silent = await RawSocket.connect(broker, { pongs: false }); // it answers no close frame
  silent.say(hello(receiver));
  await silent.next('hello_ack');
  const { peer: sender } = await broker.joined('sender');
  const stopped = await broker.connect(receiver);
  stopped.socket.pause();
  for (let i = 0; i < 40; ++i) await sender.mail(receiver, `${i} ${'x'.repeat(30_000)}`);
  const took = await end(broker);
  assert.ok(took < kMostMs, `it took ${took} ms`);
  assert.deepEqual(await silent.closing(), { code: 1001, reason: 'going_away' });
  stopped.socket.terminate();
});

for (const signal of ['SIGTERM', 'SIGINT']) {
  test(`what was acknowledged before ${signal} is there after it`, async (t) => {
    const broker = await startBroker(t, { set: { 'server.drain_jitter': '300ms' } });
    const { peer: sender } = await broker.joined('sender');
    const receiver = await broker.join('receiver');
    const acked = [];
    let ended = false;
    const sending = (async () => {
      for (let i = 0; !sender.isClosed; i += 50) {
        const some = Array.from({ length: 50 }, (_, j) =>
          sender.mail(receiver, `n${i + j}`, { id: `n${i + j}` }).catch(() => null));
        for (const answer of await Promise.all(some)) if (answer?.type === 'ack') acked.push(answer.id);
        if (acked.length > 200 && !ended) { ended = true; void broker.end(signal); }
      }
    })();
    await sending;
    assert.equal((await broker.exited).code, 0);
    await broker.start();
    const peer = await broker.connect(receiver);
    const texts = await peer.texts(acked.length);
    while (!acked.every((text) => texts.includes(text))) texts.push(...await peer.texts(1));
    const rising = texts.map((text) => Number(text.slice(1)));
    assert.deepEqual(rising, [...rising].sort((a, b) => a - b));
    assert.equal(new Set(texts).size, texts.length);
  });
}

test('no session that began is lost: members, channels and mail are there after the end', async (t) => {
  const broker = await startBroker(t);
  const { member, peer } = await broker.joined('member');
  const away = await broker.join('away');
  await peer.ask({ type: 'channel_join', name: 'room' }, 'channel_joined');
  await peer.mail(away, 'kept');
  await broker.restart();
  const again = await broker.connect(member);
  const { channels } = await again.ask({ type: 'channel_list' }, 'channel_list');
  assert.deepEqual(channels.map(({ name, joined }) => [name, joined]), [['room', true]]);
  assert.deepEqual(await (await broker.connect(away)).texts(1), ['kept']);
});
