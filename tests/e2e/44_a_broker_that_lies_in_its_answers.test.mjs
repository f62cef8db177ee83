// Acks for what was never sent, lists that are not what they say, refusals out of nowhere, endless
// pages, frames of no form: the client goes on, and does nothing that it was not asked to.
import assert from 'node:assert/strict';
import test from 'node:test';
import { hex, sodium, startBroker, unique } from './harness.mjs';
import { startLibrary } from './library.mjs';
import { randomFrom, seedOf } from './load.mjs';
import { startMiddle } from './middle.mjs';
import { keyIdOf, NodeMember } from './sealed_channel.mjs';

async function scene(t, fields = {}) {
  const broker = await startBroker(t);
  const middle = await startMiddle(t, broker);
  const bob = await NodeMember.join(broker, 'bob');
  const ada = await startLibrary(t, broker, 'ada', { url: middle.ws, ...fields });
  return { broker, middle, bob, ada };
}
const isWell = async ({ ada, bob }) => {
  const text = `still well ${unique()}`;
  assert.equal((await ada.mail(bob.pubkey, text)).state, 'stored');
  for (;;) if ((await bob.next()).text === text) break;
  await bob.direct(ada, text);
  await ada.message(text);
};

test('a list that is not the audience it says is not sealed to', async (t) => {
  const all = await scene(t);
  const { middle, bob, ada, broker } = all;
  const eve = await broker.join('eve');
  await bob.channel('ops');
  middle.rewrite.down = (frame) => {
    if (frame.type !== 'members_list') return frame;
    return { ...frame, members: [...frame.members, { pubkey: eve.pubkey, displayName: 'eve', role: 'member' }] };
  };
  const report = await ada.mail('#ops', 'for the channel');
  assert.deepEqual([report.state, report.why], ['refused', 'audience_changed']);
  assert.equal(middle.sendsOf(ada.pubkey).filter((f) => f.targetSpec === eve.pubkey).length, 0);
  middle.rewrite.down = undefined;
  assert.equal((await ada.mail('#ops', 'now it is true')).state, 'stored');
  assert.equal((await bob.next()).text, 'now it is true');
  await isWell(all);
});

test('a stripped audience brings a body to who has no key for it', async (t) => {
  const { middle, bob, ada, broker } = await scene(t);
  await bob.channel('ops');
  await ada.mail('#ops', 'the first');
  const id = keyIdOf((await bob.next()).push);
  const cem = await NodeMember.join(broker, 'cem');
  middle.rewrite.up = (frame) => ({ ...frame, audience: undefined });
  await cem.channel('ops');
  assert.equal((await ada.mail('#ops', 'the second')).recipients, 2);
  assert.equal((await bob.next()).text, 'the second');
  await assert.rejects(cem.next(), /no key/);
  const [push] = cem.peer.inbox.filter((frame) => frame.type === 'push');
  assert.equal(push, undefined); // and no key message with it
  assert.equal(keyIdOf(middle.sendsOf(ada.pubkey).at(-1)), id);
});

test('acks and errors for nothing, twice, and of other messages', async (t) => {
  const all = await scene(t);
  const { middle, ada } = all;
  middle.rewrite.down = (frame) => {
    if (frame.type !== 'ack') return frame;
    return [{ type: 'ack', id: unique(), messageId: unique() + unique(), queued: true }, frame, frame,
            { type: 'ack', id: '', messageId: '', queued: true, recipients: -5 },
            { type: 'error', code: 'id_reused', message: '', id: frame.id },
            { type: 'error', code: 'no_such_member', message: '', id: frame.id },
            { type: 'error', code: 'rate_limited', message: '', retryAfterMs: -1 }];
  };
  await isWell(all);
  await isWell(all);
  assert.deepEqual(await ada.do('outbox'), []);
});

test('a wait of a thousand years is not kept to', async (t) => {
  const all = await scene(t, { ackTimeout: 1_000 });
  const { middle } = all;
  let lies = 0;
  middle.rewrite.up = (frame, link) => {
    if (frame.type !== 'send' || lies === 3) return frame;
    lies += 1;
    link.tell({ type: 'error', code: 'rate_limited', message: '', id: frame.id,
                retryAfterMs: lies === 1 ? -9e15 : lies === 2 ? 'soon' : 300 });
    return null;
  };
  await isWell(all);
});

test('pages without end, and answers that never come, end in an error', async (t) => {
  const all = await scene(t, { ackTimeout: 1_000 });
  const { middle, ada } = all;
  let pages = 0;
  middle.rewrite.down = (frame) => {
    if (frame.type !== 'members_list') return frame;
    pages += 1;
    const members = Array.from({ length: 2_000 }, () =>
      ({ pubkey: hex(sodium.randombytes_buf(32)), displayName: 'made up', role: 'member' }));
    return { ...frame, members, more: true };
  };
  const listed = await ada.do('members', { target: '*', timeout: 3_000 }).catch(() => []);
  t.diagnostic(`${listed.length} members on ${pages} pages`);
  assert.ok(pages <= 100, `${pages}`); // far more than any mesh has
  middle.rewrite.down = (frame) => (frame.type === 'peers_list' ? null : frame);
  await assert.rejects(ada.do('peers', { timeout: 500 }));
  middle.rewrite.down = undefined;
  await ada.connected();
  await isWell(all);
});

test('receipts are believed of nothing that was not sent', async (t) => {
  const all = await scene(t);
  const { middle, ada, bob } = all;
  const report = await ada.mail(bob.pubkey, 'one', { receipts: true });
  const link = middle.linkOf(ada.pubkey);
  for (const messageId of ['', 'x', unique() + unique()]) {
    link.tell({ type: 'receipt', messageId, state: 'read', by: bob.pubkey });
  }
  link.tell({ type: 'receipt', messageId: report.messageId, state: 'nonsense', by: bob.pubkey });
  link.tell({ type: 'receipt', messageId: report.messageId, state: 'received', by: 'nobody' });
  await isWell(all);
  const now = await ada.waitSent(report.ticket);
  assert.deepEqual(now.by.filter((key) => key !== bob.pubkey), []);
});

test('frames of no form, thousands of them', async (t) => {
  const random = randomFrom(seedOf(t));
  const all = await scene(t);
  const { middle, ada } = all;
  const link = middle.linkOf(ada.pubkey);
  const values = [null, true, -1, 1e308, '', 'x', 'x'.repeat(70_000), [], {}, [[[[]]]], '\u0000',
                  ada.pubkey, '*', '#ops', 'ab'.repeat(16)];
  const types = ['hello_ack', 'ack', 'push', 'peers_list', 'members_list', 'channel_list', 'receipt',
                 'channel_joined', 'channel_left', 'error', 'hello', 'send', '', 'x', null, 7];
  const names = ['id', 'messageId', 'meshId', 'senderPubkey', 'targetSpec', 'priority', 'createdAt',
                 'nonce', 'ciphertext', 'peers', 'members', 'target', 'audience', 'more', 'channels',
                 'state', 'by', 'code', 'message', 'name', 'presenceId', 'recipients'];
  const any = (list) => list[Math.floor(random() * list.length)];
  for (let n = 0; n < 3_000; ++n) {
    const frame = { type: any(types) };
    for (let field = 0; field < random() * 10; ++field) frame[any(names)] = any(values);
    link.tell(frame);
  }
  for (const raw of ['', '{', '[]', '7', '{"type":"push"}{}', '\ufeff{}', '['.repeat(5_000)]) {
    link.near.send(raw);
  }
  link.near.send(Buffer.from([0, 1, 2])); // binary
  await isWell(all);
  assert.deepEqual(ada.messages.filter((m) => m.sealed && !m.text.startsWith('still well')), []);
});

test('an audience that changes with every list ends', async (t) => {
  const { middle, ada, bob } = await scene(t);
  await bob.channel('ops');
  let lists = 0;
  middle.rewrite.down = (frame) => {
    if (frame.type === 'members_list') lists += 1;
    return frame;
  };
  middle.rewrite.up = (frame, link) => {
    if (frame.type !== 'send' || frame.targetSpec !== '#ops') return frame;
    link.tell({ type: 'error', code: 'audience_changed', message: '', id: frame.id });
    return null;
  };
  const report = await ada.do('wait_sent', { ticket: await ada.send('#ops', 'never'), state: 'stored',
                                             timeout: 3_000 }).catch((error) => error);
  t.diagnostic(`${report.state ?? report.code} ${report.why ?? ''} after ${lists} lists`);
  assert.ok(lists < 100, `${lists} lists`);
});
