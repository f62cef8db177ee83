// A broker that speaks TLS itself, with an authority of the test's own, and clients that believe it.
import { once } from 'node:events';
import { copyFileSync, renameSync } from 'node:fs';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import tls from 'node:tls';
import { Broker, request, startBroker, temporaryFolder } from './harness.mjs';
import { issued, selfSigned } from './tls_proxy.mjs';

// Certificate and key as one file replaces another: the old one or the new one is there, no half.
export function install({ cert, key }, at) {
  for (const [from, to] of [[key, at.key], [cert, at.cert]]) {
    copyFileSync(from, `${to}.new`);
    renameSync(`${to}.new`, to);
  }
}

// One HTTPS request on a connection of its own; `tls` are options of tls.connect().
function secureRequest(base, method, path, { body, headers = {}, tls: options = {} } = {}) {
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const length = text === undefined ? {} : { 'content-length': Buffer.byteLength(text) };
  return new Promise((resolve, reject) => {
    const asked = https.request(base + path, { method, agent: false,
                                               headers: { ...length, ...headers }, ...options },
                                async (answer) => {
      let received = '';
      for await (const part of answer) received += part;
      resolve({ status: answer.statusCode, text: received, json: () => JSON.parse(received) });
    });
    asked.on('error', reject);
    asked.end(text);
  });
}

// As the operator, over the Unix socket, which needs neither TLS nor a token.
export async function operate(socketPath, method, path, body) {
  const asked = http.request({ socketPath, method, path: `/api/signet/v1${path}` });
  asked.end(body && JSON.stringify(body));
  const [answer] = await once(asked, 'response');
  let text = '';
  for await (const part of answer) text += part;
  return { status: answer.statusCode, text, json: () => JSON.parse(text) };
}

// A broker of `options` (harness.mjs); `issue(name)` makes one more certificate of its authority, for
// `names`.
export async function startTlsBroker(t, { set = {}, names = 'IP:127.0.0.1,DNS:localhost', ...options } = {}) {
  const folder = temporaryFolder();
  const authority = selfSigned(folder, 'authority');
  const issue = (name, dates) => issued(folder, name, authority, names, dates);
  const files = { cert: `${folder}/shown.pem`, key: `${folder}/shown.key` };
  install(issue('first'), files);
  const ca = readFileSync(authority.cert);
  const broker = await startBroker(t, {
    ...options,
    set: { 'tls.certificate': files.cert, 'tls.key': files.key, 'tls.check_every': '100ms', ...set },
  });
  broker.request = (method, path, asked = {}) =>
    secureRequest(broker.http, method, path, { ...asked, tls: { ca, ...asked.tls } });
  broker.ask = (method, path, asked) =>
    broker.operators ? request(broker.operators, method, path, asked)
                     : broker.request(method, path, asked);
  broker.open = (asked) => Broker.prototype.open.call(broker, { ca, ...asked });
  // A TLS connection that is open, or the code of the error that ended its handshake.
  broker.dial = async (asked = {}) => {
    const { port } = new URL(broker.http);
    const socket = tls.connect({ port, host: '127.0.0.1', ca, ...asked });
    t.after(() => socket.destroy());
    const ended = new Promise((told) => socket.once('error', told).once('close', told));
    const error = await Promise.race([once(socket, 'secureConnect').then(() => null), ended]);
    return error === null ? { socket } : { error: error.code ?? 'closed' };
  };
  return { broker, folder, authority, files, issue, ca };
}
