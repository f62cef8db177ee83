// Hosts in network namespaces of their own on one switch, each with its own WireGuard interface of
// wireguard-go and the node agent of ours. All of it is gone when the test ends.
//
//        switch (a bridge in a namespace)
//        ├── broker   192.0.2.1
//        ├── ann      192.0.2.11   overlay 10.10.0.x
//        ├── bob      192.0.2.12   overlay 10.10.0.y
//        └── …
import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { Home, signet } from './cli.mjs';
import { eventually } from './harness.mjs';
import { operate, startTlsBroker } from './tls_broker.mjs';

const run = promisify(execFile);
const kBrokerPort = 8443;
const kWireGuardPort = 51_820;

// What these tests need of a machine; a sentence when it is not there. Some containers are not given
// namespaces of their own or a device for tunnels.
export function missing() {
  if (process.getuid() !== 0) return 'network namespaces are for root';
  for (const [program, argument] of [['ip', '-V'], ['wg', '--version'], ['wireguard-go', '--version'],
                                     ['ping', '-V']]) {
    try { execFileSync(program, [argument], { stdio: 'ignore' }); } catch { return `${program} is not installed`; }
  }
  const probe = `sgprobe${process.pid}`;
  const ip = (...args) => execFileSync('ip', args, { stdio: 'pipe' });
  try {
    ip('netns', 'add', probe);
    try {
      ip('-n', probe, 'link', 'add', 'br0', 'type', 'bridge');
      ip('-n', probe, 'link', 'add', 'p0', 'type', 'veth', 'peer', 'name', 'p1');
      ip('netns', 'exec', probe, 'ip', 'tuntap', 'add', 'tun0', 'mode', 'tun');
    } finally { ip('netns', 'delete', probe); }
  } catch (error) { return `this machine gives no network of one's own: ${error.stderr ?? error}`; }
  return false;
}

let networks = 0;

export class Network {
  constructor(t) {
    this.name = `sg${process.pid}n${++networks}`; // of its namespaces and, with a letter, interfaces
    this.hosts = 0;
    this.namespaces = [];
    this.ends = []; // what ends in peace before the namespaces go
    t.after(() => this.close());
    this.switch = this.namespace('switch');
    this.ip(this.switch, 'link', 'add', 'br0', 'type', 'bridge');
    this.ip(this.switch, 'link', 'set', 'br0', 'up');
  }
  namespace(name) {
    const full = `${this.name}-${name}`;
    execFileSync('ip', ['netns', 'add', full]);
    this.namespaces.push(full);
    this.ip(full, 'link', 'set', 'lo', 'up');
    return full;
  }
  ip(namespace, ...args) { execFileSync('ip', ['-n', namespace, ...args]); }

  // A host at the switch.
  host(name, address) {
    const namespace = this.namespace(name);
    const port = `p${++this.hosts}`;
    this.ip(this.switch, 'link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace);
    this.ip(this.switch, 'link', 'set', port, 'master', 'br0', 'up');
    this.ip(namespace, 'address', 'add', `${address}/24`, 'dev', 'eth0');
    this.ip(namespace, 'link', 'set', 'eth0', 'up');
    return { name, namespace, address, within: ['ip', 'netns', 'exec', namespace] };
  }
  async close() {
    for (const end of this.ends) await end();
    for (const namespace of this.namespaces) {
      const left = execFileSync('ip', ['netns', 'pids', namespace], { encoding: 'utf8' });
      for (const pid of left.split('\n').filter(Boolean)) {
        try { process.kill(Number(pid), 'SIGKILL'); } catch { /* it has ended meanwhile */ }
      }
      execFileSync('ip', ['netns', 'delete', namespace]);
    }
  }
}

// A broker with TLS at the switch; the test speaks to it as the operator, over its Unix socket.
export async function startSwitchedBroker(t, network, options = {}) {
  const host = network.host('broker', '192.0.2.1');
  const started = await startTlsBroker(t, {
    ...options, within: host.within, names: 'IP:192.0.2.1',
    command: ['dev', '--listen', `192.0.2.1:${kBrokerPort}`, '--ready-json'],
    set: { 'server.allow_open': true, 'overlay.submissions_per_minute': 600,
           'overlay.submissions_burst': 600, ...options.set },
  });
  started.broker.operator = (method, path, body) =>
    operate(started.broker.ready.socket, method, path, body);
  network.ends.push(() => started.broker.stop());
  return { ...started, host };
}

// One node: its host, its member's profile, its interface and its agent.
export class TunnelNode {
  constructor(t, network, broker, authority, name, address) {
    Object.assign(this, { t, broker, authority, name, said: [] });
    this.host = network.host(name, address);
    this.home = new Home(t, {}, this.host.within);
    this.interface = `${network.name}${name}`.slice(0, 15);
    this.scoreFile = `${this.home.folder}/score`;
  }
  // A member with a registered node and an interface that knows nobody yet.
  async join() {
    await this.startWireGuard();
    this.member = await this.home.json('join', this.broker.invite, '--ca-file', this.authority.cert,
                                       '--name', this.name);
    await this.home.ok('node', 'register', this.name,
                       '--endpoint', `${this.host.address}:${kWireGuardPort}`);
    this.overlay = (await this.shows()).address;
    this.does(0.9);
    return this;
  }
  async startWireGuard() {
    const [program, ...before] = this.host.within;
    this.wireguard = spawn(program, [...before, 'wireguard-go', '-f', this.interface],
                           { stdio: 'ignore', env: { ...process.env, LOG_LEVEL: 'error' } });
    await eventually(`${this.interface} is there`, () => this.quietly('ip', 'link', 'show', this.interface));
  }
  // Runs a program at this host; answers what it prints.
  async exec(...command) {
    const [program, ...args] = [...this.host.within, ...command];
    return (await run(program, args)).stdout;
  }
  async quietly(...command) { try { return await this.exec(...command) || true; } catch { return false; } }

  // What it reports from now on.
  does(score) { writeFileSync(this.scoreFile, String(score)); }
  // It reports and asks as often as it does where nobody says more. Each report is a question, too.
  startAgent(...more) {
    const suite = `printf '{"suite_version":"e2e-1","scores":{"overall":%s}}' "$(cat ${this.scoreFile})"`;
    const args = ['node', 'run', this.name, '--interface', this.interface, ...more,
                  '--suite-command', 'sh', '-c', suite];
    const [program, ...before] = [...this.host.within, signet, ...args];
    this.agent = spawn(program, before, { env: this.home.env, cwd: this.home.folder, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.agent.stdout, this.agent.stderr]) {
      createInterface({ input: stream }).on('line', (line) => this.said.push(line));
    }
    this.agentEnded = once(this.agent, 'exit');
    return this;
  }
  async endAgent(signal = 'SIGTERM') {
    this.agent.kill(signal);
    return this.agentEnded;
  }
  shows() { return this.home.json('node', 'show', this.name); }
  async peers() { return (await this.exec('wg', 'show', this.interface, 'peers')).split('\n').filter(Boolean); }
  presharedKeys() { return this.exec('wg', 'show', this.interface, 'preshared-keys'); }

  // Until one packet comes back through the tunnel.
  reaches(other, ms = 20_000) {
    return eventually(`${this.name} reaches ${other.name}: ${this.said.slice(-5).join(' | ')}`,
                      () => this.quietly('ping', '-c', '1', '-W', '1', other.overlay), ms);
  }
  // Pings without a pause; end() answers what was sent, what came back, and when the last one did.
  // The packet that is under way at the end is none of these.
  pings(other, everySeconds = 0.1) {
    const [program, ...before] = this.host.within;
    const child = spawn(program, [...before, 'ping', '-n', '-D', '-O', '-i', String(everySeconds), other.overlay]);
    const answered = new Set();
    let last = 0;
    let summary = '';
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [, at, number] = /^\[(\d+\.\d+)\] \d+ bytes from .* icmp_seq=(\d+) /.exec(line) ?? [];
      if (at) {
        last = 1000 * Number(at);
        answered.add(Number(number));
      } else {
        summary += `${line}\n`;
      }
    });
    const end = async () => {
      const isAlive = Date.now() - last < 1_000;
      child.kill('SIGINT');
      await once(child, 'close');
      const [, transmitted] = /(\d+) packets transmitted/.exec(summary);
      const sent = isAlive ? Math.max(...answered) : Number(transmitted);
      return { sent, back: answered.size, last };
    };
    return { end };
  }
}
