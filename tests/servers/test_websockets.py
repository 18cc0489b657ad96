"""Websockets on every server that has them, with the `websockets` library as their client."""

from __future__ import annotations

import asyncio
import http.client
import itertools
import json
import time
from contextlib import ExitStack
from dataclasses import replace

import pytest
from websockets.asyncio.client import connect as connect_async
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from .kinds import by_name
from .serving import in_time, leave, reset

UVICORN = by_name["uvicorn-uvloop-httptools"]
KINDS = [
    replace(UVICORN, name="uvicorn-websockets", command=UVICORN.command + " --ws websockets-sansio"),
    replace(UVICORN, name="uvicorn-wsproto", command=UVICORN.command + " --ws wsproto"),
    by_name["hypercorn-asyncio"],
    by_name["hypercorn-trio"],
    by_name["granian-asgi"],
    by_name["gunicorn-asgi"],
]
LEGACY = by_name["uvicorn-asyncio-h11"]
LEGACY = replace(LEGACY, name="uvicorn-websockets-legacy", command=LEGACY.command + " --ws websockets")
"""What uvicorn uses unless it's told otherwise, and is about to drop."""
DENIES = ("uvicorn", "hypercorn")
"""Servers that send any rejection as it is. granian sends bodies of one chunk only, gunicorn none: a 403 instead."""


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: kind.name)
def running(request, start_for_module):
    started = start_for_module(request.param, "sockets")
    started.observer = started.connection()
    yield started
    started.observer.close()


def url(running, path):
    return f"ws://127.0.0.1:{running.port}{path}"


def state(running):
    """Ask for the server's state, on one connection: more would be counted as well."""
    for attempt in (1, 2):
        try:
            running.observer.request("GET", f"/state?loop={running.kind.loop}")
            return json.loads(running.observer.getresponse().read())
        except (ConnectionError, http.client.HTTPException):
            # it was idle for too long
            running.observer.close()
            if attempt == 2:
                raise
    return None


def wait_for(running, condition, seconds=5):
    """Wait until the server's state is as it should be; return it."""
    deadline = time.monotonic() + seconds
    while not condition(now := state(running)):
        assert time.monotonic() < deadline, now
        time.sleep(0.05)
    return now


@pytest.mark.parametrize("message", ["grüße", b"\x00\xff", "x" * 300_000])
def test_echo(running, colour, message):
    with connect(url(running, f"/{colour}/echo"), subprotocols=["a", "b"]) as ws:
        assert ws.subprotocol == "b"
        if running.kind.name != "granian-asgi":
            # granian 2.8 drops the headers of an acceptance, also of a bare ASGI application
            assert ws.response.headers["X-Mine"] == "yes"
        ws.send(message)
        assert ws.recv(10) == message


def test_rejection(running, colour):
    with pytest.raises(InvalidStatus) as rejected, connect(url(running, f"/{colour}/rejected")):
        pass
    response = rejected.value.response
    if running.kind.name.startswith(DENIES):
        assert (response.status_code, response.body) == (402, b"members only")
        assert response.headers["X-Mine"] == "yes"
    else:
        assert response.status_code == 403


@pytest.mark.parametrize(("how", "code"), [("well", 1000), ("closed", 4001), ("403", 1008), ("503", 1011)])
def test_close_codes(running, colour, how, code):
    with connect(url(running, f"/{colour}/ends/{how}")) as ws:
        assert ws.recv(10) == "hello"
        with pytest.raises(ConnectionClosed) as closed:
            ws.recv(10)
    assert closed.value.rcvd.code == code


def test_plain_http_is_told_to_upgrade(running):
    answer = running.get("/async/echo")
    assert (answer.status, answer.headers["Upgrade"]) == (426, "websocket")


@pytest.mark.parametrize("running", [*KINDS, LEGACY], ids=lambda kind: kind.name, indirect=True)
@pytest.mark.parametrize("path", ["/room", "/asleep", "/told"])
def test_a_second_after_a_reset_nothing_is_left(running, path):
    """`/asleep` and the view of `/told` notice nothing, and are cancelled after a grace period."""
    own = OF_ITS_OWN.get(running.kind.name, {})
    counted = ("descriptors", "tasks", "coroutines", "members")
    reset(open_by_hand(running, path))
    wait_for(running, lambda now: not now["members"])

    def seconds():
        time.sleep(1)
        before = state(running)
        sockets = [open_by_hand(running, path) for _ in range(10)]
        opened = wait_for(running, lambda now: now["members"] == (10 if path == "/room" else 1))
        assert opened["coroutines"] >= before["coroutines"] + 20
        began = time.monotonic()
        for connected in sockets:
            reset(connected)
        # to ask is work for the server, too
        time.sleep(0.6)
        asked = time.monotonic()
        while any((now := state(running))[what] > before[what] + own.get(what, 0) for what in counted):
            assert asked < began + 5, (before, now)
            time.sleep(0.05)
            asked = time.monotonic()
        return asked - began

    in_time(seconds)


OF_ITS_OWN = {
    "hypercorn-asyncio": {"descriptors": 1, "tasks": 3, "coroutines": 12},
    "gunicorn-asgi": {"tasks": 12, "coroutines": 16},
}
"""What a server keeps for a few seconds after ten resets, measured with a bare ASGI application."""


def ask(running, path):
    """Ask for a websocket on a plain socket."""
    return running.socket(
        f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )


def open_by_hand(running, path):
    """Open a websocket on a plain socket, of which nothing is read after the handshake's answer."""
    connected = ask(running, path)
    assert connected.recv(12) == b"HTTP/1.1 101"
    return connected


TELLING = [kind for kind in [*KINDS, LEGACY] if kind.name != "granian-asgi"]
"""granian 2.8 tells nobody that the client has left before it was accepted, a bare ASGI application neither."""

numbers = itertools.count()


@pytest.mark.parametrize("running", TELLING, ids=lambda kind: kind.name, indirect=True)
@pytest.mark.parametrize("go", [reset, leave])
@pytest.mark.parametrize(
    ("path", "what"),
    [("/async/undecided", "cancelled"), ("/async/hook", "cancelled"), ("/async/late", "told"), ("/def/late", "told")],
)
def test_a_client_that_leaves_before_it_is_accepted_is_noticed_within_a_second(running, path, what, go):
    def seconds():
        key = f"{path.replace('/', '-')}-{next(numbers)}"
        connected = ask(running, f"{path}?key={key}")
        running.wait_for_journal(key, "begun")
        began = time.monotonic()
        go(connected)
        assert running.wait_for_journal(key, "teardown", seconds=5) == sorted(["begun", what, "teardown"])
        return time.monotonic() - began

    in_time(seconds)


@pytest.mark.parametrize("running", [by_name["granian-asgi"]], ids=lambda kind: kind.name, indirect=True)
def test_granian_tells_of_it_when_the_client_is_accepted(running, colour):
    key = f"accepts-{colour}"
    with ask(running, f"/{colour}/accepts?key={key}"):
        running.wait_for_journal(key, "begun")
    assert running.wait_for_journal(key, "teardown") == ["begun", "teardown", "told"]


def test_def_views_beyond_the_limit_are_refused_and_http_still_answers(running):
    with ExitStack() as stack:
        open_ones = [stack.enter_context(connect(url(running, "/def/echo"))) for _ in range(4)]
        for _ in range(4):
            with pytest.raises(InvalidStatus) as rejected, connect(url(running, "/def/echo")):
                pass
            # gunicorn has no denial responses
            expected = 403 if running.kind.name == "gunicorn-asgi" else 503
            assert rejected.value.response.status_code == expected
        assert running.get("/ready").text == "ready"
        for ws in open_ones:
            ws.send("still here")
            assert ws.recv(10) == "still here"


def test_a_client_that_does_not_read_stops_the_producer(running, colour):
    connected = open_by_hand(running, f"/{colour}/flood")
    time.sleep(1)
    first = wait_for(running, lambda now: now["sent"].get(colour), 10)
    time.sleep(1)
    second = state(running)
    assert second["sent"][colour] == first["sent"][colour]
    assert second["resident"] - first["resident"] < 20_000_000
    reset(connected)


NUMBER = 1000


def test_many_open_websockets_get_a_broadcast_each_second(running):
    asyncio.run(asyncio.wait_for(_broadcast(running), 60))
    wait_for(running, lambda now: now["members"] == 0)


async def _broadcast(running):
    members = []
    for _ in range(NUMBER // 20):
        members += await asyncio.gather(*(connect_async(url(running, "/room")) for _ in range(20)))
    async with connect_async(url(running, "/ticks")):
        for _ in range(2):
            await asyncio.gather(*(member.recv() for member in members))
    await asyncio.gather(*(member.close() for member in members))
