"""Turns the raw rows of one run into tables: for the terminal, and as Markdown for the page."""
import os
import statistics
import sys

from plan import measurements
from servers import SERVERS

BUSY = 0.9  # a generator that is busier than this may be what limits
# Goals are set against uWebSockets, which no package registry has. Bun has it inside; of what plain
# uWebSockets does, Bun did these shares per CPU second when both were measured side by side; for
# bursts of 8 stands that of 32.
BUN_OF_UWS = {"live.1": 0.62, "live.3.100": 0.99, "live.4.8": 0.94, "live.4.32": 0.94,
              "live.5": 0.79}
UWS_IDLE_BYTES = 468  # of one bare connection, likewise


def median(rows, *path):
    values = []
    for row in rows:
        for name in path:
            row = row.get(name) if row else None
        if row is not None:
            values.append(row)
    return statistics.median(values) if values else None


def number(value, digits=0):
    return "–" if value is None else f"{value:,.{digits}f}"


def milliseconds(us):
    return "–" if us is None else f"{us / 1000:,.2f}"


def ratio(ours, other):
    return "–" if not ours or not other else f"{ours / other:.2f} ×"


class Terminal:
    """Prints. Colours only where somebody looks."""

    def __init__(self):
        self.colours = sys.stdout.isatty() and "NO_COLOR" not in os.environ

    def _paint(self, code, text):
        return f"\033[{code}m{text}\033[0m" if self.colours else text

    def heading(self, text):
        print("\n" + self._paint("1", text))

    def line(self, text, good=None):
        print(text if good is None else self._paint("32" if good else "31", text))

    def table(self, header, rows):
        widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
        for row in [header, *rows]:
            cells = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
            print("  ".join([row[0].ljust(widths[0]), *cells]))


class Markdown:
    def __init__(self):
        self.lines = []

    def heading(self, text):
        self.lines += ["", f"### {text}", ""]

    def line(self, text, good=None):
        self.lines.append(f"- {text}")

    def table(self, header, rows):
        self.lines += ["| " + " | ".join(header) + " |",
                       "| --- |" + " ---: |" * (len(header) - 1)]
        self.lines += ["| " + " | ".join(row) + " |" for row in rows]

    def text(self):
        return "\n".join(self.lines).strip() + "\n"


class Results:
    """The rows of a run, by measurement and server."""

    def __init__(self, run):
        self.run = run
        self.by_key = {}
        for row in run["rows"]:
            self.by_key.setdefault((row["measure"], row["server"]), []).append(row)

    def asked(self, key, server):
        return (key, server) in self.by_key

    def good(self, key, server):
        return [row for row in self.by_key.get((key, server), [])
                if "unavailable" not in row and "failed" not in row]

    def why_not(self, key, server):
        for row in self.by_key.get((key, server), []):
            if "unavailable" in row or "failed" in row:
                return row.get("unavailable") or row["failed"]
        return "no reason"


def delivered(rows):
    expected = sum(row.get("expected") or 0 for row in rows)
    got = sum(row.get("delivered") or 0 for row in rows)
    astray = sum(row.get("duplicates", 0) + row.get("misrouted", 0) for row in rows)
    unacked = sum(row["sent"] - row["acked"] for row in rows if row.get("acked"))
    share = "–" if expected == 0 else f"{100 * got / expected:.4g} %"
    return share + (f", {astray} twice or astray" if astray else "") + \
        (f", {unacked} unacked" if unacked else "")


THROUGHPUT = ["server", "per s", "Signet is", "per server CPU s", "Signet is", "p50 ms", "p99 ms",
              "p99.9 ms", "delivered", "peak MB", "generator busy"]
LATENCY = ["server", "p50 ms", "Signet's is", "p99 ms", "Signet's is", "p99.9 ms", "max ms",
           "delivered", "server CPU", "peak MB", "generator busy"]


MEMORY = ["server", "bytes each", "Signet is", "connections", "server CPU when all are silent"]


def latency_of(rows):
    figures = ("push_us", "admitted_us", "handshake_us", "ack_us")
    return next((key for key in figures if rows[0].get(key)), "")


def memory(rows):
    peak = median(rows, "server_peak_kib") or median(rows, "server_rss_kib")
    return number(peak / 1024, 1) if peak else "–"


def busy(rows):
    share = median(rows, "generator_busy")
    return "–" if share is None else f"{share:.0%}" + (" !" if share > BUSY else "")


def label(name, rows):
    refused = sorted({reason for row in rows for reason in row.get("refused", {})})
    return name if not refused else f"{name} (refused: {', '.join(refused)})"


def throughput_cells(measurement, rows, ours):
    per_cpu = measurement.figure.replace("_per_second", "_per_server_cpu_second")
    own = rows is ours
    latency = latency_of(rows)
    figure, cpu = median(rows, measurement.figure), median(rows, per_cpu)
    return [number(figure), "" if own else ratio(median(ours, measurement.figure), figure),
            number(cpu), "" if own else ratio(median(ours, per_cpu), cpu),
            *(milliseconds(median(rows, latency, p)) for p in ("p50", "p99", "p999")),
            delivered(rows), memory(rows), busy(rows)]


def latency_cells(rows, ours):
    own = rows is ours
    latency = latency_of(rows)
    share = [row["server_cpu_seconds"] / row["seconds"] for row in rows if row["seconds"]]
    ratios = ["" if own else ratio(median(ours, latency_of(ours), p) if ours else None,
                                   median(rows, latency, p)) for p in ("p50", "p99")]
    p50, p99, p999, most = (milliseconds(median(rows, latency, p))
                            for p in ("p50", "p99", "p999", "max"))
    return [p50, ratios[0], p99, ratios[1], p999, most, delivered(rows),
            f"{statistics.median(share):.0%}" if share else "–", memory(rows), busy(rows)]


def memory_cells(rows, ours):
    figure, idle = median(rows, "bytes_per_connection"), median(rows, "idle_cpu_share")
    return [number(figure),
            "" if rows is ours else ratio(median(ours, "bytes_per_connection"), figure),
            number(median(rows, "connections")), "–" if idle is None else f"{idle:.1%}"]


def table_of(measurement):
    """Its header, and what makes a row's cells."""
    if measurement.is_memory:
        return MEMORY, memory_cells
    if measurement.is_latency:
        return LATENCY, latency_cells
    return THROUGHPUT, lambda rows, ours: throughput_cells(measurement, rows, ours)


def write_measurement(out, results, measurement):
    if not any(results.asked(measurement.key, name) for name in measurement.servers):
        return
    out.heading(measurement.title)
    header, cells_of = table_of(measurement)
    ours = results.good(measurement.key, measurement.ours)
    table, missing = [], []
    for name in (name for name in measurement.servers if results.asked(measurement.key, name)):
        rows = ours if name == measurement.ours else results.good(measurement.key, name)
        if not rows:
            missing.append(f"{name}: not measured ({results.why_not(measurement.key, name)})")
            continue
        table.append([label(name, rows), *cells_of(rows, ours)])
    out.table(header, table)
    if missing:
        out.line("; ".join(missing))


def write_store(out, run):
    if not run["store"]:
        return
    out.heading("Row 10, the store alone: durable acknowledged publishes (SQLite WAL, FULL)")
    rows = []
    for depth in sorted({row["in_flight"] for row in run["store"]}):
        mine = [row for row in run["store"] if row["in_flight"] == depth]
        rows.append([f"{depth} in flight", number(median(mine, "publishes_per_second")),
                     *(milliseconds(median(mine, "answer_us", p)) for p in ("p50", "p99", "p999")),
                     *(milliseconds(median(mine, "fdatasync_us", p)) for p in ("p50", "p99"))])
    out.table(["commands", "per s", "p50 ms", "p99 ms", "p99.9 ms", "fdatasync p50 ms",
               "fdatasync p99 ms"], rows)


EPOCHS = [("first", "everybody is allowed for the first time"),
          ("reported", "everybody submitted again"), ("silent", "nobody did")]


def write_epochs(out, run):
    """Both threads' CPU time beside the time of the whole; what neither has was waited for."""
    rows = run.get("epochs", [])
    if not rows:
        return
    nodes = rows[0]["nodes"]
    out.heading(f"An epoch of {number(nodes)} nodes: one decision, durable (SQLite WAL, FULL)")
    table = []
    for shape, title in EPOCHS:
        mine = [row for row in rows if row["shape"] == shape]
        wall = median(mine, "wall_ms")
        if wall is None:
            continue
        control, store = median(mine, "control_cpu_ms"), median(mine, "store_cpu_ms")
        table.append([title, number(wall, 1), number(1000 * wall / nodes, 2), number(control, 1),
                      f"{control / wall:.0%}", number(store, 1), f"{store / wall:.0%}"])
    out.table(["epoch", "ms", "µs a node", "control thread CPU ms", "of the time", "store CPU ms",
               "of the time"], table)
    write_epoch_parts(out, rows, nodes)


EPOCH_PARTS = [("the rule over all nodes, with its reasons", "rule_ms"),
               ("printing and sealing a node and its verdict each", "sealing_ms")]


def write_epoch_parts(out, rows, nodes):
    whole = median([row for row in rows if row["shape"] == "reported"], "wall_ms")
    parts = [(title, median(rows, name)) for title, name in EPOCH_PARTS]
    if whole is None or any(cost is None for _, cost in parts):
        return
    out.heading(f"The parts of an epoch of {number(nodes)} nodes, each by itself")
    out.table(["part", "ms", "of an epoch in which everybody submitted"],
              [[title, number(cost, 1), f"{cost / whole:.1%}"] for title, cost in parts])
    out.line(f"{number(median(rows, 'sealed_bytes_of_a_node'))} sealed bytes of each node;"
             f" {number(median(rows, 'submissions_per_second'))} submissions/s into the controller"
             " and its store without HTTP, 500 in flight")


REVOKED = [("the operator's call is answered", "answered_us"),
           ("its WebSocket has the close frame", "socket_us"),
           ("its submissions are refused", "submission_us"),
           ("its peer is gone from another node's configuration", "peer_us"),
           ("its engine's socket of Hub is told to close", "engine_us"),
           ("the job of its engine is queued again", "lease_us")]


def write_revocations(out, run):
    rows = run.get("revocations", [])
    if not rows:
        return
    count = sum(row["revocations"] for row in rows)
    out.heading(f"From the call that revokes a member to its effect, {count} of them")
    answered = median(rows, "answered_us", "p50")
    out.table(["plane", "p50 ms", "of the answer", "p99 ms", "max ms"],
              [[title, milliseconds(median(rows, name, "p50")),
                "" if name == "answered_us" else ratio(median(rows, name, "p50"), answered),
                milliseconds(median(rows, name, "p99")),
                milliseconds(max(row[name]["max"] for row in rows))]
               for title, name in REVOKED if all(name in row for row in rows)])
    out.line("times count from before the call is sent; each plane is asked again as soon as it has"
             " answered, all in turn, so a time is late by one round of questions at most")


def write_submission_price(out, results):
    """What of the verify rate of this very core is left when a submission is taken as a whole."""
    rows = results.good("overlay.submissions.100", "signet")
    rate = median(rows, "messages_per_server_cpu_second")
    verify = median(results.run["verifies"], "verifies_per_cpu_second")
    if not rate or not verify:
        return
    wall = median(rows, "messages_per_second")
    text = (f"submissions: {number(rate)} per server CPU s = {rate / verify:.0%} of the verify rate"
            f" ({number(verify)}/s); {number(wall)}/s = {wall / verify:.0%}")
    pure = [median(results.run.get("guards", []), name)
            for name in ("overlay_read_ns", "overlay_check_ns")]
    if None not in pure:
        checks = 1e9 / sum(pure)
        text += (f"; {rate / checks:.0%} of what reading and checking alone would allow"
                 f" ({number(checks)}/s)")
    out.line(text)


GUARDS = [  # what it is, its figure, and the table whose messages pay it; None: only who comes pays
    ("find the receiver's name and trust the rest", "find_recipient_ns", "live.price.relay"),
    ("read an envelope as strict JSON", "read_envelope_ns", "live.price.relay"),
    ("decode its two keys", "read_keys_ns", "live.price.relay"),
    ("read a pulse as strict JSON", "read_pulse_ns", "live.price.pulses"),
    ("stamp it", "stamp_pulse_ns", "live.price.pulses"),
    ("rate of a session", "rate_of_session_ns", "live.price.relay"),
    ("rate of one of 1,000 addresses", "rate_of_address_ns", "live.price.relay"),
    ("policy of dev mode, remembered", "policy_default_remembered_ns", "live.price.pulses"),
    ("policy of dev mode, decided", "policy_default_decided_ns", "live.price.pulses"),
    ("policy of 100 rules, remembered", "policy_of_100_rules_remembered_ns", "live.price.pulses"),
    ("policy of 100 rules, decided", "policy_of_100_rules_decided_ns", "live.price.pulses"),
    ("check a token, HS256", "token_hs256_ns", None),
    ("check a token, EdDSA", "token_eddsa_ns", None),
    ("check a token, ES256", "token_es256_ns", None),
    ("check a token, RS256 of 3072 bits", "token_rs256_ns", None),
    ("count an admission for the log", "log_admission_ns", None),
    ("read an action as strict JSON, and print its payload", "hub_read_action_ns", "hub.actions"),
    ("check an action's time and signature", "hub_check_action_ns", "hub.actions"),
    ("name its nonce for the store", "hub_name_nonce_ns", "hub.actions"),
    ("remember the nonce on disk, 100 in flight", "hub_spend_nonce_ns", "hub.actions"),
    ("derive the key of a session", "hub_session_key_ns", None),
    ("read a submission: JSON, canonical claim, members", "overlay_read_ns",
     "overlay.submissions.100"),
    ("of that: strict JSON", "overlay_parse_ns", "overlay.submissions.100"),
    ("of that: its canonical claim", "overlay_canonical_ns", "overlay.submissions.100"),
    ("check a submission's node, time, sequence and signature", "overlay_check_ns",
     "overlay.submissions.100"),
    ("seal its node and its report for the disk", "overlay_seal_ns", "overlay.submissions.100")]


def cpu_ns_of_message(results, key):
    rate = median(results.good(key, "signet"), "messages_per_server_cpu_second")
    return 1e9 / rate if rate else None


def write_guards(out, results):
    guards = results.run.get("guards", [])
    if not guards:
        return
    out.heading("The price of guards: each by itself, over the same messages")
    table = []
    for title, name, paid_by in GUARDS:
        cost, whole = median(guards, name), cpu_ns_of_message(results, paid_by)
        if cost is None:
            continue
        share = "–" if whole is None else f"{cost / whole:.1%}"
        table.append([title, number(cost, 1), share])
    out.table(["guard", "ns", "of the server's CPU time of such a message"], table)


def ratio_of(results, key, other, *figure):
    """Signet's figure ÷ the other server's; None where one of them has none."""
    ours = median(results.good(key, "signet"), *figure)
    theirs = median(results.good(key, other), *figure)
    return ours / theirs if ours and theirs else None


def goal_against_bun(results, key, title, of_uws):
    figure = "deliveries_per_server_cpu_second"
    got = ratio_of(results, key, "bun", figure)
    if got is None:
        return []
    goal = of_uws / BUN_OF_UWS[key]
    return [[title, f"≥ {of_uws} × uWS, {goal:.2f} × Bun", f"{got:.2f} × Bun", got >= goal]]


def goal_at_least(results, key, title, other, goal, figure="deliveries_per_server_cpu_second"):
    got = ratio_of(results, key, other, figure)
    if got is None:
        return []
    return [[title, f"≥ {goal} × {other}", f"{got:.2f} × {other}", got >= goal]]


def goal_2(results):
    p50 = ratio_of(results, "live.2.one", "bun", "push_us", "p50")
    idle = median(results.good("live.6", "signet"), "idle_cpu_share")
    goals = []
    if p50 is not None:
        goals.append(["2, round trip of one, p50", "≤ 0.30 × uWS (Bun here)", f"{p50:.2f} × Bun",
                      p50 <= 0.30])
    goals += goal_at_least(results, "live.2.ten", "2, ten connections, per second", "bun", 1.1,
                           "deliveries_per_second")
    if idle is not None:
        goals.append(["2, CPU when all are silent", "near 0", f"{idle:.1%}", idle < 0.01])
    return goals


def goal_never_slower(results):
    figure = "deliveries_per_server_cpu_second"
    rates = [median(results.good(key, "signet"), figure)
             for key in ("live.3.100", "live.4.8", "live.4.32", "live.4.64")]
    if None in rates:
        return []
    return [["4, as bursts grow", "never slower", " → ".join(map(number, rates)),
             all(b >= 0.97 * a for a, b in zip(rates, rates[1:]))]]  # the noise of such a run


def goal_6(results):
    goals = []
    for name, what in (("signet", "by its key"), ("signet pulsemesh", "by a secret"),
                       ("signet claudemesh", "by a member's signature")):
        each = median(results.good("live.6", name), "bytes_per_connection")
        if each is not None:
            goals.append([f"6, memory of a connection let in {what}", f"≤ {UWS_IDLE_BYTES} B",
                          f"{number(each)} B", each <= UWS_IDLE_BYTES])
    return goals


def goals_of_live(results):
    """Rows 1 to 6 with the floors that hold for JSON, where every message is parsed and guarded."""
    return [*goal_against_bun(results, "live.1", "1, pipelined", 0.65),
            *goal_2(results),
            *goal_against_bun(results, "live.3.100", "3, 1 → 100", 1.15),
            *goal_at_least(results, "live.3.1000", "3, 1 → 1,000", "ceiling", 0.95),
            *goal_against_bun(results, "live.4.8", "4, bursts of 8", 1.05),
            *goal_against_bun(results, "live.4.32", "4, bursts of 32", 1.15),
            *goal_at_least(results, "live.4.64", "4, bursts of 64", "bun", 2),
            *goal_never_slower(results),
            *goal_against_bun(results, "live.5", "5, pairs", 5),
            *goal_at_least(results, "live.5", "5, pairs, as a binary format", "bun topics", 1.15),
            *goal_at_least(results, "live.5", "5, pairs, as a binary format", "nats", 4),
            *goal_6(results)]


def goal_7(results, verifies):
    rows = results.good("row7", "signet")
    verify = median(verifies, "verifies_per_cpu_second")
    if not rows or not verify:
        return []
    wall, cpu = median(rows, "hellos_per_second"), median(rows, "hellos_per_server_cpu_second")
    return [["7, signed hellos", "≥ 75 % of the verify rate",
             f"{number(cpu)} per server CPU s = {cpu / verify:.0%}; {number(wall)}/s =" +
             f" {wall / verify:.0%} (verify: {number(verify)}/s)", cpu / verify >= 0.75]]


def goal_10(store):
    goals = []
    for depth, goal in ((10, 35_000), (100, 75_000)):
        rows = [row for row in store if row["in_flight"] == depth]
        rate = median(rows, "publishes_per_second")
        if rate is not None:
            goals.append([f"10, durable, {depth} at a time", f"≥ {number(goal)}/s",
                          f"{number(rate)}/s", rate >= goal])
    return goals


def goal_11(results, quick):
    rows = results.good("row11", "signet")
    if not rows:
        return []
    p99 = median(rows, "push_us", "p99") / 1000
    peak = median(rows, "server_peak_kib") / 1024
    came = all(row["delivered"] == row["expected"] for row in rows)
    shape = "100 × 200 (quick)" if quick else "100 × 1,000"
    return [[f"11, {shape}", "100 %, p99 < 100 ms, < 64 MB",
             f"{delivered(rows)}, p99 {p99:.1f} ms, {peak:.1f} MB at the peak",
             came and p99 < 100 and peak < 64]]


def write_goals(out, results):
    run = results.run
    rows = goals_of_live(results) + goal_7(results, run["verifies"]) + goal_10(run["store"]) + \
        goal_11(results, run["quick"])
    if not rows:
        return
    out.heading("Goals")
    out.table(["row", "goal", "measured", "met"],
              [[row, goal, measured, "yes" if met else "no"] for row, goal, measured, met in rows])
    if not results.asked("row11", "signet"):
        return
    out.line("claudemesh's own published load test (published, not measured here): 100 × 1,000:"
             " 88.8 % delivered in 15 minutes, p50 12.9 s, p99 23 s, 1.16 GB RSS;"
             " 100 × 100: 99.8 %, p50 2.7 s, p99 4.7 s")


def faults(run):
    """What may not happen to Signet in any row: lost, doubled, astray, refused, failed."""
    found = [f"store alone, {row['in_flight']} in flight: {row['refused']} refused"
             for row in run["store"] if row["refused"]]
    for row in run["rows"]:
        if not row["server"].startswith("signet"):
            continue
        wrong = [f"{name} {row[name]}" for name in ("unavailable", "failed", "refused", "duplicates",
                                                    "misrouted", "lost_connections") if row.get(name)]
        wrong += [f"{name} {row[name]} of {row[whole]}"
                  for name, whole in (("delivered", "expected"), ("acked", "sent"))
                  if name in row and row[name] != row.get(whole)]
        if wrong:
            found.append(f"{row['measure']}, {row['server']}: {', '.join(wrong)}")
    return found


def write_report(out, run):
    results = Results(run)
    share = median(run["verifies"], "core_share")
    out.heading(f"{run['started'][:16].replace('T', ' ')} UTC, median of {run['rounds']}")
    out.line(f"{run['machine']}; Signet at {run['commit']}")
    out.line("; ".join(run["versions"].values()))
    out.line(f"load average {run['load_before']:.1f} before and {run['load_after']:.1f} after;"
             f" a busy loop got {share:.0%} of the server's core"
             + ("" if share > 0.97 else ": other programs ran, so these figures are provisional"))
    write_goals(out, results)
    for measurement in measurements(run["quick"]):
        write_measurement(out, results, measurement)
    write_submission_price(out, results)
    write_guards(out, results)
    write_epochs(out, run)
    write_revocations(out, run)
    write_store(out, run)
    for fault in faults(run):
        out.line(f"FAULT {fault}", False)
    out.heading("What each server does with a message")
    asked = {row["server"] for row in run["rows"]}
    for name, (_, meaning) in SERVERS.items():
        if name in asked:
            out.line(f"{name}: {meaning}")
