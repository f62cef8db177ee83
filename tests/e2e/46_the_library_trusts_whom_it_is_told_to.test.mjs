// Over TLS the client talks to a broker whose certificate proves its host to the authority that it
// was given, and says nothing at all, not even hello, to any other. A certificate that is mended is
// taken without a restart.
import assert from 'node:assert/strict';
import test from 'node:test';
import { eventually, startBroker, temporaryFolder } from './harness.mjs';
import { Driver, memberOf, openLibrary } from './library.mjs';
import { NodeMember } from './sealed_channel.mjs';
import { issued, selfSigned, startTlsProxy } from './tls_proxy.mjs';

const kHere = 'IP:127.0.0.1,DNS:localhost';

async function scene(t) {
  const broker = await startBroker(t);
  const folder = temporaryFolder();
  const authority = selfSigned(folder, 'authority');
  return { broker, folder, authority, member: await memberOf(broker, 'ada'), driver: new Driver(t) };
}

test('messages go both ways, over TLS 1.3, by address and by name', async (t) => {
  const { broker, folder, authority, member, driver } = await scene(t);
  const proxy = await startTlsProxy(t, broker, issued(folder, 'good', authority, kHere));
  const node = await NodeMember.join(broker, 'node');
  for (const host of ['127.0.0.1', 'localhost']) {
    const ada = await openLibrary(driver, broker, member, { url: proxy.wss(host), ca: authority.cert });
    await ada.connected();
    const long = `by ${host} ${'x'.repeat(30_000)}`;
    assert.equal((await ada.mail(node.pubkey, long)).state, 'stored');
    assert.equal((await node.next()).text, long);
    await node.direct(ada, `back ${long}`);
    assert.equal((await ada.message(`back ${long}`)).sealed, true);
    await ada.close();
  }
  assert.deepEqual([...new Set(proxy.versions)], ['TLSv1.3']);
});

test('nothing is said where the certificate is not good', async (t) => {
  const { broker, folder, authority, member, driver } = await scene(t);
  const stranger = selfSigned(folder, 'stranger');
  const before = ['20200101000000Z', '20210101000000Z'];
  const later = ['20980101000000Z', '20990101000000Z'];
  const rows = [
    ['another host', issued(folder, 'other', authority, 'DNS:broker.example')],
    ['another address', issued(folder, 'address', authority, 'IP:127.0.0.2')],
    ['only a common name', issued(folder, '127.0.0.1', authority, 'DNS:x')],
    ['expired', issued(folder, 'expired', authority, kHere, before)],
    ['not yet good', issued(folder, 'later', authority, kHere, later)],
    ['signed by itself', selfSigned(folder, 'self', kHere)],
    ['another authority', issued(folder, 'strange', stranger, kHere)],
    ['TLS 1.2', issued(folder, 'old', authority, kHere), { maxVersion: 'TLSv1.2' }, /^unreachable: .*protocol too old/],
  ];
  for (const [name, certificate, options, expected = /^tls_untrusted: /] of rows) {
    const proxy = await startTlsProxy(t, broker, certificate, options);
    const ada = await openLibrary(driver, broker, member, { url: proxy.wss(), ca: authority.cert,
                                                            as: name });
    const refused = await eventually(`${name} is refused`, () =>
      ada.connections.find(({ state }) => state !== 'connecting'));
    assert.match(refused.why, expected, name);
    t.diagnostic(`${name}: ${refused.why}`);
    assert.equal(proxy.bytes, 0, name);
    await ada.close();
  }
  assert.equal(await broker.metric('broker_connections_active'), 0);
});

test('a certificate that was renewed is taken', async (t) => {
  const { broker, folder, authority, member, driver } = await scene(t);
  const expired = issued(folder, 'expired', authority, kHere, ['20200101000000Z', '20210101000000Z']);
  const proxy = await startTlsProxy(t, broker, expired);
  const ada = await openLibrary(driver, broker, member, { url: proxy.wss(), ca: authority.cert });
  await assert.rejects(ada.connected(500), { code: 'tls_untrusted' });
  proxy.renew(issued(folder, 'renewed', authority, kHere));
  await ada.connected();
});

test('the authorities of the system do not vouch for a test\'s own', async (t) => {
  const { broker, folder, authority, member, driver } = await scene(t);
  const proxy = await startTlsProxy(t, broker, issued(folder, 'good', authority, kHere));
  const ada = await openLibrary(driver, broker, member, { url: proxy.wss() });
  await assert.rejects(ada.connected(1_000), { code: 'tls_untrusted' });
  assert.equal(proxy.bytes, 0);
  const gone = await openLibrary(driver, broker, member, { url: proxy.wss(), ca: '/nonexistent',
                                                           as: 'gone' });
  await assert.rejects(gone.connected(1_000));
  assert.equal(proxy.bytes, 0);
});

test('a plain socket where TLS is spoken, and TLS where it is not, end in a reason', async (t) => {
  const { broker, folder, authority, member, driver } = await scene(t);
  const proxy = await startTlsProxy(t, broker, issued(folder, 'good', authority, kHere));
  for (const url of [proxy.wss().replace('wss', 'ws'), broker.ws.replace('ws', 'wss')]) {
    const ada = await openLibrary(driver, broker, member, { url, ca: authority.cert, as: url });
    await assert.rejects(ada.connected(1_500));
    const waiting = await eventually('why', () => ada.connections.find(({ why }) => why !== ''));
    t.diagnostic(`${url}: ${waiting.why}`);
    assert.match(waiting.why, /^[a-z_]+: \S/);
    await ada.close();
  }
});
