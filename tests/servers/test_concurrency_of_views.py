"""Requests that wait don't hold up one another."""

from __future__ import annotations

import time

import pytest

from .kinds import KINDS
from .serving import at_once, read_to_end, seconds_of


def test_views_wait_side_by_side(live, colour):
    def wait(number):
        assert live.get(f"/{colour}/sleep", seconds=0.5).text == "slept"

    number = min(live.kind.at_once, 10)
    assert seconds_of(at_once, wait, range(number)) < 0.9  # one after the other: 1 s, or 5


@pytest.mark.parametrize("live", [kind for kind in KINDS if kind.at_once >= 10], indirect=True)
def test_async_views_of_concurrent_requests_meet_on_one_loop(live):
    """Under gunicorn's gthread and gevent, too: each waits for the others, which no loop of its own would allow."""
    answers = at_once(lambda _: live.get("/async/meet", key="meeting", number=10), range(10))
    assert [answer.json for answer in answers] == [{"loops": 1}] * 10


def test_a_blocking_call_in_a_thread_does_not_delay_other_async_views(live):
    """The call is C code that gevent can't replace. `run_in_thread` sees the request."""

    def block_or_sleep(number):
        if number == 0:
            return live.get("/async/block", seconds=0.7, key="in a thread").text
        return seconds_of(lambda: live.get("/async/sleep", seconds=0.1))

    number = min(live.kind.at_once, 4)
    text, *seconds = at_once(block_or_sleep, range(number))
    assert text == "in a thread"
    assert max(seconds) < 0.5


def test_a_slow_upload_does_not_delay_other_async_views(live):
    """Under WSGI all of them share the background loop, which must not read from a connection."""
    head = b"POST /async/echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 10\r\n\r\n"
    with live.socket(head) as connected:
        time.sleep(0.1)
        assert max(seconds_of(live.get, "/async/whoami?key=quick", {"X-Key": "quick"}) for _ in range(3)) < 0.5
        connected.sendall(b"0123456789")
        assert b'"length":10,' in read_to_end(connected)
