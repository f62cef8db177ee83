#!/usr/bin/python3
"""Makes protocol/vectors/merkle.json and checkpoint.json, with nothing of ours.

    python3 protocol/vectors/make_audit_vectors.py          writes both
    python3 protocol/vectors/make_audit_vectors.py --check  fails when they hold something else

Trees after the recursive definitions of RFC 6962, section 2.1, over hashlib; notes after the pages
signed-note and tlog-checkpoint of C2SP, over the Ed25519 of python3-nacl.
src/audit/vectors_test.cc runs them.
"""
import base64
import hashlib
import json
import pathlib
import sys

import nacl.signing

FOLDER = pathlib.Path(__file__).parent
# The eight entries that the reference tests of Certificate Transparency use.
LEAVES = [
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]
# What those tests print, so that a mistake in here is seen in here.
KNOWN_ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


def leaf(entry):
    return hashlib.sha256(b"\0" + entry).digest()


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def split(size):
    return 1 << (size - 1).bit_length() - 1


def root(entries):
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return leaf(entries[0])
    k = split(len(entries))
    return node(root(entries[:k]), root(entries[k:]))


def path(m, entries):
    if len(entries) == 1:
        return []
    k = split(len(entries))
    if m < k:
        return path(m, entries[:k]) + [root(entries[k:])]
    return path(m - k, entries[k:]) + [root(entries[:k])]


def subproof(m, entries, is_start):
    if m == len(entries):
        return [] if is_start else [root(entries)]
    k = split(len(entries))
    if m <= k:
        return subproof(m, entries[:k], is_start) + [root(entries[k:])]
    return subproof(m - k, entries[k:], False) + [root(entries[:k])]


def hexes(hashes):
    return [h.hex() for h in hashes]


def merkle():
    entries = [bytes.fromhex(e) for e in LEAVES]
    roots = [root(entries[:n]).hex() for n in range(len(entries) + 1)]
    for size, known in KNOWN_ROOTS.items():
        assert roots[size] == known, size
    sizes = range(1, len(entries) + 1)
    return {
        "entries": LEAVES,
        "roots": roots,
        "inclusion": [
            {"leaf": m, "leaves": n, "proof": hexes(path(m, entries[:n]))}
            for n in sizes for m in range(n)
        ],
        "consistency": [
            {"from": m, "to": n, "proof": hexes(subproof(m, entries[:n], True))}
            for n in sizes for m in range(1, n + 1)
        ],
    }


def b64(data):
    return base64.b64encode(data).decode()


SEED = bytes(range(32))
OTHER_SEED = bytes(range(32, 64))
ORIGIN = "signet.example/log"


def public(seed):
    return nacl.signing.SigningKey(seed).verify_key.encode()


def key_hash(name, seed):
    return hashlib.sha256(name.encode() + b"\n\x01" + public(seed)).digest()[:4]


def verifier(name, seed):
    return f"{name}+{key_hash(name, seed).hex()}+{b64(bytes([1]) + public(seed))}"


def signature_line(name, seed, text):
    signature = nacl.signing.SigningKey(seed).sign(text.encode()).signature
    return f"\u2014 {name} {b64(key_hash(name, seed) + signature)}\n"


def body(origin, entries, root_hash, *extensions):
    lines = [origin, str(entries), b64(root_hash), *extensions]
    return "".join(line + "\n" for line in lines)


def checkpoint():
    some_root = hashlib.sha256(b"some root").digest()
    empty = hashlib.sha256(b"").digest()
    signed = body(ORIGIN, 7, some_root)
    ours = signature_line(ORIGIN, SEED, signed)
    witness = signature_line("witness.example", OTHER_SEED, signed)
    vectors = []

    def takes(name, note, entries, root_hash, is_ours=False, origin=ORIGIN):
        vectors.append({"name": name, "note": note, "origin": origin, "entries": str(entries),
                        "root": root_hash.hex(), "verdict": "taken", "written": is_ours})

    def refuses(name, note, verdict="malformed"):
        vectors.append({"name": name, "note": note, "verdict": verdict})

    def signed_body(text, signer=SEED):
        return text + "\n" + signature_line(ORIGIN, signer, text)

    takes("seven entries", signed + "\n" + ours, 7, some_root, True)
    takes("no entries", signed_body(body(ORIGIN, 0, empty)), 0, empty, True)
    largest = 2**64 - 1
    takes("as many as can be", signed_body(body(ORIGIN, largest, some_root)), largest, some_root,
          True)
    takes("a witness after", signed + "\n" + ours + witness, 7, some_root)
    takes("a witness before", signed + "\n" + witness + ours, 7, some_root)
    takes("ours twice", signed + "\n" + ours + ours, 7, some_root)
    takes("an extension", signed_body(body(ORIGIN, 7, some_root, "more: of it")), 7, some_root)

    refuses("only a witness", signed + "\n" + witness, "unauthorized")
    refuses("another key", signed_body(signed, OTHER_SEED), "unauthorized")
    other = body("other.example/log", 7, some_root)
    takes("another log of the same key",
          other + "\n" + signature_line("other.example/log", SEED, other), 7, some_root, True,
          "other.example/log")
    refuses("another log under our name", other + "\n" + signature_line(ORIGIN, SEED, other),
            "unauthorized")
    refuses("signature of another note", body(ORIGIN, 8, some_root) + "\n" + ours, "unauthorized")
    bad_hash = bytearray(key_hash(ORIGIN, SEED))
    bad_hash[0] ^= 1
    raw = nacl.signing.SigningKey(SEED).sign(signed.encode()).signature
    refuses("key hash is another", f"{signed}\n\u2014 {ORIGIN} {b64(bytes(bad_hash) + raw)}\n",
            "unauthorized")
    refuses("signature too long",
            f"{signed}\n\u2014 {ORIGIN} {b64(key_hash(ORIGIN, SEED) + raw + b'x')}\n", "unauthorized")
    refuses("a false one of ours after a true one",
            f"{signed}\n{ours}\u2014 {ORIGIN} {b64(key_hash(ORIGIN, SEED) + bytes(64))}\n",
            "unauthorized")

    refuses("empty", "")
    refuses("no signature", signed)
    refuses("no signature after the blank line", signed + "\n")
    refuses("no blank line", signed + ours)
    refuses("two blank lines", signed + "\n\n" + ours)
    refuses("last line unfinished", signed + "\n" + ours[:-1])
    refuses("something after", signed + "\n" + ours + "x")
    refuses("carriage returns", (signed + "\n" + ours).replace("\n", "\r\n"))
    refuses("a hyphen for the dash", signed + "\n-" + ours[1:])
    refuses("two spaces before the name", signed + "\n" + ours.replace("\u2014 ", "\u2014  "))
    refuses("no name", f"{signed}\n\u2014  {b64(bytes(68))}\n")
    refuses("a plus in the name", f"{signed}\n\u2014 a+b {b64(bytes(68))}\n")
    refuses("signature without padding", signed + "\n" + ours.replace("=\n", "\n"))
    refuses("signature of the URL alphabet", signed + "\n" + ours + f"\u2014 w {'-_' * 34}\n")
    refuses("signature of four bytes", f"{signed}\n{ours}\u2014 w {b64(bytes(4))}\n")
    for name, text in {
        "leading zero": f"{ORIGIN}\n07\n{b64(some_root)}\n",
        "a sign": f"{ORIGIN}\n+7\n{b64(some_root)}\n",
        "negative": f"{ORIGIN}\n-7\n{b64(some_root)}\n",
        "a space": f"{ORIGIN}\n 7\n{b64(some_root)}\n",
        "no number": f"{ORIGIN}\n\n{b64(some_root)}\n",
        "hex": f"{ORIGIN}\n0x7\n{b64(some_root)}\n",
        "one too many": f"{ORIGIN}\n{2**64}\n{b64(some_root)}\n",
        "a short root": f"{ORIGIN}\n7\n{b64(some_root[:31])}\n",
        "a long root": f"{ORIGIN}\n7\n{b64(some_root + b'x')}\n",
        "a root in hex": f"{ORIGIN}\n7\n{some_root.hex()}\n",
        "a root with stray bits": f"{ORIGIN}\n7\n{b64(some_root)[:-2]}V=\n",
        "no root": f"{ORIGIN}\n7\n",
        "no entries": f"{ORIGIN}\n",
        "an empty extension": f"{ORIGIN}\n7\n{b64(some_root)}\n\nx\n",
        "a tab": f"{ORIGIN}\n7\t\n{b64(some_root)}\n",
        "an escape": f"{ORIGIN}\n7\n{b64(some_root)}\n\x1b[2J\n",
    }.items():
        refuses("signed, with " + name, signed_body(text))
    return {"origin": ORIGIN, "seed": SEED.hex(), "public": public(SEED).hex(),
            "verifier": verifier(ORIGIN, SEED), "notes": vectors}


def text_of(vectors):
    """One vector a line, so that a difference shows which."""
    parts = []
    for name, value in vectors.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            lines = ",\n".join(json.dumps(v) for v in value)
            parts.append(f"{json.dumps(name)}: [\n{lines}\n]")
        else:
            parts.append(f"{json.dumps(name)}: {json.dumps(value)}")
    about = "Made by make_audit_vectors.py with Python. See docs/audit.md."
    return f'{{"about": {json.dumps(about)}, "vectors": {{\n' + ",\n".join(parts) + "\n}}\n"


failed = False
for file, made in (("merkle.json", merkle()), ("checkpoint.json", checkpoint())):
    text = text_of(made)
    if "--check" not in sys.argv:
        (FOLDER / file).write_text(text)
    elif (FOLDER / file).read_text() != text:
        failed = True
        print(f"{file} holds something else than {pathlib.Path(__file__).name} makes")
sys.exit(failed)
