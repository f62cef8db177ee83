#!/usr/bin/env python3
"""Makes protocol/vectors/hub.json: what clients of Hub sign, and what is answered.

Needs Python 3.11 or later and `node`, which prints what is signed as browsers do. The output depends
on nothing but this file:
    python3 protocol/vectors/make_hub_vectors.py
"""
import hashlib
import hmac
import json
import os
import subprocess

SECRET = "HMAC_SECRET_987654321"
ENGINE_SECRET = "engine_shared_secret_mno345"
NOW = 1700000000000

NODE = r"""
const lines = require('fs').readFileSync(0, 'utf8').split('\n').filter(l => l);
const out = lines.map(line => String(JSON.stringify(JSON.parse(JSON.parse(line)))));
process.stdout.write(JSON.stringify(out));
"""


def printed(text):
    """JSON.stringify(JSON.parse(text)) of Node; what is absent prints `undefined`."""
    if text is None:
        return "undefined"
    run = subprocess.run(["node", "-e", NODE], input=json.dumps(text), capture_output=True,
                         check=True, encoding="utf-8")
    return json.loads(run.stdout)[0]


def mac(secret, text):
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def hkdf(secret, info):
    key = hmac.new(bytes(32), secret.encode(), hashlib.sha256).digest()
    return hmac.new(key, info.encode() + b"\x01", hashlib.sha256).hexdigest()


def obj(**members):
    """An object whose members are JSON already; None leaves one out."""
    return "{" + ",".join(f"{json.dumps(name)}:{text}" for name, text in members.items()
                          if text is not None) + "}"


def quoted(text):
    return None if text is None else json.dumps(text)


# --- actions

def action(type="click", payload="null", ts=str(NOW), nonce="abc123", sig=None, secret=SECRET,
           signed_payload=None, signed_ts=None, **more):
    """The event; signed as a browser signs what is given here."""
    body = printed(payload) if signed_payload is None else signed_payload
    at = (ts or "undefined") if signed_ts is None else signed_ts
    made = mac(secret, f"{type}|{body}|{at}|{nonce}") if sig is None else sig
    return '["action",' + obj(type=quoted(type), payload=payload, ts=ts, nonce=quoted(nonce),
                              sig=quoted(made), **more) + "]"


def without(member):
    event = json.loads(action(payload="1"))
    del event[1][member]
    return json.dumps(event, separators=(",", ":"))


def with_changed(member, value):
    event = json.loads(action(type="speak", payload='"hello"', nonce="abc124"))
    event[1][member] = value
    return json.dumps(event, separators=(",", ":"))


GOOD = "good"
EXPIRED = "timestamp_expired"
INVALID = "invalid_signature"
PAGE_CLICK = "cbcac8a9533944c5c119a5918c75acb7d42d4aca60331b98602d9ac8c7e3b1cc"
PAGE_SPEAK = "1fd4f0217d4bd8e313ec02e72b0b0873090cf35019f4731efb23d26aa348e655"
LONG = "n" * 128

ACTIONS = [
    ("a click, as v1 publishes it", action(sig=PAGE_CLICK), GOOD, "null is printed as null"),
    ("a text, as v1 publishes it", action("speak", '"hello"', nonce="abc124", sig=PAGE_SPEAK), GOOD,
     "a text is printed with its quotation marks"),
    ("no payload", action(payload=None), GOOD, "what is absent prints as undefined"),
    ("no payload, signed as null", action(payload=None, signed_payload="null"), INVALID,
     "absent is not null"),
    ("null, signed as absent", action(signed_payload="undefined"), INVALID, "null is not absent"),
    ("spaces and numbers of another spelling", action(payload='{ "b" : 1.0, "a" : [1e21, -0, 1e-7] }'),
     GOOD, "what is printed is signed, not what was sent"),
    ("names that are array indices", action(payload='{"b":1,"10":2,"9":3,"01":4}'), GOOD,
     "ECMAScript keeps 9 before 10 before b"),
    ("escapes that need none", action(payload='{"\\u0061":"\\u00e9\\/\\u2028"}'), GOOD,
     "text is printed as it is"),
    ("what must be escaped", action(payload='["\\u0001\\n\\"\\\\\\u007f"]'), GOOD,
     "in the shortest escape that there is"),
    ("an emoji in two escapes", action(payload='"\\ud83d\\ude00"'), GOOD, "it is one character"),
    ("an integer beyond 2^53", action(payload="9007199254740993"), GOOD, "as the nearest double"),
    ("the payload as it was sent, signed", action(payload="[1.0]", signed_payload="[1.0]"), INVALID,
     "a client signs what JSON.stringify prints"),
    ("a signature in upper case", action(sig=PAGE_CLICK.upper()), GOOD, "hex has either case"),
    ("15 s old", action(ts=str(NOW - 15000)), GOOD, "the window's own edge is in it"),
    ("15 s ahead", action(ts=str(NOW + 15000)), GOOD, "the window's own edge is in it"),
    ("15.001 s old", action(ts=str(NOW - 15001)), EXPIRED, "one millisecond more is out"),
    ("15.001 s ahead", action(ts=str(NOW + 15001)), EXPIRED, "one millisecond more is out"),
    ("old, with a bad signature", action(ts=str(NOW - 15001), sig="0" * 64), EXPIRED,
     "the time is looked at first"),
    ("old, without a type", '["action",{"ts":1,"nonce":"a","sig":"00"}]', EXPIRED,
     "the time is looked at first"),
    ("seconds", action(ts="1700000000"), EXPIRED, "that was in January of 1970"),
    ("a time as text", action(ts=f'"{NOW}"', signed_ts=str(NOW)), INVALID, "a text is no number"),
    ("a time with a fraction of zero", action(ts=f"{NOW}.0", signed_ts=str(NOW)), INVALID,
     "a time has one spelling"),
    ("a time with an exponent", action(ts="1.7e12", signed_ts=str(NOW)), INVALID,
     "a time has one spelling"),
    ("no time", without("ts"), INVALID, "what is missing is of no window"),
    ("no type", without("type"), INVALID, "a part is missing"),
    ("no nonce", without("nonce"), INVALID, "a part is missing"),
    ("no signature", without("sig"), INVALID, "a part is missing"),
    ("an empty type", action(""), INVALID, "an empty text is a missing one"),
    ("an empty nonce", action(nonce=""), INVALID, "an empty text is a missing one"),
    ("a nonce that is a number", '["action",{"type":"click","payload":null,"ts":%d,"nonce":1,"sig":"%s"}]'
     % (NOW, mac(SECRET, f"click|null|{NOW}|1")), INVALID, "a number is no text"),
    ("the longest nonce", action(nonce=LONG), GOOD, "128 bytes"),
    ("a longer nonce", action(nonce=LONG + "n"), INVALID, "129 bytes"),
    ("a nonce with a bar", action(nonce=f"{NOW}|x"), INVALID,
     "the same text could be read with another type, time and nonce"),
    ("a nonce with a space", action(nonce="a b"), INVALID, "a nonce is printable and without space"),
    ("another secret", action(secret="HMAC_SECRET_987654322"), INVALID, "its key is another"),
    ("a signature of 63 digits", action(sig=PAGE_CLICK[:-1]), INVALID, "a digest has 64 digits"),
    ("a signature with another digit", action(sig="d" + PAGE_CLICK[1:]), INVALID, "one bit differs"),
    ("another type", with_changed("type", "shout"), INVALID, "the type is signed"),
    ("another payload", with_changed("payload", "hello!"), INVALID, "the payload is signed"),
    ("another time", with_changed("ts", NOW + 1), INVALID, "the time is signed"),
    ("another nonce", with_changed("nonce", "abc125"), INVALID, "the nonce is signed"),
    ("a category beside it", action(category='"nav"'), GOOD, "a category is not signed"),
    ("more arguments", action()[:-1] + ',{"type":"x"},7]', GOOD, "what follows is ignored"),
    ("no data", '["action"]', "malformed", "it crashed v1"),
    ("null for data", '["action",null]', "malformed", "data is an object"),
    ("a list for data", '["action",[{"type":"click"}]]', "malformed", "data is an object"),
    ("a text for data", '["action","click"]', "malformed", "data is an object"),
    ("a name twice", '["action",{"type":"click","type":"nav_x"}]', "malformed",
     "two readers could take it for two things"),
    ("half a character", '["action",{"type":"\\ud800"}]', "malformed", "it is no text"),
    ("too deep", '["action",{"payload":' + "[" * 40 + "]" * 40 + "}]", "malformed", "32 levels"),
]


# --- agents

def agent(agent="HintAgent", ts=str(NOW), nonce="n1", body='{"load":0.50}', alg='"HMAC-SHA-256"',
          sig=None, signed_body=None, secret=SECRET):
    text = printed(body) if signed_body is None else signed_body
    made = mac(secret, f"{agent}|{ts}|{text}") if sig is None else sig
    return '["agent_heartbeat",' + obj(agentId=quoted(agent), ts=ts, nonce=quoted(nonce), body=body,
                                       sig=quoted(made), alg=alg) + "]"


FAILED = "signature_failed"
AGENTS = [
    ("a heartbeat", agent(), GOOD, "the body as JSON.stringify prints it"),
    ("a text, signed bare", agent(body='"ok"', signed_body="ok"), GOOD, "as the page of v1 has it"),
    ("a text, signed as JSON", agent(body='"ok"'), GOOD, "as for any other body"),
    ("a text with a bar, signed bare", agent(body=f'"{NOW}|n"', signed_body=f"{NOW}|n"), FAILED,
     "it could be an action's text"),
    ("no body", agent(body=None), GOOD, "what is absent prints as undefined"),
    ("no algorithm", agent(alg=None), GOOD, "there is one only"),
    ("its name in lower case", agent(alg='"hmac-sha256"'), GOOD, "a usual spelling"),
    ("its name of JSON Web Signature", agent(alg='"HS256"'), GOOD, "a usual spelling"),
    ("another algorithm", agent(alg='"HMAC-SHA-512"'), FAILED, "there is one only"),
    ("no algorithm, by name", agent(alg='"none"'), FAILED, "there is one only"),
    ("null for an algorithm", agent(alg="null"), FAILED, "null is no name"),
    ("15 s old", agent(ts=str(NOW - 15000)), GOOD, "the window's own edge is in it"),
    ("15.001 s old", agent(ts=str(NOW - 15001)), "timestamp_skew", "one millisecond more is out"),
    ("ahead, with a bad signature", agent(ts=str(NOW + 15001), sig="00"), "timestamp_skew",
     "the time is looked at first"),
    ("another secret", agent(secret="another"), FAILED, "its key is another"),
    ("another body", agent(signed_body='{"load":0.50}'), FAILED, "0.50 is printed as 0.5"),
    ("a name with a bar", agent(agent="HintAgent|1"), FAILED, "it is no name"),
    ("no name", agent(agent=None), FAILED, "a part is missing"),
    ("no nonce", agent(nonce=None), FAILED, "it is not signed, but must be there"),
    ("no data", '["agent_heartbeat"]', "malformed", "data is an object"),
]


# --- engines

def engine(event="job_started", payload='{"job_id":"j1","timestamp":1700000000000}',
           nonce="00112233", ts=str(NOW), sig=None, secret=ENGINE_SECRET, leave_out=()):
    text = f"{printed(payload)}{nonce}{ts}"
    members = {"payload": payload, "nonce": quoted(nonce), "ts": ts,
               "sig": quoted(mac(secret, text) if sig is None else sig)}
    return json.dumps([event])[:-1] + "," + obj(
        **{name: value for name, value in members.items() if name not in leave_out}) + "]"


def engine_rows():
    page = "69557411b3eb8e063d56df26dd6d1c66a50a9e3e19b6299cb652d6bf81b1595a"
    incomplete, expired = "ENGINE_PACKET_INCOMPLETE", "ENGINE_TIMESTAMP_EXPIRED"
    invalid, unfit = "ENGINE_SIGNATURE_INVALID", "ENGINE_PAYLOAD_INVALID"
    rows = [("as v1 publishes it", engine(sig=page), GOOD, "payload, nonce and time, nothing between")]
    rows += [(f"without {name}", engine(leave_out=(name,)), incomplete, "a part is missing")
             for name in ("payload", "nonce", "ts", "sig")]
    rows += [
        ("no data", '["job_started"]', incomplete, "all is missing"),
        ("a list for data", '["job_started",[1]]', incomplete, "all is missing"),
        ("a name twice", '["job_started",{"payload":{"a":1,"a":2}}]', incomplete, "it is no JSON"),
        ("a list for a payload", engine(payload="[1]"), incomplete, "only an object is a payload"),
        ("a text for a time", engine(ts=f'"{NOW}"'), incomplete, "a text is no number"),
        ("a fraction of a millisecond", engine(ts=f"{NOW}.5"), incomplete, "a time is whole"),
        ("incomplete and old", engine(ts="1", leave_out=("nonce",)), incomplete,
         "what is missing comes first"),
        ("30 s old", engine(ts=str(NOW - 30000)), GOOD, "the window's own edge is in it"),
        ("30 s ahead", engine(ts=str(NOW + 30000)), GOOD, "the window's own edge is in it"),
        ("30.001 s old", engine(ts=str(NOW - 30001)), expired, "one millisecond more is out"),
        ("old, with a bad signature", engine(ts=str(NOW - 30001), sig="00"), expired,
         "the time comes before the signature"),
        ("another secret", engine(secret=SECRET), invalid, "a user's secret is none of an engine's"),
        ("a signature that is no hex", engine(sig="z" * 64), invalid, "it is no digest"),
        ("a signature in upper case", engine(sig=page.upper()), GOOD, "hex has either case"),
        ("a nonce that could be JSON", engine(nonce='{"a":1}'), incomplete, "it is no nonce"),
        ("numbers of another spelling",
         engine("job_progress", '{ "progress": 0.50, "job_id": "j1", "lease": 7 }'), GOOD,
         "what is printed is signed"),
        ("progress that is a text", engine("job_progress", '{"job_id":"j1","progress":"half"}'),
         unfit, "the signature holds, and the payload is none of this event"),
        ("no job", engine("job_completed", '{"result":{}}'), unfit, "it names no job"),
        ("two jobs", engine("job_completed", '{"job_id":"a","jobId":"b"}'), unfit, "which one?"),
        ("the other spelling", engine("job_completed", '{"jobId":"j1","result":null}'), GOOD,
         "either is one"),
        ("a lease that is a text", engine("job_completed", '{"job_id":"j1","lease":"7"}'), unfit,
         "a lease is a whole number"),
        ("a lease below zero", engine("job_completed", '{"job_id":"j1","lease":-1}'), unfit,
         "a lease is a whole number"),
        ("an error that is a list", engine("job_failed", '{"job_id":"j1","error":[]}'), unfit,
         "an error is a text"),
        ("an error of the engine", engine("engine_error", '{"error":"no GPU"}'), GOOD,
         "it is of no job"),
        ("an acknowledgement", engine("job_ack", '{"jobId":"j1","status":"received"}'), GOOD,
         "telemetry is signed, too"),
        ("a status", engine("job_status", '{"jobId":"j1","jobType":"X","status":"running"}'), GOOD,
         "telemetry is signed, too"),
        ("a status that is a number", engine("job_status", '{"jobId":"j1","status":1}'), unfit,
         "a status is a text"),
    ]
    return rows


def session_keys():
    rows = [("alice", "Vb3xQ8aYxkM9x1oDAAAB"), ("bob", "Vb3xQ8aYxkM9x1oDAAAB"),
            ("alice", "Vb3xQ8aYxkM9x1oDAAAC")]
    return [{"name": f"{user} on {sid}", "secret": SECRET, "user": user, "sid": sid,
             "key": hkdf(SECRET, "signet-hub-action-v1" + user + sid)} for user, sid in rows]


def section(rows, secret):
    return [{"name": name, "event": event, "secret": secret, "now": NOW, "verdict": verdict,
             "why": why} for name, event, verdict, why in rows]


def main():
    sections = {"actions": section(ACTIONS, SECRET), "agents": section(AGENTS, SECRET),
                "engines": section(engine_rows(), ENGINE_SECRET), "session_keys": session_keys()}
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "hub.json")
    lines = [f'{json.dumps(name)}: [\n' + ",\n".join(json.dumps(row, ensure_ascii=True)
                                                     for row in rows) + "\n]"
             for name, rows in sections.items()]
    about = "Made by make_hub_vectors.py with Python and Node. See protocol/hub.md."
    with open(path, "w", encoding="utf-8") as out:
        out.write(f'{{"about": {json.dumps(about)}, "vectors": {{\n' + ",\n".join(lines) + "\n}}\n")
    print(", ".join(f"{name}: {len(rows)}" for name, rows in sections.items()))


if __name__ == "__main__":
    main()
