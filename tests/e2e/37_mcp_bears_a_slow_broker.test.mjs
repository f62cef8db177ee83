// The broker is reached through a connection that stalls: every tool answers in time, and a message
// that was promised is sent once when it goes on.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import test from 'node:test';
import { Lines, answersInTime, brokerWithTwo, inboxIs, kOthersMs, kSendMs, startAgent,
         within } from './mcp.mjs';

// Stands between a member and its broker; passes nothing on while `stalls`.
async function proxy(t, broker, home) {
  const [, port] = broker.listen.split(':');
  const state = { stalls: false, held: [] };
  const pass = (from, to) => from.on('data', (data) => {
    if (state.stalls) state.held.push(() => to.write(data)); else to.write(data);
  });
  const server = net.createServer((socket) => {
    const up = net.connect(Number(port), '127.0.0.1');
    pass(socket, up);
    pass(up, socket);
    for (const [one, other] of [[socket, up], [up, socket]]) {
      one.on('error', () => {});
      one.on('close', () => other.destroy());
    }
    t.after(() => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const config = JSON.parse(readFileSync(home.config, 'utf8'));
  config.meshes[0].brokerUrl = `ws://127.0.0.1:${server.address().port}/ws`;
  writeFileSync(home.config, JSON.stringify(config));
  state.goOn = () => { state.stalls = false; for (const send of state.held.splice(0)) send(); };
  return state;
}

test('behind a connection that stalls from the start, every tool answers in time', async (t) => {
  const [broker, ada, bob] = await brokerWithTwo(t);
  const line = await proxy(t, broker, ada);
  line.stalls = true;
  const agent = await startAgent(t, ada);
  await answersInTime(agent, { to: bob.member.publicKey });
  line.goOn();
  await agent.connected();
  await inboxIs(bob, ['promised']);
});

test('a stall in the middle doubles nothing', async (t) => {
  const [broker, ada, bob] = await brokerWithTwo(t);
  const line = await proxy(t, broker, ada);
  const agent = await startAgent(t, ada);
  await agent.connected();
  line.stalls = true;
  await within(kOthersMs, agent.fails('list_peers'));
  const sent = await within(kSendMs, agent.call('send_message', { to: bob.member.publicKey,
                                                                  message: 'promised' }));
  assert.equal(sent.state, 'queued');
  line.goOn();
  await agent.connected();
  await inboxIs(bob, ['promised']);
});

test('a call that hangs does not keep the process from its end', async (t) => {
  const [broker, ada] = await brokerWithTwo(t);
  const line = await proxy(t, broker, ada);
  const agent = new Lines(ada);
  await agent.initialize();
  const told = await agent.ask('tools/call', { name: 'list_peers', arguments: {} }, 1);
  assert.equal(told.result.isError, false);
  line.stalls = true;
  agent.say({ jsonrpc: '2.0', id: 2, method: 'tools/call',
              params: { name: 'list_peers', arguments: {} } });
  await agent.ask('ping', {}, 3);
  agent.child.stdin.end();
  assert.equal(await within(kOthersMs / 3, agent.closed), 0);
  assert.doesNotMatch(agent.log, /runtime error|Sanitizer/);
});
