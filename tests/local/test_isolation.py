"""Threads, tasks and greenlets keep their values apart; what was handed a copied context sees them."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import pytest
import trio

from flaskctx.local import Local, LocalStack


class Place:
    """A Local, a LocalStack and proxies to them, filled and looked at together."""

    def __init__(self):
        self.local, self.stack = Local(), LocalStack()
        self.attribute, self.top = self.local("name"), self.stack()

    def enter(self, name):
        self.local.name = name
        self.stack.push(name)

    def look(self):
        return [
            getattr(self.local, "name", None),
            self.stack.top,
            self.attribute._get_current_object() if self.attribute else None,
            self.top._get_current_object() if self.top else None,
        ]


EMPTY = [None] * 4


@pytest.fixture
def place():
    place = Place()
    place.enter("outer")
    return place


def test_plain_threads_start_unbound_and_stay_apart(place):
    barrier = threading.Barrier(4)

    def work(name):
        before = place.look()
        place.enter(name)
        barrier.wait()
        return before, place.look()

    with ThreadPoolExecutor(4) as pool:
        for name, (before, after) in zip("abcd", pool.map(work, "abcd"), strict=True):
            assert before == EMPTY
            assert after == [name] * 4
    assert place.look() == ["outer"] * 4


def test_a_thread_that_was_handed_a_context_sees_it(place):
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(copy_context().run, place.look).result() == ["outer"] * 4
        assert pool.submit(place.look).result() == EMPTY


async def test_asyncio_to_thread_sees_what_its_task_sees():
    place = Place()
    place.enter("task")
    assert await asyncio.to_thread(place.look) == ["task"] * 4
    assert await asyncio.to_thread(lambda: (place.enter("worker"), place.look())[1]) == ["worker"] * 4
    assert place.look() == ["task"] * 4


async def test_asyncio_tasks_start_with_their_parents_values_and_stay_apart():
    place = Place()
    place.enter("parent")
    together = asyncio.Barrier(3)

    async def child(name):
        before = place.look()
        place.enter(name)
        await together.wait()
        return before, place.look()

    for name, (before, after) in zip("abc", await asyncio.gather(*map(child, "abc")), strict=True):
        assert before == ["parent"] * 4
        assert after == [name] * 4
    assert place.look() == ["parent"] * 4


def test_trio_tasks_start_with_their_parents_values_and_stay_apart():
    place = Place()
    results = {}

    async def child(name, together):
        before = place.look()
        place.enter(name)
        await together()
        results[name] = before, place.look()

    async def main():
        place.enter("parent")
        arrived, everyone = [], trio.Event()

        async def together():
            arrived.append(1)
            if len(arrived) == 3:
                everyone.set()
            await everyone.wait()

        async with trio.open_nursery() as nursery:
            for name in "abc":
                nursery.start_soon(child, name, together)
        results["thread"] = await trio.to_thread.run_sync(place.look)
        return place.look()

    assert trio.run(main) == ["parent"] * 4
    for name in "abc":
        assert results[name] == (["parent"] * 4, [name] * 4)
    assert results["thread"] == ["parent"] * 4
    assert place.look() == EMPTY


def test_greenlets_start_unbound_and_stay_apart(place):
    greenlet = pytest.importorskip("greenlet")

    def work(name):
        before = place.look()
        place.enter(name)
        main.switch()
        return before, place.look()

    main = greenlet.getcurrent()
    greenlets = {name: greenlet.greenlet(work) for name in "abc"}
    for name, each in greenlets.items():
        each.switch(name)
        assert place.look() == ["outer"] * 4
    for name, each in greenlets.items():
        assert each.switch() == (EMPTY, [name] * 4)
    assert place.look() == ["outer"] * 4


def test_a_greenlet_that_was_handed_a_context_sees_it(place):
    greenlet = pytest.importorskip("greenlet")
    child = greenlet.greenlet(place.look)
    child.gr_context = copy_context()
    assert child.switch() == ["outer"] * 4


def test_old_style_storage_look_up_works_in_each_greenlet():
    greenlet = pytest.importorskip("greenlet")
    place = Place()

    def work():
        place.enter("green")
        local = place.local
        return local.__storage__[local.__ident_func__()]["name"]

    assert greenlet.greenlet(work).switch() == "green"


def test_gevent_greenlets_and_patched_threads_start_unbound():
    pytest.importorskip("gevent")
    program = """
        from gevent import monkey
        monkey.patch_all()
        import threading
        import gevent
        from flaskctx.local import Local, LocalStack

        stack, local = LocalStack(), Local()
        stack.push("main")
        local.name = "main"
        seen = []

        def work(name):
            seen.append((stack.top, getattr(local, "name", None)))
            stack.push(name)
            local.name = name
            gevent.sleep(0)
            seen.append((stack.top, local.name, local.__storage__[local.__ident_func__()]["name"]))

        gevent.joinall([gevent.spawn(work, "a"), gevent.spawn(work, "b")])
        thread = threading.Thread(target=work, args=("c",))
        thread.start()
        thread.join()
        assert seen == [
            (None, None), (None, None), ("a", "a", "a"), ("b", "b", "b"), (None, None), ("c", "c", "c"),
        ], seen
        assert (stack.top, local.name) == ("main", "main")
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
