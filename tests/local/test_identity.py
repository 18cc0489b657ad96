"""The identity of the running code."""

from __future__ import annotations

import asyncio
import sys
import threading

import pytest
import trio

from flaskctx.local import get_ident


def in_thread(function):
    results = []
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.start()
    thread.join()
    return results[0]


def test_outside_of_tasks_it_is_the_threads():
    assert get_ident() == threading.get_ident()
    assert in_thread(lambda: get_ident() == threading.get_ident())


async def test_in_asyncio_it_is_the_tasks():
    async def ident():
        return get_ident()

    task = asyncio.create_task(ident())
    assert await task == id(task)
    assert get_ident() == id(asyncio.current_task())


async def test_in_a_callback_of_the_loop_it_is_the_threads():
    done = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(lambda: done.set_result(get_ident()))
    assert await done == threading.get_ident()


def test_in_trio_it_is_the_tasks():
    async def main():
        return get_ident() == id(trio.lowlevel.current_task())

    assert trio.run(main)


def test_in_a_greenlet_it_is_the_greenlets():
    greenlet = pytest.importorskip("greenlet")
    child = greenlet.greenlet(get_ident)
    assert child.switch() == id(child)
    assert get_ident() == threading.get_ident()


def test_nothing_is_imported_to_find_out(monkeypatch):
    for name in ("greenlet", "asyncio", "trio.lowlevel"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    assert get_ident() == threading.get_ident()
    assert "greenlet" not in sys.modules
