"""Rooms to chat in: a websocket, the session that its handshake carries, and a page without a framework.

uvicorn examples.chat.app:app.asgi
hypercorn examples.chat.app:app.asgi
"""

from __future__ import annotations

from collections import defaultdict, deque
from datetime import UTC, datetime

import anyio

from flaskctx import Flask, abort, g, redirect, render_template, request, session, url_for, websocket

app = Flask(__name__)
app.config["SECRET_KEY"] = "known to everybody: this is an example"

BEHIND = 100
"""Messages that a slow reader may be behind before it is sent away."""


class Room:
    """Who is in one room, and what was said last. All of it lives on the one loop of this process."""

    def __init__(self):
        self.outboxes = {}
        self.said = deque(maxlen=50)

    def say(self, **message):
        """Tell everyone, waiting for nobody."""
        message["at"] = datetime.now(UTC)
        self.said.append(message)
        for outbox in list(self.outboxes):
            try:
                outbox.send_nowait(message)
            except anyio.WouldBlock:
                outbox.close()

    @property
    def names(self):
        return sorted(set(self.outboxes.values()))


rooms = defaultdict(Room)


@app.before_request
def know_the_visitor():
    # for pages and websockets alike
    g.name = session.get("name")


@app.get("/")
def index():
    return render_template("index.html", room=request.args.get("room", "lobby"))


@app.post("/")
def enter():
    session["name"] = request.form["name"].strip()[:20] or abort(400, "Tell us a name.")
    return redirect(url_for("show_room", room=request.form["room"].strip().replace("/", "") or "lobby"))


@app.get("/rooms/<room>")
def show_room(room):
    if g.name is None:
        return redirect(url_for("index", room=room))
    return render_template("room.html", room=room)


@app.websocket("/rooms/<name>/socket")
async def chat(name):
    if g.name is None:
        abort(401)
    if request.headers.get("Origin", request.host_url.rstrip("/")) != request.host_url.rstrip("/"):
        # browsers send the cookie from other sites' pages too (RFC 6455, section 10.2)
        abort(403)
    await websocket.accept()
    room = rooms[name]
    outbox, inbox = anyio.create_memory_object_stream(BEHIND)
    for message in room.said:
        await websocket.send_json(message)
    room.outboxes[outbox] = g.name
    room.say(kind="in", name=g.name, names=room.names)
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(deliver, inbox)
            async for text in websocket:
                if text.strip():
                    room.say(kind="said", name=g.name, text=text[:2000])
            tasks.cancel_scope.cancel()
    finally:
        del room.outboxes[outbox]
        outbox.close()
        inbox.close()
        if room.outboxes:
            room.say(kind="out", name=g.name, names=room.names)
        else:
            del rooms[name]


async def deliver(inbox):
    """Send what was said as fast as this visitor reads; send away who is too far behind."""
    async for message in inbox:
        await websocket.send_json(message)
    await websocket.close(1008, "too slow")
