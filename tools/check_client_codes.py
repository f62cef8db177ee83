#!/usr/bin/env python3
"""Fails when the client library or the command line says a code that protocol/codes.json lacks, or
when one of its own there is said nowhere."""
import json
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
SAID = [re.compile(r'"([a-z]+(?:_[a-z0-9]+)*): '),  # at the start of a detail
        re.compile(r'(?:failure|fail)\(\s*(?:ErrorCode::\w+,\s*)?"([a-z]+(?:_[a-z0-9]+)*)"')]
# Words that stand before a colon and are no code.
WORDS = {"signet", "greet", "listen", "worker", "clear", "sealed", "stored", "warning", "error"}
# Codes of MCP answers stand in docs/agents.md.
AGENT = {"bad_arguments", "too_many_calls", "unknown_tool", "queued"}

sets = json.loads((root / "protocol/codes.json").read_text())["sets"]
known = {code["name"] for group in sets for code in group["codes"]}
own = {code["name"] for group in sets if not group.get("cpp", True) for code in group["codes"]}

texts = {path: re.sub(r"//.*", "", path.read_text()) for folder in ("src/client", "apps/signet")
         for path in sorted((root / folder).rglob("*.[ch]*")) if not path.stem.endswith("_test")}
faults = []
for path, text in texts.items():
    for pattern in SAID:
        for said in pattern.findall(text):
            if said not in known | WORDS | AGENT:
                faults.append(f"{path.relative_to(root)}: {said} is not in protocol/codes.json")
everything = "\n".join(texts.values())
faults += [f"protocol/codes.json: nobody says {name}" for name in sorted(own)
           if not re.search(rf'"{name}\b', everything)]
print("\n".join(sorted(set(faults))) or f"client codes: {len(own)}, no fault")
sys.exit(bool(faults))
