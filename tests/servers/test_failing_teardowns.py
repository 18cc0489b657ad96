"""A teardown that fails when the view's response has been started: its client gets a 500, and nothing of the other."""

from __future__ import annotations

import pytest

from .kinds import KINDS


@pytest.mark.parametrize("kind", KINDS)
def test_the_500_takes_the_place_of_the_views_response(start, kind, colour):
    server = start(kind, "failing")
    answer = server.get(f"/untidy/{colour}")
    assert answer.status == 500
    assert b"Internal Server Error" in answer.body
    assert answer.headers["X-View"] is answer.headers["Set-Cookie"] is None
    assert [int(length) for length in answer.headers.get_all("Content-Length")] == [len(answer.body)]
    assert len(answer.headers.get_all("Content-Type")) == 1
    assert "LookupError: the teardown" in server.output
    assert server.get("/ready").status == 200
