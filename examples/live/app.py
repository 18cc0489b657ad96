"""A live dashboard: server-sent events, drawn by the page as they arrive; no JavaScript from elsewhere.

uvicorn examples.live.app:app.asgi
gunicorn --threads 20 examples.live.app:app
"""

import itertools
import math
import time

import anyio

from flaskctx import EventStream, Flask, ServerSentEvent, render_template, request

app = Flask(__name__)

PERIOD = 0.2
"""Seconds between two measurements."""

watching = {"def": 0, "async": 0}
"""How many browsers watch each stream of this process."""


@app.get("/")
def page():
    return render_template("live.html")


def measurement(number, kind):
    """Return an event; its id is where a browser goes on that has lost the connection."""
    load = 50 + 30 * math.sin(number / 9) + 12 * math.sin(number / 2.3)
    return ServerSentEvent({"number": number, "load": round(load, 2), "watching": watching[kind]}, "load", number)


def numbers():
    return itertools.count(int(request.last_event_id or 0) + 1)


@app.get("/events/async")
async def async_events():
    async def events(numbers):
        watching["async"] += 1
        try:
            for number in numbers:
                yield measurement(number, "async")
                await anyio.sleep(PERIOD)
        finally:
            watching["async"] -= 1

    return EventStream(events(numbers()), retry=500)


@app.get("/events/def")
def def_events():
    def events(numbers):
        watching["def"] += 1
        try:
            for number in numbers:
                yield measurement(number, "def")
                time.sleep(PERIOD)
        finally:
            watching["def"] -= 1

    return EventStream(events(numbers()), retry=500)


@app.get("/watching")
def watching_now():
    return watching
