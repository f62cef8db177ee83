// From key to key, byte for byte, to who is there; nothing is answered, nothing is kept.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { eventually, sleep, startBroker } from './harness.mjs';
import { registered, relayKeys } from './relay_client.mjs';

test('both ways, many pairs, in order', async (t) => {
  const broker = await startBroker(t);
  const peers = await Promise.all(Array.from({ length: 6 }, () => registered(broker)));
  const kRounds = 20;
  for (let n = 0; n < kRounds; ++n) {
    for (const from of peers) {
      for (const to of peers) if (to !== from) from.tell(to.keys.text, { n, text: 'hello bob' });
    }
  }
  for (const peer of peers) {
    const heard = new Map(peers.map((each) => [each.keys.text, []]));
    for (let i = 0; i < kRounds * (peers.length - 1); ++i) {
      const { from, value } = await peer.hear();
      heard.get(from).push(value.n);
    }
    for (const other of peers) {
      const wanted = other === peer ? [] : [...Array(kRounds).keys()];
      assert.deepEqual(heard.get(other.keys.text), wanted);
    }
    await peer.silent(50);
  }
});

test('to itself, too', async (t) => {
  const broker = await startBroker(t);
  const peer = await registered(broker);
  peer.tell(peer.keys.text, 'a note');
  assert.deepEqual(await peer.hear(), { from: peer.keys.text, value: 'a note' });
});

test('the whole envelope, byte for byte', async (t) => {
  const broker = await startBroker(t);
  const [ada, bob] = [await registered(broker), await registered(broker)];
  const from = ada.keys.text, to = bob.keys.text;
  const kTexts = [
    `{"type":"MESSAGE","from":"${from}","to":"${to}","nonce":"n","message":"m"}`,
    ` { "to" : "${to}",\t"message":"no base64 \\u00e9\\/ \u{1f600}" , "from":"${from}",\n"type":"MESSAGE" } `,
    `{"message":"x","type":"MESS\\u0041GE","from":"${from}","to":"${to}","more":[1.0,1e2,{"a":null}]}`,
    `{"message":"${'y'.repeat(65_536 - 140)}","type":"MESSAGE","from":"${from}","to":"${to}"}`,
    `{"error":"a sender's own","type":"MESSAGE","from":"${from}=","to":"${to}=","message":"m"}`,
  ];
  for (const text of kTexts) ada.say(text);
  await eventually('all came', () => bob.texts.length >= kTexts.length + 2);
  assert.deepEqual(bob.texts.slice(2), kTexts);
  assert.equal(ada.texts.length, 2); // challenge, success
});

test('nothing is said to a sender that did not ask', async (t) => {
  const broker = await startBroker(t);
  const [ada, bob] = [await registered(broker), await registered(broker)];
  ada.tell(relayKeys().text, 'to nobody');
  ada.tell(bob.keys.text, 'to no key', { to: 'no key' });
  ada.tell(bob.keys.text, 'as another', { from: bob.keys.text });
  ada.tell(bob.keys.text, 'without', { message: undefined });
  ada.tell(bob.keys.text, 'of another type', { type: 'PING' });
  for (const noise of ['', 'x', '[]', '{}', '{"type":"MESSAGE"}', 'null']) ada.say(noise);
  await ada.silent();
  await bob.silent(50);
  ada.tell(bob.keys.text, 'still here');
  assert.equal((await bob.hear()).value, 'still here');
});

// All tables' rows but those of the log, which says who came, and what the folder's files hold.
function stored(broker, needle) {
  const script = `
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
tables = [row[0] for row in db.execute("select name from sqlite_master where type='table' and name not like 'log_%'")]
print(sum(db.execute(f'select count(*) from "{name}"').fetchone()[0] for name in tables))`;
  const files = readdirSync(broker.data, { recursive: true }).map((name) => join(broker.data, name))
    .filter((path) => statSync(path).isFile());
  const database = files.find((path) => path.endsWith('.db') || path.endsWith('.sqlite'));
  const rows = Number(execFileSync('/usr/bin/python3', ['-c', script, database]).toString());
  const bytes = files.reduce((sum, path) => sum + statSync(path).size, 0);
  return { rows, bytes, found: files.filter((path) => readFileSync(path).includes(needle)) };
}

test('nothing is stored, of what came and of what found nobody', async (t) => {
  const broker = await startBroker(t);
  const [ada, bob] = [await registered(broker), await registered(broker, { receipts: true })];
  const kMark = 'a-mark-that-is-nowhere-else';
  const before = stored(broker, kMark);
  for (let n = 0; n < 150; ++n) {
    ada.tell(bob.keys.text, 'x'.repeat(2_000), { mark: kMark });
    ada.tell(relayKeys().text, 'x'.repeat(2_000), { mark: kMark });
  }
  for (let n = 0; n < 150; ++n) await bob.hear();
  await sleep(300);
  const after = stored(broker, kMark);
  assert.equal(after.rows, before.rows);
  assert.deepEqual(after.found, []);
  assert.ok(after.bytes - before.bytes < 100_000, `${after.bytes - before.bytes} bytes`);
  assert.ok(broker.log.every((line) => !line.includes(kMark)));
  const away = relayKeys();
  ada.tell(away.text, 'you are late');
  const late = await registered(broker, { keys: away });
  await late.silent();
});
