// Frames that break RFC 6455 or the format's size close their own connection, and nobody else's.
import assert from 'node:assert/strict';
import test from 'node:test';
import { eventually, hello, startBroker } from './harness.mjs';
import { frame, kBinary, kClose, kPing, kPong, kText, RawSocket } from './raw_socket.mjs';

const kContinuation = 0;
const cut = (text, pieces) => Array.from({ length: pieces }, (_, i) => frame(
  i === 0 ? kText : kContinuation, text[i] ?? ' ', { fin: i === pieces - 1 }));
const part = (opcode, bytes, options) => frame(opcode, 'x'.repeat(bytes), options);

const kRows = [
  ['binary message', 1003, [frame(kBinary, '{"type":"list_peers"}')]],
  ['65,537 bytes', 1009, [part(kText, 65_537)]],
  ['a length of 4 GiB, announced only', 1009, [part(kText, 10, { length: 0xffff_ffff })]],
  ['fragments that add up to too much', 1009, [
    part(kText, 40_000, { fin: false }), part(kContinuation, 40_000)]],
  ['more fragments than allowed', 1009, cut('', 1_100)],
  ['unmasked', 1002, [frame(kText, '{}', { mask: false })]],
  ['reserved bit', 1002, [frame(kText, '{}', { reserved: 4 })]],
  ['unknown opcode', 1002, [frame(3, '')]],
  ['unknown control opcode', 1002, [frame(11, '')]],
  ['continuation of nothing', 1002, [frame(kContinuation, '{}')]],
  ['message inside a message', 1002, [frame(kText, '{', { fin: false }), frame(kText, '}')]],
  ['ping in fragments', 1002, [frame(kPing, '', { fin: false })]],
  ['ping of 126 bytes', 1002, [part(kPing, 126)]],
  ['pong of 126 bytes', 1002, [part(kPong, 126)]],
  ['close of one byte', 1002, [frame(kClose, 'x')]],
  ['close code 1005', 1002, [frame(kClose, Buffer.from([3, 237]))]],
  ['not UTF-8', 1007, [frame(kText, Buffer.from([0x22, 0xff, 0x22]))]],
  ['surrogate in UTF-8', 1007, [frame(kText, Buffer.from([0xed, 0xa0, 0x80]))]],
];

test('each breaks its own connection with its code', async (t) => {
  const broker = await startBroker(t);
  const bystander = await broker.joined('bystander');
  const member = await broker.join('member');
  for (const [what, code, frames] of kRows) {
    const raw = await RawSocket.connect(broker);
    raw.say(hello(member));
    await raw.next('hello_ack');
    for (const bytes of frames) raw.socket.write(bytes);
    assert.equal((await raw.closing()).code, code, what);
    await raw.end();
  }
  await eventually('their sessions are gone', async () =>
    (await bystander.peer.roundTrip()).length === 1);
  assert.ok((await bystander.peer.mail('*', 'x')).type === 'ack');
});

test('exactly 65,536 bytes and many fragments within the cap are one message', async (t) => {
  const broker = await startBroker(t);
  const raw = await RawSocket.connect(broker);
  raw.say(hello(await broker.join('member')));
  await raw.next('hello_ack');
  raw.socket.write(frame(kText, '{"type":"list_peers"}'.padEnd(65_536)));
  assert.equal((await raw.next('peers_list')).peers.length, 1);
  for (const bytes of cut('{"type":"list_peers"}', 500)) raw.socket.write(bytes);
  assert.equal((await raw.next('peers_list')).peers.length, 1);
});

test('a ping is answered with its payload, a close with its code', async (t) => {
  const broker = await startBroker(t);
  const raw = await RawSocket.connect(broker);
  raw.socket.write(frame(kPing, 'are you there?'));
  const { payload } = await raw.takeNext(({ opcode }) => opcode === kPong);
  assert.equal(payload.toString(), 'are you there?');
  raw.socket.write(frame(kClose, Buffer.from([3, 232])));
  assert.equal((await raw.closing()).code, 1000);
  await raw.closed;
});
