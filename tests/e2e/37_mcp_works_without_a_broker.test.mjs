// The broker is not there yet, or goes away: every tool answers in time, and a message that was
// promised is sent once.
import assert from 'node:assert/strict';
import test from 'node:test';
import { answersInTime, brokerWithTwo, inboxIs, kSendMs, startAgent, within } from './mcp.mjs';

test('started before its broker, it promises, and keeps it once the broker is there', async (t) => {
  const [broker, ada, bob] = await brokerWithTwo(t);
  await broker.stop();
  const agent = await startAgent(t, ada);
  await answersInTime(agent, { to: bob.member.publicKey });
  await broker.start();
  await agent.connected();
  await inboxIs(bob, ['promised']);
  const { peers } = await agent.call('list_peers');
  assert.deepEqual(peers.map((peer) => [peer.name, peer.summary]), [['ada', 'waits']]);
});

test('a later process keeps the promise of one that was killed', async (t) => {
  const [broker, ada, bob] = await brokerWithTwo(t);
  await broker.stop();
  const agent = await startAgent(t, ada);
  const { state } = await agent.call('send_message', { to: bob.member.publicKey,
                                                       message: 'promised' });
  assert.equal(state, 'queued');
  await agent.kill();
  await broker.start();
  await inboxIs(bob, []);
  const later = await startAgent(t, ada);
  await later.connected();
  await inboxIs(bob, ['promised']);
});

test('a broker that is restarted in the middle is found again', async (t) => {
  const [broker, ada, bob] = await brokerWithTwo(t);
  const a = await startAgent(t, ada);
  const b = await startAgent(t, bob);
  await Promise.all([a.connected(), b.connected()]);
  await a.call('send_message', { to: 'bob', message: 'before' });
  await broker.kill();
  await a.connected(false);
  const sent = await within(kSendMs, a.call('send_message', { to: 'bob', message: 'between' }));
  assert.equal(sent.state, 'queued');
  await broker.start();
  await Promise.all([a.connected(), b.connected()]);
  await a.call('send_message', { to: 'bob', message: 'after' });
  const shown = await b.messages(3);
  assert.deepEqual(shown.map((message) => message.text), ['before', 'between', 'after']);
});

test('a member that is not admitted any more is told so, and nothing is promised', async (t) => {
  const [broker, ada, bob] = await brokerWithTwo(t);
  const agent = await startAgent(t, ada);
  await agent.connected();
  await broker.setStanding({ pubkey: ada.member.publicKey }, 'revoked');
  await agent.connected(false);
  const said = await within(kSendMs, agent.fails('send_message', { to: bob.member.publicKey,
                                                                   message: 'x' }));
  assert.match(said, /^(revoked|unauthorized|member_revoked): /);
});
