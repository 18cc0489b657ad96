"""Event streams for the servers' tests: a broadcast, and counts of what is left when the clients have gone."""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading

import anyio

from flaskctx import EventStream, Flask, ServerSentEvent, request

app = Flask(__name__, static_folder=None)
app.config["MAX_WORKER_THREADS"] = 16

generators = {"open": 0, "closed": 0}


@contextlib.contextmanager
def counted():
    generators["open"] += 1
    try:
        yield
    finally:
        generators["open"] -= 1
        generators["closed"] += 1


@app.get("/ready")
def ready():
    return "ready"


def tasks_here():
    """Return how many tasks there are on the loop that runs."""
    if "trio" in sys.modules and sys.modules["trio"].lowlevel.in_trio_run():
        return sys.modules["trio"].lowlevel.current_statistics().tasks_living
    import asyncio

    return len(asyncio.all_tasks())


@app.get("/held")
async def held():
    threads = [thread.name for thread in threading.enumerate() if thread.name == "flaskctx-events"]
    descriptors = len(os.listdir("/proc/self/fd"))
    return {"tasks": tasks_here(), "descriptors": descriptors, "threads": len(threads), **generators}


@app.get("/async/events")
async def async_events():
    start, pause = int(request.last_event_id or 0), float(request.args["pause"])

    async def events():
        with counted():
            number = start
            while True:
                number += 1
                yield ServerSentEvent({"number": number}, id=number)
                await anyio.sleep(pause)

    return EventStream(events(), heartbeat=0.4, retry=100)


@app.get("/def/events")
def def_events():
    start, pause = int(request.last_event_id or 0), float(request.args["pause"])
    never = queue.Queue()

    def events():
        with counted():
            number = start
            while True:
                number += 1
                yield ServerSentEvent({"number": number}, id=number)
                for _ in range(max(1, round(pause / 0.05))):
                    with contextlib.suppress(queue.Empty):
                        yield never.get(timeout=min(pause, 0.05))
                    yield None

    return EventStream(events(), heartbeat=0.4, retry=100)


subscribers = set()


@app.get("/subscribe")
async def subscribe():
    async def events():
        send, receive = anyio.create_memory_object_stream(10)
        with counted(), send, receive:
            subscribers.add(send)
            try:
                async for event in receive:
                    yield event
            finally:
                subscribers.discard(send)

    return EventStream(events())


@app.post("/broadcast")
async def broadcast():
    for subscriber in list(subscribers):
        with contextlib.suppress(anyio.WouldBlock):
            subscriber.send_nowait(request.args["word"])
    return {"subscribers": len(subscribers)}


if __name__ == "__main__":
    app.run(port=int(os.environ["PORT"]))
