#!/usr/bin/env python3
"""Fails when a hash table in src/ could be filled with colliding keys by a peer.

Numbers are handed out by the broker itself and may be hashed as they are. Every other key (ids,
names, addresses, texts) needs crypto::KeyedHash, whose key is drawn at start.
"""
import pathlib
import re
import sys

OWN_NUMBERS = {"MemberNumber", "MeshNumber", "MessageNumber"}
KEYED = {"KeyedHash", "crypto::KeyedHash", "KeyHash", "TextHash", "Hash"}  # Hash: a template's own
TABLE = re.compile(r"\b(?:unordered_(?:multi)?(?:map|set)|BucketMap|RateLimiter)\s*<")
PLAIN = re.compile(r"\bstd::hash\s*<\s*([^>]*?)\s*>|\b_Hash_bytes\b|\bhash_value\b")


def arguments_at(text, start):
    """The template arguments whose list begins at `start`, behind its `<`."""
    depth, begin, found = 1, start, []
    for at in range(start, len(text)):
        depth += {"<": 1, "(": 1, ">": -1, ")": -1}.get(text[at], 0)
        if depth == 0 or (depth == 1 and text[at] == ","):
            found.append(" ".join(text[begin:at].split()))
            begin = at + 1
        if depth == 0:
            return found
    return found


def keyed_names(text):
    """Structs of the file that hash by KeyedHash themselves."""
    for match in re.finditer(r"struct (\w+) \{(.*?)\n\};", text, re.S):
        if "KeyedHash" in match[2]:
            yield match[1]


def faults_of(name, text, keyed):
    code = re.sub(r"//[^\n]*", lambda comment: " " * len(comment[0]), text)
    line = lambda at: code.count("\n", 0, at) + 1
    for match in TABLE.finditer(code):
        key, *others = arguments_at(code, match.end())
        is_set = match[0].startswith(("unordered_set", "unordered_multiset"))
        hashes = others if is_set or match[0].startswith("RateLimiter") else others[1:]
        is_keyed = bool(hashes) and hashes[0] in keyed
        if key not in OWN_NUMBERS | {"Key"} and not is_keyed:
            yield f"{name}:{line(match.start())}: a table by {key} without a keyed hash"
    for match in PLAIN.finditer(code):
        of = match[1] or match[0]
        if of not in OWN_NUMBERS | {"std::int64_t", "signet::Number<Tag"}:
            yield f"{name}:{line(match.start())}: std::hash of {of}"


def self_test():
    """The check must be able to fail: each of these is a fault, and each of those is none."""
    bad = ["std::unordered_map<std::string, int> a;", "std::unordered_set<Id> b;",
           "std::unordered_map<std::string, std::vector<int>, std::hash<std::string>> c;",
           "auto h = std::hash<std::string_view>{}(text);", "BucketMap<Key16, int, Plain> d;",
           "trust::RateLimiter<std::string, std::hash<std::string>> e;"]
    good = ["std::unordered_map<MemberNumber, std::string> a;", "// std::unordered_map<Id, int>",
            "std::unordered_map<std::string, int, crypto::KeyedHash> b;",
            "trust::RateLimiter<std::array<unsigned char, 16>, crypto::KeyedHash> c;"]
    missed = [text for text in bad if not list(faults_of("", text, KEYED))]
    false = [text for text in good if list(faults_of("", text, KEYED))]
    return [f"the check misses: {text}" for text in missed] + [f"no fault: {text}" for text in false]


src = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "src")
texts = {path: path.read_text() for path in sorted(src.rglob("*"))
         if path.suffix in {".h", ".cc"} and "_test" not in path.stem}
keyed = KEYED.union(*(keyed_names(text) for text in texts.values()))
faults = self_test() + [fault for path, text in texts.items() for fault in faults_of(path, text, keyed)]
print("\n".join(faults) or f"hashes: {len(texts)} files, no fault")
sys.exit(bool(faults))
