// `signet mcp install` prints what an agent's program needs, and changes nothing.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import test from 'node:test';
import { Home, signet } from './cli.mjs';

test('the entry starts this program, for each that is known', async (t) => {
  const home = new Home(t);
  for (const [client, list] of [['claude', 'mcpServers'], ['cursor', 'mcpServers'],
                                ['gemini', 'mcpServers'], ['vscode', 'servers'],
                                ['windsurf', 'mcpServers']]) {
    const { status, stdout, stderr } = await home.run(['mcp', 'install', '--client', client]);
    assert.equal(status, 0, stderr);
    const { command, args } = JSON.parse(stdout)[list].signet;
    assert.match(command, /^\/.*\/signet$/);
    assert.deepEqual(args, ['mcp']);
    assert.notEqual(stderr, ''); // where to put it, for a person
  }
  assert.match(await home.ok('mcp', 'install', '--client', 'codex'),
               /^\[mcp_servers\.signet\]\ncommand = "\/.*"\nargs = \["mcp"\]\n$/);
  assert.deepEqual(readdirSync(home.folder), []);
  assert.ok(signet);
});

test('another folder of settings is passed on', async (t) => {
  const home = new Home(t, { XDG_CONFIG_HOME: '/somewhere' });
  const entry = JSON.parse(await home.ok('mcp', 'install'));
  assert.deepEqual(entry.mcpServers.signet.env, { XDG_CONFIG_HOME: '/somewhere' });
});

test('a program that is not known is a mistake of usage', async (t) => {
  const { status, stderr } = await new Home(t).run(['mcp', 'install', '--client', 'emacs']);
  assert.equal(status, 2);
  assert.match(stderr, /claude/);
});
