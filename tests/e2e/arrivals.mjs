// What arrived, against what was sent: each text once, and those of one sender to one target in the
// order in which they were sent.
import assert from 'node:assert/strict';
import { eventually } from './harness.mjs';

// `sent` and `arrived` are texts `<name of the line>-<n>`; a line is one sender to one target.
export function assertEachOnceInOrder(sent, arrived) {
  const lines = new Map();
  for (const text of arrived) {
    const line = text.replace(/\d+$/, '');
    lines.set(line, [...lines.get(line) ?? [], text]);
  }
  const expected = new Map();
  for (const text of sent) {
    const line = text.replace(/\d+$/, '');
    expected.set(line, [...expected.get(line) ?? [], text]);
  }
  assert.deepEqual(Object.fromEntries(lines), Object.fromEntries(expected));
}

// Waits until `client` was shown as many texts as that, or more, and nothing comes after.
export async function arrive(client, count, ms = 60_000) {
  const shown = () => client.messages.length;
  await eventually(`${client.as} gets ${count} messages`, () => shown() >= count, ms)
    .catch((error) => { error.message += `; it has ${shown()}`; throw error; });
  return client.texts;
}
