"""flaskctx/bridge/standing.py: where each thread stands."""

from __future__ import annotations

from queue import SimpleQueue

from flaskctx.bridge import bound
from flaskctx.bridge.standing import bind


def test_nothing_is_kept_of_a_thread_that_stands_nowhere():
    call = object()
    assert bind(call) is None
    assert bound() is call
    assert bind(None) is call
    assert bound() is None


def test_nothing_is_kept_of_the_threads_that_have_served_requests(app, server, colour):
    app.config["MAX_WORKER_THREADS"] = 1
    app.before_request(lambda: None)
    app.get("/")(colour(lambda: "hello"))
    assert server.get("/").text == "hello"
    assert bound() is None
    assert on_worker_thread(app, bound) is None


def on_worker_thread(app, function):
    """Return what a function returns that is called outside of any request."""
    seat, returned = app._worker_threads(), SimpleQueue()
    seat.settle(seat.pool.take(None))
    seat.submit(lambda: returned.put(function()))
    try:
        return returned.get(timeout=5)
    finally:
        seat.release()
