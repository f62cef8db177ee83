"""A peer in another language: Debian's python3-websockets and python3-nacl, nothing of ours.

    peer.py WS_URL HTTP_URL INVITE_LINK SEED_HEX

Joins, says hello, and then is driven by JSON lines: {"to","text"} on stdin is sealed and sent;
stdout tells {"ready"}, {"ack"} and, for each push that it can open, {"from","text"}.
Truth: protocol/claudemesh.md.
"""
import asyncio
import base64
import json
import os
import sys
import time
import urllib.request

import nacl.public
import nacl.signing
import websockets


def join(http, link, pubkey):
    token = link.split("/join/", 1)[1]
    payload = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    body = {"invite_token": token, "invite_payload": payload,
            "peer_pubkey": pubkey, "display_name": "python"}
    request = urllib.request.Request(http + "/join", json.dumps(body).encode(), method="POST")
    with urllib.request.urlopen(request, timeout=20) as answer:
        joined = json.load(answer)
    assert joined["ok"], joined
    return payload["mesh_id"], joined["memberId"]


def hello(key, mesh_id, member_id):
    pubkey = key.verify_key.encode().hex()
    timestamp = int(time.time() * 1000)
    text = f"{mesh_id}|{member_id}|{pubkey}|{timestamp}"
    return {"type": "hello", "meshId": mesh_id, "memberId": member_id, "pubkey": pubkey,
            "sessionId": "python", "pid": os.getpid(), "cwd": "/python", "timestamp": timestamp,
            "signature": key.sign(text.encode()).signature.hex()}


def box_with(key, pubkey):
    other = nacl.signing.VerifyKey(bytes.fromhex(pubkey)).to_curve25519_public_key()
    return nacl.public.Box(key.to_curve25519_private_key(), other)


def sealed(key, to, text):
    message = box_with(key, to).encrypt(text.encode())
    return {"type": "send", "id": os.urandom(8).hex(), "targetSpec": to, "priority": "next",
            "nonce": base64.b64encode(message.nonce).decode(),
            "ciphertext": base64.b64encode(message.ciphertext).decode()}


def opened(key, push):
    box = box_with(key, push["senderPubkey"])
    nonce, ciphertext = (base64.b64decode(push[name]) for name in ("nonce", "ciphertext"))
    return {"from": push["senderPubkey"], "text": box.decrypt(ciphertext, nonce).decode()}


def tell(**said):
    print(json.dumps(said), flush=True)


async def listen(socket, key):
    async for frame in socket:
        said = json.loads(frame)
        if said["type"] == "push":
            tell(**opened(key, said))
        elif said["type"] in ("ack", "error"):
            tell(**{said["type"]: said})


async def main(ws, http, link, seed):
    key = nacl.signing.SigningKey(bytes.fromhex(seed))
    pubkey = key.verify_key.encode().hex()
    mesh_id, member_id = join(http, link, pubkey)
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with websockets.connect(ws) as socket:
        await socket.send(json.dumps(hello(key, mesh_id, member_id)))
        early = []  # a push may come before the hello_ack
        while (said := json.loads(await socket.recv()))["type"] != "hello_ack":
            assert said["type"] == "push", said
            early.append(opened(key, said))
        tell(ready=pubkey)
        for push in early:
            tell(**push)
        listening = asyncio.create_task(listen(socket, key))
        while line := await lines.readline():
            order = json.loads(line)
            await socket.send(json.dumps(sealed(key, order["to"], order["text"])))
        listening.cancel()


asyncio.run(main(*sys.argv[1:]))
