// Headless Chromium on a page that the test serves. The page tells what it sees by POST, and each
// answer tells it what to do next: no driver, no protocol of the browser's own.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { cleanEnvironment } from './harness.mjs';

const kPatienceMs = 40_000; // a browser starts in seconds, beside a sanitized build
const kBrowser = process.env.CHROMIUM ?? 'chromium';
// Root in a container has neither a sandbox nor much shared memory.
const kFlags = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
                '--no-first-run', '--disable-extensions', '--disable-background-networking'];

// What every page has: `await tell(name, value)` reports and answers what the test answered.
const kTell = `
async function tell(name, value) {
  const body = JSON.stringify({ name, value });
  return (await fetch('/tell', { method: 'POST', body })).json();
}
addEventListener('error', (event) => tell('error', event.message));
addEventListener('unhandledrejection', (event) => tell('error', String(event.reason?.stack ?? event.reason)));
`;

export class Page {
  // `main` is a function that runs in the page, on `given`; `scripts` are files that it needs. The
  // browser takes `host` for the name of this machine.
  static async open(t, main, given, scripts = [], host = '127.0.0.1') {
    const page = new Page();
    page.said = [];
    page.waiting = [];
    page.log = [];
    const tags = scripts.map((_, i) => `<script src="/${i}.js"></script>`).join('');
    const body = `<!doctype html><meta charset="utf-8">${tags}<script>${kTell}` +
                 `(${main})(${JSON.stringify(given)});</script>`;
    page.server = http.createServer((request, response) => page.serve(request, response, body, scripts));
    page.server.listen(0, '127.0.0.1');
    await once(page.server, 'listening');
    const profile = mkdtempSync(join(tmpdir(), 'signet-browser-'));
    const url = `http://${host}:${page.server.address().port}/`;
    const names = host === '127.0.0.1' ? [] : [`--host-resolver-rules=MAP ${host} 127.0.0.1`];
    page.process = spawn(kBrowser, [...kFlags, ...names, `--user-data-dir=${profile}`, url],
                         { env: cleanEnvironment(), stdio: ['ignore', 'ignore', 'pipe'], detached: true });
    createInterface({ input: page.process.stderr }).on('line', (line) => {
      if (!line.includes('dbus')) page.log.push(line); // a container has no such bus
    });
    page.process.on('error', (error) => page.take({ name: 'error', value: String(error) }));
    const exited = once(page.process, 'exit').catch(() => {});
    const kill = () => { // its own group
      try { process.kill(-page.process.pid, 'SIGKILL'); } catch { /* it is gone */ }
    };
    if (page.process.pid !== undefined) process.once('exit', kill); // whatever hook fails before
    t.after(async () => {
      page.server.close();
      page.server.closeAllConnections();
      if (page.process.pid !== undefined) {
        kill();
        await exited;
      }
      rmSync(profile, { recursive: true, force: true, maxRetries: 50, retryDelay: 100 }); // its children linger
    });
    return page;
  }

  async serve(request, response, body, scripts) {
    if (request.method === 'POST') {
      let text = '';
      for await (const part of request) text += part;
      this.take({ ...JSON.parse(text), answer: (value = null) => response.end(JSON.stringify(value)) });
      return;
    }
    const script = /^\/(\d+)\.js$/.exec(request.url);
    response.setHeader('content-type', script ? 'text/javascript' : 'text/html');
    if (script) response.end(readFileSync(scripts[Number(script[1])]));
    else if (request.url === '/') response.end(body);
    else { response.statusCode = 404; response.end(); }
  }

  take(said) {
    this.said.push(said);
    for (const woken of this.waiting.splice(0)) woken();
  }

  // The next thing that the page tells, which has to have that name: {value, answer(what)}.
  async next(name) {
    for (const end = Date.now() + kPatienceMs; this.said.length === 0;) {
      const left = end - Date.now();
      if (left <= 0) assert.fail(`the page did not tell ${name}; the browser said ${this.log.slice(-10).join('\n')}`);
      await new Promise((woken) => {
        const timer = setTimeout(woken, left);
        this.waiting.push(() => { clearTimeout(timer); woken(); });
      });
    }
    const said = this.said.shift();
    assert.equal(said.name, name, `the page tells ${JSON.stringify(said.value)}`);
    return said;
  }
  // What it tells under that name; it goes on at once.
  async hear(name) {
    const { value, answer } = await this.next(name);
    answer?.();
    return value;
  }
}
