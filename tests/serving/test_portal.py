"""app.portal: coroutines for sync code, on the loop of the async views."""

from __future__ import annotations

import asyncio
import sys
import threading

import anyio
import pytest

from flaskctx import request, run_in_thread
from flaskctx.bridge.running_loop import loop_here


async def loop():
    await anyio.sleep(0)
    return loop_here()


async def fail():
    raise LookupError("no")


def test_a_def_view_runs_a_coroutine_on_the_loop_of_async_views(app, server):
    seen = []
    app.get("/def", endpoint="def")(lambda: seen.append(app.portal.run(loop)) or "")

    @app.get("/async")
    async def index():
        seen.append(await loop())
        return ""

    def both():
        return server.concurrently([("GET", "/def"), ("GET", "/async")])

    both()
    assert seen[0] is not None
    assert seen[0] is seen[1]


def test_it_sees_the_request(app, server):
    async def path():
        return request.path

    app.get("/")(lambda: app.portal.run(path) + app.portal.start(path).result(5))
    assert server.get("/").text == "//"


def test_values_and_exceptions_come_back(app):
    async def add(a, b):
        return a + b

    assert app.portal.run(add, 1, b=2) == 3
    assert app.portal.start(add, 1, b=2).result(5) == 3
    with pytest.raises(LookupError):
        app.portal.run(fail)
    with pytest.raises(LookupError):
        app.portal.start(fail).result(5)


def test_a_thread_beside_a_server_reaches_the_servers_loop(app):
    async def main():
        async with app.async_test_client():
            found = await run_in_thread(app.portal.run, loop)
            started = await run_in_thread(lambda: app.portal.start(loop).result(5))
        return [found, started] == [loop_here()] * 2

    for backend in ("asyncio", "trio"):
        assert anyio.run(main, backend=backend)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("how", ["run", "start"])
def test_a_thread_that_a_coroutine_waits_for_reaches_the_coroutines_loop(app, backend, how):
    def there():
        return app.portal.run(loop) if how == "run" else app.portal.start(loop).result(5)

    async def main():
        assert await run_in_thread(there) is loop_here()

    anyio.run(main, backend=backend)


def test_a_wsgi_request_in_such_a_thread_has_the_loop_of_its_own_async_views(app):
    app.get("/def", endpoint="def")(lambda: f"{id(app.portal.run(loop))}")

    @app.get("/async")
    async def index():
        return f"{id(await loop())}"

    async def main():
        client = app.test_client()
        in_def, in_async = [(await run_in_thread(client.get, path)).text for path in ("/def", "/async")]
        assert in_def == in_async

    asyncio.run(main())


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_def_functions_of_the_start_reach_the_loop_that_is_started_on(app, backend):
    seen = []
    app.before_serving(lambda: seen.append(app.portal.run(loop)))

    async def main():
        async with app.serving():
            assert seen == [loop_here()]

    anyio.run(main, backend=backend)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_on_the_loop_itself_it_is_an_error_that_helps(app, backend):
    async def main():
        with pytest.raises(RuntimeError, match=r"await loop\(\.\.\.\)"):
            app.portal.run(loop)

    anyio.run(main, backend=backend)


def test_also_on_the_background_loop(app, server):
    @app.get("/")
    async def index():
        with pytest.raises(RuntimeError, match="Use the awaitable form"):
            app.portal.run(loop)
        return "no deadlock"

    assert server.get("/").text == "no deadlock"


async def test_async_code_may_start(app):
    future = app.portal.start(loop)
    assert await asyncio.wrap_future(future) is asyncio.get_running_loop()


@pytest.mark.parametrize("name", ["run", "start"])
def test_a_coroutine_is_refused_and_the_call_to_be_left_out_named(app, name):
    with pytest.raises(TypeError, match=rf"portal.{name}\(f, ...\) instead of app.portal.{name}\(f\(...\)\)"):
        getattr(app.portal, name)(loop())


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_task_that_calls_sys_exit_ends_itself_alone(app, backend):
    async def leave():
        sys.exit("code")

    async def main():
        future = app.portal.start(leave)
        while not future.done():
            await anyio.sleep(0.001)
        assert future.exception().code == "code"

    anyio.run(main, backend=backend)


def test_a_def_function_is_no_task(app):
    with pytest.raises(TypeError, match=r"Use app\.add_background_task"):
        app.portal.start(lambda: "result").result(5)


def test_cancelling_the_future_cancels_the_task(app):
    begun, ended = threading.Event(), threading.Event()

    async def wait():
        begun.set()
        try:
            await anyio.sleep_forever()
        finally:
            ended.set()

    future = app.portal.start(wait)
    begun.wait(5)
    assert future.cancel()
    assert ended.wait(5)
