// What an agent was shown is confirmed by its next call only. A process that dies before, or is
// closed, leaves its messages to the next one.
import assert from 'node:assert/strict';
import test from 'node:test';
import { joinedHome } from './cli.mjs';
import { sleep, startBroker } from './harness.mjs';
import { Lines, startAgent } from './mcp.mjs';

const kShownAgainMs = 10_000;

async function pair(t) {
  const broker = await startBroker(t);
  return [await joinedHome(t, broker, 'ada'), await joinedHome(t, broker, 'bob')];
}
const texts = (messages) => messages.map((message) => message.text);

test('a killed process loses none of what it showed', async (t) => {
  const [ada, bob] = await pair(t);
  for (const text of ['one', 'two']) await ada.ok('send', 'bob', text);
  const first = await startAgent(t, bob);
  assert.deepEqual(texts(await first.messages(2)), ['one', 'two']);
  await first.kill();
  const second = await startAgent(t, bob, { revision: '2026-07-28' });
  const began = Date.now();
  assert.deepEqual(texts(await second.messages(2)), ['one', 'two']);
  assert.ok(Date.now() - began < kShownAgainMs);
});

test('the next call of any tool confirms, and then it is gone', async (t) => {
  const [ada, bob] = await pair(t);
  await ada.ok('send', 'bob', 'once');
  const first = await startAgent(t, bob);
  assert.deepEqual(texts(await first.messages(1)), ['once']);
  await first.call('set_status', { status: 'idle' });
  await first.kill();
  const second = await startAgent(t, bob);
  await second.connected();
  assert.deepEqual((await second.call('wait_for_messages', { timeout_seconds: 2 })).messages, []);
});

test('a closed process gives back at once what was not confirmed', async (t) => {
  const [ada, bob] = await pair(t);
  await ada.ok('send', 'bob', 'again');
  const first = await startAgent(t, bob);
  assert.deepEqual(texts(await first.messages(1)), ['again']);
  await first.end();
  const second = await startAgent(t, bob);
  assert.deepEqual(texts((await second.call('check_messages')).messages), ['again']);
});

test('a killed wait holds nothing', async (t) => {
  const [ada, bob] = await pair(t);
  const first = await startAgent(t, bob);
  const waiting = first.result('wait_for_messages', { timeout_seconds: 50 }).catch(() => {});
  await first.connected();
  await first.kill();
  await waiting;
  await ada.ok('send', 'bob', 'for the next');
  const second = await startAgent(t, bob);
  assert.deepEqual(texts(await second.messages(1)), ['for the next']);
});

test('an answer that its agent had given up is shown again', async (t) => {
  const [ada, bob] = await pair(t);
  await ada.ok('send', 'bob', 'crossed');
  const lines = new Lines(bob);
  await lines.initialize();
  const shown = await lines.ask('tools/call', { name: 'wait_for_messages', arguments: {} }, 1);
  assert.match(shown.result.content[0].text, /crossed/);
  lines.say({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } });
  const again = await lines.ask('tools/call', { name: 'check_messages', arguments: {} }, 2);
  assert.match(again.result.content[0].text, /crossed/);
  lines.child.stdin.end();
  assert.equal(await lines.closed, 0);
});

test('two processes of one member share what comes, each message shown by one', async (t) => {
  const [ada, bob] = await pair(t);
  const agents = [await startAgent(t, bob), await startAgent(t, bob)];
  for (const agent of agents) await agent.connected();
  const sent = Array.from({ length: 6 }, (_, i) => `text ${i}`);
  for (const text of sent) await ada.ok('send', 'bob', text);
  const shown = [];
  while (shown.length < sent.length) {
    const lists = await Promise.all(agents.map((agent) =>
      agent.call('wait_for_messages', { timeout_seconds: 2 })));
    for (const { messages } of lists) shown.push(...texts(messages));
  }
  await sleep(300);
  for (const agent of agents) shown.push(...texts((await agent.call('check_messages')).messages));
  assert.deepEqual(shown.sort(), sent);
});

test('a few lines in a pipe are answered, and the process ends', async (t) => {
  const [, bob] = await pair(t);
  const began = Date.now();
  const said = await bob.run(['mcp'], { input: [
    { jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25' } },
    { jsonrpc: '2.0', method: 'notifications/initialized' },
    { jsonrpc: '2.0', id: 2, method: 'tools/call', params: { name: 'set_status',
                                                            arguments: { status: 'dnd' } } },
  ].map((line) => JSON.stringify(line)).join('\n') });
  assert.equal(said.status, 0, said.stderr);
  const answers = said.stdout.trimEnd().split('\n').map((line) => JSON.parse(line));
  assert.deepEqual(answers.map((answer) => answer.id), [1, 2]);
  assert.ok(Date.now() - began < 20_000);
});
