"""The end of a server: what is under way is finished, what was started is drained, and nobody complains."""

from __future__ import annotations

import http.client
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from .kinds import KINDS, WSGI, by_name
from .serving import RunningServer

WAIT = 0.8
"""Seconds that requests and tasks still take when SIGTERM arrives."""


@dataclass
class Ending:
    """What became of a server that got SIGTERM while a `def` and an `async def` view were running."""

    server: RunningServer
    statuses: list
    seconds: float


def end(server, number=signal.SIGTERM):
    """Send a signal to a server with two requests and a background task under way; wait until it has ended."""
    with ThreadPoolExecutor(3) as threads:
        if server.kind.loop == "asyncio":
            server.get("/async/background", key="task", seconds=WAIT)
        requests = [threads.submit(server.get, f"/{colour}/sleep", seconds=WAIT, key=colour) for colour in ("def", "async")]
        time.sleep(0.3)
        server.process.send_signal(number)
        seconds = server.wait_for_end()
        statuses = [request.exception() or request.result().status for request in requests]
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


DEVELOPMENT = by_name["werkzeug"]


@pytest.mark.parametrize("ending", [kind for kind in KINDS if kind is not DEVELOPMENT], indirect=True)
def test_requests_under_way_are_finished(ending):
    assert ending.statuses == [200, 200]
    assert ending.server.journal("def") == ending.server.journal("async") == ["async-teardown", "teardown"]


@pytest.mark.parametrize("ending", [DEVELOPMENT], indirect=True)
def test_the_development_server_drops_requests_under_way(ending):
    """Known limit: its threads end with the process, whose end SIGTERM is."""
    assert [type(status) for status in ending.statuses] == [http.client.RemoteDisconnected] * 2


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


def test_sigkill_drains_nothing(start):
    """Known limit: nobody can."""
    server = start(DEVELOPMENT)
    server.get("/async/background", key="task", seconds=0.3)
    server.process.kill()
    server.process.wait()
    time.sleep(0.5)
    assert "background" not in server.journal("task")
