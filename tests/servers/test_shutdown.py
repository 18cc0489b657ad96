"""The end of a server: what is under way is finished, what was started is drained, and nobody complains."""

from __future__ import annotations

import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import pytest

from .kinds import KINDS, WSGI, by_name
from .serving import RunningServer, read_to_end

DEVELOPMENT = by_name["werkzeug"]

WAIT = 0.8
"""Seconds that requests and tasks still take when SIGTERM arrives."""


@dataclass
class Ending:
    """What became of a server that got a signal while requests and a background task were under way."""

    server: RunningServer
    statuses: list
    seconds: float


def end(server, number=signal.SIGTERM):
    """Send a signal to a server that has something to do; wait until it has ended."""
    with ThreadPoolExecutor(2) as threads:
        if server.kind.loop == "asyncio":
            server.get("/async/background", key="task", seconds=WAIT)
        colours = [] if server.kind is DEVELOPMENT else ["def", "async"]
        requests = [threads.submit(server.get, f"/{colour}/sleep", seconds=WAIT, key=colour) for colour in colours]
        time.sleep(0.3)
        server.process.send_signal(number)
        seconds = server.wait_for_end()
        statuses = [request.result().status for request in requests]
    return Ending(server, statuses, seconds)


@pytest.fixture(scope="module")
def endings():
    return {}


@pytest.fixture(params=KINDS)
def ending(request, endings, start_for_module):
    kind = request.param
    if kind not in endings:
        endings[kind] = end(start_for_module(kind))
    return endings[kind]


@pytest.mark.parametrize("ending", [kind for kind in KINDS if kind is not DEVELOPMENT], indirect=True)
def test_requests_under_way_are_finished(ending):
    assert ending.statuses == [200, 200]
    assert ending.server.journal("def") == ending.server.journal("async") == ["async-teardown", "teardown"]


def test_the_server_ends_soon(ending):
    assert ending.seconds < 4


def test_nothing_is_left_undone(ending):
    """No warning, no traceback, no task or coroutine that was never finished."""
    assert ending.server.complaints() == []


@pytest.mark.parametrize("ending", WSGI, indirect=True)
def test_a_task_on_the_background_loop_is_drained(ending):
    """It calls `asyncio.to_thread` when the interpreter is on its way out already."""
    assert "background" in ending.server.journal("task")


@pytest.mark.parametrize("kind", [by_name["gunicorn-gthread"], DEVELOPMENT])
def test_sigint_is_a_normal_end_too(start, kind):
    ended = end(start(kind), signal.SIGINT)
    assert "background" in ended.server.journal("task")


CUTTING = ["uvicorn-asyncio-h11", "uvicorn-uvloop-httptools", "hypercorn-trio"]
if sys.version_info < (3, 12):
    # from then on asyncio's servers wait for the last connection to close, and hypercorn waits for that first
    CUTTING.append("hypercorn-asyncio")


@pytest.mark.parametrize("name", CUTTING)
def test_a_stream_that_the_server_cuts_off_is_closed_and_torn_down(start, colour, name):
    """These servers cancel its task when their patience is at an end. The others kill the process."""
    server = start(replace(by_name[name], patience=1))
    with server.socket(f"GET /{colour}/endless?key=cut HTTP/1.1\r\nHost: x\r\n\r\n".encode()) as connected:
        assert connected.recv(100)
        server.terminate()
        server.wait_for_end()
    assert sorted(server.journal("cut")) == ["async-teardown", "closed", "teardown"]


def test_the_development_server_drops_requests_under_way(start):
    """Known limit: its threads end with the process."""
    server = start(DEVELOPMENT)
    with server.socket(b"GET /def/sleep?seconds=3 HTTP/1.1\r\nHost: x\r\n\r\n") as connected:
        time.sleep(0.2)
        server.terminate()
        assert server.wait_for_end() < 2
        assert read_to_end(connected) == b""
    assert server.complaints() == []


def test_the_development_server_does_not_wait_for_endless_streams(start):
    server = start(DEVELOPMENT)
    with server.socket(b"GET /async/endless?key=cut HTTP/1.1\r\nHost: x\r\n\r\n") as connected:
        assert connected.recv(100)
        server.terminate()
        assert server.wait_for_end() < 2
    assert "closed" in server.journal("cut")
    assert server.complaints() == []


def test_sigkill_drains_nothing(start):
    """Known limit: nobody can."""
    server = start(DEVELOPMENT)
    server.get("/async/background", key="task", seconds=0.3)
    server.process.kill()
    server.process.wait()
    time.sleep(0.5)
    assert "background" not in server.journal("task")
