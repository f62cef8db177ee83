#!/usr/bin/env python3
"""Fails when a program lacks what makes a memory bug hard to use.

  tools/check_hardening.py PROGRAM [Release]

Reads the program with readelf, and compile_commands.json beside it. `Release` asks for what the
sanitizers of other builds replace.
"""
import json
import pathlib
import re
import subprocess
import sys


def elf(option, program):
    return subprocess.run(["readelf", "-W", option, program], capture_output=True, text=True,
                          check=True).stdout


def segments(headers):
    """{type: [flags]} of the program headers."""
    found = {}
    for line in headers.splitlines():
        row = re.match(r"\s+([A-Z_]+)(?:\s+0x[0-9a-f]+){5}\s+([RWE ]{3})", line)
        if row:
            found.setdefault(row[1], []).append(row[2])
    return found


def faults_of(program, is_release):
    headers, dynamic = elf("-l", program), elf("-d", program)
    symbols = set(re.findall(r" (\w+)(?:@\S+)?(?: \(\d+\))?$", elf("--dyn-syms", program), re.M))
    parts = segments(headers)
    checks = [
        ("is no position-independent executable",
         "DYN" in elf("-h", program) and "INTERP" in parts and re.search(r"FLAGS_1.*\bPIE\b", dynamic)),
        ("has no read-only relocations (RELRO)", "GNU_RELRO" in parts),
        ("binds symbols lazily (no BIND_NOW)", re.search(r"FLAGS_1.*\bNOW\b|\(BIND_NOW\)", dynamic)),
        ("has an executable stack", parts.get("GNU_STACK") == ["RW "]),
        ("has a segment that is written and run",
         not any("W" in flags and "E" in flags for flags in parts.get("LOAD", []))),
        ("relocates its code", "TEXTREL" not in dynamic),
        ("looks for libraries where it was built", not re.search(r"R(UN)?PATH", dynamic) or not is_release),
        ("has no stack protector", "__stack_chk_fail" in symbols),
        ("does not check the standard library's bounds",
         any("glibcxx_assert_fail" in symbol for symbol in symbols)),
    ]
    if program.endswith("/signetd"):
        checks.append(("can't close its sandbox", "seccomp_load" in symbols))
    if is_release:
        fortified = {symbol for symbol in symbols if symbol.endswith("_chk")}
        checks += [
            ("is not fortified", bool(fortified)),
            ("carries a sanitizer", not any(s.startswith(("__asan", "__tsan")) for s in symbols)),
        ]
    return [text for text, holds in checks if not holds] + flag_faults(program, is_release)


def flag_faults(program, is_release):
    """What leaves no mark in a program is asked of the commands that compiled its sources."""
    wanted = ["-fstack-protector-strong", "-D_GLIBCXX_ASSERTIONS"]
    if is_release:  # FORTIFY needs an optimised build; sanitizers replace the others
        wanted += ["-D_FORTIFY_SOURCE=3", "-fstack-clash-protection", "-fcf-protection"]
    database = pathlib.Path(program).parent / "compile_commands.json"
    commands = [entry for entry in json.loads(database.read_text())
                if re.search(r"/(src|apps)/.*(?<!_test)\.cc$", entry["file"])]
    faults = {f"{pathlib.Path(entry['file']).name} is compiled without {flag}"
              for entry in commands for flag in wanted if flag not in entry["command"].split()}
    return sorted(faults)[:5] if commands else ["no command that compiled it is known"]


program = sys.argv[1]
faults = faults_of(program, "Release" in sys.argv[2:])
print("\n".join(f"{program}: {fault}" for fault in faults) or f"hardening: {program}, no fault")
sys.exit(bool(faults))
