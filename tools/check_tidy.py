#!/usr/bin/env python3
"""Runs clang-tidy on every .cc of src/ and apps/ that a build knows, one per core at a time.

A file that passed is not checked again until it, a header of ours that it includes, .clang-tidy or
its compile command changes: build/tidy holds one stamp per file.
    tools/check_tidy.py BUILD_FOLDER
"""
import concurrent.futures
import functools
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
STAMPS = ROOT / "build" / "tidy"


@functools.cache
def includes_of(path):
    """Our own headers that `path` names, where they can be found."""
    found = []
    for name in INCLUDE.findall(path.read_text(errors="replace")):
        for folder in (ROOT / "src", ROOT / "include", path.parent, ROOT / "apps", BUILD / "generated"):
            if (folder / name).is_file():
                found.append((folder / name).resolve())
                break
    return found


def closure_of(path):
    seen, rest = set(), [path]
    while rest:
        file = rest.pop()
        if file not in seen:
            seen.add(file)
            rest += includes_of(file)
    return sorted(seen)


def digest_of(path, command):
    digest = hashlib.sha256((ROOT / ".clang-tidy").read_bytes() + command.encode())
    for file in closure_of(path):
        digest.update(str(file).encode() + file.read_bytes())
    return digest.hexdigest()


def check(entry):
    """Returns (path, what clang-tidy said, or None when it passed or had passed)."""
    path = pathlib.Path(entry["file"])
    stamp = STAMPS / str(path.relative_to(ROOT)).replace("/", "__")
    digest = digest_of(path, entry["command"])
    if stamp.exists() and stamp.read_text() == digest:
        return path, None
    ran = subprocess.run(["clang-tidy-14", "--quiet", "-p", str(BUILD), str(path)],
                         capture_output=True, text=True, check=False)
    if ran.returncode == 0:
        stamp.write_text(digest)
        return path, None
    return path, ran.stdout + ran.stderr


def is_ours(entry):
    path = pathlib.Path(entry["file"])
    top = path.relative_to(ROOT).parts[0] if path.is_relative_to(ROOT) else ""
    return top in ("src", "apps") and path.exists() and not path.stem.endswith("_test")


BUILD = pathlib.Path(sys.argv[1]).resolve()
STAMPS.mkdir(parents=True, exist_ok=True)
entries = list(filter(is_ours, json.loads((BUILD / "compile_commands.json").read_text())))
failed = 0
with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
    for path, said in pool.map(check, entries):
        if said is not None:
            failed += 1
            print(f"{path.relative_to(ROOT)}:\n{said}", flush=True)
print(f"clang-tidy: {len(entries)} files, {failed} with faults")
sys.exit(failed > 0 or not entries)
