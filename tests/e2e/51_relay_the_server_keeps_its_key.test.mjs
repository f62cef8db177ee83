// A client pins the server's key: it is the same after a restart, its file is private, and no
// other broker can use what was said to it.
import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { startBroker } from './harness.mjs';
import { challenged, nacl, refusal, registered, relayKeys, responseTo } from './relay_client.mjs';

test('through a restart, and through kill -9', async (t) => {
  const broker = await startBroker(t);
  const { challenge } = await challenged(broker);
  await broker.restart();
  assert.equal((await challenged(broker)).challenge.from, challenge.from);
  await broker.restartAfterKill();
  assert.equal((await challenged(broker)).challenge.from, challenge.from);
  const other = await startBroker(t);
  assert.notEqual((await challenged(other)).challenge.from, challenge.from);
});

test('no file of the broker is readable to others', async (t) => {
  const broker = await startBroker(t);
  await registered(broker);
  const files = readdirSync(broker.data, { recursive: true }).map((name) => join(broker.data, name));
  for (const path of files.filter((each) => statSync(each).isFile() && /key/.test(each))) {
    assert.equal(statSync(path).mode & 0o077, 0, path);
  }
});

// A man in the middle between a client and two brokers: he may claim whatever he likes.
test('what was sealed for one broker registers nobody at another', async (t) => {
  const [first, second] = [await startBroker(t), await startBroker(t)];
  const ada = relayKeys();
  const mallory = relayKeys();
  const { challenge: wanted } = await challenged(second);

  // Ada talks to the first broker; her response is carried to the second.
  const { challenge } = await challenged(first);
  const said = responseTo(challenge, ada);
  assert.equal(await refusal(second, said), 'the response names another server');
  assert.equal(await refusal(second, (fresh) => ({ ...said, to: fresh.from })),
               'the response names another nonce');
  assert.equal(await refusal(second, (fresh) => ({ ...said, to: fresh.from, nonce: fresh.nonce })),
               'the response does not open');

  // He hands Ada the second broker's nonce and text under the key that she pinned.
  assert.equal(await refusal(second, (fresh) => {
    const shown = { ...fresh, from: challenge.from };
    return { ...responseTo(shown, ada), to: fresh.from };
  }), 'the response does not open');

  // Or under his own, to Ada who pinned nothing: he can open that, and still not seal as Ada.
  assert.equal(await refusal(second, (fresh) => {
    const shown = { ...fresh, from: mallory.text };
    const toHim = responseTo(shown, ada);
    const shared = nacl.box.before(ada.publicKey, mallory.secretKey);
    assert.ok(nacl.secretbox.open(Buffer.from(toHim.message, 'base64url'),
                                  Buffer.from(fresh.nonce, 'base64url'), shared));
    return { ...toHim, to: fresh.from };
  }), 'the response does not open');
  assert.notEqual(wanted.from, challenge.from);
});
