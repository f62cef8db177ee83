// A client need not wait for the hello_ack: whatever the bytes of hello and first frames come in,
// the hello counts first, and what follows is never answered as if there had been none.
import assert from 'node:assert/strict';
import test from 'node:test';
import { hello, sleep, startBroker, unique } from './harness.mjs';
import { frame, kText, RawSocket } from './raw_socket.mjs';

const kRuns = Number(process.env.SIGNET_TEST_RUNS ?? 60);

test('hello, send and list in any pieces are answered in their order', async (t) => {
  const broker = await startBroker(t);
  const member = await broker.join('member');
  const { member: other, peer } = await broker.joined('other');
  for (let run = 0; run < kRuns; ++run) {
    const raw = await RawSocket.connect(broker);
    const send = { type: 'send', id: unique(), targetSpec: other.pubkey, priority: 'now', nonce: 'n',
                   ciphertext: `run ${run}` };
    const said = [hello(member), send, { type: 'list_peers' }];
    const bytes = Buffer.concat(said.map((each) => frame(kText, JSON.stringify(each))));
    const cuts = [...Array(run % 4)].map(() => Math.floor(Math.random() * bytes.length));
    const borders = [0, ...cuts.sort((a, b) => a - b), bytes.length];
    for (let i = 1; i < borders.length; ++i) {
      raw.socket.write(bytes.subarray(borders[i - 1], borders[i]));
      await sleep(Math.random() * 4);
    }
    await raw.next('peers_list');
    const answers = raw.frames.filter(({ opcode }) => opcode === kText)
      .map(({ payload }) => JSON.parse(payload).type);
    assert.equal(answers[0], 'hello_ack', `cut at ${cuts}`);
    assert.ok(!answers.includes('error'), `cut at ${cuts}: ${answers}`);
    if (!answers.includes('ack')) await raw.next('ack'); // it waits for its commit
    assert.deepEqual(await peer.texts(1), [`run ${run}`]);
    await raw.end();
  }
});
