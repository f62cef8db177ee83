"""Starts the servers that bench/run measures: Signet's build and each peer, in a fresh folder on a
free port of 127.0.0.1, on core 0. SERVERS says what each does with a message."""
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time

from plan import ACTIONS, ECHO, MAIL, PAIR, RESIDENT, REVOCATIONS, SUBMISSIONS, TOPICS

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "bench"
DEBIAN = BUILD / "debian"
WORK = BUILD / "data"
START_TIMEOUT = 15  # seconds until a server must listen
STOP_TIMEOUT = 10
PINNED = shutil.which("taskset") is not None and (os.cpu_count() or 1) > 1
# The guard works; but two peers may outrun the 10,000/s of dev mode.
SENDS = "limits.sends_per_second=1000000"
PULSEMESH_SECRET = "the secret that all sources of a benchmark share"
TOKEN_SECRET = "the secret that signs tokens of users of a benchmark"
HUB = {"SIGNET_JWT_SECRET": TOKEN_SECRET, "SIGNET_JWT_ISSUER": "bench",
       "SIGNET_HMAC_SECRET": "the secret of which keys of users of a benchmark are made"}
# A window of 0 s: connections come by the thousand, and none is to wait for a disk.
SIGNET = {"SIGNET_PULSEMESH_SECRET": PULSEMESH_SECRET, "SIGNET_PULSEMESH_MAX_SKEW": "0", **HUB}
# Hub as new clients use it, each session with a key of its own. Off in dev mode, the rates count.
HUB_SETTINGS = ("hub.shared_actions=false", *(
    f"hub.{name}=1000000" for name in ("actions_per_second", "actions_burst", "packets_per_second",
                                       "packets_burst")))
# In dev mode these are off. On, they count every message and refuse none.
LIMITS = {"relays_per_second": 1_000_000, "relays_burst": 1_000_000,
          "sends_per_second_address": 10_000_000, "sends_burst_address": 10_000_000,
          "pulses_per_second": 1_000_000, "pulses_burst": 1_000_000,
          "pulses_per_minute": 10_000_000,
          "pulses_per_second_address": 10_000_000, "pulses_burst_address": 10_000_000,
          "pulses_per_second_topic": 10_000_000, "pulses_burst_topic": 10_000_000,
          "deliveries_per_second": 1_000_000_000, "deliveries_burst": 1_000_000_000}
RULES = 100
# The rates of nodes count here, too, and refuse none; an epoch is longer than any measurement.
OVERLAY_SETTINGS = tuple(f"overlay.{setting}" for setting in (
    "submissions_per_minute=60000", "submissions_burst=60000",
    "address_requests_per_second=1000000", "epoch=1h"))
# The operator's credential goes by the environment, not by the list of processes.
OPERATOR_VARIABLE = "SIGNET_BENCH_OPERATOR_TOKEN"


def on_core(core, command):
    return ["taskset", "-c", str(core), *command] if PINNED else list(command)


class Unavailable(Exception):
    """A server that can't be measured here; its rows say why."""


class Server:
    """One server process in a folder of its own, for one measurement. `formats` says what to speak
    with it for which task. One that prints a ready line names its address itself; the others get a
    `port`."""

    def __init__(self, formats, command, port=None, environment=None, over_tls=False):
        self.formats, self.port = formats, port
        self.extra = ["--tls"] if over_tls else []
        self.operator_token = None
        self.folder = WORK / f"server-{time.monotonic_ns()}"
        self.folder.mkdir(parents=True)
        self.log = open(self.folder / "log", "wb")
        self.process = subprocess.Popen(
            on_core(0, command(self.folder)), cwd=self.folder,
            env={**os.environ, **(environment or {})},
            stdout=self.log if port else subprocess.PIPE, stderr=self.log)
        try:
            self.address = self._wait_for_port() if port else self._read_ready_line()
        except Unavailable:
            self.stop()
            raise

    def arguments(self, task):
        token = ["--token-secret", TOKEN_SECRET] if task in (ACTIONS, REVOCATIONS) else []
        return ["--format", self.formats[task], "--at", self.address, *self.extra, *token,
                "--server-pid", str(self.process.pid)]

    def _read_ready_line(self):
        try:
            ready = json.loads(self.process.stdout.readline())
        except ValueError as error:
            raise Unavailable("it does not start") from error
        if "invite" in ready:
            self.extra += ["--invite", ready["invite"], "--secret", PULSEMESH_SECRET]
            self.operator_token = ready["operator_token"]
        return ready["listen"]

    def _wait_for_port(self):
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return f"127.0.0.1:{self.port}"
            except OSError:
                time.sleep(0.02)
        raise Unavailable("it does not start")

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def certificate():
    """Files of a certificate and its key, which all servers under TLS of a run show: P-256, signed
    by itself. The generator doesn't verify it."""
    folder = WORK / "tls"
    files = folder / "certificate.pem", folder / "key.pem"
    if all(file.exists() for file in files):
        return tuple(map(str, files))
    program = shutil.which("openssl")
    if program is None:
        raise Unavailable("no openssl to make a certificate with")
    folder.mkdir(parents=True, exist_ok=True)
    made = subprocess.run(
        [program, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
         "-out", str(files[0]), "-keyout", str(files[1])], capture_output=True, check=False)
    if made.returncode != 0:
        raise Unavailable("openssl makes no certificate")
    files[1].chmod(0o600)  # Signet takes no key that others may read
    return tuple(map(str, files))


def find_program(name):
    for folder in ("usr/sbin", "usr/bin"):
        if (DEBIAN / folder / name).exists():
            return str(DEBIAN / folder / name)
    return shutil.which(name)


def libraries():
    found = {str(path.parent) for path in (DEBIAN / "usr/lib").glob("*/*.so*")}
    return {"LD_LIBRARY_PATH": ":".join(sorted(found))} if found else {}


SIGNET_FORMATS = {MAIL: "signet", ECHO: "securewebsocket", PAIR: "securewebsocket",
                  TOPICS: "pulsemesh", RESIDENT: "securewebsocket", ACTIONS: "hub",
                  SUBMISSIONS: "overlay", REVOCATIONS: "signet"}


def signet(*settings, over_tls=False, **formats):
    """With KEY=VALUE settings; `idle` may be another format than SecureWebSocket."""
    def start():
        changed = [word for setting in (SENDS, "server.log_level=warn", *HUB_SETTINGS,
                                        *OVERLAY_SETTINGS, *settings)
                   for word in ("--set", setting)]
        return Server({**SIGNET_FORMATS, **formats}, lambda folder: [
            str(BUILD / "signetd"), "dev", "--listen", "127.0.0.1:0", "--data",
            str(folder / "data"), "--ready-json", *changed], environment=SIGNET,
            over_tls=over_tls)
    return start


def signet_under_tls():
    shown, key = certificate()
    return signet(f"tls.certificate={shown}", f"tls.key={key}", over_tls=True)()


def many_rules():
    """A file with the policy of dev mode and, before it, rules about others: 100 together."""
    allowed = """
[[rule]]
id = "shared-secret-on-all-topics"
roles = ["shared"]
allow = ["connect", "publish", "subscribe", "read_history"]
[[rule]]
id = "guests-connect"
roles = ["guest"]
allow = ["connect"]
[[rule]]
id = "guests-send-to-one"
roles = ["guest"]
allow = ["send"]
to = ["member"]
"""
    others = (RULES - allowed.count("[[rule]]")) // 2
    text = "".join(
        f'[[rule]]\nid = "not-{i}"\ndeny = ["publish", "subscribe"]\ntopics = ["plant.{i}.>"]\n'
        for i in range(others))
    text += "".join(
        f'[[rule]]\nid = "channel-{i}"\nallow = ["send"]\nchannels = ["team-{i}.*"]\n'
        for i in range(RULES - allowed.count("[[rule]]") - others))
    WORK.mkdir(parents=True, exist_ok=True)
    file = WORK / "policy.toml"
    file.write_text(text + allowed, encoding="utf8")
    return str(file)


def signet_of_many_rules():
    return signet(f"policy.file={many_rules()}")()


def ceiling():
    load = str(BUILD / "bench" / "claudemesh_load")
    return Server({TOPICS: "ceiling"}, lambda _: [load, "ceiling"])


def relay():
    return Server({MAIL: "relay"}, lambda _: [*node("ws"), str(PEERS / "relay.mjs")])


PEERS = ROOT / "bench" / "peers"
WEBSOCKET = {ECHO: "ws-echo", PAIR: "ws-pair", TOPICS: "ws-topic", RESIDENT: "bare"}
WEBSOCKET_TOPICS = {PAIR: "ws-user"}
SOCKET_IO = {ECHO: "socketio-echo", PAIR: "socketio-pair", TOPICS: "socketio-topic",
             RESIDENT: "socketio-echo"}


def node(package):
    if shutil.which("node") is None or not (PEERS / "node_modules" / package).exists():
        raise Unavailable(f"no Node or no npm package {package}")
    return ["node"]


def bun():
    found = sorted(PEERS.glob("node_modules/@oven/bun-*/bin/bun"))
    if not found:
        raise Unavailable("no npm package bun")
    return [str(found[0])]


def tasks(runtime, server, formats, over_tls=False):
    """bench/peers/tasks.mjs: what `server` offers, and nothing more."""
    def start():
        program = runtime()
        files = certificate() if over_tls else ()
        return Server(formats, lambda _: [*program, str(PEERS / "tasks.mjs"), server, *files],
                      over_tls=over_tls)
    return start


def hub_peer(kind, package):
    """bench/peers/hub.mjs; `synced` keeps its nonces in a file of its folder."""
    def start():
        program = [*node(package), str(PEERS / "hub.mjs"), kind]
        return Server({ACTIONS: "hub"}, lambda folder: [*program, str(folder / "nonces.db")],
                      environment=HUB)
    return start


def overlay_peer(kind, package):
    """bench/peers/overlay.mjs; `synced` keeps what is submitted in a file of its folder."""
    def start():
        program = [*node(package), str(PEERS / "overlay.mjs"), kind]
        return Server({SUBMISSIONS: "overlay"},
                      lambda folder: [*program, str(folder / "reports.db")])
    return start


NATS = {MAIL: "nats", ECHO: "nats", PAIR: "nats", TOPICS: "nats-topic", RESIDENT: "nats"}
JETSTREAM = {MAIL: "jetstream"}
MQTT = {MAIL: "mqtt", ECHO: "mqtt-unconfirmed", PAIR: "mqtt-unconfirmed", TOPICS: "mqtt-topic",
        RESIDENT: "mqtt-unconfirmed"}


def packaged(program, formats, command, over_tls=False):
    def start():
        path = find_program(program)
        if path is None:
            raise Unavailable(f"no Debian package {program}")
        port = free_port()
        return Server(formats, lambda folder: [path, *command(folder, port)], port, libraries(),
                      over_tls)
    return start


def nats(_, port):
    return ["-a", "127.0.0.1", "-p", str(port)]


def jetstream(folder, port):
    return [*nats(folder, port), "-js", "-sd", str(folder)]


def mosquitto(folder, port, more=None):
    settings = {"listener": f"{port} 127.0.0.1", "allow_anonymous": "true", "persistence": "true",
                "persistence_location": f"{folder}/", "max_queued_messages": "0",
                "max_inflight_messages": "0", "set_tcp_nodelay": "true", "log_type": "error",
                **(more or {})}
    if os.geteuid() == 0:
        settings["user"] = "root"
    text = "".join(f"{name} {value}\n" for name, value in settings.items())
    (folder / "mosquitto.conf").write_text(text)
    return ["-c", str(folder / "mosquitto.conf")]


def mosquitto_under_tls(folder, port):
    shown, key = certificate()
    return mosquitto(folder, port, {"certfile": shown, "keyfile": key})


def redis(folder, port):
    return ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--appendonly", "yes",
            "--appendfsync", "always", "--save", ""]


# name → how it starts, and what it does with a message. The tables print both.
SERVERS = {
    "signet": (signet(), "mail (claudemesh): proves the sender, limits, authorizes, writes to SQLite"
                         " and syncs, then acks and pushes; a pong of the receiver confirms. Direct"
                         " (SecureWebSocket) and topics (PulseMesh): proves who connects, reads each"
                         " message as strict JSON, checks who it is from, asks the policy, routes by"
                         " key or topic; stamps pulses and keeps the last 1,000. Actions (Hub):"
                         " counts its rate, reads it as strict JSON, checks time and signature, asks"
                         " the policy, writes its nonce to SQLite and syncs, then tells presence and"
                         " action. Submissions (overlay): strict JSON, the canonical claim, every"
                         " check of protocol/overlay.md, both rates; seals node and report, writes"
                         " them to SQLite and syncs, then answers"),
    "signet unsynced": (signet("store.synchronous_full=false"),
                        "the same without the sync before the ack: what durability costs"),
    "signet limited": (signet(*(f"limits.{name}={value}" for name, value in LIMITS.items())),
                       "the same with every rate limit of envelopes and pulses on, so high that"
                       " none is refused"),
    "signet 100 rules": (signet_of_many_rules, "the same under a policy of 100 rules"),
    "signet pulsemesh": (signet(idle="pulsemesh"), "idle: on a topic, let in by a secret"),
    "signet claudemesh": (signet(idle="signet"), "idle: a member, let in by its signature"),
    "signet bare": (signet(idle="bare"), "idle: upgraded and not let in"),
    "signet tls": (signet_under_tls,
                   "Signet under TLS 1.3: with a message it does the same as without"),
    "signet plain": (signet(), "Signet without TLS: what encryption costs"),
    "signet refusals logged": (signet("audit.traffic=refusals"),
                               "the same, whose log counts refusals and no admissions"),
    "signet no traffic logged": (signet("audit.traffic=none"),
                                 "the same, whose log counts neither; changes of members are in it"),
    "ceiling": (ceiling, "no format: one send to each other socket (bench/send_ceiling.h)"),
    "bun": (tasks(bun, "bun", WEBSOCKET),
            "Bun's server, which has uWebSockets inside: sends the text on unread, back, to a"
            " partner that is known beforehand, or to a topic; no proof, policy or limits"),
    "bun topics": (tasks(bun, "bun", WEBSOCKET_TOPICS),
                   "the same where each connection has a topic: Bun then batches direct messages"),
    "ws": (tasks(lambda: node("ws"), "ws", WEBSOCKET), "Node and npm's ws: as bun does"),
    "socket.io": (tasks(lambda: node("socket.io"), "socket.io", SOCKET_IO),
                  "Node and npm's socket.io over WebSockets: as bun does, in events and rooms"),
    "socket.io hub": (hub_peer("guarded", "jose"),
                      "actions on Node and npm's socket.io: rate, time, HMAC and nonce as Signet has"
                      " them, tokens by npm's jose; nonces in memory, forgotten at a restart; no"
                      " policy, no log"),
    "socket.io hub synced": (hub_peer("synced", "libsql"),
                             "the same with nonces in SQLite (npm's libsql), WAL and FULL as Signet"
                             " has it, one commit for what comes in one turn of the loop"),
    "socket.io hub unguarded": (hub_peer("unguarded", "jose"),
                                "the same without any check of an action: what the checks cost"),
    "node overlay": (overlay_peer("memory", "ws"),
                     "submissions on Node's own HTTP server and crypto: form, scores, time, sequence"
                     " and signature as Signet checks them, and both rates; what was submitted is in"
                     " memory, forgotten at a restart; not sealed, no members, no policy, no log"),
    "node overlay synced": (overlay_peer("synced", "libsql"),
                            "the same with node and report in SQLite (npm's libsql), WAL and FULL as"
                            " Signet has it, one commit for what comes in one turn of the loop"),
    "ws relay": (relay, "Node and npm's ws, same wire format: verifies the hello's signature,"
                        " parses, routes by key, acks at once; no members, replay memory, limits"
                        " or storage"),
    "bun tls": (tasks(bun, "bun", WEBSOCKET, over_tls=True), "bun under TLS 1.3 (BoringSSL)"),
    "ws tls": (tasks(lambda: node("ws"), "ws", WEBSOCKET, over_tls=True), "ws on Node's https"),
    "socket.io tls": (tasks(lambda: node("socket.io"), "socket.io", SOCKET_IO, over_tls=True),
                      "socket.io on Node's https"),
    "nats": (packaged("nats-server", NATS, nats),
             "core NATS over TCP: routes by subject; no proof, ack or storage"),
    "jetstream": (packaged("nats-server", JETSTREAM, jetstream),
                  "NATS JetStream on a file: appends without a sync, then acks; receivers get the"
                  " message at most once; no proof"),
    "mosquitto": (packaged("mosquitto", MQTT, mosquitto),
                  "MQTT over TCP. Mail: QoS 1, persistent sessions: acks from memory, receivers"
                  " confirm; written to disk every 30 minutes. Direct and topics: QoS 0. No proof"),
    "mosquitto tls": (packaged("mosquitto", MQTT, mosquitto_under_tls, over_tls=True),
                      "mosquitto under TLS 1.3"),
    "redis": (packaged("redis-server", {MAIL: "redis"}, redis),
              "XADD, appendfsync always: synced, then acked; pushes to nobody; no proof"),
}


def versions():
    """What each peer says of itself, by program."""
    said = {}
    for program, flag in (("nats-server", "--version"), ("mosquitto", "-h"),
                          ("redis-server", "--version"), ("node", "--version"),
                          ("openssl", "version")):
        path = find_program(program)
        if path is None:
            continue
        run = subprocess.run([path, flag], capture_output=True, text=True, check=False,
                             env={**os.environ, **libraries()})
        number = re.search(r"\d+(\.\d+)+", run.stdout or run.stderr)
        said[program] = f"{program} {number[0] if number else '?'}"
    for package in ("bun", "ws", "socket.io", "jose", "libsql"):
        file = PEERS / "node_modules" / package / "package.json"
        if file.exists():
            said[package] = f"{package} {json.loads(file.read_text(encoding='utf8'))['version']}"
    return said
