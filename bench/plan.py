"""What bench/run measures: the goals' rows, the claudemesh path, and what each guard costs."""
ROUTED = ["signet", "ws relay", "nats", "jetstream", "mosquitto"]
ROUTED_WITHOUT_SYNC = ["signet", "signet unsynced", *ROUTED[1:]]
STORED = ["signet", "signet unsynced", "jetstream", "redis"]
CLAUDEMESH = ["signet", "ws relay"]
DIRECT = ["signet", "bun", "ws", "socket.io", "nats", "mosquitto"]
PAIRS = ["signet", "bun", "bun topics", *DIRECT[2:]]
TOPIC = DIRECT
IDLE = ["signet", "signet pulsemesh", "signet claudemesh", "signet bare", *DIRECT[1:]]
GUARDED = ["signet", "signet limited", "signet 100 rules"]
TLS_ALONE = ["signet tls", "bun tls", "ws tls", "socket.io tls", "mosquitto tls"]
TLS = ["signet tls", "signet plain", *TLS_ALONE[1:]]
LOGGED = ["signet", "signet refusals logged", "signet no traffic logged"]
HUB = ["signet", "signet unsynced", "socket.io hub", "socket.io hub synced"]
HUB_GUARDED = [*HUB, "socket.io hub unguarded"]
OVERLAY = ["signet", "signet unsynced", "node overlay", "node overlay synced"]

MESSAGES = "messages_per_second"
DELIVERIES = "deliveries_per_second"

# What a generator asks of a server, which may have several formats: servers.py says which.
MAIL, ECHO, PAIR, TOPICS, RESIDENT = "mail", "echo", "pair", "topic", "idle"
ACTIONS, SUBMISSIONS, REVOCATIONS = "actions", "submissions", "revocations"


# What is published by itself: of live, nothing is stored; tls is live again, encrypted; log is what
# the record of admissions costs; hub is signed actions over Socket.IO; overlay is what
# nodes submit, the epochs that decide on it, and how soon a revocation has its effect.
PARTS = ("live", "tls", "log", "hub", "overlay", "mail")
EPOCH_KEY, REVOKE_KEY = "overlay.epoch", "overlay.revoke"


def part_of(key):
    if key.startswith("live.tls."):
        return "tls"
    if key.startswith("mail.price.log"):
        return "log"
    if key.startswith("hub."):
        return "hub"
    if key.startswith("overlay."):
        return "overlay"
    return "live" if key.startswith("live.") else "mail"


def part_of_guard(name):
    for part in ("hub", "overlay"):
        if name.startswith(f"{part}_"):
            return part
    return "live"


class Measurement:
    """One table: arguments of the generator, the servers it is asked of, their task, and the figure
    that the ratio is of. In a latency table the load is given and the ratio is of the latencies; in
    one of memory, which one round is enough for, it is of the bytes. `ours` is the server that all
    others are held against."""

    def __init__(self, key, title, servers, arguments, figure=MESSAGES, is_latency=False, task=MAIL,
                 is_memory=False, ours="signet"):
        self.key, self.title, self.servers = key, title, servers
        self.arguments, self.figure, self.is_latency = arguments, figure, is_latency
        self.task, self.is_memory, self.ours = task, is_memory, ours


def traffic(peers, to, *more):
    return ["traffic", "--peers", str(peers), "--to", to, *map(str, more)]


def fan_out(subscribers, burst, *more):
    return ["fanout", "--peers", str(subscribers + 1), "--burst", str(burst), *map(str, more)]


def live_rows(quick):
    """Rows 1 to 6 on the JSON formats: SecureWebSocket from key to key, PulseMesh on topics."""
    window = ["--window-ms", 300 if quick else 800, "--warm-up-ms", 150]
    pairs = traffic(200, "partner", "--one-way", "--depth", 16, *window)
    rows = [
        Measurement("live.1", "Row 1: 100 connections, 16 routed messages in flight each", DIRECT,
                    traffic(100, "partner", "--depth", 16, *window), task=ECHO),
        Measurement("live.2.one", "Row 2: one at a time, one connection sends", DIRECT,
                    traffic(2, "partner", "--one-way", "--depth", 1, *window), is_latency=True,
                    task=ECHO),
        Measurement("live.2.ten", "Row 2: one at a time, 10 connections send", DIRECT,
                    traffic(10, "partner", "--depth", 1, *window), task=ECHO)]
    for count in (100, 1000):
        rows.append(Measurement(
            f"live.3.{count}", f"Row 3: one topic, 1 → {count:,}, one at a time",
            [*TOPIC, "ceiling"], fan_out(count, 1, *window), DELIVERIES, task=TOPICS))
    for burst in (8, 32, 64):
        rows.append(Measurement(f"live.4.{burst}", f"Row 4: one topic, 1 → 100, bursts of {burst}",
                                TOPIC, fan_out(100, burst, *window), DELIVERIES, task=TOPICS))
    rows += [
        Measurement("live.5", "Row 5: 100 pairs, one way, 16 in flight each", PAIRS, pairs,
                    task=PAIR),
        Measurement("live.6", "Row 6: resident memory of a connection that says nothing", IDLE,
                    ["idle", "--peers", "1000" if quick else "4000"], "bytes_per_connection",
                    task=RESIDENT, is_memory=True),
        Measurement("live.price.relay", "The price of guards: direct messages, as row 5", GUARDED,
                    pairs, task=PAIR),
        Measurement("live.price.pulses", "The price of guards: pulses, 1 → 1, 16 in a write",
                    GUARDED, fan_out(1, 16, *window), DELIVERIES, task=TOPICS)]
    return rows


def tls_rows(quick):
    """Rows 1, 3, 5 and 6 again under TLS 1.3, with the same server without it beside them."""
    window = ["--window-ms", 300 if quick else 800, "--warm-up-ms", 150]
    under_tls = {"ours": TLS_ALONE[0]}
    return [
        Measurement("live.tls.1", "TLS 1.3, row 1: 100 connections, 16 routed messages in flight"
                    " each", TLS, traffic(100, "partner", "--depth", 16, *window), task=ECHO,
                    **under_tls),
        Measurement("live.tls.3.100", "TLS 1.3, row 3: one topic, 1 → 100, one at a time", TLS,
                    fan_out(100, 1, *window), DELIVERIES, task=TOPICS, **under_tls),
        Measurement("live.tls.5", "TLS 1.3, row 5: 100 pairs, one way, 16 in flight each", TLS,
                    traffic(200, "partner", "--one-way", "--depth", 16, *window), task=PAIR,
                    **under_tls),
        Measurement("live.tls.idle", "TLS 1.3, row 6: resident memory of a connection that says"
                    " nothing", TLS, ["idle", "--peers", "1000" if quick else "4000"],
                    "bytes_per_connection", task=RESIDENT, is_memory=True, **under_tls),
        Measurement("live.tls.handshakes", "TLS 1.3: whole handshakes, one after the other",
                    TLS_ALONE, ["handshakes", "--handshakes", "500" if quick else "2000"],
                    "handshakes_per_second", task=RESIDENT, **under_tls)]


def hub_rows(quick):
    """Each action is told to its own user: what is delivered is what was acknowledged. Before that
    Node needs a second of CPU time to compile what its checks are made of."""
    window = ["--window-ms", 400 if quick else 1000, "--warm-up-ms", 1000 if quick else 3000]
    users, rate = 100, 500
    return [
        Measurement("hub.actions", f"Hub: {users} users, 8 signed actions in flight each",
                    HUB_GUARDED, traffic(users, "partner", "--depth", 8, *window), task=ACTIONS),
        Measurement("hub.one", "Hub: one user, one signed action at a time", HUB,
                    traffic(1, "partner", "--depth", 1, *window), is_latency=True, task=ACTIONS),
        Measurement("hub.rate", f"Hub: {users} users, {rate} signed actions/s offered", HUB,
                    traffic(users, "partner", "--rate", rate, *window), is_latency=True,
                    task=ACTIONS)]


def overlay_rows(quick):
    """Each node has a connection that stays open, and awaits the answer: on disk, where it is. Node
    needs a while to compile what its checks are made of."""
    window = ["--window-ms", 400 if quick else 1000, "--warm-up-ms", 1000 if quick else 3000]
    rows = [Measurement(
        f"overlay.submissions.{nodes}",
        f"Overlay: signed submissions over HTTP, {nodes} nodes, each awaits its answer", OVERLAY,
        traffic(nodes, "absent", "--depth", 1, *window), task=SUBMISSIONS) for nodes in (10, 100)]
    rows.append(Measurement(
        "overlay.one", "Overlay: one node, one signed submission at a time", OVERLAY,
        traffic(1, "absent", "--depth", 1, *window), is_latency=True, task=SUBMISSIONS))
    return rows


def measurements(quick):
    window = ["--window-ms", 400 if quick else 1000, "--warm-up-ms", 200]
    each = 200 if quick else 1000
    rows = live_rows(quick) + tls_rows(quick) + hub_rows(quick) + overlay_rows(quick)
    hellos = ["hellos", "--hellos", "2000" if quick else "8000"]
    rows.append(Measurement("mail.price.log", "The price of the log: signed hellos, as row 7",
                            LOGGED, hellos, "hellos_per_second"))
    rows.append(Measurement("row7", "Row 7: signed hellos, accept and upgrade included", CLAUDEMESH,
                            hellos, "hellos_per_second"))
    for depth in (1, 10, 100) if quick else (1, 10, 100, 1000):
        rows.append(Measurement(
            f"row10.{depth}", f"Row 10 over the wire: {depth} unacknowledged, receiver away",
            STORED, traffic(1, "absent", "--depth", depth, *window)))
    for peers, depth in ((2, 64), (100, 8), (1000, 2)):
        rows.append(Measurement(
            f"direct.{peers}", f"Throughput: {peers:,} peers, direct, {depth} in flight each",
            ROUTED_WITHOUT_SYNC, traffic(peers, "partner", "--depth", depth, *window)))
    for peers, rate in ((2, 2000), (100, 5000), (1000, 5000)):
        rows.append(Measurement(
            f"latency.{peers}", f"Latency: {peers:,} peers, direct, {rate:,}/s offered",
            ROUTED_WITHOUT_SYNC, traffic(peers, "random", "--rate", rate, *window),
            is_latency=True))
    rows.append(Measurement("everyone.100", "Broadcast among 100 peers, 1 in flight each",
                            CLAUDEMESH, traffic(100, "everyone", "--depth", 1, *window), DELIVERIES))
    rows.append(Measurement("row11", f"Row 11: 100 peers × {each:,}, each awaits its ack", ROUTED,
                            traffic(100, "random", "--depth", 1, "--messages", each)))
    rows.append(Measurement("row11.flood", f"Row 11: 100 peers × {each:,}, all at once", ROUTED,
                            traffic(100, "random", "--depth", 0, "--messages", each)))
    return rows
