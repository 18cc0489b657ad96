"""Time limits, on real servers."""

from __future__ import annotations

import time

import pytest

from .kinds import ASGI, by_name
from .serving import read_to_end


@pytest.fixture(scope="module")
def limited(request, start_for_module):
    """A server of `limits.py`, one for each kind."""
    return start_for_module(request.param, "limits")


TRIO = by_name["hypercorn-trio"]
SERVERS = [*ASGI, by_name["gunicorn-gthread"], by_name["gunicorn-gevent"]]
on_every_server = pytest.mark.parametrize("limited", SERVERS, indirect=True, scope="module")
under_asgi = pytest.mark.parametrize("limited", ASGI, indirect=True, scope="module")


@on_every_server
def test_an_async_view_that_takes_too_long_is_cancelled_and_answers_503(limited):
    assert limited.get("/too-long", key="too-long").status == 503
    assert limited.wait_for_journal("too-long", "teardown", "view-ended") == ["teardown", "view-ended"]


@under_asgi
def test_a_body_that_takes_too_long_to_arrive_is_a_408(limited):
    head = b"POST /body HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 100\r\n\r\n"
    with limited.socket(head + b"0123456789") as connected:
        assert b" 408 " in read_to_end(connected).partition(b"\r\n")[0]


@on_every_server
def test_no_server_complains_of_that(limited):
    assert limited.complaints() == []


UNREAD = b"GET /unread?key=unread HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize("limited", [kind for kind in ASGI if kind is not TRIO], indirect=True, scope="module")
def test_a_response_that_takes_too_long_to_be_sent_is_broken_off(limited):
    with limited.socket(UNREAD):
        assert limited.wait_for_journal("unread", "closed", "teardown") == ["closed", "teardown"]


@pytest.mark.parametrize("limited", [TRIO], indirect=True, scope="module")
def test_on_hypercorns_trio_it_is_broken_off_when_the_client_leaves(limited):
    """Known limit: its trio worker shields what it sends from being cancelled."""
    with limited.socket(UNREAD):
        time.sleep(1)
        assert limited.journal("unread") == ["teardown"]
    assert limited.wait_for_journal("unread", "closed", "teardown") == ["closed", "teardown"]
