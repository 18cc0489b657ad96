"""The application whose websockets are tried on real servers."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
from pathlib import Path

import anyio
from journal import note, tell_of_teardowns

from flaskctx import Flask, Response, WebsocketDisconnect, abort, request, websocket

app = Flask(__name__)
app.config |= {"MAX_WEBSOCKET_THREADS": 4, "WORKER_WAIT": 0.2}
members = set()
sent = {}
tell_of_teardowns(app)


@app.get("/state")
async def state():
    """What is there now: open descriptors, tasks, half-run functions, members of the room."""
    gc.collect()
    return {
        "descriptors": len(os.listdir("/proc/self/fd")),
        "tasks": len(asyncio.all_tasks()) if request.args.get("loop") == "asyncio" else 0,
        "coroutines": sum(type(thing).__name__ in ("coroutine", "async_generator") for thing in gc.get_objects()),
        "members": len(members),
        "threads": threading.active_count(),
        "resident": int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"),
        "sent": sent,
    }


@app.websocket("/async/echo")
async def async_echo():
    await websocket.accept("b" if "b" in websocket.requested_subprotocols else None, {"X-Mine": "yes"})
    async for message in websocket:
        await websocket.send(message)


@app.websocket("/def/echo")
def def_echo():
    websocket.sync.accept("b" if "b" in websocket.requested_subprotocols else None, {"X-Mine": "yes"})
    for message in websocket.sync:
        websocket.sync.send(message)


@app.websocket("/async/rejected")
async def async_rejected():
    return Response((part for part in ("members", " only")), 402, {"X-Mine": "yes"})


@app.websocket("/def/rejected")
def def_rejected():
    return Response((part for part in ("members", " only")), 402, {"X-Mine": "yes"})


@app.websocket("/async/ends/<how>")
async def async_ends(how):
    await websocket.send("hello")
    await _end(how, websocket.close)


@app.websocket("/def/ends/<how>")
def def_ends(how):
    websocket.sync.send("hello")
    if how == "closed":
        websocket.sync.close(4001, "enough")
    elif how != "well":
        abort(int(how))


async def _end(how, close):
    if how == "closed":
        await close(4001, "enough")
    elif how != "well":
        abort(int(how))


@app.websocket("/room")
async def room():
    """Everyone here gets a broadcast each second."""
    me = websocket._get_current_object()
    await me.accept()
    members.add(me)
    try:
        async for _ in me:
            pass
    finally:
        members.discard(me)


@app.websocket("/ticks")
async def ticks():
    """Send to everyone in the room each second, until the client leaves."""
    await websocket.accept()

    async def broadcast():
        while True:
            for member in list(members):
                await member.send(f"{time.time()}")
            await anyio.sleep(1)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(broadcast)
        async for _ in websocket:
            pass
        tasks.cancel_scope.cancel()


@app.websocket("/asleep")
async def asleep():
    await websocket.accept()
    members.add("asleep")
    try:
        await anyio.sleep(60)
    finally:
        members.discard("asleep")


@app.websocket("/told")
async def told():
    """Sleep, while another task is told that the client has left."""

    async def receive():
        async for _ in websocket:
            pass

    await websocket.accept()
    members.add("told")
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(receive)
            await anyio.sleep(60)
    finally:
        members.discard("told")


@app.before_request
async def ask_for_long():
    if request.path == "/async/hook":
        await _wait_before_acceptance()


@app.websocket("/async/hook")
async def behind_a_hook():
    note("view", request.args["key"])


@app.websocket("/async/undecided")
async def undecided():
    await _wait_before_acceptance()


async def _wait_before_acceptance():
    note("begun", request.args["key"])
    try:
        await anyio.sleep(60)
    finally:
        note("cancelled", request.args["key"])


@app.websocket("/async/late", cancel_on_disconnect=False)
async def late():
    note("begun", request.args["key"])
    while not request.disconnected:
        await anyio.sleep(0.02)
    try:
        await websocket.accept()
    except WebsocketDisconnect:
        note("told", request.args["key"])


@app.websocket("/def/late")
def def_late():
    note("begun", request.args["key"])
    while not request.disconnected:
        time.sleep(0.02)
    try:
        websocket.sync.receive()
    except WebsocketDisconnect:
        note("told", request.args["key"])


@app.websocket("/async/accepts")
async def accepts():
    note("begun", request.args["key"])
    await anyio.sleep(0.3)
    try:
        await websocket.receive()
    except WebsocketDisconnect:
        note("told", request.args["key"])


@app.websocket("/def/accepts")
def def_accepts():
    note("begun", request.args["key"])
    time.sleep(0.3)
    try:
        websocket.sync.receive()
    except WebsocketDisconnect:
        note("told", request.args["key"])


@app.websocket("/async/flood")
async def async_flood():
    sent["async"] = 0
    while True:
        await websocket.send(b"x" * 65536)
        sent["async"] += 1


@app.websocket("/def/flood")
def def_flood():
    sent["def"] = 0
    while True:
        websocket.sync.send(b"x" * 65536)
        sent["def"] += 1
