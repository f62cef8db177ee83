// Without a broker a send says so and leaves nothing behind, unless it was told to leave it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import test from 'node:test';
import { joinedHome } from './cli.mjs';
import { sleep, startBroker } from './harness.mjs';

async function twoPeople(t) {
  // The same port again: the profile names it.
  const broker = await startBroker(t);
  broker.options.command = ['dev', '--listen', broker.listen ?? new URL(broker.http).host, '--ready-json'];
  return { broker, ada: await joinedHome(t, broker, 'ada'), bob: await joinedHome(t, broker, 'bob') };
}

test('a message that was not taken is taken back: exit 5, and it never comes', async (t) => {
  const { broker, ada, bob } = await twoPeople(t);
  await broker.kill();
  const to = bob.member.publicKey;
  const told = await ada.fails(5, 'not_sent', 'send', to, 'lost', '--timeout', '1');
  assert.match(told.message, /taken back/);
  await broker.start();
  await ada.ok('send', to, 'after');
  assert.deepEqual((await bob.json('inbox')).messages.map(({ text }) => text), ['after']);
});

test('with --queue it stays and comes once, with the next command that connects', async (t) => {
  const { broker, ada, bob } = await twoPeople(t);
  await broker.kill();
  const to = bob.member.publicKey;
  const queued = await ada.json('send', to, 'queued', '--queue', '--timeout', '1');
  assert.deepEqual([queued.state, queued.messageId], ['waiting', null]);
  await broker.start();
  await ada.ok('inbox');
  await ada.ok('inbox');
  assert.deepEqual((await bob.json('inbox')).messages.map(({ text }) => text), ['queued']);
});

test('Ctrl-C takes a message back that nobody has', async (t) => {
  const { broker, ada, bob } = await twoPeople(t);
  await broker.kill();
  const to = bob.member.publicKey;
  const sending = ada.spawn(['send', to, 'regretted', '--timeout', '60']);
  let said = '';
  sending.stderr.on('data', (data) => { said += data; });
  await sleep(1_500);
  sending.kill('SIGINT');
  const [status] = await once(sending, 'close');
  assert.equal(status, 5, said);
  assert.match(said, /taken back/);
  await broker.start();
  await ada.ok('inbox');
  assert.deepEqual((await bob.json('inbox')).messages, []);
});

test('a name that was used before is known without the broker, a new one is not', async (t) => {
  const { broker, ada } = await twoPeople(t);
  await ada.ok('send', 'bob', 'pins the name');
  await broker.kill();
  await ada.fails(5, 'not_sent', 'send', 'bob', 'x', '--timeout', '1');
  await ada.fails(5, null, 'send', 'carol', 'x', '--timeout', '1');
  await ada.fails(5, null, 'peers');
  await ada.fails(5, null, 'inbox');
});

test('a text that breaks the rules is refused before it is sent', async (t) => {
  const { ada, bob } = await twoPeople(t);
  const to = bob.member.publicKey;
  const long = await ada.run(['send', to, '-', '-o', 'json'], { input: 'x'.repeat(40_001) });
  assert.deepEqual([long.status, JSON.parse(long.stdout).error], [1, 'text_too_long']);
  const broken = await ada.run(['send', to, '-', '-o', 'json'], { input: Buffer.from([0xff, 0xfe]) });
  assert.deepEqual([broken.status, JSON.parse(broken.stdout).error], [1, 'text_not_utf8']);
  await ada.fails(3, 'no_such_member', 'send', 'nobody', 'x');
  await ada.fails(5, 'not_received', 'send', to, 'x', '--wait', '--timeout', '1');
});
