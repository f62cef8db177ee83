#!/usr/bin/env python3
"""Fails when the Prometheus rules or the Grafana dashboard ask for what Signet does not tell.

Every metric and label value that they, docs/alerts.md and src/alerts/alert_sources.cc name must be
in the code; the rules must add up what alert_sources.cc adds up, with the thresholds that are the
defaults of the settings; and promtool must take the rules, run their tests and parse every query of
the dashboard.
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile

NAME = re.compile(r"\b(?:signet|broker|process)_[a-z0-9_]+\b")
LABELS = re.compile(r'\b(?:reason|rule|alert|priority)=~?"([A-Za-z_|]+)"')
SUMMED = re.compile(r'rate\(([a-z_]+)(?:\{\w+=~?"([^"]+)"\})?\[')
RATES = ("failed_proofs", "replays", "floods")  # recorded in the rules under these names


def code_texts(root):
    """The program's own text, without what only reads metrics, and without tests."""
    return "\n".join(path.read_text() for path in sorted((root / "src").rglob("*"))
                     if path.suffix in {".h", ".cc"} and not path.stem.endswith("_test")
                     and path.name != "alert_sources.cc")


def unknown_in(name, text, metrics, values):
    for number, line in enumerate(text.splitlines(), 1):
        line = line.replace('\\"', '"')
        for metric in NAME.findall(line):
            if metric not in metrics:
                yield f"{name}:{number}: nobody registers {metric}"
        for listed in LABELS.findall(line):
            for value in listed.split("|"):
                if value not in values:
                    yield f'{name}:{number}: no label has the value "{value}"'


def sources_in_code(text):
    """{alert: {(family, label value)}} of the table in alert_sources.cc; "" stands for all."""
    constants = dict(re.findall(r'constexpr std::string_view (k\w+) = "([a-z_]+)"', text))
    found = {}
    for alert, family, label in re.findall(r'\{Alert::k(\w+),\s*([\w"]+),\s*"((?:[^"\\]|\\.)*)"\}', text):
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", alert).lower()
        value = label.split("=")[1].strip('\\"') if label else ""
        found.setdefault(name, set()).add((constants.get(family, family.strip('"')), value))
    return found


def sources_in_rules(text):
    found = {}
    for alert, expression in re.findall(r"record: signet:(\w+):a_minute\n\s*expr:(.*?)\n\s*- ", text, re.S):
        found[alert] = {(family, value) for family, values in SUMMED.findall(expression)
                        for value in (values.split("|") if values else [""])}
    return found


def threshold_faults(rules, settings):
    patterns = {name: rf"signet:{name}:a_minute >= (\d+)" for name in RATES}
    patterns["slow_consumers"] = r'reason="slow_consumer"\}\[2m\]\)\) >= (\d+)'
    for name, pattern in patterns.items():
        default = re.search(rf'\{{"alerts", "{name}", Type::kInteger, "(\d+)"', settings)
        used = re.search(pattern, rules)
        if not default or not used or default[1] != used[1]:
            yield f"signet.rules.yml: the threshold of {name} is not the default of alerts.{name}"


def overlap(a, b):
    return (a["x"] < b["x"] + b["w"] and b["x"] < a["x"] + a["w"]
            and a["y"] < b["y"] + b["h"] and b["y"] < a["y"] + a["h"])


def dashboard_faults(dashboard):
    variables = {each["name"]: each["type"] for each in dashboard["templating"]["list"]}
    if variables.get("datasource") != "datasource":
        yield "signet.json: no variable for the data source"
    panels = dashboard["panels"]
    if len({panel["id"] for panel in panels}) != len(panels):
        yield "signet.json: an id comes twice"
    for i, panel in enumerate(panels):
        place, title = panel["gridPos"], panel.get("title")
        if place["x"] + place["w"] > 24 or any(overlap(place, other["gridPos"]) for other in panels[:i]):
            yield f"signet.json: {title} lies on another panel or beyond the edge"
        if panel["type"] == "row":
            continue
        if not title or not panel.get("description") or not panel.get("targets"):
            yield f"signet.json: panel {panel['id']} lacks its title, description or queries"
        for each in [panel, *panel["targets"]]:
            if each["datasource"] != {"type": "prometheus", "uid": "${datasource}"}:
                yield f"signet.json: {title} is not of the chosen data source"


def queries(dashboard):
    return [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]


def promtool_faults(root, dashboard):
    folder = root / "deploy/prometheus"
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as parsed:
        rows = [{"record": f"query:{i}", "expr": query.replace("$__rate_interval", "5m")}
                for i, query in enumerate(queries(dashboard))]
        json.dump({"groups": [{"name": "dashboard", "rules": rows}]}, parsed)  # JSON is YAML, too
        parsed.flush()
        for arguments in (["check", "rules", str(folder / "signet.rules.yml")],
                          ["test", "rules", str(folder / "signet.rules.test.yml")],
                          ["check", "rules", parsed.name]):
            try:
                ran = subprocess.run(["promtool", *arguments], capture_output=True, text=True, timeout=100)
            except FileNotFoundError:
                yield "promtool is not installed: tools/install_packages test"
                return
            if ran.returncode != 0:
                yield f"promtool {' '.join(arguments)}:\n{ran.stdout}{ran.stderr}"


def self_test(metrics, values):
    """The check must be able to fail: each of these is a fault."""
    bad = ["rate(signet_nothing_total[1m])", 'up{reason="no_such_reason"}', 'x{reason=~"replayed|no_such"}']
    good = ['rate(signet_pulses_total{reason="replayed"}[1m])', "signet:replays:a_minute", "up"]
    missed = [text for text in bad if not list(unknown_in("", text, metrics, values))]
    false = [text for text in good if list(unknown_in("", text, metrics, values))]
    return [f"the check misses: {text}" for text in missed] + [f"no fault: {text}" for text in false]


root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
code = code_texts(root)
literals = re.findall(r'"([^"\\\n]*)"', code)
metrics = {text for text in literals if NAME.fullmatch(text)}
codes = json.loads((root / "protocol/codes.json").read_text())
values = {code["name"] for codeset in codes["sets"] for code in codeset["codes"]} | set(literals)
values |= {value for value in re.findall(r'\\"(\w+)\\"', code)}  # label text in the code

faults = self_test(metrics, values)
for name in ("deploy/prometheus/signet.rules.yml", "deploy/prometheus/signet.rules.test.yml",
             "deploy/grafana/signet.json", "docs/alerts.md", "src/alerts/alert_sources.cc"):
    faults += unknown_in(name, (root / name).read_text(), metrics, values)
rules = (root / "deploy/prometheus/signet.rules.yml").read_text()
in_code = sources_in_code((root / "src/alerts/alert_sources.cc").read_text())
in_rules = sources_in_rules(rules)
for alert in RATES:
    for source in in_code.get(alert, set()) ^ in_rules.get(alert, set()):
        faults.append(f"{alert}: {source} is in one of alert_sources.cc and signet.rules.yml only")
    if not in_code.get(alert):
        faults.append(f"{alert}: no source found in alert_sources.cc")
faults += threshold_faults(rules, (root / "src/config/settings.h").read_text())
dashboard = json.loads((root / "deploy/grafana/signet.json").read_text())
faults += dashboard_faults(dashboard)
faults += promtool_faults(root, dashboard)
print("\n".join(faults) or f"prometheus: {len(metrics)} metrics, {len(queries(dashboard))} queries, no fault")
sys.exit(bool(faults))
