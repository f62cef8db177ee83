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

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "bench"
DEBIAN = BUILD / "debian"
WORK = BUILD / "data"
START_TIMEOUT = 15  # seconds until a server must listen
STOP_TIMEOUT = 10
PINNED = shutil.which("taskset") is not None and (os.cpu_count() or 1) > 1
# The guard works; but two peers may outrun the 10,000/s of dev mode.
SENDS = "limits.sends_per_second=1000000"


def on_core(core, command):
    return ["taskset", "-c", str(core), *command] if PINNED else list(command)


class Unavailable(Exception):
    """A server that can't be measured here; its rows say why."""


class Server:
    """One server process in a folder of its own, for one measurement. One that prints a ready line
    names its address itself; the others get a `port`."""

    def __init__(self, format_name, command, port=None, environment=None):
        self.format, self.port, self.extra = format_name, port, []
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

    def arguments(self):
        return ["--format", self.format, "--at", self.address, *self.extra,
                "--server-pid", str(self.process.pid)]

    def _read_ready_line(self):
        try:
            ready = json.loads(self.process.stdout.readline())
        except ValueError as error:
            raise Unavailable("it does not start") from error
        if "invite" in ready:
            self.extra = ["--invite", ready["invite"]]
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


def find_program(name):
    for folder in ("usr/sbin", "usr/bin"):
        if (DEBIAN / folder / name).exists():
            return str(DEBIAN / folder / name)
    return shutil.which(name)


def libraries():
    found = {str(path.parent) for path in (DEBIAN / "usr/lib").glob("*/*.so*")}
    return {"LD_LIBRARY_PATH": ":".join(sorted(found))} if found else {}


def signet(*settings):
    def start():
        return Server("signet", lambda folder: [
            str(BUILD / "signetd"), "dev", "--listen", "127.0.0.1:0", "--data",
            str(folder / "data"), "--ready-json", "--set", SENDS, "--set",
            "server.log_level=warn", *settings])
    return start


def relay():
    if shutil.which("node") is None or not (ROOT / "bench/peers/node_modules/ws").exists():
        raise Unavailable("no Node or no npm package ws")
    return Server("relay", lambda _: ["node", str(ROOT / "bench/peers/relay.mjs")])


def packaged(program, format_name, command):
    def start():
        path = find_program(program)
        if path is None:
            raise Unavailable(f"no Debian package {program}")
        port = free_port()
        return Server(format_name, lambda folder: [path, *command(folder, port)], port, libraries())
    return start


def nats(_, port):
    return ["-a", "127.0.0.1", "-p", str(port)]


def jetstream(folder, port):
    return [*nats(folder, port), "-js", "-sd", str(folder)]


def mosquitto(folder, port):
    settings = {"listener": f"{port} 127.0.0.1", "allow_anonymous": "true", "persistence": "true",
                "persistence_location": f"{folder}/", "max_queued_messages": "0",
                "max_inflight_messages": "0", "set_tcp_nodelay": "true", "log_type": "error"}
    if os.geteuid() == 0:
        settings["user"] = "root"
    text = "".join(f"{name} {value}\n" for name, value in settings.items())
    (folder / "mosquitto.conf").write_text(text)
    return ["-c", str(folder / "mosquitto.conf")]


def redis(folder, port):
    return ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--appendonly", "yes",
            "--appendfsync", "always", "--save", ""]


# name → how it starts, and what it does with a message. The table prints both.
SERVERS = {
    "signet": (signet(), "proves the sender, limits, authorizes, writes to SQLite and syncs, then"
                         " acks and pushes; a pong of the receiver confirms"),
    "signet unsynced": (signet("--set", "store.synchronous_full=false"),
                        "the same without the sync before the ack: what durability costs"),
    "ws relay": (relay, "Node and npm's ws, same wire format: verifies the hello's signature,"
                        " parses, routes by key, acks at once; no members, replay memory, limits"
                        " or storage"),
    "nats": (packaged("nats-server", "nats", nats),
             "core NATS over TCP: routes by subject; no proof, ack or storage"),
    "jetstream": (packaged("nats-server", "jetstream", jetstream),
                  "NATS JetStream on a file: appends without a sync, then acks; receivers get the"
                  " message at most once; no proof"),
    "mosquitto": (packaged("mosquitto", "mqtt", mosquitto),
                  "MQTT QoS 1, persistent sessions: acks from memory, receivers confirm; written"
                  " to disk every 30 minutes; no proof"),
    "redis": (packaged("redis-server", "redis", redis),
              "XADD, appendfsync always: synced, then acked; pushes to nobody; no proof"),
}


def versions():
    """What each peer says of itself, by program."""
    said = {}
    for program, flag in (("nats-server", "--version"), ("mosquitto", "-h"),
                          ("redis-server", "--version"), ("node", "--version")):
        path = find_program(program)
        if path is None:
            continue
        run = subprocess.run([path, flag], capture_output=True, text=True, check=False,
                             env={**os.environ, **libraries()})
        number = re.search(r"\d+(\.\d+)+", run.stdout or run.stderr)
        said[program] = f"{program} {number[0] if number else '?'}"
    return said
