"""A response that fails when a part of it was sent: its client must not take it for a complete one."""

from __future__ import annotations

import http.client
import time

import pytest

from .kinds import KINDS, by_name

GRANIAN = by_name["granian-wsgi"]


def read_failing(server, colour):
    """Read a response that fails, to its end."""
    connection = server.connection()
    try:
        connection.request("GET", f"/{colour}/fails")
        response = connection.getresponse()
        assert response.status == 200
        with response:
            return response.read()
    finally:
        connection.close()


def check_log(server):
    """The exception is in the server's log, once."""
    deadline = time.monotonic() + 5
    while "raise BrokenStreamError" not in server.output and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.2)
    assert server.output.count("raise BrokenStreamError") == 1


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not GRANIAN])
def test_the_connection_breaks_off(start, kind, colour):
    server = start(kind, "failing")
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        read_failing(server, colour)
    check_log(server)
    assert server.get("/ready").status == 200


def test_granian_ends_it_regularly_through_wsgi(start, colour):
    """Known limit: it logs what the body has raised, and ends the response as if it were whole; not through ASGI."""
    server = start(GRANIAN, "failing")
    assert read_failing(server, colour) == b"begin"
    check_log(server)
