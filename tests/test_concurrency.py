"""flaskctx/concurrency.py: a blocking function called in a thread, in the caller's context."""

from __future__ import annotations

import asyncio
import threading
import time
from contextvars import ContextVar

import anyio
import pytest

from flaskctx import Flask, concurrency, g, request, run_in_thread, session

colour_of_day = ContextVar("colour_of_day")


@pytest.fixture(params=["asyncio", "trio"])
def run(request):
    """Run a coroutine function on a loop of each kind."""
    return lambda function: anyio.run(function, backend=request.param)


@pytest.fixture(params=["anyio's threads", "native threads"], autouse=True)
def threads(request, monkeypatch):
    """The two ways to a thread: the usual one, and the one that is taken under gevent."""
    monkeypatch.setattr(concurrency, "gevent_patches_threads", lambda: request.param == "native threads")
    return request.param


def test_returns_what_the_function_returns(run):
    async def main():
        return await run_in_thread(sorted, [2, 3, 1], reverse=True)

    assert run(main) == [3, 2, 1]


def test_an_async_function_is_refused(run):
    async def function():
        pass

    with pytest.raises(TypeError, match="await it itself"):
        run(lambda: run_in_thread(function))


def test_a_coroutine_is_refused(run):
    async def function():
        pass

    with pytest.raises(TypeError, match=r"run_in_thread\(f, ...\) instead of run_in_thread\(f\(...\)\)"):
        run(lambda: run_in_thread(function()))


@pytest.mark.parametrize(
    "begin", [anyio.run, lambda function: asyncio.run(function())], ids=["anyio.run", "asyncio.run"]
)
def test_the_function_may_have_a_loop_of_its_own(run, begin, threads):
    if threads == "native threads":
        pytest.skip("gevent's workers have no loop that anyio.run has begun, whose mark would have to be left behind")

    async def main():
        return await run_in_thread(begin, inner)

    async def inner():
        await anyio.sleep(0)
        return "inner"

    assert run(main) == "inner"


def test_the_function_runs_in_another_thread(run):
    async def main():
        return await run_in_thread(threading.get_ident)

    assert run(main) != threading.get_ident()


def test_the_loop_goes_on_meanwhile(run):
    async def main():
        seen = []

        async def blocking():
            await run_in_thread(time.sleep, 0.1)
            seen.append("blocking")

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(blocking)
            await anyio.sleep(0.01)
            seen.append("loop")
        return seen

    assert run(main) == ["loop", "blocking"]


def test_raises_what_the_function_raises(run):
    async def main():
        await run_in_thread(int, "x")

    with pytest.raises(ValueError, match="invalid literal"):
        run(main)


def test_a_stop_iteration_arrives_as_the_cause_of_a_runtime_error(run):
    """PEP 479."""

    async def main():
        await run_in_thread(next, iter(()))

    with pytest.raises(RuntimeError, match="StopIteration") as caught:
        run(main)
    assert isinstance(caught.value.__cause__, StopIteration)


def test_an_error_handler_gets_the_stop_iteration(app, server):
    @app.errorhandler(StopIteration)
    def exhausted(error):
        return type(error).__name__

    @app.get("/")
    async def index():
        return await run_in_thread(next, iter(()))

    assert server.get("/").text == "StopIteration"


def test_the_function_sees_the_context_variables_of_the_caller(run):
    async def main():
        colour_of_day.set("green")
        return await run_in_thread(colour_of_day.get)

    assert run(main) == "green"


def test_what_the_function_sets_stays_its_own(run):
    async def main():
        colour_of_day.set("green")
        await run_in_thread(colour_of_day.set, "red")
        return colour_of_day.get()

    assert run(main) == "green"


def test_the_function_sees_the_request(app, server):
    def look():
        return f"{request.path} {session['name']} {g.number}"

    @app.get("/here")
    async def here():
        session["name"], g.number = "ann", 7
        return await run_in_thread(look)

    assert server.get("/here").text == "/here ann 7"


def test_a_cancel_scope_waits_for_the_function(run):
    seen = []

    def work():
        time.sleep(0.1)
        seen.append("function")

    async def main():
        with anyio.move_on_after(0.02):
            await run_in_thread(work)
            await anyio.sleep(1)
            seen.append("not reached")

    run(main)
    assert seen == ["function"]


async def test_a_timeout_of_asyncio_does_not_wait_for_the_function():
    ended = threading.Event()

    def work():
        time.sleep(0.1)
        ended.set()

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await run_in_thread(work)
    assert not ended.is_set()
    assert ended.wait(5)


def test_a_bounded_number_of_calls_runs_at_once(run):
    now = [0]
    most = [0]
    lock = threading.Lock()

    def work():
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.01)
        with lock:
            now[0] -= 1

    async def main():
        anyio.to_thread.current_default_thread_limiter().total_tokens = 3
        async with anyio.create_task_group() as tasks:
            for _ in range(10):
                tasks.start_soon(run_in_thread, work)

    run(main)
    assert most[0] == 3


def test_keyword_names_are_the_functions_own(run):
    async def main():
        return await run_in_thread(dict, function=1, self=2)

    assert run(main) == {"function": 1, "self": 2}


def test_an_application_context_is_seen_too(run):
    app = Flask("app")

    async def main():
        async with app.app_context():
            g.number = 7
            return await run_in_thread(lambda: g.number)

    assert run(main) == 7
