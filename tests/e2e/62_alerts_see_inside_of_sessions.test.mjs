// What is forged or repeated inside of a session of Hub, or in a node's name, raises the alerts that
// a tried handshake does.
import assert from 'node:assert/strict';
import test from 'node:test';
import { action, startHub } from './hub_client.mjs';

const kAlarmed = { set: { 'alerts.every': '100ms', 'alerts.failed_proofs': 3, 'alerts.replays': 1,
                          'alerts.disk_free': 0 } };

test('forged actions are failed proofs, a captured one is a replay', async (t) => {
  const hub = await startHub(t, kAlarmed);
  const user = await hub.user('ann');
  for (let i = 0; i < 3; ++i) {
    const forged = action('click', { i }, { secret: 'another-secret-than-this-user-has' });
    assert.equal((await user.ask('action', forged, 'action_error')).error, 'invalid_signature');
  }
  assert.equal((await hub.logged('alert.began')).alert, 'failed_proofs');

  const seen = hub.log.length;
  const said = action('click', 'once');
  user.say('action', said);
  await user.next('action_update');
  assert.equal((await user.ask('action', said, 'action_error')).error, 'replay_detected');
  assert.equal((await hub.logged('alert.began', seen)).alert, 'replays');
});
