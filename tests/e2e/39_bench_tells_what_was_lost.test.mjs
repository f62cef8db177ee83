// A run that goes wrong still ends, with its figures and an exit code that a script can use.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import test from 'node:test';
import { Home } from './cli.mjs';
import { eventually, makeInvite, startBroker } from './harness.mjs';

// A run that takes longer than the test lets it; resolves when messages are being delivered.
async function longRun(t, broker, ...options) {
  const child = new Home(t).spawn(['bench', '-o', 'json', '--invite', broker.invite, '--peers', '4',
                                   '--messages', '100000', '--rate', '200', ...options]);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data) => { stdout += data; });
  child.stderr.on('data', (data) => { stderr += data; });
  const ended = once(child, 'close').then(([status]) => {
    assert.doesNotMatch(stderr, /runtime error|Sanitizer/);
    return { status, figures: JSON.parse(stdout), stderr };
  });
  await eventually('messages are on their way', async () =>
    await broker.metric('broker_messages_routed_total{priority="next"}') > 20);
  return { child, ended };
}

test('a broker that is killed: exit 1, and the figures so far', async (t) => {
  const broker = await startBroker(t);
  const { ended } = await longRun(t, broker);
  await broker.kill();
  const { status, figures, stderr } = await ended;
  assert.equal(status, 1);
  assert.equal(figures.ok, false);
  assert.equal(figures.error, 'not_delivered');
  assert.equal(figures.exit, 1);
  assert.equal(figures.lostConnections, 4);
  assert.equal(figures.brokerRssBytes, null);
  assert.equal(figures.interrupted, false);
  assert.ok(figures.delivered > 0 && figures.sent < figures.planned, JSON.stringify(figures));
  assert.equal(figures.sent, figures.acked + figures.unanswered);
  assert.equal(figures.lost, figures.expected - figures.delivered);
  assert.match(stderr, /^signet: [\d,]+ of 400,000 deliveries did not happen$/m);
});

test('Ctrl-C: the figures so far, and 0 when nothing of them is missing', async (t) => {
  const broker = await startBroker(t);
  const { child, ended } = await longRun(t, broker, '--to', 'channel');
  child.kill('SIGINT');
  const { status, figures } = await ended;
  assert.equal(status, 0, JSON.stringify(figures));
  assert.equal(figures.interrupted, true);
  assert.equal(figures.lost, 0);
  assert.equal(figures.delivered, figures.sent * 3);
  assert.ok(figures.sent < figures.planned);
});

test('a broker that is away: exit 5', async (t) => {
  const broker = await startBroker(t);
  await broker.stop();
  const told = await new Home(t).fails(5, 'unreachable', 'bench', '--invite', broker.invite);
  assert.match(told.message, /./);
});

test('an invite with too few uses says how many it has', async (t) => {
  const broker = await startBroker(t);
  const invite = makeInvite(broker.ownerKeys(), { mesh_id: broker.mesh.id, broker_url: broker.ws });
  const body = { invite_token: invite.invite_token, max_uses: 3 };
  assert.equal((await broker.operator('POST', '/invites', body)).status, 200);
  const told = await new Home(t).fails(4, 'invite_exhausted', 'bench', '--invite',
                                       `ic://join/${invite.invite_token}`, '--peers', '5');
  assert.match(told.message, /3 of the 5 peers/);
  assert.match(told.advice, /--uses 5/);
});

test('what a full mailbox refuses is told by its code, and is not lost', async (t) => {
  const broker = await startBroker(t, { set: { 'store.sender_messages': 1,
                                               'claudemesh.unconfirmed_messages': 1 } });
  const answer = await new Home(t).run(['bench', '-o', 'json', '--invite', broker.invite, '--peers',
                                        '2', '--messages', '200', '--as-fast-as-possible']);
  const figures = JSON.parse(answer.stdout);
  assert.equal(answer.status, 1, answer.stdout);
  assert.deepEqual(Object.keys(figures.refused), ['quota_exceeded']);
  assert.equal(figures.lost, 0, answer.stdout);
  assert.equal(figures.acked + figures.refused.quota_exceeded, 400);
  assert.equal(figures.delivered, figures.acked);
});

test('options that make no sense are refused before anybody joins', async (t) => {
  const home = new Home(t);
  const rows = [[], ['--invite', 'x', '--peers', '1'], ['--invite', 'x', '--size', '10'],
                ['--invite', 'x', '--rate', '5', '--in-flight', '3'],
                ['--invite', 'x', '--shape', 'claudemesh', '--peers', '3'],
                ['--invite', 'x', '--rate', '5', '--as-fast-as-possible'],
                ['--invite', 'x', '--plain', '--sealed'], ['--invite', 'x', '--to', 'tag:a']];
  for (const options of rows) await home.fails(2, 'usage', 'bench', ...options);
  await home.fails(1, 'invite_malformed', 'bench', '--invite', 'x');
});
