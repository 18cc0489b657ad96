"""An application with a WSGI and an ASGI application mounted in it, for the tests of mounting."""

import asyncio
import hashlib
import time

from journal import note

from flaskctx import Flask


def wsgi_guest(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/endless":
        return endless(environ["QUERY_STRING"])
    if environ["PATH_INFO"] == "/wait":
        time.sleep(0.3)
        return [b"waited"]
    digest = hashlib.sha256()
    if environ["REQUEST_METHOD"] == "POST":
        while chunk := environ["wsgi.input"].read(1000):
            digest.update(chunk)
    return [digest.hexdigest().encode()]


def endless(key):
    try:
        while True:
            yield b"more"
            time.sleep(0.02)
    finally:
        note("closed", key)


async def asgi_guest(scope, receive, send):
    digest, message = hashlib.sha256(), {"more_body": True}
    while message.get("more_body"):
        message = await receive()
        digest.update(message.get("body", b""))
    await send({"type": "http.response.start", "status": 200, "headers": []})
    path = scope["path"].removeprefix(scope["root_path"])
    if path == "/endless":
        await send_endlessly(scope["query_string"].decode(), receive, send)
        return
    if path == "/wait":
        await asyncio.sleep(0.3)
    body = b"waited" if path == "/wait" else digest.hexdigest().encode()
    await send({"type": "http.response.body", "body": body})


async def send_endlessly(key, receive, send):
    leaving = asyncio.ensure_future(receive())  # an ASGI application looks out for the disconnect itself
    try:
        while not leaving.done():
            await send({"type": "http.response.body", "body": b"more", "more_body": True})
            await asyncio.sleep(0.02)
    finally:
        leaving.cancel()
        note("closed", key)


app = Flask(__name__, static_folder=None)
app.mount_wsgi("/wsgi", wsgi_guest)
app.mount_asgi("/asgi", asgi_guest)
app.get("/ready")(lambda: "ready")
