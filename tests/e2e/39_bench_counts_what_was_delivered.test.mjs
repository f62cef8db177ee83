// `signet bench` drives a broker from outside: what it says was delivered is what the broker has
// seen delivered, for every kind of message, sealed or not.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Home } from './cli.mjs';
import { eventually, startBroker } from './harness.mjs';

const kShape = {
  ok: 'boolean', peers: 'number', messagesPerPeer: 'number', to: 'string', sealed: 'boolean',
  textBytes: 'number', offeredPerSecond: 'object', interrupted: 'boolean', seconds: 'number',
  planned: 'number', sent: 'number', acked: 'number', unanswered: 'number', rateLimited: 'number',
  refused: 'object', expected: 'number', delivered: 'number', deliveredPercent: 'number',
  lost: 'number', duplicates: 'number', outOfOrder: 'number', wrong: 'number',
  lostConnections: 'number', errors: 'object', ackedPerSecond: 'number',
  deliveredPerSecond: 'number', latencyUs: 'object', ackLatencyUs: 'object',
  brokerRssBytes: 'number', ownRssBytes: 'number', ownCpuSeconds: 'number',
};

const bench = (home, broker, ...options) => home.json('bench', '--invite', broker.invite, ...options);

function assertWhole(figures, { messages, receivers }) {
  const what = JSON.stringify(figures);
  assert.equal(figures.ok, true, what);
  for (const key of ['planned', 'sent', 'acked']) assert.equal(figures[key], messages, what);
  for (const key of ['expected', 'delivered']) assert.equal(figures[key], messages * receivers, what);
  assert.equal(figures.deliveredPercent, 100);
  for (const key of ['lost', 'duplicates', 'outOfOrder', 'wrong', 'unanswered', 'lostConnections']) {
    assert.equal(figures[key], 0, what);
  }
  assert.deepEqual([figures.refused, figures.errors], [{}, {}], what);
  assert.equal(figures.latencyUs.count, messages * receivers);
  assert.equal(figures.ackLatencyUs.count, messages);
  const { p50, p90, p99, max } = figures.latencyUs;
  assert.ok(0 < p50 && p50 <= p90 && p90 <= p99 && p99 <= max, what);
}

for (const to of ['direct', 'channel', 'broadcast']) {
  for (const mode of ['--sealed', '--plain']) {
    test(`${to} ${mode}: all comes, once, in order`, async (t) => {
      const broker = await startBroker(t);
      const figures = await bench(new Home(t), broker, '--peers', '4', '--messages', '25',
                                  '--to', to, mode, '--size', '300');
      assertWhole(figures, { messages: 100, receivers: to === 'direct' ? 1 : 3 });
      assert.equal(figures.sealed, mode === '--sealed');
      assert.equal(figures.to, to);
      await eventually('every mailbox is empty: receipts confirmed all', async () =>
        await broker.metric('broker_queue_depth') === 0);
    });
  }
}

test('the document has one shape', async (t) => {
  const broker = await startBroker(t);
  const figures = await bench(new Home(t), broker, '--peers', '2', '--messages', '1');
  assert.deepEqual(Object.keys(figures), Object.keys(kShape));
  for (const [key, type] of Object.entries(kShape)) assert.equal(typeof figures[key], type, key);
  assert.ok(figures.brokerRssBytes > 1e6 && figures.ownRssBytes > 1e6, JSON.stringify(figures));
});

test('a schedule takes its time', async (t) => {
  const broker = await startBroker(t);
  const figures = await bench(new Home(t), broker, '--peers', '3', '--messages', '10', '--rate', '20');
  assertWhole(figures, { messages: 30, receivers: 1 });
  assert.equal(figures.offeredPerSecond, 20);
  assert.ok(figures.seconds >= 1.4, 'the last of 30 is due after 1.45 s');
});

test('all at once comes too, and people read lines', async (t) => {
  const broker = await startBroker(t);
  const said = await new Home(t).ok('bench', '--invite', broker.invite, '--peers', '10',
                                    '--messages', '100', '--as-fast-as-possible');
  assert.match(said, /^delivered +1,000\/1,000 \(100\.00 %\)$/m);
  assert.match(said, /^load +10 peers × 100 messages, sealed, direct, 256 bytes, all at once$/m);
  assert.match(said, /^latency +p50 \d+.*p99 \d+/m);
});

test('a rate limit is waited for, and counted', async (t) => {
  const broker = await startBroker(t, { set: { 'limits.sends_per_second': 40,
                                               'limits.sends_burst': 20 } });
  for (const to of ['direct', 'channel']) {
    const figures = await bench(new Home(t), broker, '--peers', '3', '--messages', '40', '--to', to);
    assertWhole(figures, { messages: 120, receivers: to === 'direct' ? 1 : 2 });
    assert.ok(figures.rateLimited > 0, JSON.stringify(figures));
  }
});

test('joins and hellos beyond a limit are tried again', async (t) => {
  const broker = await startBroker(t, { set: {
    'limits.requests_per_second_address': 5, 'limits.requests_burst_address': 5,
    'limits.hellos_per_second_address': 5, 'limits.hellos_burst_address': 5 } });
  const figures = await bench(new Home(t), broker, '--peers', '16', '--messages', '5');
  assert.equal(figures.delivered, 80, JSON.stringify(figures));
});
