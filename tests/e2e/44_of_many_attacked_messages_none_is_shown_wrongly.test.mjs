// A broker in the middle reflects, repeats, mixes, moves and damages thousands of messages (D1, D6).
// A text is shown as sealed only where its author meant it for this reader and place, and once; and
// everything that was passed on unharmed is shown. SIGNET_TEST_ATTACKS=100000 is the long form.
import assert from 'node:assert/strict';
import test from 'node:test';
import { base64, eventually, seal, startBroker } from './harness.mjs';
import { startLibrary } from './library.mjs';
import { randomFrom, seedOf } from './load.mjs';
import { startMiddle } from './middle.mjs';
import { keyGrant, newChannelKey, NodeMember, sealToMany } from './sealed_channel.mjs';

const kAttacks = Number(process.env.SIGNET_TEST_ATTACKS ?? 3_000);
const kAtOnce = 100;      // pushes before the client has to have caught up
const kReflected = 64;    // boxes of the reader's own that come back
const kShared = ['#ops', '#dev', '*', 'tag:gpu'];

const flip = (text, random) => {
  const bytes = Buffer.from(text, 'base64');
  bytes[Math.floor(random() * bytes.length)] ^= 1 << Math.floor(random() * 8);
  return base64(bytes);
};
const pick = (list, random) => list[Math.floor(random() * list.length)];

// One way each to harm a true push `p`; `o` is another true one.
const kHarm = {
  again: (p) => p,
  againUnderAnotherId: (p, _, fresh) => ({ ...p, messageId: fresh() }),
  upperCase: (p, _, fresh) => ({ ...p, messageId: fresh(), senderPubkey: p.senderPubkey.toUpperCase() }),
  withoutTarget: (p, _, fresh) => ({ ...p, messageId: fresh(), targetSpec: undefined }),
  underAnotherSender: (p, o, fresh) => ({ ...p, messageId: fresh(), senderPubkey: o.senderPubkey }),
  inAnotherPlace: (p, o, fresh) => ({ ...p, messageId: fresh(), targetSpec: o.targetSpec }),
  inAnotherMesh: (p, _, fresh) => ({ ...p, messageId: fresh(), meshId: 'another' }),
  withAnotherBody: (p, o, fresh) => ({ ...p, messageId: fresh(), ciphertext: o.ciphertext }),
  withAnotherNonce: (p, o, fresh) => ({ ...p, messageId: fresh(), nonce: o.nonce }),
  damaged: (p, _, fresh, random) => ({ ...p, messageId: fresh(), ciphertext: flip(p.ciphertext, random) }),
  cut: (p, _, fresh, random) => ({ ...p, messageId: fresh(),
    ciphertext: base64(Buffer.from(p.ciphertext, 'base64')
      .subarray(0, Math.floor(random() * p.ciphertext.length * 0.7))) }),
  mixed: (p, o, fresh) => ({ ...o, messageId: fresh(), senderPubkey: p.senderPubkey, nonce: p.nonce }),
};

test(`${kAttacks} attacks`, { timeout: 60_000 + kAttacks * 5 }, async (t) => {
  const random = randomFrom(seedOf(t));
  const broker = await startBroker(t);
  const middle = await startMiddle(t, broker);
  const ada = await startLibrary(t, broker, 'ada', { url: middle.ws });
  const members = [];
  for (const name of ['bob', 'cem', 'dee']) members.push(await NodeMember.join(broker, name));
  let ids = 0;
  const fresh = () => (ids += 1).toString(16).padStart(32, '0');
  const frame = (fields) => ({ type: 'push', messageId: fresh(), meshId: ada.member.meshId,
                               priority: 'next', createdAt: '2026-01-01T00:00:00.000Z', ...fields });

  // What the broker can have seen: her own boxes, and what the others wrote.
  for (let n = 0; n < kReflected; ++n) await ada.mail(members[n % 3].pubkey, `of ada ${n}`);
  const own = middle.sendsOf(ada.pubkey).map(({ nonce, ciphertext, targetSpec }) =>
    ({ nonce, ciphertext, senderPubkey: targetSpec, targetSpec: ada.pubkey }));
  const link = middle.linkOf(ada.pubkey);
  const confirmed = new Set();
  middle.keeps = false;
  middle.rewrite.up = (said) => { // the true broker knows nothing of these
    if (said.type !== 'receipt') return said;
    confirmed.add(said.messageId);
    return null;
  };
  for (const member of members) {
    for (const target of kShared) {
      member.own.set(target, newChannelKey());
      const text = keyGrant(member.member.meshId, target, member.pubkey, member.own.get(target));
      link.tell(frame({ senderPubkey: member.pubkey, targetSpec: ada.pubkey,
                        ...seal(member.member, ada.pubkey, text) }));
    }
  }

  let written = 0;
  const meant = new Set();
  function write() {
    const from = pick(members, random);
    const target = random() < 0.5 ? ada.pubkey : pick(kShared, random);
    const text = JSON.stringify([from.pubkey, target, (written += 1)]);
    meant.add(text);
    const body = target === ada.pubkey ? seal(from.member, ada.pubkey, text)
      : sealToMany(from.member, target, from.own.get(target), text);
    return frame({ senderPubkey: from.pubkey, targetSpec: target, ...body });
  }

  const seen = [];
  const counts = {};
  async function takenIn(genuine) {
    await eventually('what is in order is taken in', () =>
      genuine.every((push) => confirmed.has(push.messageId)));
    seen.push(...genuine);
  }
  function attack() {
    const [p, o] = [pick(seen.slice(-500), random), write()];
    const how = pick(Object.keys(kHarm), random);
    counts[how] = (counts[how] ?? 0) + 1;
    link.tell(o);
    link.tell(kHarm[how](p, o, fresh, random));
    return o;
  }
  function reflect() { link.tell(frame(pick(own, random))); }
  function handOnKey() { // of one member, as another's
    const mine = pick(members, random);
    const other = pick(members.filter((each) => each !== mine), random);
    const grant = keyGrant(mine.member.meshId, '#ops', mine.pubkey, newChannelKey());
    link.tell(frame({ senderPubkey: other.pubkey, targetSpec: ada.pubkey,
                      ...seal(mine.member, ada.pubkey, grant) }));
  }

  const first = Array.from({ length: kAtOnce }, write);
  for (const push of first) link.tell(push);
  await takenIn(first);
  for (let done = 0; done < kAttacks; done += kAtOnce) {
    const genuine = [];
    for (let n = 0; n < kAtOnce; ++n) {
      genuine.push(attack());
      if (n % 10 === 0) reflect();
      if (n % 25 === 0) handOnKey();
    }
    await takenIn(genuine);
  }
  const sealed = () => ada.messages.filter((message) => message.sealed);
  await eventually('and shown', () => sealed().length >= meant.size).catch((error) => {
    const texts = new Set(ada.texts);
    const missing = [...meant].filter((text) => !texts.has(text));
    assert.fail(`${error.message}; not shown: ${missing.length} of ${meant.size}, ${missing[0]}`);
  });

  const wrong = [], shown = new Set();
  for (const message of ada.messages) {
    // Nobody wrote in the clear. A body cut to three bytes is a text that any broker can write.
    if (!message.sealed && (message.text ?? '').length > 3) wrong.push(message);
    if (!message.sealed) continue;
    const [from, target] = JSON.parse(message.text);
    const isTrue = meant.has(message.text) && message.from === from && message.target === target &&
      !shown.has(message.text);
    if (!isTrue) wrong.push(message);
    shown.add(message.text);
  }
  t.diagnostic(JSON.stringify(counts));
  t.diagnostic(`${shown.size} shown, ${ada.messages.length - shown.size} refused, ${wrong.length} wrong`);
  assert.deepEqual(wrong, []);
  assert.equal(shown.size, meant.size);
});
