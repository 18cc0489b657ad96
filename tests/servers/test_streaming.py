"""Streams: each chunk arrives when it is made, and a generator ends when its client leaves."""

from __future__ import annotations

import itertools
import os
import socket
import time

import pytest

from .kinds import ASGI, KINDS
from .serving import in_time, read_to_end, reset

ENDED = ["async-teardown", "closed", "teardown"]

numbers = itertools.count()


def ends_in_time(live, path, go, **query):
    """Assert that a stream has ended, and once, within a second of its client's leaving."""

    def seconds():
        key = f"{path.replace('/', '-')}-{next(numbers)}"
        connection, response = begin(live, path, key=key, **query)
        began = time.monotonic()
        go(connection, response)
        live.wait_for_journal(key, *ENDED, seconds=5)
        took = time.monotonic() - began
        time.sleep(0.1)
        assert sorted(live.journal(key)) == ENDED
        return took

    in_time(seconds)


def begin(live, path, **query):
    """Begin to read a response; return its connection once the first bytes are there."""
    connection = live.connection()
    connection.request("GET", path + "?" + "&".join(f"{name}={value}" for name, value in query.items()))
    response = connection.getresponse()
    assert response.status == 200
    assert response.read1(4)
    return connection, response


def leave(connection, response):
    response.close()
    connection.close()


def break_off(connection, response):
    # the socket is closed with the last of its descriptors, of which the two may have one each
    last = socket.socket(fileno=os.dup(response.fileno()))
    leave(connection, response)
    reset(last)


@pytest.fixture(params=[leave, break_off])
def go(request):
    return request.param


def test_chunks_arrive_one_by_one(live, colour):
    connection = live.connection()
    connection.request("GET", f"/{colour}/stream")
    response = connection.getresponse()
    arrivals = []
    while chunk := response.read1():
        arrivals.append((chunk, time.monotonic()))
    connection.close()
    assert [chunk for chunk, _ in arrivals] == [b"0\n", b"1\n", b"2\n"]
    assert arrivals[-1][1] - arrivals[0][1] > 0.2


def test_an_endless_generator_ends_once_when_the_client_leaves(live, colour, go):
    ends_in_time(live, f"/{colour}/endless", go)


def test_a_generator_that_holds_a_task_group_and_a_timeout_is_sent_whole(live):
    key = "holding"
    answer = live.get("/async/holding", key=key, seconds=0.2)
    assert answer.body.endswith(b"holdingend")
    assert live.wait_for_journal(key, *ENDED, seconds=2) == ENDED


def test_and_is_closed_by_the_task_that_holds_them_when_the_client_leaves(live, go):
    """In another task they could not be left, and the server's log would tell."""
    ends_in_time(live, "/async/holding", go, seconds=60)


def test_also_when_it_leaves_in_the_middle_of_its_own_body(live, colour):
    key = f"endless-upload-{colour}"
    head = f"POST /{colour}/endless?key={key} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
    with live.socket(f"{head}0123456789".encode()) as connected:
        data = b""
        while data.count(key.encode()) < 150:
            data += connected.recv(4096)
    assert live.wait_for_journal(key, *ENDED, seconds=2) == ENDED


@pytest.mark.parametrize("live", ASGI, indirect=True)
def test_under_asgi_a_quiet_async_generator_ends_when_the_client_leaves(live, go):
    ends_in_time(live, "/async/quiet", go, seconds=60)


@pytest.mark.parametrize(
    ("live", "path"),
    [(kind, f"/{colour}/quiet") for kind in KINDS for colour in ("def", "async") if kind.is_wsgi or colour == "def"],
    indirect=["live"],
)
def test_elsewhere_a_quiet_generator_ends_at_its_next_chunk(live, path):
    """Known limit: a WSGI server notices the client's leaving when it writes, and a thread can't be stopped."""
    key = f"quiet-{path.replace('/', '-')}"
    leave(*begin(live, path, key=key, seconds=0.6))
    time.sleep(0.2)
    assert live.journal(key) == []
    assert live.wait_for_journal(key, *ENDED) == ENDED


@pytest.mark.parametrize(("method", "code"), [("HEAD", 200), ("GET", 204), ("GET", 304), ("POST", 204), ("HEAD", 404)])
def test_a_response_without_body_has_none(live, colour, method, code):
    head = f"{method} /{colour}/status/{code} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    with live.socket(head.encode()) as connected:
        headers, separator, body = read_to_end(connected).partition(b"\r\n\r\n")
    assert f" {code} ".encode() in headers.partition(b"\r\n")[0]
    assert separator
    assert body == b""
