"""flaskctx/testing/leaks.py: what is left behind, and by whom."""

from __future__ import annotations

import asyncio
import sys
import threading
from contextvars import copy_context

import anyio
import pytest

from flaskctx import Response, carry, stream_with_context
from flaskctx.globals import _app_ctx_stack, _request_ctx_stack
from flaskctx.local import LocalStack
from flaskctx.testing import leaks
from flaskctx.testing.leaks import LeakWatch


@pytest.fixture(autouse=True)
def short_grace(monkeypatch):
    monkeypatch.setattr(leaks, "GRACE", 0.05)


@pytest.fixture
def watch():
    with LeakWatch() as watch:
        yield watch


def here(offset=-1):
    """Return the place of the line before this call."""
    frame = sys._getframe(1)
    return f"{__file__}:{frame.f_lineno + offset} in {frame.f_code.co_name}"


def test_nothing_is_left_by_what_is_balanced(app, watch):
    app.get("/")(lambda: "hello")
    with app.app_context(), app.test_request_context("/"), app.test_client() as client:
        client.get("/")
    app.test_client().get("/")
    assert watch.leaks() == []


def test_an_application_that_a_request_has_started_is_not_left_behind(app, watch):
    app.before_serving(lambda: None)
    app.get("/")(lambda: "hello")
    app.test_client().get("/")
    assert watch.leaks() == []


@pytest.mark.parametrize("kind", ["app_context", "test_request_context"])
def test_a_context_that_was_never_popped(app, watch, kind):
    context = getattr(app, kind)()
    context.push()
    place = here()
    assert watch.leaks() == [
        f"{context!r}, pushed at {place}, was never popped. "
        'Push it with "with context:" (or "async with"), or pop it in the end.'
    ]
    context.pop()
    assert watch.leaks() == []


def test_contexts_from_before_do_not_count(app):
    with app.app_context(), LeakWatch() as watch, app.test_request_context():
        pass
    assert watch.leaks() == []


def test_the_stacks_are_put_back_and_no_longer_watched(app):
    push, push_node = LocalStack.push, LocalStack.push_node
    with app.app_context() as before:
        with LeakWatch():
            context = app.test_request_context()
            context.push()
        assert (_app_ctx_stack.top, _request_ctx_stack.top) == (before, None)
    assert (LocalStack.push, LocalStack.push_node) == (push, push_node)
    context.pop()


def test_a_context_that_was_pushed_with_the_stacks_own_push(app, watch):
    context = app.app_context()
    _app_ctx_stack.push(context)
    place = here()
    [leak] = watch.leaks()
    assert f"pushed at {place}, was never popped" in leak
    _app_ctx_stack.pop()


def test_what_is_no_context_at_all(watch):
    _app_ctx_stack.push("not a context")
    assert watch.leaks() == [
        '\'not a context\' was never popped. Push it with "with context:" (or "async with"), or pop it in the end.'
    ]
    _app_ctx_stack.pop()


def test_a_context_that_a_client_keeps(app, watch):
    app.get("/")(lambda: "hello")
    client = app.test_client().__enter__()
    client.get("/")
    place = here()
    [leak] = watch.leaks()
    assert f'pushed at {place}, is kept by a test client. Leave the "with client:" block' in leak
    client.__exit__(None, None, None)
    assert watch.leaks() == []


def test_a_context_that_is_kept_for_the_debugger(app, watch):
    app.debug = True
    app.get("/")(lambda: {}["missing"])
    with pytest.raises(KeyError):
        app.test_client().get("/")
    context = _request_ctx_stack.top
    [leak] = watch.leaks()
    assert "is kept for the debugger, since its request has failed. Set app.testing" in leak
    context.pop(None)


def test_a_context_that_waits_for_the_end_of_its_body(app, watch):
    app.get("/")(lambda: Response(stream_with_context(iter(["a", "b"]))))
    response = app.test_client().get("/")
    [leak] = watch.leaks()
    assert "waits for the end of its response's body. Read the response to its end" in leak
    response.close()
    assert watch.leaks() == []


def test_a_response_that_nobody_has_any_more_is_closed(app, watch):
    app.get("/")(lambda: Response(stream_with_context(iter(["a", "b"]))))
    cycle = [app.test_client().get("/")]
    cycle.append(cycle)
    del cycle
    assert watch.leaks() == []


def test_a_request_that_is_still_being_served_by_another_thread(app, watch):
    started, end = threading.Event(), threading.Event()
    app.get("/")(lambda: started.set() or (end.wait(10) and "hello"))
    thread = threading.Thread(target=lambda: app.test_client().get("/"))
    thread.start()
    assert started.wait(10)
    [leak] = watch.leaks()
    assert "is still being served. Wait for the thread or task" in leak
    end.set()
    thread.join()
    assert watch.leaks() == []


def test_a_request_that_ends_within_a_moment_is_waited_for(app, watch, monkeypatch):
    monkeypatch.setattr(leaks, "GRACE", 10)
    started, end = threading.Event(), threading.Event()
    app.get("/")(lambda: started.set() or (end.wait(10) and "hello"))
    thread = threading.Thread(target=lambda: app.test_client().get("/"))
    thread.start()
    assert started.wait(10)
    threading.Timer(0.05, end.set).start()
    assert watch.leaks() == []
    thread.join()


async def test_a_request_that_a_task_goes_on_serving(app, watch):
    @app.get("/")
    async def slow():
        await anyio.sleep_forever()

    task = asyncio.create_task(app.async_test_client().get("/"))
    await asyncio.sleep(0.01)
    [leak] = watch.leaks()
    assert "is still being served" in leak
    task.cancel()
    await asyncio.wait([task])
    assert watch.leaks() == []


def test_a_context_that_lives_on_in_another_chain(app, watch):
    context = app.app_context()
    copy_context().run(context.push)
    [leak] = watch.leaks()
    assert "was never popped" in leak
    context.pop()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_what_an_async_function_leaves_on_the_stacks_of_its_task(app, watch, backend):
    context = app.app_context()

    async def leave():
        await context.__aenter__()

    anyio.run(watch.wrap(leave), backend=backend)
    [leak] = watch.leaks()
    assert f"pushed at {__file__}" in leak
    context.pop()
    assert watch.leaks() == []


def test_a_borrowed_context_counts_as_its_owner_does(app, watch):
    with app.app_context():
        carry(lambda: None)()
    assert watch.leaks() == []
