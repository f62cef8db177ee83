#!/usr/bin/env python3
"""Fails when a module in src/ that has code lacks a README.md or has one over 60 lines."""
import pathlib
import sys

MAX_LINES = 60  # one screen and a half: a README that grows beyond it is no longer read

src = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "src")
faults = []
modules = [folder for folder in sorted(src.iterdir()) if any(folder.rglob("*.cc"))]
for module in modules:
    readme = module / "README.md"
    lines = len(readme.read_text().splitlines()) if readme.exists() else 0
    if not readme.exists():
        faults.append(f"{readme}: missing")
    elif lines > MAX_LINES:
        faults.append(f"{readme}: {lines} lines, at most {MAX_LINES}")
print("\n".join(faults) or f"readme: {len(modules)} modules, no fault")
sys.exit(bool(faults))
