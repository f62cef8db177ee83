#!/usr/bin/python3
"""Makes protocol/vectors/operators.json: statements of operators, and what is answered.

    python3 protocol/vectors/make_operator_vectors.py          writes it
    python3 protocol/vectors/make_operator_vectors.py --check  fails when it holds something else

The signatures are those of python3-cryptography, which is OpenSSL: none of our code, and another
Ed25519 than the one that Signet verifies with. src/membership/operator_statement_test.cc runs them.
"""
import json
import pathlib
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

FILE = pathlib.Path(__file__).parent / "operators.json"
NOW = 1767616490123
HOUR = 3600 * 1000
NODE = "8f" * 32
ANN, BOB, CAT, DAN = (Ed25519PrivateKey.from_private_bytes(bytes([seed] * 32))
                      for seed in (1, 2, 3, 4))


def key(who):
    return who.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def text(mesh="mesh-team", action="revoke", target="member-eve", serial=8, policy=3,
         expires=NOW + HOUR, domain="signet-operator-v1"):
    return "".join(f"{line}\n" for line in (domain, mesh, action, target, serial, policy, expires))


def row(name, verdict, why, who=(ANN, BOB), signed=None, change=lambda signatures: None, raw=None,
        **fields):
    said = raw or text(**fields)
    signatures = [{"signer": key(each), "signature": each.sign((signed or said).encode()).hex()}
                  for each in who]
    change(signatures)
    return {"name": name, "text": said, "signatures": signatures, "why": why, "verdict": verdict}


def in_capitals(signatures):
    signatures[1]["signer"] = signatures[1]["signer"].upper()


def exchanged(signatures):
    one, other = signatures
    one["signature"], other["signature"] = other["signature"], one["signature"]


def flipped(signatures):
    last = signatures[1]["signature"]
    signatures[1]["signature"] = last[:-1] + ("0" if last[-1] != "0" else "1")


def rows():
    new = key(DAN)
    return [
        row("a revocation", "good", "two of three signed"),
        row("by another two", "good", "any two will do", (CAT, ANN)),
        row("by all", "good", "more than are needed", (ANN, BOB, CAT)),
        row("a key in capitals", "good", "it is the same key", change=in_capitals),
        row("a mass denial", "good", "the digest of the names", action="deny_many",
            target="11" * 32),
        row("a threshold", "good", "two decimals", action="threshold", target="0.70"),
        row("a policy owner", "good", "its key", action="policy_owner", target=new),
        row("a new operator", "good", "its key", action="operator_add", target=new),
        row("an operator who leaves", "good", "and signs it", action="operator_remove",
            target=key(BOB)),
        row("a quorum", "good", "a number", action="quorum", target="3"),
        row("another key of a node", "good", "its name and the key", action="rekey",
            target=f"node-a {NODE}"),
        row("a key in capitals as a target", "malformed", "a target has one spelling",
            action="operator_add", target=new.upper()),
        row("no line end", "malformed", "each line has one", raw=text()[:-1]),
        row("a zero in front", "malformed", "a number has one spelling", serial="08"),
        row("another domain", "malformed", "of another purpose", domain="signet-benchmark-v1"),
        row("another mesh", "wrong_mesh", "signed for that one", mesh="mesh-other"),
        row("too late", "expired", "its end is none of its time", expires=NOW),
        row("for too long", "too_long_lived", "a day is the most", expires=NOW + 24 * HOUR + 1),
        row("an older policy", "stale_policy", "what it meant then is not what it means now",
            policy=2),
        row("once more", "stale_serial", "that of the last one", serial=7),
        row("a stranger", "unknown_signer", "no operator", (ANN, DAN)),
        row("one twice", "duplicate_signer", "counted once", (ANN, ANN)),
        row("one twice, once in capitals", "duplicate_signer", "it is the same key", (ANN, ANN),
            change=in_capitals),
        row("another target", "bad_signature", "not what they signed",
            signed=text(target="member-dan")),
        row("another action", "bad_signature", "not what they signed", action="operator_remove",
            target=new, signed=text(action="operator_add", target=new)),
        row("signatures exchanged", "bad_signature", "each is of its own signer", change=exchanged),
        row("another bit", "bad_signature", "of the signature", change=flipped),
        row("one alone", "too_few_signatures", "two are needed", (ANN,)),
        row("nobody", "too_few_signatures", "two are needed", ()),
    ]


def document():
    return {
        "source": "protocol/vectors/make_operator_vectors.py",
        "seeds": "an operator's seed is 32 times 01, 02 or 03; the stranger's 32 times 04",
        "mesh": "mesh-team", "now": str(NOW), "needed": "2", "last_serial": "7",
        "policy_version": "3",
        "operators": [{"operator": key(who)} for who in (ANN, BOB, CAT)],
        "cases": rows(),
    }


def main():
    made = json.dumps(document(), indent=1) + "\n"
    if "--check" not in sys.argv:
        FILE.write_text(made)
    elif FILE.read_text() != made:
        sys.exit(f"{FILE} holds something else")


main()
