// A captured action is refused on another socket, after a restart and after kill -9.
import assert from 'node:assert/strict';
import test from 'node:test';
import { action, startHub } from './hub_client.mjs';

test('a replay is refused whatever happened to the broker', async (t) => {
  const hub = await startHub(t);
  const said = [];
  const first = await hub.user('ann');
  for (let i = 0; i < 20; ++i) {
    said.push(action('click', { i }));
    first.say('action', said[i]);
    await first.next('action_update', (data) => data.payload.i === i);
  }
  const replayAll = async (user) => {
    for (const each of said) {
      assert.equal((await user.ask('action', each, 'action_error')).error, 'replay_detected');
    }
    assert.equal((await user.act('click', 'new')).payload, 'new');
  };
  await replayAll(await hub.user('ann', { transports: ['polling'] }));
  await hub.restart();
  await replayAll(await hub.user('ann'));
  await hub.restartAfterKill();
  await replayAll(await hub.user('ann'));
});
