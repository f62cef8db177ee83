// An answer that still lies in the pipe when the agent makes another call was read by nobody: when
// its call is given up then, the messages in it are shown again.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { joinedHome, signet } from './cli.mjs';
import { eventually, sleep, startBroker } from './harness.mjs';

const kOnTheWayMs = 3_000; // for an answer to be in the pipe, where nobody may look for it

// `signet mcp` whose answers stay in the pipe until somebody asks for them.
class Unread {
  constructor(t, home) {
    const pipe = join(home.folder, 'answers');
    execFileSync('mkfifo', [pipe]);
    this.end = openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
    const out = openSync(pipe, constants.O_WRONLY);
    this.child = spawn(signet, ['mcp'], { env: home.env, cwd: home.folder,
                                          stdio: ['pipe', out, 'ignore'] });
    closeSync(out);
    this.closed = once(this.child, 'close').then(([status]) => status);
    this.text = '';
    t.after(() => { this.child.kill('SIGKILL'); closeSync(this.end); });
  }
  say(line) { this.child.stdin.write(JSON.stringify({ jsonrpc: '2.0', ...line }) + '\n'); }
  call(id, name, args = {}) {
    this.say({ id, method: 'tools/call', params: { name, arguments: args } });
  }
  take() {
    const bytes = Buffer.alloc(65_536);
    try {
      this.text += bytes.toString('utf8', 0, readSync(this.end, bytes));
    } catch (error) {
      assert.equal(error.code, 'EAGAIN');
    }
    return this.text.split('\n').slice(0, -1).map((line) => JSON.parse(line));
  }
  answer(id) {
    return eventually(`the answer ${id}`, () => this.take().find((each) => each.id === id));
  }
}

test('a wait given up beside another call loses no message', async (t) => {
  const broker = await startBroker(t);
  const ada = await joinedHome(t, broker, 'ada');
  const bob = await joinedHome(t, broker, 'bob');
  const agent = new Unread(t, bob);
  agent.say({ id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25' } });
  await agent.answer(1);
  agent.call(20, 'wait_for_messages', { timeout_seconds: 50 });
  await ada.ok('send', '--wait', 'bob', 'mind the gap');
  await sleep(kOnTheWayMs);
  agent.call(21, 'set_status', { status: 'working' });
  await sleep(kOnTheWayMs);
  agent.say({ method: 'notifications/cancelled', params: { requestId: 20 } });
  await agent.answer(21);
  assert.match(JSON.stringify(await agent.answer(20)), /mind the gap/); // it was on the way
  agent.call(22, 'check_messages');
  assert.match(JSON.stringify(await agent.answer(22)), /mind the gap/);
  agent.call(23, 'check_messages');
  assert.match(JSON.stringify(await agent.answer(23)), /No new messages/);
  agent.child.stdin.end();
  assert.equal(await agent.closed, 0);
});
