"""Server-sent events over real servers: they arrive, beat, and leave nothing behind."""

from __future__ import annotations

import contextlib
import json
import selectors
import time

import pytest

from .kinds import KINDS, by_name
from .serving import in_time, leave, reset

PATIENT = [kind for kind in KINDS if not kind.name.startswith("gunicorn-sync")]
"""Servers that serve something else while a stream lasts."""


@pytest.fixture(scope="module")
def running():
    """The servers that these tests share, by their kind."""
    return {}


@pytest.fixture
def events(request, running, start_for_module):
    kind = request.param
    if kind not in running:
        running[kind] = start_for_module(kind, "events")
    return running[kind]


def begin(server, path):
    """Connect, and return the socket once the first event is there."""
    connected = server.socket(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    read_until(connected, b"data: ")
    return connected


def read_until(connected, wanted):
    data = b""
    while wanted not in data:
        chunk = connected.recv(65536)
        assert chunk, data
        data += chunk
    return data


@pytest.fixture
def held(events):
    """What the server holds, asked over one connection: each new one would be held, too."""
    connection = events.connection()

    def ask():
        connection.request("GET", "/held")
        return json.loads(connection.getresponse().read())

    def held():
        try:
            return ask()
        except ConnectionError:  # the server doesn't keep an idle one for ever
            connection.close()
            return ask()

    held()
    yield held
    connection.close()


@pytest.mark.parametrize("events", PATIENT, indirect=True)
def test_events_arrive_and_go_on_after_the_last_one(events, colour):
    connected = events.socket(
        f"GET /{colour}/events?pause=60 HTTP/1.1\r\nHost: x\r\nLast-Event-ID: 41\r\n\r\n".encode()
    )
    data = read_until(connected, b'data: {"number": 42}')
    assert b"text/event-stream" in data
    assert b"retry: 100" in data
    assert b"id: 42" in data
    read_until(connected, b":\n\n")  # and beats while there is nothing to tell
    connected.close()


@pytest.mark.parametrize("go", [reset, leave])
@pytest.mark.parametrize("pause", [0.05, 60])
@pytest.mark.parametrize("events", PATIENT, indirect=True)
def test_a_second_after_clients_have_gone_nothing_of_them_is_left(events, held, colour, pause, go):
    """Under WSGI a stream that has nothing to tell notices it by its heartbeat, each 0.4 s."""

    def seconds():
        before = settled(held)
        connections = [begin(events, f"/{colour}/events?pause={pause}") for _ in range(5)]
        assert held()["open"] == before["open"] + 5
        began = time.monotonic()
        for connected in connections:
            go(connected)
        asked = began
        while is_more(seen := held(), before) and asked < began + 5:
            time.sleep(0.05)
            asked = time.monotonic()
        assert not is_more(seen, before), (before, seen)
        assert seen["closed"] == before["closed"] + 5
        return asked - began

    in_time(seconds)


def settled(held):
    """Return what the server holds when the connections of earlier tests are gone."""
    before, seen = held(), None
    while seen != before:
        time.sleep(0.3)
        seen, before = before, held()
    return before


def is_more(seen, before):
    return any(seen[key] > before[key] for key in ("open", "descriptors", "threads", "tasks"))


@pytest.mark.parametrize("events", [by_name["uvicorn-uvloop-httptools"], by_name["hypercorn-trio"]], indirect=True)
def test_a_thousand_streams_hear_a_broadcast_each_second(events, held):
    clients = 1000
    before = settled(held)
    selector = selectors.DefaultSelector()
    heard = {}
    with contextlib.ExitStack() as stack:
        for _ in range(clients):
            connected = stack.enter_context(events.socket(b"GET /subscribe HTTP/1.1\r\nHost: x\r\n\r\n"))
            connected.setblocking(False)
            selector.register(connected, selectors.EVENT_READ)
            heard[connected] = b""
        listen(selector, heard, lambda data: b":\n\n" in data)
        for number in range(3):
            assert events.post("/broadcast", b"", word=f"word-{number}").json == {"subscribers": clients}
            listen(selector, heard, lambda data, word=b"data: word-%d\n\n" % number: word in data)
        selector.close()
    began = time.monotonic()
    while is_more(seen := held(), before) and time.monotonic() < began + 10:
        time.sleep(0.1)
    assert not is_more(seen, before), (before, seen)


def listen(selector, heard, is_enough):
    """Read from all sockets until each has heard enough."""
    deadline = time.monotonic() + 20
    while not all(map(is_enough, heard.values())):
        assert time.monotonic() < deadline, f"{sum(map(is_enough, heard.values()))} of {len(heard)} have heard it"
        for key, _ in selector.select(1):
            heard[key.fileobj] += key.fileobj.recv(65536)


@pytest.mark.parametrize("events", PATIENT, indirect=True)
def test_nobody_has_complained(events):
    assert events.complaints() == []
