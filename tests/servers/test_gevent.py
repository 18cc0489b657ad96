"""gunicorn's gevent worker: coroutines run on a native thread beside the greenlets that wait for them."""

from __future__ import annotations

import pytest

from .kinds import GEVENT
from .serving import at_once, seconds_of

on_gevent = pytest.mark.parametrize("live", GEVENT, indirect=True)


@on_gevent
def test_fifty_async_views_wait_side_by_side(live):
    def wait(number):
        assert live.get("/async/sleep", seconds=0.3).text == "slept"

    assert seconds_of(at_once, wait, range(50)) < 1.5


@on_gevent
def test_greenlets_go_on_while_an_async_view_waits(live):
    def wait(colour):
        return seconds_of(lambda: live.get(f"/{colour}/sleep", seconds=0.2))

    assert seconds_of(at_once, wait, ["async", "def"] * 10) < 1


@on_gevent
def test_many_blocking_calls_run_side_by_side(live):
    def block(number):
        assert live.get("/async/block", seconds=0.3, key="x").text == "x"

    assert seconds_of(at_once, block, range(20)) < 1.5
