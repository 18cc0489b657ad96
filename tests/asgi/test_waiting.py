"""flaskctx/asgi/waiting.py: one timer of a loop looks after all requests that wait on it."""

from __future__ import annotations

import asyncio

import pytest

from flaskctx.asgi import waiting
from flaskctx.asgi.waiting import LOOKS, waiting_room

pytestmark = pytest.mark.asyncio


class Waiting:
    """Stands for an exchange."""

    def __init__(self):
        self.watched = 0
        self.others = waiting_room(asyncio.get_running_loop()).enter(self)

    def watch(self, delay):
        assert delay == 0
        self.watched += 1

    def leave(self):
        self.others.pop(self, None)


@pytest.fixture
def period(monkeypatch):
    period = 0.02
    monkeypatch.setattr(waiting, "PERIOD", period)
    return period


@pytest.fixture
def timers(monkeypatch):
    """The timers that were started for looks."""
    timers, call_later = [], asyncio.BaseEventLoop.call_later

    def counted(loop, seconds, function, *args, **kwargs):
        if function.__name__ == "_look":
            timers.append(seconds)
        return call_later(loop, seconds, function, *args, **kwargs)

    monkeypatch.setattr(asyncio.BaseEventLoop, "call_later", counted)
    return timers


async def until(condition):
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_request_is_watched_once_when_it_has_waited_for_some_looks(period):
    request = Waiting()
    await asyncio.sleep(period * (LOOKS - 1))
    assert request.watched == 0
    await until(lambda: request.watched)
    await asyncio.sleep(period * 5)
    assert request.watched == 1


@pytest.mark.usefixtures("period")
async def test_one_that_has_left_is_not_watched():
    stays, leaves = Waiting(), Waiting()
    leaves.leave()
    await until(lambda: stays.watched)
    assert leaves.watched == 0


async def test_there_is_one_timer_for_all_and_none_when_nobody_waits(period, timers):
    requests = [Waiting() for _ in range(100)]
    assert len(timers) == 1
    for request in requests:
        request.leave()
    await asyncio.sleep(period * 4)
    assert len(timers) == 1
    late = Waiting()
    assert len(timers) == 2
    await until(lambda: late.watched)
    await asyncio.sleep(period * 4)
    assert len(timers) == 2 + LOOKS


async def test_each_loop_has_its_own_room():
    room = await own_room()
    assert await own_room() is room
    others = await asyncio.to_thread(lambda: [asyncio.run(own_room()) for _ in range(2)])
    assert len({id(one) for one in [room, *others]}) == 3


async def own_room():
    return waiting_room(asyncio.get_running_loop())
