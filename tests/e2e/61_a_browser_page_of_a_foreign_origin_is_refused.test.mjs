// Headless Chromium on a page of this machine, and on one of a name that is somebody else's.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Page } from './browser.mjs';
import { startBroker } from './harness.mjs';

// In the page: what becomes of a WebSocket, and of a change by fetch.
async function knockingPage({ ws, http }) {
  const socket = new WebSocket(ws);
  const opened = await new Promise((resolve) => {
    socket.onopen = () => resolve(true);
    socket.onclose = () => resolve(false);
  });
  const posted = await fetch(`${http}/hook/set-status`, { method: 'POST', mode: 'no-cors', body: '{}' })
    .then(() => 'sent', String);
  await tell('knocked', { opened, posted, origin: location.origin });
}

for (const [host, opens] of [['127.0.0.1', true], ['evil.example', false]]) {
  test(`a page of ${host} is ${opens ? 'let in' : 'refused'}`, async (t) => {
    const broker = await startBroker(t);
    const page = await Page.open(t, knockingPage, { ws: broker.ws, http: broker.http }, [], host);
    const { opened, origin } = await page.hear('knocked');
    assert.match(origin, new RegExp(`^http://${host}:\\d+$`));
    assert.equal(opened, opens);
    const refused = await broker.metric('signet_net_origins_refused_total');
    assert.equal(refused, opens ? 0 : 2, 'the WebSocket and the hook');
    assert.equal(await broker.metric('broker_hook_requests_total'), opens ? 1 : 0, 'refused by its own rule');
    if (!opens) assert.equal((await broker.logged('origin.refused')).origin, origin);
  });
}
