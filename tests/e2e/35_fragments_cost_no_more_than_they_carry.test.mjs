// Messages in one-byte pieces, in empty pieces, and with pings in between, never finished: what a
// connection can make the broker hold is bounded by the size of a message.
import assert from 'node:assert/strict';
import test from 'node:test';
import { hello, startBroker } from './harness.mjs';
import { frame, kPing, kText, RawSocket } from './raw_socket.mjs';

const kContinuation = 0;
const kConnections = Number(process.env.SIGNET_TEST_CONNECTIONS ?? 60);
const kPieces = 1_000; // below the cap of 1,024, so that none of them is closed
const kPerConnection = 256 * 1024; // far more than two messages' worth, and than the noise
const kNoise = 48 * 2 ** 20; // what a sanitized build keeps of what was freed

const piece = (i, bytes) => frame(i === 0 ? kText : kContinuation, bytes, { fin: false });
const many = (make, pieces = kPieces) =>
  Buffer.concat(Array.from({ length: pieces }, (_, i) => make(i)));
const kFloods = [
  ['one byte a frame', many((i) => piece(i, 'x'))],
  ['empty frames', many((i) => piece(i, ''))],
  ['a ping between the pieces', many((i) => // pings count too
    Buffer.concat([piece(i, 'x'), frame(kPing, 'y'.repeat(125))]), kPieces / 2)],
  ['64 bytes a frame', many((i) => piece(i, 'x'.repeat(64)))],
];

for (const [what, bytes] of kFloods) {
  test(`${what}: memory is bounded and others are served`, async (t) => {
    const broker = await startBroker(t);
    const member = await broker.join('member');
    const { peer: good, member: to } = await broker.joined('good');
    const raws = await Promise.all(Array.from({ length: kConnections }, async () => {
      const raw = await RawSocket.connect(broker);
      raw.say(hello(member));
      await raw.next('hello_ack');
      return raw;
    }));
    const before = broker.residentBytes();
    for (const raw of raws) raw.socket.write(bytes);
    for (let i = 0; i < 20; ++i) assert.equal((await good.mail(to, `n${i}`)).type, 'ack');
    for (const raw of raws) { // all it sent was read once the ping behind it is answered
      raw.socket.write(frame(kPing, 'last'));
      await raw.takeNext(({ payload }) => payload.toString() === 'last');
    }
    const grown = broker.residentBytes() - before;
    assert.ok(grown < kConnections * kPerConnection + kNoise, `${grown} bytes`);
    assert.equal((await good.roundTrip()).length, kConnections + 1, 'none of them broke a rule');
    await Promise.all(raws.map((raw) => raw.end()));
  });
}

test('a piece over the cap closes, also of empty ones and with pings for pieces', async (t) => {
  const broker = await startBroker(t);
  for (const each of [(i) => piece(i, 'x'), (i) => piece(i, ''),
                      (i) => (i === 0 ? piece(0, 'x') : frame(kPing, ''))]) {
    const raw = await RawSocket.connect(broker);
    raw.say(hello(await broker.join('member')));
    await raw.next('hello_ack');
    for (let i = 0; i < 1_100; ++i) raw.socket.write(each(i));
    assert.equal((await raw.closing()).code, 1009);
    await raw.end();
  }
});
