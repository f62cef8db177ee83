#!/usr/bin/env python3
"""Fails when docs/threats.md names a test that does not exist."""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
TEST = re.compile(r"^TEST(?:_F|_P)?\((\w+),\s*(\w+)\)", re.M)

known = {f"{suite}.{name}" for folder in ("src", "apps") for path in root.glob(f"{folder}/**/*_test.cc")
         for suite, name in TEST.findall(path.read_text())}
known |= {re.sub(r"(\.test\.mjs|_test\.py)$", "", path.name) for path in root.glob("tests/e2e/*")}

faults, rows = [], 0
for number, line in enumerate((root / "docs/threats.md").read_text().splitlines(), 1):
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    if not re.fullmatch(r"[A-Z]\d+", cells[0]):
        continue
    rows += 1
    named = re.findall(r"`((?:[A-Z]\w+\.\w+)|(?:\d\d_\w+)|(?:tools/\S+))`", cells[-1])
    if not named and "**Not shown**" not in cells[-1]:
        faults.append(f"docs/threats.md:{number}: {cells[0]} names no test")
    faults += [f"docs/threats.md:{number}: {cells[0]} names {name}, which does not exist"
               for name in named if name not in known and not (root / name).is_file()]
if rows == 0:
    faults.append("docs/threats.md: no rows found")
print("\n".join(faults) or f"threats: {rows} rows, no fault")
sys.exit(bool(faults))
