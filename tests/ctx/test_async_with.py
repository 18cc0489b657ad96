"""`async with` of contexts: balanced also when the task is cancelled on the way in, inside, or on the way out."""

from __future__ import annotations

import asyncio
import time

import anyio
import pytest
import trio

from flaskctx import Flask, appcontext_pushed, request
from flaskctx.globals import _app_ctx_stack, _request_ctx_stack
from flaskctx.sessions import SecureCookieSessionInterface


class Striking:
    """Awaits a coroutine, counts its suspensions, and calls `strike()` at the chosen one."""

    def __init__(self, coroutine, strike_at=None, strike=None):
        self._coroutine = coroutine
        self._strike_at = strike_at
        self._strike = strike
        self.count = 0

    def __await__(self):
        resume, value = self._coroutine.send, None
        while True:
            try:
                waits_for = resume(value)
            except StopIteration as stop:
                return stop.value
            self.count += 1
            if self.count == self._strike_at:
                self._strike()
            try:
                resume, value = self._coroutine.send, (yield waits_for)
            except BaseException as error:
                resume, value = self._coroutine.throw, error


class Use:
    """One `async with` of a context, struck at one suspension or at none."""

    def __init__(self, backend, make, strike_at=None):
        self.torn_down = []
        self.entered = False
        self.app = self.make_application()
        self.receiver = self.pushed
        if make == "app_context":
            # a function to call on the way in, as open_session is for requests
            appcontext_pushed.connect(self.receiver, self.app)
        self.make = make
        self.strike_at = strike_at
        try:
            asyncio.run(self.on_asyncio()) if backend == "asyncio" else trio.run(self.on_trio)
        finally:
            self.app.close_worker_pool()

    def make_application(self):
        app = Flask("app", static_folder=None)
        app.secret_key = "tests"

        class Sessions(SecureCookieSessionInterface):
            def open_session(self, app, request):
                time.sleep(0.0003)
                return super().open_session(app, request)

        app.session_interface = Sessions()

        @app.teardown_appcontext
        def teardown(error):
            time.sleep(0.0003)
            self.torn_down.append("def")

        @app.teardown_appcontext
        async def async_teardown(error):
            await anyio.sleep(0)
            self.torn_down.append("async")

        return app

    def pushed(self, app):
        time.sleep(0.0003)

    async def use(self):
        async with getattr(self.app, self.make)():
            self.entered = True
            await anyio.sleep(0)

    async def serve(self, strike):
        try:
            self.striking = Striking(self.use(), self.strike_at, strike)
            await self.striking
        finally:
            assert _app_ctx_stack.top_node is None
            assert _request_ctx_stack.top_node is None

    async def on_asyncio(self):
        async def main():
            loop, task = asyncio.get_running_loop(), asyncio.current_task()
            await self.serve(lambda: loop.call_soon(task.cancel))

        task = asyncio.create_task(main())
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()
        self.cancelled = task.cancelled()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    async def on_trio(self):
        with trio.CancelScope() as scope:
            await self.serve(scope.cancel)
        self.cancelled = scope.cancelled_caught


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("make", ["app_context", "test_request_context"])
def test_a_cancellation_at_each_suspension_leaves_nothing(backend, make):
    count = Use(backend, make).striking.count
    assert count > 3
    for strike in range(1, count + 1):
        use = Use(backend, make, strike)
        assert use.torn_down in (["async", "def"], []), f"cancelled at {strike}"
        assert use.torn_down or not use.entered, f"cancelled at {strike}"


async def test_the_blocks_exception_is_told_and_raised(app):
    told = []

    @app.teardown_request
    async def teardown(error):
        told.append((request.path, type(error)))

    with pytest.raises(LookupError):
        async with app.test_request_context("/page"):
            raise LookupError
    assert told == [("/page", LookupError)]


async def test_tasks_started_inside_see_the_context(app):
    async def child():
        await asyncio.sleep(0)
        return request.path

    async with app.test_request_context("/page"):
        assert await asyncio.gather(child(), child()) == ["/page", "/page"]


async def test_contexts_of_several_tasks_do_not_mix(app):
    async def use(number):
        async with app.test_request_context(f"/{number}"):
            for _ in range(3):
                await asyncio.sleep(0)
                assert request.path == f"/{number}"

    await asyncio.gather(*map(use, range(50)))
