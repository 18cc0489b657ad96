"""The application of test_limits.py: views that take too long, and views whose clients leave; the journal tells."""

from __future__ import annotations

import os
import time

import anyio
from journal import note, tell_of_teardowns

from flaskctx import Flask, make_response, request

app = Flask(__name__, static_folder=None)
app.config["BODY_TIMEOUT"] = 0.5
tell_of_teardowns(app)


@app.get("/too-long", timeout=0.2)
async def too_long():
    try:
        await anyio.sleep(30)
    finally:
        note("view-ended", request.args["key"])


@app.post("/body")
async def body():
    return {"size": len(request.data)}


@app.get("/unread")
async def unread():
    async def generate():
        try:
            while True:
                yield b"x" * 100_000
        finally:
            note("closed", key)

    key = request.args["key"]
    response = make_response(generate())
    response.timeout = 0.5
    return response


@app.get("/async/leave")
async def async_leave():
    try:
        await anyio.sleep(30)
    finally:
        note("view-ended", request.args["key"])


@app.get("/def/leave")
def leave():
    until = time.monotonic() + 10
    while not request.disconnected and time.monotonic() < until:
        time.sleep(0.01)
    note("left" if request.disconnected else "stayed", request.args["key"])
    return ""


@app.get("/async/stay", cancel_on_disconnect=False)
async def stay():
    with anyio.move_on_after(10):
        while not request.disconnected:
            await anyio.sleep(0.01)
    await anyio.sleep(0.1)
    note("left" if request.disconnected else "stayed", request.args["key"])
    return ""


@app.get("/leave-work")
async def leave_work():
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
    await anyio.sleep(30)


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]))
