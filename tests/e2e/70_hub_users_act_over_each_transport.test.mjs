// Real clients of Socket.IO over long-polling, WebSocket and the upgrade from one to the other.
import assert from 'node:assert/strict';
import test from 'node:test';
import { io as io3 } from 'socket.io-client-3';
import { eventually } from './harness.mjs';
import { startHub } from './hub_client.mjs';

const kWays = {
  'a WebSocket': { transports: ['websocket'] },
  'long-polling': { transports: ['polling'] },
  'the upgrade': { transports: ['polling', 'websocket'] },
  'the upgrade of version 3': { transports: ['polling', 'websocket'], client: io3 },
};

test('a user begins with four events, acts and is heard', async (t) => {
  const hub = await startHub(t);
  for (const [name, options] of Object.entries(kWays)) {
    const user = await hub.user(undefined, options);
    const { data: context, event } = { data: user.context, event: 'auth_context' };
    assert.deepEqual([event, context.userId, context.role, context.isSimulated],
                     ['auth_context', user.name, 'user', false], name);
    await eventually('the beginning', () => user.inbox.length >= 3);
    assert.deepEqual(user.inbox.slice(0, 3).map((each) => each.event),
                     ['engine_status', 'agent_nonce', 'presence_update'], name);
    if (name.includes('upgrade')) {
      await eventually('the upgrade', () => user.socket.io.engine.transport.name === 'websocket');
    }
    for (let i = 0; i < 5; ++i) {
      const update = await user.act('click', { x: i, deep: { list: [1.50, 'ü', null] } });
      assert.deepEqual([update.userId, update.payload, update.category],
                       [user.name, { x: i, deep: { list: [1.5, 'ü', null] } }, 'ui'], name);
    }
    const own = await user.act('agent_step', undefined, { secret: context.actionKey });
    assert.equal(own.category, 'agent', name);
    assert.deepEqual(user.inbox.filter((each) => each.event === 'action_error'), [], name);
    user.leave();
  }
});
