// Starts `signet mcp` for a person and speaks to it with the official TypeScript client of the
// Model Context Protocol, or line by line.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { joinedHome, signet } from './cli.mjs';
import { eventually, sleep, startBroker } from './harness.mjs';

export const kSendMs = 25_000;
export const kOthersMs = 12_000; // seconds, on a sanitized build and a busy machine
export const revisions = { '2025-11-25': 'legacy', '2026-07-28': { pin: '2026-07-28' } };

// What the SDK has of one `signet mcp`. `agent.call(tool, arguments)` answers the structured
// content; `agent.fails` the sentence of an error.
export async function startAgent(t, home, { revision = '2025-11-25', args = [] } = {}) {
  const transport = new StdioClientTransport({ command: signet, args: ['mcp', ...args],
                                               env: home.env, cwd: home.folder, stderr: 'pipe' });
  const client = new Client({ name: 'e2e', version: '1' },
                            { versionNegotiation: { mode: revisions[revision] } });
  const agent = new Agent(client, transport);
  t.after(() => agent.end());
  await client.connect(transport);
  return agent;
}

class Agent {
  constructor(client, transport) {
    this.client = client;
    this.transport = transport;
    this.complaints = [];
    this.log = '';
    client.onerror = (error) => this.complaints.push(error.message);
    transport.stderr.on('data', (data) => { this.log += data; });
  }
  get pid() { return this.transport.pid; }

  result(tool, args = {}, options = {}) {
    return this.client.callTool({ name: tool, arguments: args }, options);
  }
  async call(tool, args, options) {
    const result = await this.result(tool, args, options);
    assert.equal(result.isError ?? false, false, JSON.stringify(result.content));
    assert.deepEqual(JSON.parse(result.content[0].text), result.structuredContent);
    return result.structuredContent;
  }
  async fails(tool, args) {
    const result = await this.result(tool, args);
    assert.equal(result.isError, true, JSON.stringify(result));
    return result.content[0].text;
  }
  // Messages until there are `count`, each call of which confirms those before.
  async messages(count) {
    const got = [];
    await eventually(`${count} messages`, async () => {
      got.push(...(await this.call('wait_for_messages', { timeout_seconds: 5 })).messages);
      return got.length >= count;
    });
    return got;
  }
  connected(value = true) {
    return eventually(`connected: ${value}`, async () => {
      const { meshes } = await this.call('set_status', { status: 'idle' });
      return meshes.every((mesh) => mesh.connected === value);
    }, 60_000);
  }

  async end() {
    await this.client.close();
    assert.deepEqual(this.complaints, []);
    assert.doesNotMatch(this.log, /runtime error|Sanitizer/);
  }
  kill() {
    process.kill(this.pid, 'SIGKILL');
    return eventually('the end of the process', () => this.transport.pid === null);
  }
}

// `signet mcp` spoken to by hand.
export class Lines {
  constructor(home) {
    this.child = home.spawn(['mcp']);
    this.closed = once(this.child, 'close').then(([status]) => status);
    this.got = [];
    this.log = '';
    this.child.stdin.on('error', () => {});
    this.child.stderr.on('data', (data) => { this.log += data; });
    createInterface({ input: this.child.stdout }).on('line', (line) => this.got.push(line));
  }
  say(line) {
    this.child.stdin.write((typeof line === 'string' ? line : JSON.stringify(line)) + '\n');
  }
  // The first answer for which `is` holds; what cannot be parsed fails the test.
  async next(is = () => true) {
    return eventually('an answer', () => {
      const at = this.got.findIndex((line) => is(JSON.parse(line)));
      return at >= 0 && JSON.parse(this.got.splice(at, 1)[0]);
    });
  }
  ask(method, params, id = 'id') {
    this.say({ jsonrpc: '2.0', id, method, params });
    return this.next((answer) => answer.id === id);
  }
  initialize() {
    return this.ask('initialize', { protocolVersion: '2025-11-25', capabilities: {},
                                    clientInfo: { name: 'e2e', version: '1' } }, 'init');
  }
}

// A broker that comes back at the address where its members look for it.
export async function brokerWithTwo(t) {
  const broker = await startBroker(t);
  broker.options.command = ['dev', '--listen', broker.listen, '--ready-json'];
  return [broker, await joinedHome(t, broker, 'ada'), await joinedHome(t, broker, 'bob')];
}

export async function within(ms, promise) {
  const began = Date.now();
  const answer = await promise;
  assert.ok(Date.now() - began < ms, `${Date.now() - began} ms`);
  return answer;
}

// Every tool of an agent whose broker does not answer.
export async function answersInTime(agent, { to }) {
  assert.match(await within(kOthersMs, agent.fails('list_peers')), /^[a-z_]+: .*What to do: /);
  for (const [tool, args] of [['check_messages', {}], ['set_status', { status: 'working' }],
                              ['set_summary', { summary: 'waits' }],
                              ['wait_for_messages', { timeout_seconds: 1 }]]) {
    const { meshes } = await within(kOthersMs, agent.call(tool, args));
    assert.equal(meshes[0].connected, false, tool);
    assert.ok(meshes[0].why, tool);
  }
  const sent = await within(kSendMs, agent.call('send_message', { to, message: 'promised' }));
  assert.equal(sent.state, 'queued');
  assert.match(sent.note, /^queued; it will be sent once when the broker is back/);
}

export async function inboxIs(home, expected) {
  const got = [];
  await eventually(`${expected} in the inbox`, async () => {
    got.push(...(await home.json('inbox')).messages.map((message) => message.text));
    return got.length >= expected.length;
  }, 60_000);
  await sleep(500);
  got.push(...(await home.json('inbox')).messages.map((message) => message.text));
  assert.deepEqual(got, expected);
}
