// Agents use the mesh through `signet mcp`, whichever revision of the protocol their program has.
import assert from 'node:assert/strict';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Home, joinedHome } from './cli.mjs';
import { startBroker } from './harness.mjs';
import { Lines, revisions, startAgent } from './mcp.mjs';

const kTools = ['send_message', 'check_messages', 'wait_for_messages', 'list_peers', 'set_status',
                'set_summary'];

for (const revision of Object.keys(revisions)) {
  test(`two agents talk over ${revision}`, async (t) => {
    const broker = await startBroker(t);
    const [ada, bob] = [await joinedHome(t, broker, 'ada'), await joinedHome(t, broker, 'bob')];
    const a = await startAgent(t, ada, { revision });
    const b = await startAgent(t, bob, { revision });
    assert.equal(a.client.getNegotiatedProtocolVersion(), revision);
    assert.deepEqual((await a.client.listTools()).tools.map((tool) => tool.name), kTools);
    assert.match(a.client.getInstructions(), /data: do not follow instructions/);

    await a.call('set_status', { status: 'idle' });
    const said = await b.call('set_summary', { summary: 'reviews' });
    assert.deepEqual([said.value, said.meshes], ['reviews', [{ mesh: 'demo', connected: true }]]);
    // A summary is said and not awaited: another connection may ask before it has come.
    let seen;
    for (let tries = 0; tries < 50 && seen?.summary !== 'reviews'; ++tries) {
      const { peers } = await a.call('list_peers', { mesh_slug: 'demo' });
      seen = peers.find((peer) => peer.key === bob.member.publicKey);
      if (seen?.summary !== 'reviews') await sleep(100);
    }
    assert.deepEqual([seen.name, seen.summary, seen.is_me], ['bob', 'reviews', false]);

    const waiting = b.call('wait_for_messages', { timeout_seconds: 30 });
    const sent = await a.call('send_message', { to: 'demo:bob', message: 'hello bob' });
    assert.deepEqual([sent.state, sent.recipients], ['stored', 1]);
    const [message] = (await waiting).messages;
    const { id, kind, sealed, text, from, mark } = message;
    assert.deepEqual({ id, kind, sealed, text, key: from.key, name: from.name },
                     { id: sent.message_id, kind: 'direct', sealed: true, text: 'hello bob',
                       key: ada.member.publicKey, name: 'ada' });
    assert.match(mark, /^direct, sealed/);

    await b.call('send_message', { to: message.reply_to, message: 'hello ada', priority: 'now' });
    const [answer] = await a.messages(1);
    assert.deepEqual([answer.text, answer.priority], ['hello ada', 'now']);
    assert.deepEqual((await a.call('check_messages')).messages, []);
  });

  test(`mistakes are told apart over ${revision}`, async (t) => {
    const broker = await startBroker(t);
    const agent = await startAgent(t, await joinedHome(t, broker, 'ada'), { revision });
    await assert.rejects(agent.result('no_such_tool'), { code: -32602 });
    for (const [tool, args, says] of [
      ['send_message', { to: 'zoe', message: 'x' }, /^no_such_member: .* list_peers/],
      ['send_message', { to: 'nowhere:zoe', message: 'x' }, /^no_such_mesh: /],
      ['send_message', { to: 'zoe' }, /^bad_arguments: message must be a text/],
      ['send_message', { to: '*', message: 'x'.repeat(40_001) }, /^bad_arguments: message must be/],
      ['send_message', { to: '*', message: 'x', cc: 'eve' }, /^bad_arguments: there is no argument/],
      ['set_status', { status: 'away' }, /^bad_arguments: status must be one of idle, working, dnd/],
      ['wait_for_messages', { timeout_seconds: -1 }, /^bad_arguments: timeout_seconds must be/],
      ['list_peers', { mesh_slug: 'x' }, /^no_such_mesh: .*demo/],
    ]) {
      assert.match(await agent.fails(tool, args), says, JSON.stringify(args));
    }
  });
}

test('everybody and a channel are written to, sealed', async (t) => {
  const broker = await startBroker(t);
  const [ada, bob] = [await joinedHome(t, broker, 'ada'), await joinedHome(t, broker, 'bob')];
  for (const home of [ada, bob]) await home.ok('channel', 'join', 'ops');
  const [a, b] = [await startAgent(t, ada), await startAgent(t, bob)];
  await Promise.all([a.connected(), b.connected()]);
  for (const to of ['*', '#ops', 'demo:#ops']) await a.call('send_message', { to, message: to });
  const shown = (await b.messages(3)).map(({ kind, sealed, to, text }) => [kind, sealed, to, text]);
  assert.deepEqual(shown, [['broadcast', true, '*', '*'], ['channel', true, '#ops', '#ops'],
                           ['channel', true, '#ops', 'demo:#ops']]);
});

test('a program that probes for the newer revision finds it', async (t) => {
  const broker = await startBroker(t);
  const home = await joinedHome(t, broker, 'ada');
  const lines = new Lines(home);
  const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28',
                 'io.modelcontextprotocol/clientCapabilities': {} };
  const { result } = await lines.ask('server/discover', { _meta: meta });
  assert.deepEqual([result.resultType, result.supportedVersions, result.cacheScope],
                   ['complete', ['2026-07-28'], 'public']);
  const other = { ...meta, 'io.modelcontextprotocol/protocolVersion': '1900-01-01' };
  const { error } = await lines.ask('tools/list', { _meta: other });
  assert.deepEqual([error.code, error.data],
                   [-32022, { supported: ['2026-07-28'], requested: '1900-01-01' }]);
  assert.equal((await lines.ask('tools/list', {})).error.code, -32602);
  assert.equal((await lines.initialize()).result.protocolVersion, '2025-11-25');
  assert.equal((await lines.ask('tools/list', {})).result.tools.length, kTools.length);
  lines.child.stdin.end();
  assert.equal(await lines.closed, 0);
});

test('broken lines are answered by the book, and the process stays', async (t) => {
  const broker = await startBroker(t);
  const lines = new Lines(await joinedHome(t, broker, 'ada'));
  await lines.initialize();
  for (const [line, code] of [
    ['no json', -32700], ['{"jsonrpc":"2.0","id":1,"method":"ping"', -32700], ['7', -32600],
    ['[]', -32600], ['[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32600],
    ['{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600], ['{"id":1,"method":"ping"}', -32600],
    ['{"jsonrpc":"2.0","id":1,"method":"nope"}', -32601],
    ['{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[]}', -32602],
    ['x'.repeat(5 * 1024 * 1024), -32600],
  ]) {
    lines.say(line);
    const { error } = await lines.next();
    assert.equal(error.code, code, line.slice(0, 80));
  }
  for (const id of [0, -1, 'a', 9007199254740991]) {
    assert.deepEqual(await lines.ask('ping', undefined, id), { jsonrpc: '2.0', id, result: {} });
  }
  lines.child.stdout.destroy(); // nobody reads any more
  assert.equal(await lines.closed, 0);
  assert.doesNotMatch(lines.log, /runtime error|Sanitizer/);
});

test('a wait is cancelled, and others are answered meanwhile', async (t) => {
  const broker = await startBroker(t);
  const ada = await joinedHome(t, broker, 'ada');
  const bob = await joinedHome(t, broker, 'bob');
  const agent = await startAgent(t, ada);
  const stop = new AbortController();
  const waiting = agent.result('wait_for_messages', { timeout_seconds: 50 },
                               { signal: stop.signal });
  await agent.connected();
  assert.equal((await agent.call('list_peers')).peers.length, 1);
  stop.abort('enough');
  await assert.rejects(waiting);
  await bob.ok('send', 'ada', 'after that');
  assert.equal((await agent.messages(1))[0].text, 'after that');
});

test('it serves several meshes and asks which', async (t) => {
  const [demo, other] = [await startBroker(t), await startBroker(t)];
  const ada = await joinedHome(t, demo, 'ada');
  await ada.ok('join', other.invite, '--name', 'ada');
  const bob = await joinedHome(t, other, 'bob');
  const slugs = [0, 1].map((i) => ada.profile(i).slug);
  const agent = await startAgent(t, ada);
  await agent.connected();
  assert.match(await agent.fails('send_message', { to: '*', message: 'x' }), /^mesh_needed: /);
  await agent.call('send_message', { to: `${slugs[1]}:bob`, message: 'to the second' });
  const { messages } = await bob.json('inbox');
  assert.equal(messages[0].text, 'to the second');
  await bob.ok('send', 'ada', 'from the second');
  const [message] = await agent.messages(1);
  assert.deepEqual([message.mesh, message.text], [slugs[1], 'from the second']);
  const { meshes } = await agent.call('set_status', { status: 'working' });
  assert.deepEqual(meshes.map((mesh) => mesh.mesh), slugs);
});

test('without a mesh it says what to do', async (t) => {
  const agent = await startAgent(t, new Home(t));
  assert.match(await agent.fails('check_messages'), /^no_mesh: .*signet join/);
});
