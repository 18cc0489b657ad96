"""Clients that leave while a view works for them, and clients that don't read what they have asked for."""

from __future__ import annotations

import itertools
import time
from contextlib import ExitStack

import pytest

from .kinds import ASGI, KINDS
from .sending import Sampler
from .serving import in_time, leave, reset

SHOWING = [kind for kind in KINDS if kind.name != "granian-wsgi"]
"""Servers of which an application can learn that its client has left; granian's WSGI doesn't show the socket."""


@pytest.fixture(scope="module")
def started():
    """The servers that these tests share, by their kind."""
    return {}


@pytest.fixture
def running(request, started, start_for_module):
    kind = request.param
    if kind not in started:
        started[kind] = start_for_module(kind, "clients")
    return started[kind]


numbers = itertools.count()


def ask(running, path):
    """Send a request; return its socket, and the key of its entries in the journal."""
    key = f"{path.replace('/', '-')}-{next(numbers)}"
    return running.socket(f"GET {path}?key={key} HTTP/1.1\r\nHost: x\r\n\r\n".encode()), key


@pytest.mark.parametrize("path", ["/plain", "/returned", "/waited-for"])
@pytest.mark.parametrize("go", [reset, leave])
@pytest.mark.parametrize("running", ASGI, indirect=True)
def test_an_async_view_ends_within_a_second_of_its_client_leaving(running, go, path):
    """Also one behind a `def` wrapper."""

    def seconds():
        connected, key = ask(running, path)
        running.wait_for_journal(key, "begun")
        began = time.monotonic()
        go(connected)
        assert running.wait_for_journal(key, "teardown", seconds=5) == ["begun", "cancelled", "teardown"]
        return time.monotonic() - began

    in_time(seconds)


@pytest.mark.parametrize("path", ["/returned/limited", "/waited-for/limited"])
@pytest.mark.parametrize("running", KINDS, indirect=True)
def test_an_async_view_behind_a_def_wrapper_has_its_time(running, path):
    key = f"limited-{path}"
    assert running.get(path, key=key).status == 503
    assert running.wait_for_journal(key, "teardown") == ["begun", "cancelled", "teardown"]


@pytest.mark.parametrize("go", [reset, leave])
@pytest.mark.parametrize("running", SHOWING, indirect=True)
def test_a_thread_that_a_def_view_waits_for_sees_the_client_leave(running, go):
    def seconds():
        connected, key = ask(running, "/asks")
        running.wait_for_journal(key, "begun")
        began = time.monotonic()
        go(connected)
        assert running.wait_for_journal(key, "teardown", seconds=5) == ["begun", "seen", "teardown"]
        return time.monotonic() - began

    in_time(seconds)


@pytest.mark.parametrize("running", ASGI, indirect=True)
def test_views_that_are_not_cancelled_may_ask_whether_it_has_left(running, colour):
    connected, key = ask(running, f"/{colour}/stays")
    running.wait_for_journal(key, "begun")
    leave(connected)
    assert running.wait_for_journal(key, "teardown") == ["begun", "left", "teardown"]


@pytest.mark.parametrize("running", ASGI, indirect=True)
def test_background_work_goes_on_when_the_client_leaves(running):
    connected, key = ask(running, "/work")
    running.wait_for_journal(key, "begun")
    leave(connected)
    done = running.wait_for_journal(key, "async-task", "def-task", "teardown")
    assert done == ["async-task", "begun", "def-task", "teardown"]


@pytest.mark.parametrize("running", KINDS, indirect=True)
def test_a_client_that_does_not_read_stops_the_producer(running, colour):
    """Of a plain stream and of an event stream, both at once."""
    with ExitStack() as stack, Sampler(running) as sampler:
        asked = [ask(running, f"/{colour}/{what}") for what in ("stream", "events")]
        for connected, key in asked:
            stack.enter_context(connected)
            running.wait_for_journal(key, "chunk", seconds=10)
        made, before = counts(running, asked), None
        deadline = time.monotonic() + 10
        while made != before and time.monotonic() < deadline:
            time.sleep(0.7)
            made, before = counts(running, asked), made
        assert made == before, "it is still producing"
        # what the sockets on both sides hold, about 6 MB, is the kernel's
        assert all(0 < number < 200 for number in made)
        assert sampler.memory < 20_000_000
        for connected, key in asked:
            reset(connected)
            assert set(running.wait_for_journal(key, "closed", "teardown")) == {"chunk", "closed", "teardown"}


def counts(running, asked):
    return [running.journal(key).count("chunk") for _, key in asked]


@pytest.mark.parametrize("running", KINDS, indirect=True)
def test_nobody_has_complained(running):
    assert running.complaints() == []
