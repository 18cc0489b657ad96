"""Threads that inherit contexts, as Python 3.14 can have them.

Such a thread runs in ``self._context``, a copy of its starter's context. The class below does the
same on any Python, so that the rule is tested where the flag does not exist.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, ContextVar, copy_context

import pytest

from flaskctx.local import Local, LocalStack, namespace, stack
from flaskctx.local.inheritance import UninheritedVar, in_own_context, plain_holder, uninherited

NEW_PYTHON = hasattr(sys.flags, "thread_inherit_context")


class InheritingThread(threading.Thread):
    """Starts in a copy of its starter's context, as where ``thread_inherit_context`` is set."""

    def start(self):
        if getattr(self, "_context", None) is None:
            self._context = copy_context()
        super().start()

    if not NEW_PYTHON:

        def run(self):
            self._context.run(super().run)


@pytest.fixture(autouse=True)
def inheriting_interpreter(monkeypatch):
    monkeypatch.setattr(stack, "uninherited", UninheritedVar)
    monkeypatch.setattr(namespace, "uninherited", UninheritedVar)
    monkeypatch.setattr(threading, "Thread", InheritingThread)


def in_thread(function, *arguments):
    results = []
    thread = InheritingThread(target=lambda: results.append(function(*arguments)))
    thread.start()
    thread.join()
    assert results, "the thread failed"
    return results[0]


class Request:
    method = "GET"


class Place:
    def __init__(self):
        self.local, self.stack = Local(), LocalStack()
        self.proxies = (self.local("request"), self.stack(), self.stack("__class__"))

    def enter(self):
        self.local.request = Request()
        self.stack.push(Request())

    def bound(self):
        """Tell for each way to look whether something is there; they have to agree."""
        ways = {
            hasattr(self.local, "request"),
            bool(list(self.local)),
            bool(self.local.__storage__),
            self.stack.top is not None,
            self.stack.top_node is not None,
            bool(list(self.stack.nodes())),
            hasattr(self.stack._local, "stack"),
            *(repr(proxy) != "<LocalProxy unbound>" for proxy in self.proxies),
            *(bool(proxy) for proxy in self.proxies),
        }
        assert len(ways) == 1, "some ways to look see a value and some do not"
        return ways.pop()


@pytest.fixture
def place():
    place = Place()
    place.enter()
    return place


def test_a_plain_thread_inherits_context_variables_here():
    var = ContextVar("var", default="unset")
    var.set("set")
    assert in_thread(var.get) == "set"


def test_a_plain_thread_starts_unbound(place):
    assert in_thread(place.bound) is False
    assert place.bound() is True


def test_a_plain_thread_sees_what_it_pushes_itself_and_nothing_below(place):
    def work():
        place.enter()
        assert place.bound()
        assert len(place.stack.push("more")) == 2
        place.stack.pop()
        place.stack.pop()
        place.local.__release_local__()
        return place.bound()

    assert in_thread(work) is False


def test_a_plain_thread_starts_with_empty_locals_and_keeps_what_it_sets(place):
    def work():
        place.local.other = 1
        return dict(place.local)

    assert in_thread(work) == {"other": 1}


def test_pop_in_a_plain_thread_finds_nothing(place):
    assert in_thread(place.stack.pop) is None
    assert place.bound() is True


def test_a_thread_started_by_such_a_thread_starts_unbound(place):
    assert in_thread(in_thread, place.bound) is False


def test_a_thread_started_by_a_thread_that_pushed_starts_unbound(place):
    def work():
        place.enter()
        return in_thread(place.bound)

    assert in_thread(work) is False


def test_code_that_was_handed_a_copied_context_sees_it(place):
    assert in_thread(copy_context().run, place.bound) is True


def test_an_executor_job_that_was_handed_the_context_which_its_worker_inherited_sees_it(place):
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(copy_context().run, place.bound).result() is True  # this starts the worker
        assert pool.submit(place.bound).result() is False
        assert pool.submit(copy_context().run, place.bound).result() is True


async def test_asyncio_to_thread_sees_what_its_task_sees():
    place = Place()
    place.enter()
    assert await asyncio.to_thread(place.bound) is True
    assert await asyncio.to_thread(place.bound) is True


async def test_child_tasks_see_what_their_parent_sees():
    place = Place()
    place.enter()

    async def child():
        return place.bound()

    assert await asyncio.create_task(child()) is True


def test_a_coroutine_handed_to_a_loop_in_another_thread_sees_its_senders_context(place):
    loop = asyncio.new_event_loop()
    thread = InheritingThread(target=loop.run_forever)
    thread.start()

    async def look():
        return place.bound()

    try:
        assert asyncio.run_coroutine_threadsafe(look(), loop).result(10) is True
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def test_a_chain_that_a_thread_enters_on_purpose_is_visible_in_it(place):
    node = place.stack.top_node

    def work():
        place.stack.set_node(node)
        place.stack.push("own")
        place.stack.pop()
        return place.stack.top_node is node

    assert in_thread(work) is True


def test_a_thread_that_threading_did_not_start_is_left_alone(place, monkeypatch):
    monkeypatch.setattr(threading, "current_thread", object)
    assert in_own_context() is False
    assert place.bound() is True


def test_only_the_threads_own_context_is_its_own():
    assert in_thread(in_own_context) is True
    assert in_thread(copy_context().run, in_own_context) is False
    assert in_own_context() is False


def test_looking_leaves_no_trace_in_the_context():
    def work():
        before = dict(copy_context())
        in_own_context()
        return dict(copy_context()) == before

    assert in_thread(work) is True


def test_a_thread_that_starts_in_an_empty_context_is_unbound(place):
    assert in_thread(Context().run, place.bound) is False


def test_without_the_flag_the_variable_is_used_as_it_is():
    var = ContextVar("var")
    assert plain_holder(var) is var
    assert uninherited is (UninheritedVar if getattr(sys.flags, "thread_inherit_context", False) else plain_holder)
