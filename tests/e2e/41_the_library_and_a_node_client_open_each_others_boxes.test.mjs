// Direct messages are crypto_box as claudemesh v0.1 has it: the client library and a client on Node
// and libsodium, which share no code, open what the other sealed. Also one on Python and NaCl.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { cleanEnvironment, eventually, hex, sodium, startBroker } from './harness.mjs';
import { startLibrary } from './library.mjs';
import { NodeMember } from './sealed_channel.mjs';

const kTexts = ['hello', 'grüß dich, 世界 \u0001"\\', 'x'.repeat(40_000), '{"kind":"channel_key"}'];

test('with libsodium on Node', async (t) => {
  const broker = await startBroker(t);
  const ada = await startLibrary(t, broker, 'ada');
  const node = await NodeMember.join(broker, 'node');
  for (const text of kTexts) {
    const report = await ada.mail(node.pubkey, text, { receipts: true });
    assert.equal(report.recipients, 1);
    const got = await node.next();
    assert.deepEqual([got.kind, got.text, got.push.senderPubkey], ['direct', text, ada.pubkey]);
    assert.equal((await ada.waitSent(report.ticket, 'read')).by[0], node.pubkey);

    await node.direct(ada, text);
    const back = await ada.message(text);
    assert.deepEqual({ ...back, id: '', name: '' }, { id: '', from: node.pubkey, name: '', why: '', text,
                                            target: ada.pubkey, kind: 'direct', sealed: true });
  }
  assert.equal(ada.messages.length, kTexts.length);
});

test('with NaCl on Python', async (t) => {
  const broker = await startBroker(t);
  const ada = await startLibrary(t, broker, 'ada');
  const seed = hex(sodium.randombytes_buf(32));
  const peer = fileURLToPath(new URL('peer.py', import.meta.url));
  const python = spawn('/usr/bin/python3', [peer, broker.ws, broker.http, broker.invite, seed],
                       { env: cleanEnvironment(), stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => python.kill('SIGKILL'));
  const said = [];
  createInterface({ input: python.stdout }).on('line', (line) => said.push(JSON.parse(line)));
  const ready = await eventually('python is there', () => said.find((each) => each.ready));
  for (const text of kTexts) {
    await ada.mail(ready.ready, text);
    await eventually('python opens it', () =>
      said.find((each) => each.from === ada.pubkey && each.text === text));
    python.stdin.write(`${JSON.stringify({ to: ada.pubkey, text })}\n`);
    assert.equal((await ada.message(text)).sealed, true);
  }
});
