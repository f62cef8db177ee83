#!/usr/bin/env python3
"""Writes what programs and people need from protocol/codes.json: a C++ header (x.h) or a page (x.md)."""
import json
import pathlib
import sys


def camel(name):
    return "k" + "".join(part.capitalize() for part in name.split("_"))


def cpp(sets):
    out = ["// Generated from protocol/codes.json; edit that file.", "#pragma once", "",
           "#include <array>", "#include <cstddef>", "#include <cstdint>", "#include <string_view>",
           "", "namespace signet {"]
    for group in sets:
        if not group.get("cpp", True):
            continue  # texts that stand where they are said; tools/check_client_codes.py compares
        kind, codes = group["type"], group["codes"]
        out += ["", f"// {group['about']}", f"enum class {kind} : std::uint8_t {{"]
        out += [f"  {camel(c['name'])},  // {c['meaning']}" for c in codes]
        out += ["};", f"inline constexpr std::size_t k{kind}Count = {len(codes)};"]
        names = ", ".join(f'"{c["name"]}"' for c in codes)
        out += [f"constexpr std::string_view name_of({kind} code) {{",
                f"  constexpr std::array<std::string_view, k{kind}Count> names{{{names}}};",
                "  return names[static_cast<std::size_t>(code)];", "}"]
        meanings = ", ".join(json.dumps(c["meaning"]) for c in codes)
        out += [f"constexpr std::string_view meaning_of({kind} code) {{",
                f"  constexpr std::array<std::string_view, k{kind}Count> meanings{{{meanings}}};",
                "  return meanings[static_cast<std::size_t>(code)];", "}"]
        if "number" in codes[0]:
            numbers = ", ".join(str(c["number"]) for c in codes)
            out += [f"constexpr std::uint16_t number_of({kind} code) {{",
                    f"  constexpr std::array<std::uint16_t, k{kind}Count> numbers{{{numbers}}};",
                    "  return numbers[static_cast<std::size_t>(code)];", "}"]
    return "\n".join(out + ["", "}  // namespace signet", ""])


def markdown(sets):
    out = ["# Codes", "",
           "Made by `tools/generate_codes.py` from `protocol/codes.json`; edit that file.", "",
           "Retry: **never** the same thing again; **after_change** of what the meaning names; "
           "with **backoff**; or **now**."]
    for group in sets:
        out += ["", f"## {group['type']}", "", group["about"], "",
                "| code | number | retry | meaning |", "| --- | --- | --- | --- |"]
        out += [f"| `{c['name']}` | {c.get('number', '')} | {c['retry']} | {c['meaning']} |"
                for c in group["codes"]]
    return "\n".join(out + [""])


source, target = map(pathlib.Path, sys.argv[1:3])
groups = json.loads(source.read_text())["sets"]
target.parent.mkdir(parents=True, exist_ok=True)
text = markdown(groups) if target.suffix == ".md" else cpp(groups)
if not target.exists() or target.read_text() != text:  # else nothing that includes it is built anew
    target.write_text(text)
