// Each change of a member's channels is an entry for good, so a member has few of them: enough for a
// client that joins all its channels at each start, and not for one that joins and leaves without end.
import assert from 'node:assert/strict';
import test from 'node:test';
import { entriesOf } from './audit_reader.mjs';
import { eventually, startBroker } from './harness.mjs';

const kChannels = 64; // limits.channels_per_member
const kAtOnce = 100;
const kPerMinute = 30;
const kRounds = 200;

const isAnswer = ({ type }) => ['channel_joined', 'channel_left', 'error'].includes(type);
// 'channel_joined', 'channel_left' or the code of the refusal.
async function change(peer, verb, name) {
  const answer = await peer.ask({ type: `channel_${verb}`, name }, isAnswer);
  if (answer.code === 'rate_limited') assert.ok(answer.retryAfterMs > 0);
  return answer.code ?? answer.type;
}

test('who joins its channels at each start is let in; who joins and leaves without end waits', async (t) => {
  const began = performance.now();
  const broker = await startBroker(t, { set: {
    'limits.channel_changes_per_minute': kPerMinute, 'limits.channel_changes_burst': kAtOnce } });
  const member = await broker.join('ada');
  const names = Array.from({ length: kChannels }, (_, i) => `channel-${i}`);
  const changes = async () => (await entriesOf(broker)).filter(({ event }) => event.startsWith('channel_')).length;
  for (let start = 0; start < 4; ++start) {
    const client = await broker.connect(member);
    for (const name of names) client.say({ type: 'channel_join', name });
    for (const name of names) {
      const answer = await client.next(isAnswer);
      assert.equal(answer.type, 'channel_joined', `start ${start}, ${name}: ${JSON.stringify(answer)}`);
    }
    await client.leave();
  }
  assert.equal(await changes(), kChannels, 'to join again changes nothing');

  const [one, two] = [await broker.connect(member), await broker.connect(member)];
  let refused = 0;
  for (let round = 0; round < kRounds; ++round) {
    const [peer, other] = round % 2 === 0 ? [one, two] : [two, one];
    assert.equal(await change(peer, 'leave', names[0]), 'channel_left', 'leaving is always right');
    const said = await change(other, 'join', names[0]);
    if (said !== 'channel_joined') assert.equal(said, 'rate_limited');
    refused += said === 'rate_limited' ? 1 : 0;
  }
  assert.ok(refused > 0);
  const minutes = (performance.now() - began) / 60_000;
  const most = kAtOnce + Math.ceil(minutes * kPerMinute) + 2;
  assert.ok(await changes() <= most, `${await changes()} entries, ${most} at most`);

  const { peer } = await broker.joined('ben');
  assert.equal(await change(peer, 'join', names[0]), 'channel_joined', 'another member is not held for it');
  await eventually('it may join again', async () => await change(one, 'join', names[0]) === 'channel_joined');
});
