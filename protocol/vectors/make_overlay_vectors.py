#!/usr/bin/env python3
"""Makes protocol/vectors/overlay.json: what nodes of the overlay sign, and what is answered.

Needs Python 3.11 or later and `node`, which prints canonical JSON (its own numbers and texts, names
sorted as it compares texts) and signs. The output depends on nothing but this file:
    python3 protocol/vectors/make_overlay_vectors.py
"""
import base64
import hashlib
import hmac
import json
import os
import random
import struct
import subprocess

NOW = 1767616495123  # 2026-01-05T12:34:55.123Z
TIME = "2026-01-05T12:34:50.123Z"
MESH = "5f0c3b1e-mesh"
SEED = bytes(range(32)).hex()
OTHER_SEED = "07" * 32
WIREGUARD = base64.b64encode(bytes([0x11]) * 32).decode()

NODE = r"""
const crypto = require('crypto');
const of = (value, claim) => {
  if (Array.isArray(value)) return '[' + value.map(each => of(each, claim)).join(',') + ']';
  if (typeof value === 'number' && !Number.isFinite(value)) throw new Error('number');
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const names = Object.keys(value).sort().filter(name => !(claim && value[name] === null));
  return '{' + names.map(name => JSON.stringify(name) + ':' + of(value[name], claim)).join(',') + '}';
};
const keyOf = seed => crypto.createPrivateKey({
  key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'),
                      Buffer.from(seed, 'hex')]), format: 'der', type: 'pkcs8'});
const own = (value, name) => Object.prototype.hasOwnProperty.call(value, name);
const answers = {
  canonical: ({text}) => of(JSON.parse(text), false),
  claim: ({text}) => {
    const value = JSON.parse(text);
    for (const name of ['signature', 'key_signature']) if (own(value, name)) delete value[name];
    return of(value, true);
  },
  sign: ({text, seed}) => crypto.sign(null, Buffer.from(text, 'utf8'), keyOf(seed)).toString('hex'),
  public: ({seed}) => crypto.createPublicKey(keyOf(seed)).export({format: 'der', type: 'spki'})
                            .subarray(-32).toString('hex'),
};
const lines = require('fs').readFileSync(0, 'utf8').split('\n');
process.stdout.on('error', () => {});
for (const line of lines) {
  if (!line) continue;
  const asked = JSON.parse(line);
  console.log(JSON.stringify(answers[asked.what](asked)));
}
"""


def ask(questions):
    """Answers of one run of node, in order."""
    text = "\n".join(json.dumps(each) for each in questions)
    run = subprocess.run(["node", "-e", NODE], input=text, capture_output=True, check=True,
                         encoding="utf-8")
    # What is between two lines is JSON, whose own line separators are escapes or no line feeds.
    return [json.loads(line) for line in run.stdout.split("\n") if line]


def ask_one(what, **more):
    return ask([{"what": what, **more}])[0]


def sign(text, seed=SEED):
    return ask_one("sign", text=text, seed=seed)


KEY = ask_one("public", seed=SEED)
OTHER_KEY = ask_one("public", seed=OTHER_SEED)

# --- canonical JSON

ORDER = ('{"\\u20ac":"Euro Sign","\\r":"Carriage Return","\\ufb33":"Hebrew Letter Dalet With Dagesh",'
         '"1":"One","\\ud83d\\ude00":"Emoji: Grinning Face","\\u0080":"Control",'
         '"\\u00f6":"Latin Small Letter O With Diaeresis"}')
# RFC 8785, appendix B: the bits of a double and its text. What is no JSON is left out.
BITS = """0000000000000000 8000000000000000 0000000000000001 8000000000000001 7fefffffffffffff
ffefffffffffffff 4340000000000000 c340000000000000 4430000000000000 44b52d02c7e14af5 44b52d02c7e14af6
44b52d02c7e14af7 444b1ae4d6e2ef4e 444b1ae4d6e2ef4f 444b1ae4d6e2ef50 3eb0c6f7a0b5ed8c 3eb0c6f7a0b5ed8d
41b3de4355555553 41b3de4355555554 41b3de4355555555 41b3de4355555556 41b3de4355555557
becbf647612f3696 43143ff3c1cb0959""".split()
PRINTED_BITS = {
    "0000000000000001": "5e-324", "7fefffffffffffff": "1.7976931348623157e+308",
    "4340000000000000": "9007199254740992", "4430000000000000": "295147905179352830000",
    "44b52d02c7e14af5": "9.999999999999997e+22", "44b52d02c7e14af6": "1e+23",
    "44b52d02c7e14af7": "1.0000000000000001e+23", "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef50": "1e+21", "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "3eb0c6f7a0b5ed8d": "0.000001", "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}


def double_of(bits):
    return struct.unpack(">d", bytes.fromhex(bits))[0]


CANONICAL = [
    ("RFC 8785, 3.2.2", '{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, '
     '0.000000000000000000000000001],\n"string": "\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/",'
     '\n"literals": [null, true, false]}'),
    ("RFC 8785, 3.2.3", ORDER),
    ("RFC 8785, its test data: arrays", '[56,{"d":true,"10":null,"1":[]}]'),
    ("RFC 8785, its test data: french",
     '{"peach":"This sorting order","p\u00e9ch\u00e9":"is wrong according to French",'
     '"p\u00eache":"but canonicalization MUST","sin":"ignore locale"}'),
    ("RFC 8785, its test data: structures",
     '{"1":{"f":{"f":"hi","F":5},"\\n":56.0},"10":{},"":"empty","a":{},"111":[{"e":"yes","E":"no"}],'
     '"A":{}}'),
    ("RFC 8785, its test data: unicode", '{"Unnormalized Unicode":"A\\u030a"}'),
    ("RFC 8785, its test data: weird",
     '{"\\u20ac":"Euro Sign","\\r":"Carriage Return","\\u000a":"Newline","1":"One",'
     '"\\u0080":"Control\\u007f","\\ud83d\\ude02":"Smiley","\\u00f6":"Latin Small Letter O With Diaeresis",'
     '"\\ufb33":"Hebrew Letter Dalet With Dagesh","</script>":"Browser Challenge"}'),
    ("null members at every depth", '{"a":null,"b":{"c":null,"d":[null,{"e":null,"f":1}]}}'),
    ("signatures of the object itself",
     '{"signature":"00","key_signature":"11","b":{"signature":"22"},"signatures":1}'),
    ("a name by escapes", '{"sign\\u0061ture":"00","\\u0061":1}'),
    ("__proto__ is a name", '{"z":1,"__proto__":{"b":1,"a":2},"constructor":3}'),
    ("indices are sorted as text", '{"10":1,"9":2,"1":3,"01":4}'),
    ("names past U+FFFF come before U+E000", '{"\uffff":1,"\ue000":2,"\U00010000":3,"\ud7ff":4}'),
    ("a prefix comes first", '{"ab":1,"a":2,"":3,"a\\u0000":4}'),
    ("nothing", "{}"), ("no items", "[]"), ("a text", '"\\u2028\\u2029\\/"'), ("true", " true "),
]
for number in ("0", "-0", "1.0", "-1.50", "1e2", "1E-2", "100000000000000000000", "1e21", "1e-6",
               "1e-7", "123456789012345678", "9007199254740993", "0.1", "0.30000000000000004",
               "1e-400", "4.9e-324", "1.7976931348623157e308", "0.92", "0.920000", "92e-2"):
    CANONICAL.append((f"the number {number}", f'{{"n":{number}}}'))
for bits in BITS:
    CANONICAL.append((f"the double {bits}", f'{{"n":{double_of(bits)!r}}}'))
for code in list(range(0x20)) + [0x22, 0x2F, 0x5C, 0x7F, 0x80, 0xFF, 0xD7FF, 0xE000, 0xFFFD]:
    CANONICAL.append((f"U+{code:04X} by escape", f'{{"t":"\\u{code:04x}","\\u{code:04X}":0}}'))


def some_value(draw, depth):
    kind = draw.randrange(8 if depth else 5)
    if kind == 0:
        return draw.choice(["null", "true", "false"])
    if kind == 1:
        bits = draw.getrandbits(64)
        number = struct.unpack(">d", struct.pack(">Q", bits))[0]
        return repr(number) if number == number and abs(number) != float("inf") else "7"
    if kind == 2:
        return repr(draw.randrange(-10**6, 10**6) / 10 ** draw.randrange(8))
    if kind == 3:
        return str(draw.randrange(-2**60, 2**60))
    if kind == 4:
        return some_text(draw)
    if kind == 5:
        return "[" + ",".join(some_value(draw, depth - 1) for _ in range(draw.randrange(4))) + "]"
    names = {json.loads(text): text for text in (some_text(draw) for _ in range(draw.randrange(6)))}
    return "{" + ", ".join(f"{text}: {some_value(draw, depth - 1)}" for text in names.values()) + "}"


def some_text(draw):
    letters = ["a", "b", "Z", "0", "9", "_", " ", "\u00e9", "\u20ac", "\ufb33", "\U0001f600",
               "\U00010000", "\ue000", "\n", '"', "\\", "\u007f", "\u0000", "null"]
    text = "".join(draw.choice(letters) for _ in range(draw.randrange(5)))
    return json.dumps(text, ensure_ascii=draw.random() < 0.5)


def canonical_vectors():
    draw = random.Random(8785)
    cases = CANONICAL + [(f"drawn {i}", some_value(draw, 3)) for i in range(260)]
    printed = ask([{"what": "canonical", "text": text} for _, text in cases])
    are_objects = [isinstance(json.loads(text), dict) for _, text in cases]
    claims = iter(ask([{"what": "claim", "text": text}
                       for (_, text), is_object in zip(cases, are_objects) if is_object]))
    for bits, text in PRINTED_BITS.items():  # what the RFC prints, so that a mistake is seen in here
        case = [name for name, _ in cases].index(f"the double {bits}")
        assert printed[case] == f'{{"n":{text}}}', (bits, printed[case])
    return [{"name": name, "json": text, "canonical": canonical,
             "claim": next(claims) if is_object else None}
            for (name, text), canonical, is_object in zip(cases, printed, are_objects)]


# --- submissions

BODY = {"node_id": "node-a", "nonce": "n1", "scores": {"honesty": 0.9, "overall": 0.92}, "sequence": 1,
        "suite_version": "poc-0.1", "timestamp": TIME}
PAGE_SIGNATURE = ("00af9e1fbd55ab6edbb51c7785c7cdf2563b855534927718fd1fd022b9156d42"
                  "758e7ac2e7cefd51a0c91b7ed46a45722079e464d724ba57b18268cc97dc5f0f")


def text_of(body, domain="signet-benchmark-v1\n"):
    return domain + ask_one("claim", text=body)


def signed(body, seed=SEED, domain="signet-benchmark-v1\n"):
    """The text of a body with its signature put in front of its members."""
    signature = sign(text_of(body, domain), seed)
    return body.replace("{", f'{{"signature":"{signature}",', 1)


def with_members(**members):
    """The page's body with other members; ... leaves one out."""
    body = {**BODY, **members}
    return json.dumps({name: value for name, value in body.items() if value is not ...})


def with_text(**members):
    """The same, with members that are JSON already."""
    body = {name: json.dumps(value) for name, value in BODY.items()}
    body.update(members)
    return "{" + ",".join(f'"{name}":{text}' for name, text in body.items()) + "}"


def at(ms):
    """RFC 3339 of a time."""
    import datetime
    when = datetime.datetime.fromtimestamp(ms // 1000, datetime.timezone.utc)
    return when.strftime("%Y-%m-%dT%H:%M:%S") + f".{ms % 1000:03}Z"


def case(name, body, verdict, why, **more):
    return {"name": name, "body": body, "path": "node-a", "key": KEY, "sequence": 0, "newest": 0,
            "allow_unsigned": False, "now": NOW, "verdict": verdict, "why": why, **more}


ORIGINAL = {"key": None, "allow_unsigned": True}
NEW = {"unknown": True, "allow_unsigned": True}
UNSIGNED = with_members(sequence=..., nonce=...)
EPK = base64.b64encode(bytes(range(1, 33))).decode()


def submissions():
    good = "good"
    page = json.dumps({**BODY, "signature": PAGE_SIGNATURE})
    assert sign(text_of(json.dumps(BODY))) == PAGE_SIGNATURE
    same_text = [
        ("other order and spaces", '{ "timestamp" : "%s",\n"suite_version":"poc-0.1", "sequence":1,"scores":'
         '{"overall":0.92,"honesty":0.9},"nonce":"n1","node_id":"node-a" }' % TIME),
        ("numbers in other spellings", with_text(scores='{"overall":92e-2,"honesty":0.90}')),
        ("escapes that need none", with_text(node_id='"node\\u002da"')),
        ("null for what is absent", with_text(notes="null", epk="null", more="null")),
        ("null in scores", with_text(scores='{"overall":0.92,"speed":null,"honesty":0.9}')),
    ]
    rows = [case("the page's", page, good, "the page's vector", signed_text=text_of(json.dumps(BODY)))]
    rows += [case(name, body.replace("{", f'{{"signature":"{PAGE_SIGNATURE}",', 1), good,
                  "it has the canonical text of the page's") for name, body in same_text]
    rows += [
        case("a signature in upper case", json.dumps({**BODY, "signature": PAGE_SIGNATURE.upper()}), good,
             "hex has either case"),
        case("a fresh key", signed(with_members(epk=EPK)), good, "32 bytes in base64"),
        case("notes", signed(with_members(notes="r\u00e9sum\u00e9 \U0001f600\n")), good, "any text"),
        case("members that nobody knows", signed(with_members(extra={"b": [1.0, None], "a": "x"})), good,
             "the signature covers them"),
        case("this mesh by name", signed(with_members(mesh_id=MESH)), good, "then it counts here only"),
        case("another mesh by name", signed(with_members(mesh_id="another")), "node_mismatch",
             "it was signed for that one"),
        case("a mesh that is a number", signed(with_members(mesh_id=7)), "malformed", "an id is a text"),
        case("all at 0", signed(with_members(scores={"overall": 0})), good, "0 is a score"),
        case("all at 1", signed(with_members(scores={"overall": 1.0})), good, "1 is a score"),
        case("zero below", signed(with_text(scores='{"overall":-0.0}')), good, "-0 is 0"),
        case("64 scores", signed(with_members(scores={"overall": 1, **{f"s{i}": 0.5 for i in range(63)}})),
             good, "as many as there may be"),
        case("the largest sequence", signed(with_members(sequence=2**53)), good, "2^53"),
        case("the longest nonce", signed(with_members(nonce="n" * 64)), good, "64 characters"),
    ]
    for name, text in [("a time without a zone", TIME[:-1]), ("a time in another zone", "2026-01-05T14:34:50.123+02:00"),
                       ("a time behind UTC", "2026-01-05T07:04:50.123-05:30"),
                       ("microseconds", "2026-01-05T12:34:50.123456+00:00"), ("no fraction", "2026-01-05T12:34:50Z")]:
        rows.append(case(name, signed(with_members(timestamp=text)), good, "a form of RFC 3339"))
    for name, text in [("a leap second", "2025-12-31T23:59:60Z"), ("hour 24", "2026-01-05T24:00:00Z"),
                       ("no such day", "2026-02-29T12:00:00Z"), ("a space for the T", TIME.replace("T", " ")),
                       ("a date alone", "2026-01-05"), ("a zone by name", "2026-01-05T12:34:50 UTC"),
                       ("before 1970", "1969-12-31T23:59:59Z"), ("no text", ""), ("a fraction without digits", "2026-01-05T12:34:50.Z")]:
        rows.append(case(name, signed(with_members(timestamp=text)), "malformed", "no time of the format"))
    rows.append(case("a time as a number", signed(with_members(timestamp=NOW)), "malformed", "a time is a text"))
    for name, off, verdict in [("120 s old", -120000, good), ("120.001 s old", -120001, "stale"),
                               ("30 s ahead", 30000, good), ("30.001 s ahead", 30001, "future"),
                               ("a day ahead", 86400000, "future")]:
        rows.append(case(name, signed(with_members(timestamp=at(NOW + off))), verdict, "the window's edge"))
    for name, text in [("2", "2.0"), ("below 0", "-0.01"), ("just above 1", "1.0000001"), ("huge", "1e308"),
                       ("beyond a double", "1e400"), ("NaN as Python writes it", "NaN"),
                       ("an infinity as Python writes it", "Infinity"), ("the other infinity", "-Infinity")]:
        rows.append(case("a score of " + name, with_text(scores='{"overall":%s}' % text), "out_of_range",
                         "a score is a finite number from 0 to 1"))
    rows += [
        case("another score that is none", with_text(scores='{"overall":1,"x":-1}'), "out_of_range", "each counts"),
        case("no overall", with_text(scores='{"x":1}'), "out_of_range", "it is what is compared"),
        case("overall is null", with_text(scores='{"overall":null}'), "out_of_range", "null is absent"),
        case("Overall", with_text(scores='{"Overall":1}'), "out_of_range", "names are compared as they are"),
        case("NaN in a text", signed(with_members(notes='"NaN" \\ Infinity')), good, "it is a text there"),
        case("NaN elsewhere", with_text(more="NaN"), "malformed", "JSON has none"),
        case("half a NaN", with_text(scores='{"overall":Na}'), "malformed", "JSON has none"),
    ]
    for name, text in [("a text", '"0.92"'), ("true", "true"), ("a list", "[1]"), ("an object", "{}")]:
        rows.append(case("a score that is " + name, with_text(scores='{"overall":%s}' % text), "malformed",
                         "a score is a number"))
    for name, body in [
            ("no JSON", "overall=1"), ("nothing", ""), ("a list", "[]"), ("null", "null"), ("cut", page[:-1]),
            ("a name twice", page[:-1] + ',"sequence":2}'), ("a name twice by escapes", page[:-1] + ',"\\u0073equence":2}'),
            ("a score twice", with_text(scores='{"overall":1,"overall":0}')), ("half a character", with_text(notes='"\\ud800"')),
            ("bytes behind it", page + "x"), ("no node_id", with_members(node_id=...)), ("no timestamp", with_members(timestamp=...)),
            ("no suite_version", with_members(suite_version=...)), ("no scores", with_members(scores=...)),
            ("scores is null", with_members(scores=None)), ("scores is a list", with_members(scores=[0.9])),
            ("65 scores", with_members(scores={"overall": 1, **{f"s{i}": 0.5 for i in range(64)}})),
            ("a long name of a score", with_members(scores={"overall": 1, "n" * 65: 1})),
            ("a score without a name", with_members(scores={"overall": 1, "": 1})),
            ("a score's name with a line feed", with_members(scores={"overall": 1, "a\nb": 1})),
            ("a name with a line feed", with_members(node_id="node-a\n")), ("a name for a shell", with_members(node_id="$(reboot)")),
            ("a name that climbs", with_members(node_id="../a")), ("a hidden name", with_members(node_id=".a")),
            ("no name", with_members(node_id="")), ("a long name", with_members(node_id="n" * 65)),
            ("a name that is a number", with_members(node_id=7)), ("an empty suite", with_members(suite_version="")),
            ("a long suite", with_members(suite_version="s" * 65)), ("a suite with a line feed", with_members(suite_version="a\nb")),
            ("long notes", with_members(notes="x" * 1025)), ("notes that are a list", with_members(notes=[])),
            ("sequence 0", with_members(sequence=0)), ("a sequence below 0", with_members(sequence=-1)),
            ("a sequence beyond 2^53", with_members(sequence=2**53 + 1)), ("a sequence with a point", with_text(sequence="1.0")),
            ("a sequence by a power", with_text(sequence="1e0")), ("a sequence that is a text", with_members(sequence="1")),
            ("an empty nonce", with_members(nonce="")), ("a long nonce", with_members(nonce="n" * 65)),
            ("a nonce with a space", with_members(nonce="a b")), ("a nonce that is a number", with_members(nonce=1)),
            ("a fresh key of 31 bytes", with_members(epk=base64.b64encode(bytes(31)).decode())),
            ("a fresh key in hex", with_members(epk="11" * 32)), ("a fresh key without padding", with_members(epk=EPK.rstrip("="))),
            ("a signature that is a number", with_members(signature=7)), ("33 members", with_members(**{f"m{i}": 1 for i in range(27)})),
            ("too deep", with_text(more="[" * 9 + "]" * 9)), ("a number beyond a double", with_text(more="1e999")),
            ("too long", with_members(more="x" * 16384))]:
        rows.append(case(name, body, "malformed", "no submission"))
    rows += [
        case("32 members", signed(with_members(**{f"m{i}": 1 for i in range(25)})), good, "as many as there may be"),
        case("another name in the path", page, "node_mismatch", "the path names whose it is", path="node-b"),
        case("nobody of that name", page, "unknown_node", "its key is nobody's", unknown=True),
        case("nobody of that name where originals may come", page, "unknown_node", "it is signed: it registers first", **NEW),
        case("no signature", json.dumps(BODY), "unsigned", "a signature is needed"),
        case("no signature where originals may come", json.dumps(BODY), "unsigned", "this node has a key", allow_unsigned=True),
        case("a signature without a sequence", signed(with_members(sequence=...)), "unsigned", "all three are needed"),
        case("a signature without a nonce", signed(with_members(nonce=...)), "unsigned", "all three are needed"),
        case("a signature that is null", with_members(signature=None), "unsigned", "null is absent"),
        case("the same again", page, "replayed", "an equal sequence", sequence=1),
        case("a lower sequence", page, "replayed", "it rises", sequence=2),
        case("a clock that went back", page, good, "the sequence rose", newest=NOW),
        case("another key", json.dumps({**BODY, "signature": sign(text_of(json.dumps(BODY)), OTHER_SEED)}), "bad_signature", "it is of the node's key"),
        case("another domain", signed(json.dumps(BODY), domain="signet-node-v1\n"), "bad_signature", "a signature is good for one thing"),
        case("no domain", signed(json.dumps(BODY), domain=""), "bad_signature", "a signature is good for one thing"),
        case("a signature of the text as sent", json.dumps({**BODY, "signature": sign("signet-benchmark-v1\n" + json.dumps(BODY))}),
             "bad_signature", "the canonical text is signed"),
        case("a signature of 127 digits", json.dumps({**BODY, "signature": PAGE_SIGNATURE[:-1]}), "bad_signature", "it has 128"),
        case("a signature of zeros", json.dumps({**BODY, "signature": "0" * 128}), "bad_signature", "it is nobody's"),
        case("an empty signature", json.dumps({**BODY, "signature": ""}), "bad_signature", "it has 128 digits"),
        case("a signature with S + L", json.dumps({**BODY, "signature": PAGE_SIGNATURE[:64] + (
            int.from_bytes(bytes.fromhex(PAGE_SIGNATURE[64:]), "little") + 2**252 + 27742317777372353535851937790883648493)
            .to_bytes(32, "little").hex()}), "bad_signature", "one text has one signature of one key"),
    ]
    for name, changed in [("score", {"scores": {"honesty": 0.9, "overall": 0.93}}), ("suite", {"suite_version": "poc-0.2"}),
                          ("sequence", {"sequence": 2}), ("nonce", {"nonce": "n2"}), ("time", {"timestamp": "2026-01-05T12:34:50.124Z"}),
                          ("member", {"more": 1}), ("time of the same moment", {"timestamp": TIME[:-1] + "+00:00"})]:
        rows.append(case(f"another {name} under the signature", json.dumps({**BODY, **changed, "signature": PAGE_SIGNATURE}),
                         "bad_signature", "it is signed"))
    rows += [
        case("an original node", UNSIGNED, good, "unsigned ones may come", newest=NOW - 10000, **ORIGINAL),
        case("an original node's first", UNSIGNED, good, "it is made", **NEW),
        case("an original node's first, stale", with_members(sequence=..., nonce=..., timestamp=at(NOW - 120001)), "stale", "the window is everybody's", **NEW),
        case("an original node, not allowed", UNSIGNED, "unsigned", "it has no key", key=None),
        case("an original node's first, not allowed", UNSIGNED, "unknown_node", "none is made", unknown=True),
        case("an original node's again", UNSIGNED, "replayed", "its time is not newer", newest=NOW - 5000, **ORIGINAL),
        case("an original node's earlier one", UNSIGNED, "replayed", "its time is not newer", newest=NOW - 4999, **ORIGINAL),
        case("an original node's next", UNSIGNED, good, "its time is newer", newest=NOW - 5001, **ORIGINAL),
        case("signed by a node without a key", page, "bad_signature", "no key is known to hold it against", **ORIGINAL),
    ]
    return rows


# --- requests, registrations, changes of keys

def request_case(name, header, verdict, why, **more):
    return {"name": name, "header": header, "method": "GET", "target": "/v1/config/node-a", "mesh": MESH,
            "key": KEY, "now": NOW, "verdict": verdict, "why": why, **more}


def requests():
    def header(node="node-a", ms=NOW, nonce="r1", seed=SEED, method="GET", target="/v1/config/node-a", mesh=MESH):
        text = f"signet-node-request-v1\n{method}\n{target}\n{mesh}\n{ms}\n{nonce}"
        return f"Signet-Node {node} {ms} {nonce} {sign(text, seed)}"
    good = header()
    rows = [
        request_case("good", good, "good", "the node's key signed it",
                     signed_text=f"signet-node-request-v1\nGET\n/v1/config/node-a\n{MESH}\n{NOW}\nr1"),
        request_case("with a query", header(target="/v1/config/node-a?ready=8"), "good", "the query is signed", target="/v1/config/node-a?ready=8"),
        request_case("60 s old", header(ms=NOW - 60000), "good", "the window's edge"),
        request_case("60.001 s old", header(ms=NOW - 60001), "unproven", "one millisecond more"),
        request_case("60 s ahead", header(ms=NOW + 60000), "good", "the window's edge"),
        request_case("60.001 s ahead", header(ms=NOW + 60001), "unproven", "one millisecond more"),
        request_case("the largest time", header(ms=2**63 - 1), "unproven", "no window has it"),
    ]
    for name, changed in [("method", {"method": "POST"}), ("target", {"target": "/v1/config/node-b"}),
                          ("query", {"target": "/v1/config/node-a?ready=8"}), ("mesh", {"mesh": "another"}), ("key", {"seed": OTHER_SEED})]:
        rows.append(request_case(f"another {name}", header(**changed), "unproven", "it is signed"))
    parts = good.split(" ")
    for name, text in [("another scheme", "Bearer x"), ("nothing", ""), ("the scheme alone", "Signet-Node"), ("the scheme in lower case", good.replace("Signet", "signet")),
                       ("two spaces", good.replace(" ", "  ", 1)), ("a space behind", good + " "), ("a time with a zero in front", good.replace(str(NOW), "0" + str(NOW))),
                       ("a time with a sign", good.replace(str(NOW), "+" + str(NOW))), ("a time below zero", good.replace(str(NOW), "-1")), ("a time beyond 64 bits", good.replace(str(NOW), str(2**63))),
                       ("no nonce", " ".join(parts[:3] + parts[4:])), ("a long nonce", " ".join(parts[:3] + ["n" * 65] + parts[4:])),
                       ("a name that is none", good.replace("node-a", "../a")), ("a short signature", good[:-1]), ("more behind it", good + " x")]:
        rows.append(request_case(name, text, "malformed", "no such header"))
    return rows


def body_case(name, body, verdict, why, **more):
    return {"name": name, "body": body, "path": "node-a", "mesh": MESH, "now": NOW, "verdict": verdict, "why": why, **more}


def registrations():
    base = {"node_id": "node-a", "mesh_id": MESH, "key": KEY, "wireguard": WIREGUARD, "timestamp": TIME}
    domain = "signet-node-v1\n"

    def body(seed=SEED, domain=domain, **members):
        made = {name: value for name, value in {**base, **members}.items() if value is not ...}
        return signed(json.dumps(made), seed, domain)
    rows = [
        body_case("good", body(), "good", "its own key signed it", signed_text=text_of(json.dumps(base), domain)),
        body_case("with endpoint and invite", body(endpoint="192.0.2.7:51820", invite="abc.def"), "good", "both are optional"),
        body_case("an endpoint of IPv6", body(endpoint="[2001:db8::1]:51820"), "good", "in brackets"),
        body_case("null for what is absent", body(endpoint=None, invite=None), "good", "null is absent"),
        body_case("a key in upper case", body(key=KEY.upper()), "good", "hex has either case"),
        body_case("signed by another key", body(seed=OTHER_SEED), "unproven", "nobody registers another's key"),
        body_case("signed as a change of keys", body(domain="signet-node-key-v1\n"), "unproven", "a signature is good for one thing"),
        body_case("60.001 s old", body(timestamp=at(NOW - 60001)), "unproven", "out of the window"),
        body_case("60 s ahead", body(timestamp=at(NOW + 60000)), "good", "the window's edge"),
        body_case("another name in the path", body(), "unproven", "signed for another name", path="node-b"),
        body_case("another mesh", body(mesh_id="another"), "unproven", "signed for another mesh"),
        body_case("a name for a shell", body(node_id="a;b"), "bad_name", "no name"),
        body_case("no name", body(node_id=...), "bad_name", "no name"),
        body_case("a path that is no name", body(), "bad_name", "no name", path="a/b"),
        body_case("a short key", body(key=KEY[:-1]), "bad_key", "64 digits"),
        body_case("a key of zeros", body(key="0" * 64), "bad_key", "a point of small order"),
        body_case("no key", body(key=...), "bad_key", "a node has one"),
        body_case("no WireGuard key", body(wireguard=...), "bad_key", "a node has one"),
        body_case("a WireGuard key in hex", body(wireguard="11" * 32), "bad_key", "as WireGuard writes it"),
        body_case("a WireGuard key of zeros", body(wireguard=base64.b64encode(bytes(32)).decode()), "bad_key", "no key to WireGuard"),
    ]
    for name, text in [("a host name", "example.org:51820"), ("no port", "192.0.2.7"), ("port 0", "192.0.2.7:0"), ("a line feed", "192.0.2.7:1\nPostUp = x"), ("a number", 7)]:
        rows.append(body_case(f"an endpoint with {name}", body(endpoint=text), "bad_endpoint", "an address in numbers and a port"))
    for name, text in [("no timestamp", body(timestamp=...)), ("no mesh", body(mesh_id=...)), ("no signature", json.dumps(base)), ("a short signature", json.dumps({**base, "signature": "00"})),
                       ("an empty invite", body(invite="")), ("a long invite", body(invite="i" * 4097)), ("an invite with a line feed", body(invite="a\nb")),
                       ("no JSON", "x"), ("a list", "[]"), ("a name twice", body()[:-1] + ',"key":"x"}'), ("too long", body(more="x" * 8192))]:
        rows.append(body_case(name, text, "malformed", "no registration"))
    return rows


def rekeys():
    base = {"node_id": "node-a", "mesh_id": MESH, "wireguard": WIREGUARD, "timestamp": TIME}
    domain = "signet-node-key-v1\n"

    def body(seed=SEED, new_seed=None, domain=domain, **members):
        made = {**base, **members}
        if new_seed is not None:
            made["key"] = OTHER_KEY
            made["key_signature"] = sign(text_of(json.dumps(made), domain), new_seed)
        return signed(json.dumps(made), seed, domain)
    return [
        body_case("a WireGuard key", body(), "good", "the key stays", key=KEY, signed_text=text_of(json.dumps(base), domain)),
        body_case("both keys", body(new_seed=OTHER_SEED), "good", "both signed it", key=KEY),
        body_case("signed by another key", body(seed=OTHER_SEED), "unproven", "the key so far signs", key=KEY),
        body_case("a new key that did not sign", body(new_seed=SEED), "unproven", "who has it agrees", key=KEY),
        body_case("a new key without its signature", body(key=OTHER_KEY), "malformed", "both, or none", **{"key": KEY}),
        body_case("signed as a registration", body(domain="signet-node-v1\n"), "unproven", "a signature is good for one thing", key=KEY),
        body_case("60.001 s ahead", body(timestamp=at(NOW + 60001)), "unproven", "out of the window", key=KEY),
        body_case("another mesh", body(mesh_id="another"), "unproven", "signed for another mesh", key=KEY),
        body_case("no WireGuard key", body(wireguard=None), "bad_key", "null is absent", key=KEY),
        body_case("a short signature of the new key", body(key=OTHER_KEY, key_signature="00"), "malformed", "128 digits", **{"key": KEY}),
    ]


# --- keys

def keys():
    secret = bytes(range(32))

    def psk(node):
        return base64.b64encode(hmac.new(secret, node.encode(), hashlib.sha256).digest()).decode()

    def pair(epoch, one, other):
        prk = hmac.new(epoch.to_bytes(8, "big"), secret, hashlib.sha256).digest()
        info = b"signet-psk-v1" + min(one, other) + max(one, other)
        return base64.b64encode(hmac.new(prk, info + b"\x01", hashlib.sha256).digest()).decode()
    one, other, high = bytes([0x11]) * 32, bytes([0x22]) * 32, bytes([0xff]) * 32
    assert psk("node-a") == "ebkOt/Q0rU4xkQHHTqkNtHdye5S3k4ur/iBtebDIJeY="
    assert pair(7, one, other) == "AblVoh3f2neb6n+SAeA0x7unMBNe3hHgWL6hTgoRrkE="
    return {
        "secret": secret.hex(),
        "hash": "sha256:" + hashlib.sha256(secret).hexdigest()[:16],
        "nodes": [{"node": node, "psk": psk(node)} for node in ("node-a", "node-b", "n" * 64)],
        "pairs": [{"epoch": epoch, "one": a.hex(), "other": b.hex(), "psk": pair(epoch, a, b)}
                  for epoch, a, b in ((7, one, other), (7, other, one), (8, one, other), (7, one, high), (2**40, one, other))],
    }


if __name__ == "__main__":
    vectors = {"canonical": canonical_vectors(), "submissions": submissions(), "requests": requests(),
               "registrations": registrations(), "rekeys": rekeys(), "keys": keys()}
    about = ("What nodes of the overlay sign and what is answered; made by make_overlay_vectors.py. "
             "Page: protocol/overlay.md")
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "overlay.json")
    with open(path, "w", encoding="utf-8") as out:
        json.dump({"about": about, "mesh": MESH, "vectors": vectors}, out, indent=1, ensure_ascii=True)
        out.write("\n")
    print({name: len(rows) for name, rows in vectors.items()})
