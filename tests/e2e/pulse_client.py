"""A PulseMesh client on Debian's python3-websockets, as v1's own clients sign; nothing of ours.

    pulse_client.py WS_URL SECRET

Driven by JSON lines on stdin. {"open": PATH, "message": JSON text, "form": "spaced"|"hmac"|
"hmac with alg"} opens a connection in place of the one before and tells {"opened": first frame}, or
{"opened": {"closed": code, "frames": […]}}; {"publish": JSON text} sends that text as it is. Each
frame that comes later is told as {"frame": text}, the end as {"closed": code}. {"open", "slow": true}
opens one that reads nothing until {"read": true}, behind buffers of a few KiB.
Truth: protocol/pulsemesh.md.
"""
import asyncio
import hashlib
import hmac
import json
import socket as sockets
import sys
import urllib.parse

import websockets


def handshake(message, form, secret):
    text = json.dumps(message, sort_keys=True)
    if form == "spaced":
        digest = hashlib.sha256((text + secret).encode()).hexdigest()
    else:
        digest = hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
    frame = {"message": message, "signature": digest}
    if form == "hmac with alg":
        frame["alg"] = "hmac-sha256"
    return json.dumps(frame)


def tell(**said):
    print(json.dumps(said), flush=True)


async def opened(socket, order, secret):
    """Says the first frame; True when the client is in."""
    await socket.send(handshake(json.loads(order["message"]), order["form"], secret))
    frames = []
    try:
        while True:
            frames.append(json.loads(await socket.recv()))
            if frames[-1]["type"] == "handshake_ok":
                tell(opened=frames[-1])
                return True
    except websockets.ConnectionClosed:
        tell(opened={"closed": socket.close_code, "frames": frames})
        return False


async def listen(socket):
    try:
        async for frame in socket:
            tell(frame=frame)
    except websockets.ConnectionClosed:
        pass
    tell(closed=socket.close_code)


async def connected(url, slow):
    if not slow:
        return await websockets.connect(url)
    place = urllib.parse.urlsplit(url)
    small = sockets.socket()
    small.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    small.connect((place.hostname, place.port))
    return await websockets.connect(url, sock=small, max_queue=1, read_limit=4096,
                                    ping_interval=None)


async def main(url, secret):
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    socket, listening = None, None
    while line := await lines.readline():
        order = json.loads(line)
        if "publish" in order:
            await socket.send(order["publish"])
            continue
        if "read" in order:
            listening = asyncio.create_task(listen(socket))
            continue
        if socket is not None:
            await socket.close()
        if listening is not None:
            await listening
        slow = order.get("slow", False)
        socket = await connected(url + order["open"], slow)
        reads = await opened(socket, order, secret) and not slow
        listening = asyncio.create_task(listen(socket)) if reads else None
    if socket is not None:
        await socket.close()
    if listening is not None:
        await listening


asyncio.run(main(*sys.argv[1:]))
