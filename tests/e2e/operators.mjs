// Operators as a program of their own would be written: libsodium signs what the page says
// (protocol/operators.md), nothing of ours.
import { createHash } from 'node:crypto';
import { hex, newKeys, sodium } from './harness.mjs';

export const newOperators = (count) => Array.from({ length: count }, newKeys);
export const settingsOf = (operators, needed = 2) =>
  ({ 'operators.keys': operators.map((each) => each.pubkey).join(','), 'operators.needed': `${needed}` });

export const digestOfDenials = (names) =>
  createHash('sha256').update(['signet-denials-v1', ...names].map((line) => `${line}\n`).join('')).digest('hex');

export async function asked(broker) { return (await broker.request('GET', '/v1/operators')).json(); }

// The text of the next statement; `change` replaces fields.
export async function statement(broker, action, target, change = {}) {
  const now = await asked(broker);
  const said = { mesh: broker.mesh.id, action, target, serial: now.serial + 1,
                 policy: now.policy_version, expires: Date.now() + 600_000, ...change };
  return `signet-operator-v1\n${said.mesh}\n${said.action}\n${said.target}\n${said.serial}\n` +
         `${said.policy}\n${said.expires}\n`;
}
export const signatureOf = (text, operator) =>
  ({ signer: operator.pubkey, signature: hex(sodium.crypto_sign_detached(text, operator.secretKey)) });
export const signedBy = (text, operators) =>
  ({ statement: text, signatures: operators.map((each) => signatureOf(text, each)) });

export async function post(broker, body) {
  const answer = await broker.request('POST', '/v1/revoke', { body });
  return { http: answer.status, ...answer.json() };
}
// What became of it: "done" or the code of the refusal.
export async function say(broker, action, target, operators, change) {
  const answer = await post(broker, signedBy(await statement(broker, action, target, change), operators));
  return answer.code ?? answer.status;
}

// The text that the server signs of its list, made from what it answered.
export function listText(list) {
  const entries = list.entries.map((each) =>
    `${each.statement}${each.wireguard ?? '-'}\n${each.signatures.length}\n` +
    each.signatures.map(({ signer, signature }) => `${signer} ${signature}\n`).join(''));
  return `signet-revocations-v1\n${list.mesh}\n${list.serial}\n${list.entries.length}\n${entries.join('')}`;
}
export const holds = (text, signature, key) =>
  sodium.crypto_sign_verify_detached(sodium.from_hex(signature), text, sodium.from_hex(key));
