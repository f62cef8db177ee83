#!/usr/bin/env python3
"""Makes protocol/vectors/pulsemesh.json: what Python and Node write and sign for the same messages.

Needs Python 3.11 or later and `node`. The output depends on nothing but this file:
    python3 protocol/vectors/make_pulsemesh_vectors.py
"""
import datetime
import hashlib
import hmac
import json
import math
import os
import random
import subprocess
import sys

SECRET = "mirror:logos:2025"
SEED = 20261121

sys.set_int_max_str_digits(0)

NODE = r"""
const lines = require('fs').readFileSync(0, 'utf8').split('\n').filter(l => l);
const isFlat = m => m !== null && typeof m === 'object' && !Array.isArray(m) && Object.values(m)
    .every(v => v === null || typeof v !== 'object' && !(typeof v === 'number' && !isFinite(v)));
const out = lines.map(line => {
  const message = JSON.parse(JSON.parse(line));
  return isFlat(message) ? JSON.stringify(message, Object.keys(message).sort()) : null;
});
process.stdout.write(JSON.stringify(out));
"""


def compact_of(texts):
    """What a browser signs, by the very call that it makes; None where the form is not accepted."""
    lines = "\n".join(json.dumps(text) for text in texts)
    run = subprocess.run(["node", "-e", NODE], input=lines, capture_output=True, check=True,
                         encoding="utf-8")
    return json.loads(run.stdout)


def spaced_of(text):
    """What a Python client signs; None where that would be no JSON."""
    try:
        return json.dumps(json.loads(text), sort_keys=True, allow_nan=False)
    except ValueError:
        return None


# --- canonical texts

def number_texts():
    fixed = """0 -0 0.0 -0.0 0e0 -0e5 0.000 1 -1 1.0 -1.0 1.5 10 10.0 100 1e0 1e1 1E1 1e+1 1e-1 1e2
    12e-1 1.0e3 0.1 0.2 0.3 0.30000000000000004 123456789 123456789.125 9007199254740991
    9007199254740992 9007199254740993 -9007199254740993 9007199254740993.0 9223372036854775807
    9223372036854775808 18446744073709551616 123456789012345678901234567890
    1000000000000000000000 999999999999999999999 100000000000000000000 1e15 1e16 1e17
    9999999999999998.0 9999999999999999.0 12345678901234567.0 123456789012345680.0 1e20 1e21 1e22
    1e23 123e19 1.5e300 1e-4 1e-5 1e-6 1e-7 1e-8 0.0001 0.00001 0.000001 0.0000001 1.5e-4 1.5e-5
    1.5e-6 1.5e-7 0.00012345 0.000012345 0.0000012345 0.00000012345 123e-20 5e-324 4.9e-324
    2.5e-324 2.4e-324 1e-400 -1e-400 2.2250738585072014e-308 2.2250738585072011e-308
    1.7976931348623157e308 1.7976931348623158e308 1.7976931348623159e308 1e308 1e309 -1e309 1e400
    -1e400 2e308 1e99999999999999999999 1e-99999999999999999999 0e99999999999999999999
    0.1e1 0.10 1.10 100.00 5e-1 25e-2 1.25E-2 3.141592653589793 2.718281828459045
    3.14159265358979323846264338327950288 0.1000000000000000055511151231257827
    72057594037927936 72057594037927945 72057594037927945.0 4503599627370497.5 1e-323 2e-323
    1.2345678901234567e-7 9.5367431640625e-07 6.0221409e+23 6.62607015e-34 4294967296 2147483648
    -2147483649 1.0000000000000002 0.9999999999999999 8.41e21 9.007199254740993e15""".split()
    exponents = [f"{mantissa}e{exponent}" for mantissa in ("1", "1.5", "-9.999999999999999")
                 for exponent in (*range(-9, -2), *range(14, 24))]
    integers = ["9" * digits for digits in (15, 16, 17, 20, 21, 22, 40, 308, 309, 310)]
    integers += ["-1" + "0" * 400, "17976931348623157" + "0" * 292, "17976931348623159" + "0" * 292]
    return fixed + exponents + integers


STRINGS = {
    "empty": "", "plain": "test_client", "space": " a  b ", "quote and backslash": "\"\\",
    "solidus": "a/b", "short escapes": "\b\f\n\r\t", "DEL": "\x7f", "C1 control": "\x80\x9f",
    "Latin-1": "é ÿ", "Greek": "αβγ", "Hangul": "한국어", "emoji": "😀", "family": "👩‍👩‍👧",
    "last of the BMP": "\uffff", "before the surrogates": "\ud7ff", "behind them": "\ue000",
    "first beyond the BMP": "\U00010000", "last of all": "\U0010ffff", "line separators": "\u2028\u2029",
    "byte order mark": "\ufeff", "right to left": "\u202eabc", "combining": "e\u0301", "null": "\0",
    "html": "<script>&'", "percent": "%41%00",
}

KEYS = {
    "digits are texts": ["1", "10", "2", "02", "a", "-1"],
    "a prototype": ["__proto__", "constructor", "toJSON", "toString", "hasOwnProperty", "length"],
    "cases": ["b", "B", "a", "A", "_", "Z", "z", "0"],
    "prefixes": ["a", "aa", "ab", "", "a ", "a\0"],
    "UTF-16 order": ["\U0001f600", "\uffff", "\ue000", "\ud7ff", "z", "é"],
    "planes": ["\U00010000", "\U0010ffff", "\ufb01", "\ufffd", "\u0800", "\u07ff"],
    "same beginning": ["a\U00010000", "a\uffff", "a\ue000", "a\ud7ff"],
    "escapes": ["\n", "\"", "\\", "/", "\x7f", "\x1f", " "],
    "composed or not": ["é", "e\u0301"],
    "array indices": ["4294967294", "4294967295", "4294967296", "9007199254740993", "00", "1.5"],
}


def canonical_cases():
    """(name, JSON text) of every case."""
    cases = [(f"number {text if len(text) < 40 else text[:12] + '… ' + str(len(text))}",
              f'{{"source":"n","n":{text}}}') for text in number_texts()]
    for name, text in STRINGS.items():
        cases.append((f"string: {name}", json.dumps({"source": "s", "v": text})))
        cases.append((f"string as sent: {name}",
                      json.dumps({"source": "s", "v": text}, ensure_ascii=False)))
        cases.append((f"key: {name}", json.dumps({"source": "s", text + "k": 1})))
    cases += [(f"control character {code:02x}", json.dumps({"c": chr(code), chr(code): 0}))
              for code in range(0x20)]
    for name, keys in KEYS.items():
        cases.append((f"keys: {name}", json.dumps({key: i for i, key in enumerate(keys)})))
        cases.append((f"keys reversed: {name}",
                      json.dumps({key: i for i, key in reversed(list(enumerate(keys)))})))
    cases += [
        ("the page's first", '{"source":"test_client","target":"pulsemesh",'
                             '"timestamp":"2025-10-31T20:00:00Z"}'),
        ("the page's second", '{"source":"mirror","target":"pulsemesh",'
                              '"timestamp":"2025-10-31T20:00:00.000Z"}'),
        ("the page's third", '{"source":"é","n":1.0,"b":null,"t":true}'),
        ("escapes of plain letters", r'{"\u0073ource":"\u0061\/\u00E9\ud83d\uDE00"}'),
        ("space everywhere", ' {\t"b" :\n1 ,\r"a" : [ ] } '),
        ("empty", "{}"),
        ("literals", '{"a":true,"b":false,"c":null}'),
        ("an object as a value", '{"a":{"b":1}}'),
        ("an empty object as a value", '{"a":{}}'),
        ("an empty list as a value", '{"a":[]}'),
        ("a list as a value", '{"a":[1,2.0,"x",null,true,[],{}]}'),
        ("nested keys are sorted", '{"z":{"b":{"d":1,"c":2},"a":[{"y":1,"x":2}]},"a":0}'),
        ("nested floats", '{"a":[1.0,-0.0,-0,1e16,1E-7,{"b":1.50}]}'),
        ("nested overflow", '{"a":[[[1e400]]]}'),
        ("depth 32", "{\"a\":" + "[" * 31 + "]" * 31 + "}"),
        ("objects to depth 32", "{\"a\":" * 31 + "{\"é\":1.0}" + "}" * 31),
        ("an array at the top", '[{"b":1,"a":2},3.0]'),
        ("a number at the top", "1.0"),
        ("a string at the top", '"é"'),
        ("null at the top", "null"),
        ("60 keys", json.dumps({f"k{i * 7 % 60}": i for i in range(60)})),
    ]
    draw = random.Random(SEED)
    cases += [(f"drawn {i}", drawn_message(draw)) for i in range(150)]
    return cases


def drawn_text(draw):
    alphabets = ["abc019_", "\"\\/\b\n\x01\x7f ", "éßΩ\u2028\ufeff", "\ud7ff\ue000\uffff😀\U0010ffff"]
    return "".join(draw.choice(draw.choice(alphabets)) for _ in range(draw.randrange(7)))


def drawn_number(draw):
    kind = draw.randrange(6)
    if kind == 0:
        return str(draw.randrange(-1000, 1000))
    if kind == 1:
        return str(draw.getrandbits(draw.randrange(1, 140)) * draw.choice((1, -1)))
    if kind == 2:  # any double
        while not math.isfinite(number := decode_double(draw.getrandbits(64))):
            pass
        return repr(number)
    if kind == 3:  # more digits than a double has
        return f"{draw.randrange(10)}.{draw.getrandbits(90)}e{draw.randrange(-330, 310)}"
    if kind == 4:  # near the borders of both notations
        return f"{draw.randrange(1, 10 ** draw.randrange(1, 18))}e{draw.randrange(-26, 10)}"
    return f"{draw.choice('-0')}0.{draw.randrange(1000):03}".replace("00.", "0.")


def decode_double(bits):
    import struct
    return struct.unpack("<d", bits.to_bytes(8, "little"))[0]


def drawn_value(draw, depth):
    kind = draw.randrange(9 if depth > 0 else 6)
    if kind < 2:
        return json.dumps(drawn_text(draw), ensure_ascii=draw.random() < 0.5)
    if kind < 5:
        return drawn_number(draw)
    if kind == 5:
        return draw.choice(("true", "false", "null"))
    if kind == 6:
        return "[" + ",".join(drawn_value(draw, depth - 1) for _ in range(draw.randrange(4))) + "]"
    return drawn_object(draw, depth - 1)


def drawn_object(draw, depth):
    keys = list(dict.fromkeys(drawn_text(draw) for _ in range(draw.randrange(6))))
    return "{" + ",".join(f"{json.dumps(key, ensure_ascii=draw.random() < 0.5)}:"
                          f"{drawn_value(draw, depth)}" for key in keys) + "}"


def drawn_message(draw):
    """Half of them flat, so that both forms are drawn."""
    return drawn_object(draw, draw.choice((0, 0, 0, 2)))


def canonical_vectors():
    cases = canonical_cases()
    compacts = compact_of([text for _, text in cases])
    return [{"name": name, "json": text, "spaced": spaced_of(text), "compact": compact}
            for (name, text), compact in zip(cases, compacts)]


# --- proofs: a signature over one of the forms

def sha(text, secret=SECRET):
    return hashlib.sha256((text + secret).encode()).hexdigest()


def mac(text, secret=SECRET):
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def proof_vectors():
    flat = '{"source":"test_client","target":"pulsemesh","timestamp":"2025-10-31T20:00:00Z"}'
    browser = '{"source":"mirror","target":"pulsemesh","timestamp":"2025-10-31T20:00:00.000Z"}'
    accents = '{"source":"e","n":1.0,"v":"é","b":null,"t":true}'
    nested = '{"source":"test_client","caps":{"b":1,"a":[2.0]}}'
    unsorted = '{"timestamp":"t","source":"a","B":1}'
    messages = {"the page's first": flat, "the page's second": browser, "accents": accents,
                "nested": nested, "unsorted": unsorted}
    compacts = dict(zip(messages, compact_of(messages.values())))
    rows = []

    def row(name, message, signature, shown, secret=SECRET, alg=None):
        frame = {"message": "@@", "signature": signature}
        if alg is not None:
            frame["alg"] = alg
        rows.append({"name": name, "frame": json.dumps(frame).replace('"@@"', message),
                     "secret": secret, "shown": shown})

    for name, message in messages.items():
        spaced, compact = spaced_of(message), compacts[name]
        row(f"{name}: spaced", message, sha(spaced), True)
        row(f"{name}: HMAC without alg", message, mac(spaced), True)
        row(f"{name}: HMAC with alg", message, mac(spaced), True, alg="hmac-sha256")
        row(f"{name}: spaced where alg says HMAC", message, sha(spaced), False, alg="hmac-sha256")
        row(f"{name}: another secret", message, sha(spaced), False, secret="another secret here")
        row(f"{name}: HMAC of another secret", message, mac(spaced, "mirror:logos:2026"), False)
        row(f"{name}: no secret at all", message, sha(spaced, ""), False, secret="")
        row(f"{name}: over the text as sent", message, sha(" " + message), False)
        row(f"{name}: uppercase", message, sha(spaced).upper(), False)
        row(f"{name}: one digit less", message, sha(spaced)[:-1], False)
        row(f"{name}: one digit more", message, sha(spaced) + "0", False)
        row(f"{name}: last bit flipped", message,
            sha(spaced)[:-1] + format(int(sha(spaced)[-1], 16) ^ 1, "x"), False)
        row(f"{name}: space before", message, " " + sha(spaced)[:-1], False)
        if compact is None:
            continue
        row(f"{name}: compact", message, sha(compact), True)
        row(f"{name}: compact where alg says HMAC", message, sha(compact), False,
            alg="hmac-sha256")
        row(f"{name}: HMAC over compact", message, mac(compact), False)
    # What a browser signs of a nested message: its nested keys are gone from it.
    dropped = subprocess.run(
        ["node", "-e", "const m=JSON.parse(process.argv[1]);"
                       "process.stdout.write(JSON.stringify(m,Object.keys(m).sort()))", nested],
        capture_output=True, check=True, encoding="utf-8").stdout
    row("a nested message under a browser's signature", nested, sha(dropped), False)
    row("that, with the nested part edited", nested.replace('"b":1', '"b":2'), sha(dropped), False)
    row("an integer made a float", accents.replace("1.0", "1"), sha(spaced_of(accents)), False)
    row("an integer made a float, compact", accents.replace("1.0", "1"), sha(compacts["accents"]),
        True)
    row("a secret beyond ASCII", flat, sha(spaced_of(flat), "schlüssel-😀-geheim"), True,
        secret="schlüssel-😀-geheim")
    row("a secret longer than a block", flat, mac(spaced_of(flat), "k" * 100), True,
        secret="k" * 100)
    return rows


# --- first frames: understood, or which refusal

def handshake_vectors():
    digest = "0" * 64
    good = '{"source":"a","timestamp":"t"}'
    rows = []

    def refused(code, frames):
        rows.extend({"name": f"{code}: {name}", "frame": frame, "refusal": code}
                    for name, frame in frames.items())

    def taken(name, frame, **claim):
        rows.append({"name": name, "frame": frame, "claim": claim})

    signed = f'"signature":"{digest}"'
    refused("not_json", {
        "empty": "", "space": "  ", "a word": "hello", "cut": '{"message":{"source":"a"}',
        "a comma too many": '{"message":{"source":"a"},}', "single quotes": "{'message':1}",
        "two values": "{} {}", "NaN": f'{{"message":{{"source":"a","n":NaN}},{signed}}}',
        "Infinity": f'{{"message":{{"source":"a","n":-Infinity}},{signed}}}',
        "a lone surrogate": f'{{"message":{{"source":"a","v":"\\ud800"}},{signed}}}',
        "a byte order mark": f'\ufeff{{"message":{good},{signed}}}',
        "depth 33": f'{{"message":{{"source":"a","v":{"[" * 31}{"]" * 31}}},{signed}}}',
        "a number beyond a double": f'{{"message":{{"source":"a","n":1e400}},{signed}}}',
        "that, nested": f'{{"message":{{"source":"a","n":[-2e308]}},{signed}}}',
        "leading zero": f'{{"message":{{"source":"a","n":01}},{signed}}}',
    })
    refused("not_an_object", {"null": "null", "a list": "[]", "a string": '"message"', "a number": "1",
                              "true": "true", "the frame in a list": f'[{{"message":{good},{signed}}}]'})
    refused("duplicate_keys", {
        "in the message": f'{{"message":{{"source":"a","source":"b"}},{signed}}}',
        "escaped": f'{{"message":{{"source":"a","sourc\\u0065":"b"}},{signed}}}',
        "two messages": f'{{"message":{good},"message":{good},{signed}}}',
        "two signatures": f'{{"message":{good},{signed},{signed}}}',
        "nested": f'{{"message":{{"source":"a","v":{{"x":1,"x":1}}}},{signed}}}',
    })
    refused("missing_proof", {
        "nothing": "{}", "no message": f"{{{signed}}}", "no signature": f'{{"message":{good}}}',
        "message null": f'{{"message":null,{signed}}}', "message {}": f'{{"message":{{}},{signed}}}',
        'message ""': f'{{"message":"",{signed}}}',
        "signature null": f'{{"message":{good},"signature":null}}',
        "signature {}": f'{{"message":{good},"signature":{{}}}}',
        'signature ""': f'{{"message":{good},"signature":""}}',
        "a wrong message and no signature": '{"message":7}',
        "no message beside a token": '{"token":"x.y.z"}', "a token alone": '{"type":"token_refresh","token":"x.y.z"}',
        "token null": f'{{"message":{good},"token":null}}', 'token ""': f'{{"message":{good},"token":""}}',
        "token {}": f'{{"message":{good},"token":{{}}}}', "Token": f'{{"message":{good},"Token":"x.y.z"}}',
        "names in upper case": f'{{"Message":{good},"Signature":"{digest}"}}',
    })
    refused("bad_message", {name: f'{{"message":{message},{signed}}}' for name, message in {
        "a string": '"source"', "a list": "[]", "a full list": '["source"]', "a number": "1",
        "zero": "0", "true": "true", "false": "false", "the object as text": json.dumps(good),
    }.items()})
    refused("no_source", {name: f'{{"message":{message},{signed}}}' for name, message in {
        "none": '{"target":"pulsemesh"}', "null": '{"source":null}', "empty": '{"source":""}',
        "a number": '{"source":7}', "a list": '{"source":["a"]}', "a space": '{"source":"a b"}',
        "a trailing space": '{"source":"a "}', "a line end": '{"source":"a\\n"}',
        "NUL": '{"source":"a\\u0000"}', "65 letters": json.dumps({"source": "a" * 65}),
        "an accent": '{"source":"é"}', "a homoglyph": '{"source":"аdmin"}', "a star": '{"source":"*"}',
        "upper case name": '{"Source":"a"}', "nested": '{"x":{"source":"a"}}',
    }.items()})
    refused("bad_signature", {name: f'{{"message":{good},{rest}}}' for name, rest in {
        "a number": '"signature":1', "zero": '"signature":0', "true": '"signature":true',
        "false": '"signature":false', "a list": f'"signature":["{digest}"]',
        "an empty list": '"signature":[]', "an object": '"signature":{"x":1}',
        "an unknown alg": f'{signed},"alg":"none"', "alg in upper case": f'{signed},"alg":"HMAC-SHA256"',
        "alg sha256": f'{signed},"alg":"sha256"', "alg null": f'{signed},"alg":null',
        "alg empty": f'{signed},"alg":""', "alg a list": f'{signed},"alg":["hmac-sha256"]',
    }.items()})
    # Who shows a token is judged by it, and by no weaker proof beside it.
    refused("bad_token", {name: f'{{"message":{good},"token":{token},{signed}}}' for name, token in {
        "a number": "1", "zero": "0", "true": "true", "false": "false", "a list": '["x.y.z"]',
        "an empty list": "[]", "an object": '{"x":1}',
    }.items()})
    refused("bad_message", {"beside a token": '{"message":"a","token":"x.y.z"}'})
    refused("no_source", {"beside a token": '{"message":{"sub":"a"},"token":"x.y.z"}'})

    def by_token(name, frame, source="a", token="x.y.z"):
        rows.append({"name": f"a token: {name}", "frame": frame,
                     "by_token": {"source": source, "token": token}})

    by_token("the least", '{"message":{"source":"a"},"token":"x.y.z"}')
    by_token("beside a signature", f'{{"message":{good},"token":"x.y.z",{signed}}}')
    by_token("beside a wrong signature", f'{{"message":{good},"token":"x.y.z","signature":7}}')
    by_token("beside no signature", f'{{"message":{good},"signature":"","token":"x.y.z"}}')
    by_token("beside an alg", f'{{"message":{good},"token":"x.y.z","alg":"none"}}')
    by_token("whatever it says", f'{{"message":{good},"token":"é \\u0000"}}', token="é \0")
    by_token("of another type", f'{{"type":"token_refresh","message":{good},"token":"x.y.z"}}')
    by_token("of a long name", f'{{"message":{{"source":"{"a" * 64}"}},"token":"x.y.z"}}', "a" * 64)
    refused("missing_proof", {"token null beside nothing": f'{{"message":{good},"token":null,"signature":null}}'})
    taken("a signature beside token null", f'{{"message":{good},"token":null,{signed}}}', source="a",
          timestamp="t")
    taken("the least", f'{{"message":{{"source":"a"}},{signed}}}', source="a", timestamp=None)
    taken("with a time", f'{{"message":{good},{signed}}}', source="a", timestamp="t")
    taken("64 letters", f'{{"message":{{"source":"{"a" * 64}"}},{signed}}}', source="a" * 64,
          timestamp=None)
    taken("every letter of a source", f'{{"message":{{"source":"aZ09._-:/"}},{signed}}}',
          source="aZ09._-:/", timestamp=None)
    taken("escaped source", f'{{"message":{{"source":"\\u0061"}},{signed}}}', source="a", timestamp=None)
    taken("other members", f'{{"x":1,"message":{good},"y":[],{signed}}}', source="a", timestamp="t")
    taken("a time that is a number", f'{{"message":{{"source":"a","timestamp":1730404800}},{signed}}}',
          source="a", timestamp=None)
    taken("space around", f' {{ "message" : {good} , {signed} }} ', source="a", timestamp="t")
    taken("alg", f'{{"message":{good},{signed},"alg":"hmac-sha256"}}', source="a", timestamp="t",
          hmac_only=True)
    taken("a signature of another length", f'{{"message":{good},"signature":"x"}}', source="a",
          timestamp="t")
    taken("depth 32", f'{{"message":{{"source":"a","v":{"[" * 30}{"]" * 30}}},{signed}}}', source="a",
          timestamp=None)
    return rows


# --- times

def timestamp_vectors():
    good = """2025-10-31T20:00:00Z 2025-10-31T20:00:00 2025-10-31T20:00:00.000Z
    2025-10-31T20:00:00.123456 2025-10-31T20:00:00.123456Z 2025-10-31T20:00:00.123456+00:00
    2025-10-31T20:00:00.1Z 2025-10-31T20:00:00.12 2025-10-31T20:00:00.9999Z
    2025-10-31T20:00:00.999999999Z 2025-10-31T20:00:00+02:00 2025-10-31T20:00:00-05:30
    2025-10-31T20:00:00+0200 2025-10-31T20:00:00+02 2025-10-31T20:00:00-00:00
    2025-10-31T20:00:00+14:00 2025-10-31T20:00:00-23:59 2025-01-01T00:00:00+01:00
    2024-12-31T23:30:00-01:00 2024-02-29T12:00:00Z 2000-02-29T00:00:00Z 1970-01-01T00:00:00Z
    1969-12-31T23:59:59.999Z 0001-01-02T00:00:00Z 9999-12-30T23:59:59.999Z
    2025-10-31T23:59:59Z 2025-10-31T00:00:00Z""".split()
    bad = ["", "Z", "now", "0", "1761940800", "1761940800000", "1761940800.5", "-1", "9223372036854775807",
           "9223372036854775808", "1.7e12", "2025", "2025-10", "2025-10-31", "20251031T200000Z",
           "2025-10-31 20:00:00", "2025-10-31 20:00:00Z", "2025-10-31t20:00:00Z", "2025-10-31T20:00:00z",
           "2025-10-31T20:00Z", "2025-10-31T20Z", "2025-10-31T20:00:00.Z", "2025-10-31T20:00:00.",
           "2025-10-31T20:00:00,123Z", "2025-10-31T20:00:00.1234567890Z", "2025-10-31T20:00:60Z",
           "2016-12-31T23:59:60Z", "2025-10-31T24:00:00Z", "2025-10-31T20:60:00Z", "2025-13-01T00:00:00Z",
           "2025-00-01T00:00:00Z", "2025-10-00T00:00:00Z", "2025-10-32T00:00:00Z", "2025-02-29T00:00:00Z",
           "1900-02-29T00:00:00Z", "2025-06-31T00:00:00Z", "+2025-10-31T20:00:00Z",
           "-2025-10-31T20:00:00Z", "+012025-10-31T20:00:00Z", "12025-10-31T20:00:00Z",
           "25-10-31T20:00:00Z", "2025-1-1T20:00:00Z", "2025-10-31T8:00:00Z", " 2025-10-31T20:00:00Z",
           "2025-10-31T20:00:00Z ", "2025-10-31T20:00:00 Z", "2025-10-31T20:00:00ZZ",
           "2025-10-31T20:00:00Z+00:00", "2025-10-31T20:00:00+24:00", "2025-10-31T20:00:00+02:60",
           "2025-10-31T20:00:00+2", "2025-10-31T20:00:00+2:00", "2025-10-31T20:00:00+02:0",
           "2025-10-31T20:00:00+02:00:00", "2025-10-31T20:00:00+02:", "2025-10-31T20:00:00UTC",
           "2025-10-31T20:00:00 GMT", "2025-W44-5T20:00:00Z", "2025-304T20:00:00Z",
           "Fri, 31 Oct 2025 20:00:00 GMT", "2025-10-31T20:00:00.-1Z", "2025-10-31T20:00:-1Z",
           "２０２５-10-31T20:00:00Z", "2025-10-31T20:00:00\u0000Z", "2025–10–31T20:00:00Z",
           "2025-10-31T2O:00:00Z", "0x7e9-10-31T20:00:00Z"]
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)

    def ms_of(text):
        at = datetime.datetime.fromisoformat(text)
        if at.tzinfo is None:
            at = at.replace(tzinfo=datetime.timezone.utc)
        return (at - epoch) // datetime.timedelta(milliseconds=1)

    return ([{"text": text, "ms": ms_of(text)} for text in good] +
            [{"text": text, "ms": None} for text in bad])


# --- pulses: what was sent, and what is delivered

def pulse_vectors():
    stamps = '"_mesh_timestamp":"2025-10-31T20:00:00.123000","_mesh_topic":"mirror.intent"}'
    rows = [
        ("nothing in it", "{}", "{" + stamps),
        ("order and spelling stay", r'{"z":1.0,"a":"\u0041\/","n":1e2}', r'{"z":1.0,"a":"\u0041\/","n":1e2,' + stamps),
        ("space between members goes", ' { "a" : 1 ,\n "b":[ 1, 2 ] } ', '{"a" : 1,"b":[ 1, 2 ],' + stamps),
        ("stamps that were sent go", '{"_mesh_topic":"other","a":1,"_mesh_timestamp":"1999"}', '{"a":1,' + stamps),
        ("escaped stamps go", r'{"a":1,"_mesh\u005ftopic":"other"}', '{"a":1,' + stamps),
        ("stamps of any kind go", '{"_mesh_topic":{"a":["}"]},"_mesh_timestamp":null}', "{" + stamps),
        ("nobody speaks as the server", '{"source":"signet","_mesh_from":"signet"}', '{"source":"signet",' + stamps),
        ("nested stamps stay", '{"payload":{"_mesh_topic":"x"}}', '{"payload":{"_mesh_topic":"x"},' + stamps),
        ("like stamps", '{"_mesh_topics":1,"_Mesh_topic":2,"":3}', '{"_mesh_topics":1,"_Mesh_topic":2,"":3,' + stamps),
        ("quotes and brackets in names", r'{"\"},{":"}","{":["{"]}', r'{"\"},{":"}","{":["{"],' + stamps),
        ("beyond ASCII", '{"é":"😀"}', '{"é":"😀",' + stamps),
        ("a number beyond a double", '{"n":1e400}', '{"n":1e400,' + stamps),
        ("the convention", '{"source":"mirror","target":"core","topic":"mirror.query","intent":"query","payload":null,'
                           '"coherence":0.9,"timestamp":"t","metadata":{}}',
         '{"source":"mirror","target":"core","topic":"mirror.query","intent":"query","payload":null,'
         '"coherence":0.9,"timestamp":"t","metadata":{},' + stamps),
        ("the browser's", '{"type":"pulse","topic":"a","payload":1,"broadcast":true}',
         '{"type":"pulse","topic":"a","payload":1,"broadcast":true,' + stamps),
    ]
    return [{"name": name, "frame": frame, "pulse": pulse} for name, frame, pulse in rows]


def main():
    sections = {
        "canonical": canonical_vectors(),
        "proofs": proof_vectors(),
        "handshakes": handshake_vectors(),
        "timestamps": timestamp_vectors(),
        "pulses": pulse_vectors(),
    }
    lines = ['{"about": "Made by make_pulsemesh_vectors.py with Python and Node. '
             'See protocol/pulsemesh.md.", "vectors": {']
    for i, (section, rows) in enumerate(sections.items()):
        lines.append(f'{"," if i else ""}"{section}": [')
        lines.append(",\n".join(json.dumps(row) for row in rows))
        lines.append("]")
    lines.append("}}\n")
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pulsemesh.json")
    with open(path, "w", encoding="ascii") as file:
        file.write("\n".join(lines))
    print(", ".join(f"{len(rows)} {section}" for section, rows in sections.items()))


if __name__ == "__main__":
    main()
