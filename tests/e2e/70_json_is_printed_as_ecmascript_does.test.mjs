// What a client of Hub signs is what JSON.stringify prints of the payload, so Signet has to print the
// same of whatever spelling arrives: 100,000 random values, each spelled at random, against Node's
// own answer. SIGNET_TEST_SEED repeats a run.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import test from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const kRoot = fileURLToPath(new URL('../..', import.meta.url));
const program = [process.env.STRINGIFY_LINES, `${kRoot}build/dev/stringify_lines`,
                 `${kRoot}build/release/stringify_lines`].find((path) => path && existsSync(path));
const kCount = 100_000;
const kBatch = 5_000;

let state = 0;
function random() { // mulberry32
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const below = (n) => Math.floor(random() * n);
const one = (items) => items[below(items.length)];
const many = (n, make) => Array.from({ length: n }, make);
const digits = (n) => many(n, () => below(10)).join('');

const bits = new DataView(new ArrayBuffer(8));
function anyDouble() {
  do {
    bits.setUint32(0, below(2 ** 32));
    bits.setUint32(4, below(2 ** 32));
  } while (!Number.isFinite(bits.getFloat64(0)));
  return bits.getFloat64(0);
}

const kEdges = ['0', '-0', '0.0', '-0.0', '0e5', '-0E-9', '1.0', '1e0', '10E-1', '1e400', '-1e400', '1e-400',
                '-1e-400', '5e-324', '2.5e-324', '2.4e-324', '1.7976931348623157e308', '1.7976931348623159e308',
                '1e20', '1e21', '999999999999999900000', '1e-6', '1e-7', '0.000001', '0.0000001',
                '9007199254740993', '-9007199254740993', '18446744073709551615', '123456789012345', '1234567890123456',
                '100000000000000000000000', '0.1', '0.30000000000000004', '1e23', '4.35', '1E+2', '1e-0'];
const number = () => one([
  () => String(below(1000)), () => String(-below(2 ** 31)), () => one(kEdges),
  () => String(anyDouble()), () => anyDouble().toExponential().replace('e', one(['e', 'E'])),
  () => anyDouble().toPrecision(17 + below(5)), () => (random() * 10 ** below(25)).toFixed(below(10)),
  () => `${one(['', '-'])}${1 + below(9)}${digits(below(40))}`,
  () => `${below(10)}.${digits(1 + below(20))}${one(['', `e${one(['', '+', '-'])}${below(330)}`])}`,
])();

const kShort = { 8: '\\b', 9: '\\t', 10: '\\n', 12: '\\f', 13: '\\r', 34: '\\"', 47: '\\/', 92: '\\\\' };
const kCodes = [0, 8, 9, 10, 12, 13, 31, 32, 34, 47, 92, 127, 128, 0xe9, 0x2028, 0x2029, 0xd7ff, 0xe000, 0xfeff,
                0xfffe, 0xffff, 0x10000, 0x1f600, 0x10ffff];
function code() {
  const found = random() < 0.7 ? 32 + below(95) : random() < 0.7 ? one(kCodes) : below(0x110000);
  return found >= 0xd800 && found <= 0xdfff ? 0x41 : found;
}
function escaped(character) { // by UTF-16 units, in either case
  return many(character.length, (_, i) => {
    const hex = character.charCodeAt(i).toString(16).padStart(4, '0');
    return `\\u${random() < 0.5 ? hex : hex.toUpperCase()}`;
  }).join('');
}
function spelled(value) {
  const spell = (character) => {
    const point = character.codePointAt(0);
    if (point < 32 || point === 34 || point === 92) return kShort[point] && random() < 0.5 ? kShort[point] : escaped(character);
    return random() < 0.9 ? character : kShort[point] ?? escaped(character);
  };
  return `"${Array.from(value, spell).join('')}"`;
}
const words = () => many(below(8), () => String.fromCodePoint(code())).join('');

const kNames = ['0', '1', '2', '10', '9', '00', '01', '-1', '1.5', '1e3', '+1', ' 1', '4294967293', '4294967294', '4294967295',
                '4294967296', '9007199254740993', '99999999999', '__proto__', 'constructor', 'toString', 'length', ''];
const name = () => one([words, () => one(kNames), () => String(below(30)), () => one(['a', 'b', 'type', 'ts'])])();

const space = () => (random() < 0.85 ? '' : one([' ', '\t', '\r', '  ']));
const listed = (items) => items.map((item) => `${space()}${item}${space()}`).join(',');
function value(depth) {
  const kind = below(depth > 4 ? 4 : 6);
  if (kind === 0) return one(['null', 'true', 'false']);
  if (kind === 1 || kind === 2) return number();
  if (kind === 3) return spelled(words());
  if (kind === 4) return `[${listed(many(below(4), () => value(depth + 1)))}${space()}]`;
  const names = [...new Set(many(below(6), name))]; // a name twice is refused
  return `{${listed(names.map((key) => `${spelled(key)}${space()}:${space()}${value(depth + 1)}`))}${space()}}`;
}

test('a hundred thousand values are printed as Node prints them', async (t) => {
  assert.ok(program, 'stringify_lines is built');
  const seed = Number(process.env.SIGNET_TEST_SEED ?? Date.now() % 2 ** 31);
  t.diagnostic(`seed ${seed}`);
  state = seed;
  const child = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  let printed = '';
  child.stdout.setEncoding('utf8').on('data', (text) => { printed += text; });
  const texts = [];
  const wanted = [];
  while (texts.length < kCount) { // what is made is printed while the next is
    const batch = many(kBatch, () => `${space()}${value(0)}${space()}`);
    child.stdin.write(`${batch.join('\n')}\n`);
    for (const text of batch) wanted.push(JSON.stringify(JSON.parse(text)));
    texts.push(...batch);
    await setImmediate();
  }
  child.stdin.end();
  assert.deepEqual(await closed, [0, null]);
  const lines = printed.split('\n');
  assert.equal(lines.length, kCount + 1, 'one line for each');
  for (const [i, text] of texts.entries()) {
    if (lines[i] !== wanted[i]) assert.fail(`seed ${seed}: ${text}\nNode:   ${wanted[i]}\nSignet: ${lines[i]}`);
  }
  const changed = texts.filter((text, i) => text !== wanted[i]).length;
  assert.ok(changed > kCount / 3, `only ${changed} were spelled otherwise`);
});
