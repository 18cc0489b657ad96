"""The application whose clients leave, or don't read what they have asked for; what follows is in the journal."""

from __future__ import annotations

import functools
import os
import time

import anyio
from journal import note, tell_of_teardowns

from flaskctx import CarryingExecutor, EventStream, Flask, current_app, request

app = Flask(__name__, static_folder=None)
tell_of_teardowns(app)

CHUNK = 64 * 1024


# -- views that take long ----------------------------------------------------------------------------------------


@app.get("/plain")
async def takes_long():
    note("begun", request.args["key"])
    try:
        await anyio.sleep(60)
    finally:
        note("cancelled", request.args["key"])


def returning(view):
    @functools.wraps(view)
    def wrapper():
        return view()

    return wrapper


def waiting(view):
    @functools.wraps(view)
    def wrapper():
        return current_app.ensure_sync(view)()

    return wrapper


app.add_url_rule("/returned", "returned", returning(takes_long))
app.add_url_rule("/waited-for", "waited_for", waiting(takes_long))
app.add_url_rule("/returned/limited", "returned_limited", returning(takes_long), timeout=0.3)
app.add_url_rule("/waited-for/limited", "waited_for_limited", waiting(takes_long), timeout=0.3)


@app.get("/asks")
def asks():
    """Wait for a thread that waits for the client to leave."""
    note("begun", request.args["key"])

    def poll():
        end = time.monotonic() + 10
        while not request.disconnected and time.monotonic() < end:
            time.sleep(0.02)
        return request.disconnected

    with CarryingExecutor(1) as executor:
        if executor.submit(poll).result():
            note("seen", request.args["key"])
    return "done"


# -- views that are not cancelled --------------------------------------------------------------------------------


@app.get("/def/stays")
def stays():
    note("begun", request.args["key"])
    until = time.monotonic() + 10
    while not request.disconnected and time.monotonic() < until:
        time.sleep(0.01)
    note("left" if request.disconnected else "stayed", request.args["key"])
    return ""


@app.get("/async/stays", cancel_on_disconnect=False)
async def async_stays():
    note("begun", request.args["key"])
    with anyio.move_on_after(10):
        while not request.disconnected:
            await anyio.sleep(0.01)
    await anyio.sleep(0.1)
    note("left" if request.disconnected else "stayed", request.args["key"])
    return ""


@app.get("/work")
async def leaves_work():
    """Start background work, and wait to be cancelled."""
    key = request.args["key"]

    async def later():
        await anyio.sleep(1)
        note("async-task", key)

    def later_in_def():
        time.sleep(1)
        note("def-task", key)

    app.add_background_task(later)
    app.add_background_task(later_in_def)
    note("begun", key)
    await anyio.sleep(30)


# -- streams without an end --------------------------------------------------------------------------------------


def chunks(key):
    try:
        while True:
            note("chunk", key)
            yield "x" * CHUNK
    finally:
        note("closed", key)


async def async_chunks(key):
    try:
        while True:
            note("chunk", key)
            yield "x" * CHUNK
    finally:
        note("closed", key)


@app.get("/def/stream")
def stream():
    return chunks(request.args["key"]), {"Content-Type": "text/plain"}


@app.get("/async/stream")
async def async_stream():
    return async_chunks(request.args["key"]), {"Content-Type": "text/plain"}


@app.get("/def/events")
def events():
    return EventStream(chunks(request.args["key"]), heartbeat=0.2)


@app.get("/async/events")
async def async_events():
    return EventStream(async_chunks(request.args["key"]), heartbeat=0.2)


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]))
