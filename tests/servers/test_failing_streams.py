"""A response that fails when a part of it was sent: its client must not take it for a complete one."""

from __future__ import annotations

import http.client
import time

import pytest

from .kinds import KINDS


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


@pytest.mark.parametrize("kind", KINDS)
def test_the_connection_breaks_off(start, kind, colour):
    server = start(kind, "failing")
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        read_failing(server, colour)
    check_log(server)
    assert server.get("/ready").status == 200
