"""What bench/run measures: rows 7, 10 and 11 of the goals, and the claudemesh path."""
ROUTED = ["signet", "ws relay", "nats", "jetstream", "mosquitto"]
ROUTED_WITHOUT_SYNC = ["signet", "signet unsynced", *ROUTED[1:]]
STORED = ["signet", "signet unsynced", "jetstream", "redis"]
CLAUDEMESH = ["signet", "ws relay"]

MESSAGES = "messages_per_second"


class Measurement:
    """One table: arguments of the generator, the servers it is asked of, and the figure that the
    ratio is of. In a latency table the load is given and the ratio is of the latencies."""

    def __init__(self, key, title, servers, arguments, figure=MESSAGES, is_latency=False):
        self.key, self.title, self.servers = key, title, servers
        self.arguments, self.figure, self.is_latency = arguments, figure, is_latency


def traffic(peers, to, *more):
    return ["traffic", "--peers", str(peers), "--to", to, *map(str, more)]


def measurements(quick):
    window = ["--window-ms", 400 if quick else 1000, "--warm-up-ms", 200]
    each = 200 if quick else 1000
    rows = [Measurement("row7", "Row 7: signed hellos, accept and upgrade included", CLAUDEMESH,
                        ["hellos", "--hellos", "2000" if quick else "8000"], "hellos_per_second")]
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
                            CLAUDEMESH, traffic(100, "everyone", "--depth", 1, *window),
                            "deliveries_per_second"))
    rows.append(Measurement("row11", f"Row 11: 100 peers × {each:,}, each awaits its ack", ROUTED,
                            traffic(100, "random", "--depth", 1, "--messages", each)))
    rows.append(Measurement("row11.flood", f"Row 11: 100 peers × {each:,}, all at once", ROUTED,
                            traffic(100, "random", "--depth", 0, "--messages", each)))
    return rows
