"""flaskctx/bridge/standing.py: where each thread stands."""

from __future__ import annotations

import threading

from flaskctx.bridge import bound
from flaskctx.bridge.standing import _standing, bind


def test_nothing_is_kept_of_a_thread_that_stands_nowhere():
    call = object()
    assert bind(call) is None
    assert bound() is call
    assert bind(None) is call
    assert bound() is None
    assert threading.get_ident() not in _standing


def test_nothing_is_kept_of_the_threads_that_have_served_requests(app, server, colour):
    app.before_request(lambda: None)
    app.get("/")(colour(lambda: str(threading.get_ident())))
    ident = int(server.get("/").text)
    assert ident not in _standing
    assert threading.get_ident() not in _standing
