"""The application that every server serves in these tests: a plain module, imported by the servers themselves.

What a client can't see (a generator that was closed, a teardown function that has run) is noted in the journal.

`/def/...` and `/async/...` are the same view in both kinds of function.
"""

from __future__ import annotations

import asyncio
import ctypes
import functools
import hashlib
import os
import sqlite3
import sys
import threading
import time
from contextvars import ContextVar

import anyio
from journal import note

from flaskctx import Blueprint, Flask, g, jsonify, request, run_in_thread, session, stream_with_context

app = Flask(__name__, static_folder=None)
app.secret_key = "tests/servers"
app.config["MAX_CONTENT_LENGTH"] = 8 * 1024 * 1024

sync = Blueprint("sync", __name__, url_prefix="/def")
coro = Blueprint("coro", __name__, url_prefix="/async")
blueprints = {"def": sync, "async": coro}

visitor = ContextVar("visitor", default=None)


# -- hooks in both kinds, in turns: each request crosses between them --------------------------------------------


@app.before_request
def remember_in_def():
    g.thread = threading.get_ident()
    g.in_def = request.args.get("key")
    visitor.set(request.args.get("key"))


@app.before_request
async def remember_in_async():
    g.in_async = request.args.get("key")
    await anyio.sleep(0)


@app.after_request
async def sign(response):
    await anyio.sleep(0)
    response.headers["X-Key"] = request.args.get("key", "")
    return response


@app.after_request
def sign_as_well(response):
    response.headers["X-Pid"] = str(os.getpid())
    return response


@app.teardown_request
def note_teardown(error):
    if "key" in request.args:
        note("teardown", request.args["key"])


@app.teardown_request
async def note_async_teardown(error):
    await anyio.sleep(0)
    if "key" in request.args:
        note("async-teardown", request.args["key"])


@app.get("/ready")
def ready():
    return "ready"


# -- who is who --------------------------------------------------------------------------------------------------


def everything():
    """Return each place where the key of this request has to be found."""
    return {
        "args": request.args["key"],
        "header": request.headers["X-Key"],
        "cookie": request.cookies.get("key"),
        "g": g.in_def,
        "g of an async hook": g.in_async,
        "session": session["key"],
        "ContextVar": visitor.get(),
    }


@sync.get("/whoami")
def whoami():
    before = session.get("key")
    session["key"] = request.args["key"]
    first = everything()
    time.sleep(float(request.args.get("seconds", 0)))
    return jsonify(before=before, seen=[first, everything()])


@coro.get("/whoami")
async def async_whoami():
    before = session.get("key")
    session["key"] = request.args["key"]
    seen = [everything()]

    async def in_a_child_task():
        await anyio.sleep(0)
        seen.append(everything())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(in_a_child_task)
        await anyio.sleep(float(request.args.get("seconds", 0)))
        seen.append(everything())
    seen.append(await run_in_thread(everything))
    return jsonify(before=before, seen=seen)


@sync.get("/sleep")
def sleep():
    time.sleep(float(request.args["seconds"]))
    return "slept"


@coro.get("/sleep")
async def async_sleep():
    await anyio.sleep(float(request.args["seconds"]))
    return "slept"


# -- responses ---------------------------------------------------------------------------------------------------


@sync.route("/status/<int:code>", methods=["GET", "POST"])
def status(code):
    return "text", code


@coro.route("/status/<int:code>", methods=["GET", "POST"])
async def async_status(code):
    return "text", code


@sync.get("/stream")
def stream():
    def generate():
        for number in range(3):
            yield f"{number}\n"
            time.sleep(0.2)

    return generate(), {"Content-Type": "text/plain"}


@coro.get("/stream")
async def async_stream():
    async def generate():
        for number in range(3):
            yield f"{number}\n"
            await anyio.sleep(0.2)

    return generate(), {"Content-Type": "text/plain"}


@sync.get("/endless")
def endless():
    @stream_with_context
    def generate():
        try:
            while True:
                yield request.args["key"] * 100
                time.sleep(0.02)
        finally:
            note("closed", request.args["key"])

    return generate(), {"Content-Type": "text/plain"}


@coro.get("/endless")
async def async_endless():
    @stream_with_context
    async def generate():
        try:
            while True:
                yield request.args["key"] * 100
                await anyio.sleep(0.02)
        finally:
            note("closed", request.args["key"])

    return generate(), {"Content-Type": "text/plain"}


@coro.get("/holding")
async def holding():
    """Stream in a task group and a cancel scope, for a short time or an endless one."""

    @stream_with_context
    async def generate():
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(anyio.sleep_forever)
                with anyio.move_on_after(float(request.args["seconds"])):
                    while True:
                        yield request.args["key"] * 100
                        await anyio.sleep(0.02)
                tasks.cancel_scope.cancel()
            yield "end"
        finally:
            note("closed", request.args["key"])

    return generate(), {"Content-Type": "text/plain"}


sync.post("/endless", endpoint="endless-upload", stream=True)(endless)
coro.post("/endless", endpoint="endless-upload", stream=True)(async_endless)


@sync.get("/quiet")
def quiet():
    """Stream a word, and then nothing for a long time."""

    @stream_with_context
    def generate():
        try:
            yield "word"
            time.sleep(float(request.args["seconds"]))
            yield "word"
            yield "word"
        finally:
            note("closed", request.args["key"])

    return generate(), {"Content-Type": "text/plain"}


@coro.get("/quiet")
async def async_quiet():
    @stream_with_context
    async def generate():
        try:
            yield "word"
            await anyio.sleep(float(request.args["seconds"]))
            yield "word"
            yield "word"
        finally:
            note("closed", request.args["key"])

    return generate(), {"Content-Type": "text/plain"}


@sync.get("/cookies")
def cookies():
    response = jsonify(request.cookies)
    response.set_cookie("first", "1")
    response.set_cookie("second", "2")
    return response


coro.get("/cookies", endpoint="cookies")(cookies)


# -- bodies ------------------------------------------------------------------------------------------------------


def digest(data):
    return jsonify(length=len(data), sha256=hashlib.sha256(data).hexdigest())


def echo():
    """Answer with what arrived, however it was encoded; a body that is not whole must not get here."""
    if request.is_json:
        return jsonify(json=request.json)
    if request.mimetype == "multipart/form-data":
        return jsonify(form=request.form, files={name: file.read().decode() for name, file in request.files.items()})
    data = request.get_data()
    if "key" in request.args:
        note(f"body-of-{len(data)}", request.args["key"])
    return digest(data)


sync.post("/echo")(echo)


@coro.post("/echo")
async def async_echo():
    await anyio.sleep(0)
    return echo()


@sync.post("/upload", stream=True)
def upload():
    return digest(b"".join(iter(functools.partial(request.stream.read, 10_000), b"")))


@coro.post("/upload", stream=True)
async def async_upload():
    return digest(b"".join([chunk async for chunk in request.stream]))


# -- what outlives a request -------------------------------------------------------------------------------------


def loop_identity():
    """Return a name for the event loop that this code runs on."""
    trio = sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_run():
        return id(trio.lowlevel.current_trio_token())
    return id(asyncio.get_running_loop())


@coro.get("/loop")
async def loop():
    return jsonify(pid=os.getpid(), loop=loop_identity())


meetings = {}


@coro.get("/meet")
async def meet():
    """Wait until so many requests are here; they can meet on one loop only."""
    here, complete = meetings.setdefault(request.args["key"], ([], anyio.Event()))
    here.append(loop_identity())
    if len(here) == int(request.args["number"]):
        complete.set()
    with anyio.fail_after(5):
        await complete.wait()
    return jsonify(loops=len(set(here)))


connections = {}


@coro.get("/connect")
async def connect():
    """Open a connection that later requests use."""
    connections["echo"] = await anyio.connect_tcp("127.0.0.1", int(request.args["port"]))
    return "connected"


@coro.get("/talk")
async def talk():
    """Send a word over the connection of an earlier request."""
    if "echo" not in connections:
        return "not connected in this process", 409
    await connections["echo"].send(request.args["word"].encode())
    return await connections["echo"].receive()


@coro.get("/hang-up")
async def hang_up():
    if "echo" not in connections:
        return "not connected in this process", 409
    await connections.pop("echo").aclose()
    return "closed"


tasks = set()


@coro.get("/background")
async def background():
    """Start a task that goes on after the request, and then needs a thread."""
    seconds, key = float(request.args["seconds"]), request.args["key"]

    async def work():
        await asyncio.sleep(seconds)
        await asyncio.to_thread(note, "background", key)

    task = asyncio.create_task(work())
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    return "started"


# -- threads -----------------------------------------------------------------------------------------------------


def block(seconds):
    """Stop this thread in C code, which gevent can't turn into something that waits nicely."""
    ctypes.CDLL(None).usleep(int(seconds * 1_000_000))


@coro.get("/block")
async def block_in_thread():
    await run_in_thread(block, float(request.args["seconds"]))
    return await run_in_thread(lambda: request.args["key"])


@sync.get("/block")
def block_here():
    block(float(request.args["seconds"]))
    return request.args["key"]


# -- a database connection that belongs to its thread ------------------------------------------------------------

database = Blueprint("database", __name__, url_prefix="/database")


@database.before_request
def open_database():
    g.db = sqlite3.connect(":memory:")
    g.db.execute("create table visit (key)")
    g.db.execute("insert into visit values (?)", [request.args["key"]])


@database.get("/async")
async def visit():
    await anyio.sleep(0.05)
    return "visited"


@database.after_request
def read_database(response):
    (response.headers["X-Database"],) = g.db.execute("select key from visit").fetchone()
    return response


@database.teardown_request
def close_database(error):
    g.db.close()
    note("database-closed", request.args["key"])


app.register_blueprint(sync)
app.register_blueprint(coro)
app.register_blueprint(database)


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]))
