// Neither a text nor a key that opens it is anywhere in what the broker is told or keeps.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { startBroker } from './harness.mjs';
import { newStateFile, startLibrary } from './library.mjs';
import { startMiddle } from './middle.mjs';
import { NodeMember } from './sealed_channel.mjs';

const kTexts = { direct: 'the-direct-secret-of-ada', channel: 'the-channel-secret-of-ada',
                 broadcast: 'the-broadcast-secret-of-ada' };

const filesOf = (folder) => readdirSync(folder, { recursive: true })
  .map((name) => join(folder, name)).filter((path) => statSync(path).isFile());

// As it is, in hex, and in base64 at each of three places in its groups.
function spellingsOf(bytes) {
  const inBase64 = [0, 1, 2].map((at) =>
    Buffer.concat([Buffer.alloc(at), bytes]).toString('base64').slice(4, -4));
  return [bytes, Buffer.from(bytes.toString('hex')), ...inBase64.map((each) => Buffer.from(each))];
}
const isIn = (hay, bytes) => spellingsOf(bytes).some((needle) => hay.includes(needle));

test('no text and no key is on the wire or on the disk of the broker', async (t) => {
  const broker = await startBroker(t);
  const middle = await startMiddle(t, broker);
  const state = newStateFile(t);
  const ada = await startLibrary(t, broker, 'ada', { url: middle.ws, state });
  const node = await NodeMember.join(broker, 'node');
  const away = await broker.join('away'); // its mail stays on the broker's disk
  await node.channel('ops');
  const sent = await ada.mail(node.pubkey, kTexts.direct);
  await ada.mail(away.pubkey, kTexts.direct);
  await ada.mail('#ops', kTexts.channel);
  assert.equal((await ada.mail('*', kTexts.broadcast)).recipients, 2);
  for (const text of Object.values(kTexts)) assert.equal((await node.next()).text, text);
  assert.equal(node.keys.size, 2);

  await broker.kill(); // as it lies on the disk, log files included
  const disk = Buffer.concat(filesOf(broker.data).map((path) => readFileSync(path)));
  const wire = Buffer.from(middle.wire.map((said) => JSON.stringify(said.frame)).join('\n'));
  const own = Buffer.concat(filesOf(join(state, '..')).map((path) => readFileSync(path)));
  const seen = [['wire', wire], ['disk', disk], ['log', Buffer.from(broker.log.join('\n'))],
                ['own state', own]];
  const secrets = [...Object.values(kTexts).map((text) => Buffer.from(text)), ...node.keys.values()];
  for (const [where, hay] of seen) {
    for (const secret of secrets) assert.ok(!isIn(hay, secret), `${secret} in ${where}`);
  }
  const marker = Buffer.from(sent.messageId); // the search would find what is there
  assert.ok(isIn(wire, marker) || isIn(disk, Buffer.from(sent.messageId, 'hex')));
});

test('the same text in the clear would be found', async (t) => {
  const broker = await startBroker(t);
  const middle = await startMiddle(t, broker);
  const ada = await startLibrary(t, broker, 'ada', { url: middle.ws });
  await broker.join('away');
  await ada.mail('*', kTexts.broadcast, { sealed: false });
  await broker.kill();
  const wire = Buffer.from(JSON.stringify(middle.wire));
  const disk = Buffer.concat(filesOf(broker.data).map((path) => readFileSync(path)));
  for (const hay of [wire, disk]) assert.ok(isIn(hay, Buffer.from(kTexts.broadcast)));
});
