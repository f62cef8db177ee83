#!/usr/bin/python3
"""Makes the sections channel_bodies, key_messages and safety_numbers of the claudemesh vectors.

    tools/make_sealing_vectors.py          prints the sections
    tools/make_sealing_vectors.py --check  fails when protocol/vectors/claudemesh.json has others

Written after protocol/claudemesh.md, "Bodies", with nothing of ours: python3-nacl for Ed25519 and
XChaCha20-Poly1305, hashlib for BLAKE2b. src/client/sealing_vectors_test.cc runs them both ways.
"""
import base64
import hashlib
import json
import pathlib
import sys

import nacl.signing
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt as encrypt

FILE = pathlib.Path(__file__).parent.parent / "protocol/vectors/claudemesh.json"
A = bytes(range(32))
B = bytes(range(255, 223, -1))
KEY = bytes(range(64, 96))
NONCE = bytes(range(24))
OTHER_NONCE = bytes(range(24, 48))


def b64(data):
    return base64.b64encode(data).decode()


def public(seed):
    return nacl.signing.SigningKey(seed).verify_key.encode()


def fields(domain, *values):
    """Each after its length, 8 bytes little-endian; the domain is the first."""
    texts = [v.encode() if isinstance(v, str) else v for v in (domain, *values)]
    return b"".join(len(text).to_bytes(8, "little") + text for text in texts)


def digest(size, domain, *values):
    return hashlib.blake2b(fields(domain, *values), digest_size=size).digest()


def key_id(mesh, target, sender, key):
    return digest(16, "signet/channel-key/v1", mesh, target, public(sender), key)


def channel_body(mesh, target, sender, key, nonce, plaintext, signer=None, name=None):
    """The body; `signer` and `name` (a key id) let a cheat sign or name what is not its own."""
    name = name or key_id(mesh, target, sender, key)
    associated = fields("signet/channel/v1", mesh, target, public(sender), name, nonce)
    ciphertext = encrypt(plaintext, associated, nonce, key)
    text = associated + len(ciphertext).to_bytes(8, "little") + ciphertext
    signature = nacl.signing.SigningKey(signer or sender).sign(text).signature
    return b"SGC1" + name + signature + ciphertext


def opened(name, plaintext, mesh="mesh-1", target="#ops", sender=A, nonce=NONCE):
    body = channel_body(mesh, target, sender, KEY, nonce, plaintext.encode())
    return {"name": name, "mesh": mesh, "target": target, "sender_seed": sender.hex(),
            "key": KEY.hex(), "keyId": key_id(mesh, target, sender, KEY).hex(),
            "nonce": b64(nonce), "ciphertext": b64(body), "plaintext": plaintext}


def refused(name, why, body, mesh="mesh-1", target="#ops", sender=A, nonce=NONCE):
    """What A's push says when the receiver has A's KEY for #ops of mesh-1."""
    return {"name": name, "mesh": mesh, "target": target, "sender_seed": sender.hex(),
            "key": KEY.hex(), "nonce": b64(nonce), "ciphertext": b64(body), "why": why}


def channel_bodies():
    good = channel_body("mesh-1", "#ops", A, KEY, NONCE, b"deploy at noon")
    here = ("mesh-1", "#ops", A, KEY, NONCE)
    own_id = key_id("mesh-1", "#ops", A, KEY)
    cheat = bytearray(good)
    cheat[-1] ^= 1
    return [
        opened("to a channel", "deploy at noon"),
        opened("to everybody", "hello all", target="*"),
        opened("to a tag", "grüße, 😀", target="tag:gpu", sender=B, nonce=OTHER_NONCE),
        opened("nothing", ""),
        opened("another mesh", "deploy at noon", mesh="mesh-2"),
        refused("moved to another channel", "bad_signature", good, target="#dev"),
        refused("moved to everybody", "bad_signature", good, target="*"),
        refused("moved to another mesh", "bad_signature", good, mesh="mesh-2"),
        refused("said to be another member's", "bad_signature", good, sender=B),
        refused("under another nonce", "bad_signature", good, nonce=OTHER_NONCE),
        refused("a bit of the ciphertext changed", "bad_signature", bytes(cheat)),
        refused("signed by another member who has the key", "bad_signature",
                channel_body(*here, b"x", signer=B)),
        refused("a key that never came", "key_missing",
                channel_body("mesh-1", "#ops", A, B, NONCE, b"x")),
        refused("another key under the id of the one that came", "does_not_open",
                channel_body("mesh-1", "#ops", A, B, NONCE, b"x", name=own_id)),
        refused("a NUL byte first", "body_malformed", channel_body(*here, b"\0signet/1 {}")),
        refused("not UTF-8", "body_malformed", channel_body(*here, b"\xff")),
        refused("no tag", "body_malformed", good[:99]),
        refused("the magic alone", "body_malformed", b"SGC1"),
        refused("a nonce of 23 bytes", "body_malformed", good, nonce=NONCE[:23]),
    ]


def key_message(kind, target, name, key=None):
    members = {"kind": kind, "target": target, "keyId": name}
    if key is not None:
        members["key"] = key
    return "\0signet/1 " + json.dumps(members, separators=(",", ":"))


def key_messages():
    name = key_id("mesh-1", "#ops", A, KEY).hex()
    grant = key_message("channel_key", "#ops", name, b64(KEY))
    request = key_message("key_request", "#ops", name)

    def row(title, plaintext, **answer):
        return {"name": title, "mesh": "mesh-1", "sender_seed": A.hex(),
                "plaintext": plaintext, **answer}

    def no(title, plaintext, why):
        return row(title, plaintext, verdict="refused", why=why)

    def made(target, key):
        return key_message("channel_key", target, key_id("mesh-1", target, A, key).hex(), b64(key))

    def granted(title, target):
        return row(title, made(target, KEY), verdict="channel_key", target=target,
                   keyId=key_id("mesh-1", target, A, KEY).hex(), key=KEY.hex())

    longest = "tag:" + "x" * 64
    return [
        granted("a key for a channel", "#ops"),
        granted("a key for everybody", "*"),
        granted("a key for the longest tag", longest),
        row("a request", request, verdict="key_request", target="#ops", keyId=name),
        no("a space", grant.replace('","', '", "'), "there is one spelling"),
        no("another order", grant.replace('"kind":"channel_key","target":"#ops"',
                                          '"target":"#ops","kind":"channel_key"'),
           "there is one spelling"),
        no("an escape", grant.replace("#ops", "#\\u006fps"), "there is one spelling"),
        no("an id in upper case", request.replace(name, name.upper()), "there is one spelling"),
        no("one member more", grant.replace("}", ',"x":1}'), "not a member of this form"),
        no("a key twice", grant.replace("}", ',"key":"' + b64(KEY) + '"}'), "not of this form"),
        no("a request with a key", grant.replace("channel_key", "key_request"), "not of this form"),
        no("a grant without a key", request.replace("key_request", "channel_key"), "no key"),
        no("another kind", grant.replace("channel_key", "other_key"), "not known"),
        no("another version", grant.replace("signet/1", "signet/2"), "not known"),
        no("without the NUL", grant[1:], "that is a text"),
        no("a target that is a member", made(public(B).hex(), KEY), "a member has no such key"),
        no("another target under the same id", grant.replace("#ops", "#dev"), "another key id"),
        no("the id of another key", grant.replace(b64(KEY), b64(B)), "another key id"),
        no("a key of another sender", key_message(
            "channel_key", "#ops", key_id("mesh-1", "#ops", B, KEY).hex(), b64(KEY)),
           "a key message concerns keys of its sender"),
        no("a key of another mesh", key_message(
            "channel_key", "#ops", key_id("mesh-2", "#ops", A, KEY).hex(), b64(KEY)),
           "another key id"),
        no("a key of 31 bytes", made("#ops", KEY[:31]), "a key has 32 bytes"),
        no("a key of 33 bytes", made("#ops", KEY + b"x"), "a key has 32 bytes"),
        no("a byte after it", grant + " ", "nothing follows"),
        no("a name that is too long", made(longest + "x", KEY), "a name has at most 64"),
        no("a name with a space", made("#o ps", KEY), "no name"),
        no("an empty name", made("#", KEY), "no name"),
        no("nothing after the version", "\0signet/1 ", "no message"),
    ]


def groups(digest32):
    numbers = (int.from_bytes(digest32[i:i + 5], "big") % 100000 for i in range(0, 30, 5))
    return " ".join(f"{number:05d}" for number in numbers)


def safety_numbers():
    def row(title, mesh, one, other):
        low, high = sorted((one, other))
        halves = (digest(32, "signet/safety-number/v1", which, mesh, low, high) for which in "12")
        return {"name": title, "mesh": mesh, "one": one.hex(), "other": other.hex(),
                "number": " ".join(groups(half) for half in halves),
                "fingerprint": groups(digest(32, "signet/fingerprint/v1", one))}
    a, b = public(A), public(B)
    return [
        row("A and B", "mesh-1", a, b),
        row("B and A", "mesh-1", b, a),
        row("in another mesh", "mesh-2", a, b),
        row("with itself", "mesh-1", a, a),
        row("another key", "mesh-1", a, public(KEY)),
    ]


SECTIONS = {"channel_bodies": channel_bodies, "key_messages": key_messages,
            "safety_numbers": safety_numbers}


def main():
    made = {name: make() for name, make in SECTIONS.items()}
    if sys.argv[1:] == ["--check"]:
        kept = json.loads(FILE.read_text())["vectors"]
        faults = [name for name in made if kept.get(name) != made[name]]
        print("\n".join(f"{name}: not as made" for name in faults) or "vectors: no fault")
        return bool(faults)
    for name, rows in made.items():
        lines = ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":"))
                           for row in rows)
        print(f'"{name}":[\n{lines}\n],')
    return 0


if __name__ == "__main__":
    sys.exit(main())
