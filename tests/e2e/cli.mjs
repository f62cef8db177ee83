// Runs the program `signet` as a person would: in a home of its own, with nothing of ours around it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { WebSocketServer } from 'ws';
import { eventually, temporaryFolder } from './harness.mjs';

const kRoot = fileURLToPath(new URL('../..', import.meta.url));
const kCandidates = [process.env.SIGNET, `${kRoot}build/dev/signet`, `${kRoot}build/release/signet`];
export const signet = kCandidates.find((path) => path && existsSync(path));
export const root = kRoot;

const kTimeoutMs = 60_000; // of a sanitized build on a busy machine

// One person: a home folder, and what was run in it.
export class Home {
  constructor(t, env = {}, within = []) {
    this.t = t;
    this.within = within; // a program that starts it, with its arguments
    this.folder = temporaryFolder();
    const kept = Object.entries(process.env)
      .filter(([name]) => !/^(SIGNET|XDG_|HOME$|USER$|NO_COLOR$)/.test(name));
    this.env = { ...Object.fromEntries(kept), HOME: this.folder, USER: 'tester', ...env };
    this.config = join(this.folder, '.config/signet/config.json');
    this.state = join(this.folder, '.local/state/signet');
  }

  spawn(args, env = {}) {
    const [program, ...before] = [...this.within, signet];
    const child = spawn(program, [...before, ...args], { env: { ...this.env, ...env }, cwd: this.folder,
                                        timeout: kTimeoutMs });
    this.t.after(() => child.exitCode ?? child.kill('SIGKILL'));
    return child;
  }

  // Runs to the end. Nothing of a sanitizer may be in what it says.
  async run(args, { input = '', env } = {}) {
    const child = this.spawn(args, env);
    const said = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr']) {
      child[stream].on('data', (data) => { said[stream] += data; });
    }
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    const [status, signal] = await once(child, 'close');
    assert.equal(signal, null, `${args.join(' ')}: ${signal} ${said.stderr}`);
    assert.doesNotMatch(said.stderr, /runtime error|Sanitizer/);
    return { status, ...said };
  }

  // As `run`, and it must go well.
  async ok(...args) {
    const answer = await this.run(args);
    assert.equal(answer.status, 0, `${args.join(' ')}: ${answer.stderr}${answer.stdout}`);
    return answer.stdout;
  }
  async json(...args) { return JSON.parse(await this.ok(...args, '-o', 'json')); }

  // As `run` with JSON; it must fail with that exit code and error code, in one sentence.
  async fails(exit, error, ...args) {
    const answer = await this.run(['-o', 'json', ...args]);
    const what = `${args.join(' ')}: ${answer.stdout}${answer.stderr}`;
    assert.equal(answer.status, exit, what);
    const told = JSON.parse(answer.stdout.trimEnd().split('\n').at(-1));
    assert.equal(told.ok, false, what);
    assert.equal(told.exit, exit, what);
    if (error !== null) assert.equal(told.error, error, what);
    assert.match(told.message, /^[^\n]+$/, what);
    assert.match(answer.stderr, /^signet: \S/m, what);
    return told;
  }

  // A command that stays: its lines of JSON as they come.
  listen(...args) {
    const child = this.spawn(['listen', '-o', 'jsonl', ...args]);
    const lines = [];
    let notes = '';
    child.stderr.on('data', (data) => { notes += data; });
    createInterface({ input: child.stdout }).on('line', (line) => lines.push(JSON.parse(line)));
    return {
      child,
      lines,
      notes: () => notes,
      closed: once(child, 'close').then(([status]) => status),
      message: (text) => eventually(`the message ${text}`, () =>
        lines.find((line) => line.text === text)),
      connected: () => eventually('a connection', () => /connected to/.test(notes)),
    };
  }

  profile(index = 0) { return JSON.parse(readFileSync(this.config, 'utf8')).meshes[index]; }
  folderFor(name) {
    const path = join(this.folder, name);
    mkdirSync(path, { recursive: true, mode: 0o700 });
    return path;
  }
}

// A home that has joined the broker's mesh.
export async function joinedHome(t, broker, name) {
  const home = new Home(t);
  home.member = await home.json('join', broker.invite, '--name', name);
  home.name = name;
  return home;
}

// Points the profile at another address; the way back is what it returns.
export function redirect(home, url) {
  const profile = home.profile();
  const before = { ...profile };
  const write = (mesh) => writeFileSync(home.config, JSON.stringify({ version: 1, meshes: [mesh] }));
  write({ ...profile, brokerUrl: url });
  return () => write(before);
}

const kHelloAck = { type: 'hello_ack', presenceId: '0'.repeat(32), memberDisplayName: 'ada' };

// A broker that lets everybody in and answers nothing else but what `answer` says.
export async function startMute(t, answer = () => null, helloAnswer = kHelloAck) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', path: '/ws' });
  await once(server, 'listening');
  const seen = [];
  server.on('connection', (socket) => socket.on('message', (data) => {
    const frame = JSON.parse(data);
    seen.push(frame);
    const said = frame.type === 'hello' ? helloAnswer : answer(frame);
    if (said) socket.send(JSON.stringify(said));
  }));
  t.after(() => { server.clients.forEach((each) => each.terminate()); server.close(); });
  return { url: `ws://127.0.0.1:${server.address().port}/ws`, seen };
}
