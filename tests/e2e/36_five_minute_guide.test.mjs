// Every command of docs/five-minute-guide.md works, in the terminals it names, and says what the page
// says. The page is read, not repeated: ```sh NAME runs in that terminal, `stays` is not waited for,
// ```text NAME must come out of it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import test from 'node:test';
import { Home, root, signet } from './cli.mjs';
import { eventually, request, signetd, sleep } from './harness.mjs';

const kPage = readFileSync(join(root, 'docs/five-minute-guide.md'), 'utf8');
const kPatienceMs = 60_000;

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

// One shell that stays, as a terminal does.
class Terminal {
  constructor(t, home) {
    this.said = '';
    this.from = 0; // of what came out: not yet looked at
    this.commands = 0;
    this.shell = spawn('bash', ['--norc'], { cwd: home.folder, env: home.env, detached: true });
    for (const stream of [this.shell.stdout, this.shell.stderr]) {
      stream.on('data', (data) => { this.said += data; });
    }
    t.after(async () => {
      try { process.kill(-this.shell.pid, 'SIGTERM'); } catch { return; }
      await Promise.race([once(this.shell, 'close'), sleep(10_000, null, { ref: false })]);
    });
  }

  async run(command, stays) {
    const mark = `done-${++this.commands}`;
    this.shell.stdin.write(`${command}\n${stays ? '' : `echo "${mark}=$?"\n`}`);
    if (stays) return;
    const [, status] = await eventually(`${command}\n${this.said}`, () =>
      new RegExp(`^${mark}=(\\d+)$`, 'm').exec(this.said), kPatienceMs);
    assert.equal(status, '0', `${command}\n${this.said}`);
  }

  // The lines, in any order, after what was asked for before.
  async says(lines) {
    await eventually(`${lines.join(' | ')} in\n${this.said.slice(this.from)}`, () =>
      lines.every((line) => this.said.slice(this.from).includes(line)), kPatienceMs);
    this.from = this.said.length;
  }
}

test('the five minute guide', async (t) => {
  const home = new Home(t);
  const bin = home.folderFor('bin');
  symlinkSync(signet, join(bin, 'signet'));
  symlinkSync(signetd, join(bin, 'signetd'));
  home.env.PATH = `${bin}:${home.env.PATH}`;
  home.env.SIGNET_STORE_RESERVE_BYTES = '0';
  home.env.SIGNET_ADMIN_LISTEN = '127.0.0.1:0';
  const port = await freePort();
  const page = kPage.replaceAll('127.0.0.1:8088', `127.0.0.1:${port}`);
  const blocks = [...page.matchAll(/^```(sh|text) (\w+)( stays)?\n([^]*?)^```$/gm)];
  assert.equal(blocks.length, page.match(/^```/gm).length / 2, 'a block that no terminal runs');
  const terminals = new Map();
  for (const [, kind, name, stays, text] of blocks) {
    if (!terminals.has(name)) terminals.set(name, new Terminal(t, home));
    const terminal = terminals.get(name);
    const lines = text.trimEnd().split('\n');
    if (kind === 'text') await terminal.says(lines);
    else for (const line of lines) await terminal.run(line, stays);
    if (name === 'broker') {
      await eventually('the broker', () => request(`http://127.0.0.1:${port}`, 'GET', '/health')
        .catch(() => null), kPatienceMs);
    }
  }
  assert.ok([...terminals.values()].reduce((sum, { commands }) => sum + commands, 0) >= 15);
});
