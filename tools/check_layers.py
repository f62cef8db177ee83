#!/usr/bin/env python3
"""Fails when a file in src/ includes a module or library that src/layers.txt does not grant it."""
import pathlib
import re
import sys

src = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "src")
INCLUDE = re.compile(r'\s*#\s*include\s*(["<])([^">]+)')


def read_rules(path):
    """Returns ({module: modules it may include}, {header prefix: modules that may include it})."""
    grants, fences = {}, {}
    for line in path.read_text().splitlines():
        name, _, names = line.split("#")[0].partition(":")
        if name.startswith("<"):
            fences[name.strip("<>")] = names.split()
        elif name.strip():
            not_below = [n for n in names.split() if n not in grants]
            if not_below:
                sys.exit(f"layers.txt: {name} may not use {not_below}: not listed above it")
            grants[name] = names.split()
    return grants, fences


def faults_of(path, grants, fences):
    module = path.relative_to(src).parts[0]
    if module not in grants:
        yield f"{path}: module '{module}' is not in layers.txt"
        return
    for number, text in enumerate(path.read_text().splitlines(), 1):
        found = INCLUDE.match(text)
        if not found:
            continue
        quoted, header = found[1] == '"', found[2]
        target = header.split("/")[0]
        if quoted and target in grants and target not in (module, *grants[module]):
            yield f"{path}:{number}: {module} may not include {target}"
        if quoted or path.stem.endswith("_test"):
            continue
        for prefix, allowed in fences.items():
            if header.startswith(prefix) and module not in allowed:
                yield f"{path}:{number}: only {' '.join(allowed)} may include <{prefix}>"


grants, fences = read_rules(src / "layers.txt")
files = sorted(p for p in src.rglob("*") if p.suffix in {".h", ".cc"})
faults = [fault for path in files for fault in faults_of(path, grants, fences)]
print("\n".join(faults) or f"layers: {len(grants)} modules, {len(files)} files, no fault")
sys.exit(bool(faults))
