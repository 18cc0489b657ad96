"""A request whose coroutine is dropped (closed, not cancelled), as by a loop that ends with tasks still in it.

Nothing can be awaited any more. The function that runs on the worker thread is not interrupted; what ends the
request follows it there, in the order and on the thread that it has otherwise.
"""

from __future__ import annotations

import asyncio
import threading
import time
from contextvars import Context, ContextVar

import anyio
import pytest

from flaskctx import Flask, carry, request, stream_with_context, websocket
from flaskctx.asgi import disconnect

word: ContextVar[str] = ContextVar("word")

SCOPE = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}


class Dropped:
    """Serves a request up to the moment when `reached` is set, drops it, and lets its thread go on."""

    def __init__(self):
        self.log = []
        self.threads = set()
        self.reached = threading.Event()
        self.goes_on = threading.Event()
        self.app = Flask("app", static_folder=None)
        self.app.config["MAX_WORKER_THREADS"] = 1
        self.app.teardown_request(lambda error: self.note(f"teardown {type(error).__name__}"))
        self.app.teardown_appcontext(lambda error: self.note("teardown of the app"))

    def note(self, event):
        self.log.append(event)
        self.threads.add(threading.current_thread())

    def block(self, event):
        """Be at the place where the request is dropped, and end after that."""
        self.note(f"{event} begins")
        self.reached.set()
        assert self.goes_on.wait(5)
        time.sleep(0.01)
        self.note(f"{event} ends")
        return "blocked"

    async def suspend(self, event):
        self.note(f"{event} begins")
        self.reached.set()
        try:
            await asyncio.sleep(60)
        finally:
            self.note(f"{event} ends")

    def serve(self, scope=SCOPE, send=None):
        async def ignore(message):
            pass

        loop = asyncio.new_event_loop()
        try:
            task = loop.create_task(self.app.asgi(dict(scope), anyio.sleep_forever, send or ignore))
            loop.run_until_complete(self.wait_until_reached())
            assert not task.done()
            task._log_destroy_pending = False
            task.get_coro().close()
            self.goes_on.set()
        finally:
            loop.close()
        self.wait_for_end()

    async def wait_until_reached(self):
        deadline = time.monotonic() + 5
        while not self.reached.is_set():
            assert time.monotonic() < deadline
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.005)

    def wait_for_end(self):
        deadline = time.monotonic() + 5
        while any(worker.pending or worker.seats for worker in self.app.worker_pool.workers):
            assert time.monotonic() < deadline, "the thread is not free"
            time.sleep(0.001)
        self.app.close_worker_pool()


@pytest.fixture
def dropped(monkeypatch):
    monkeypatch.setattr(disconnect, "DELAY", 0)
    dropped = Dropped()
    yield dropped
    dropped.goes_on.set()
    dropped.app.close_worker_pool()


ENDS = ["teardown CancelledError", "teardown of the app"]
COMPLETE = ["teardown NoneType", "teardown of the app"]
"""Where no other function of the user came up in which the end could have been noticed."""
AFTER_STREAM = ["teardown GeneratorExit", "teardown of the app"]


def test_teardowns_follow_a_def_view_on_its_thread(dropped):
    dropped.app.get("/")(lambda: dropped.block("view"))
    dropped.serve()
    assert dropped.log == ["view begins", "view ends", *COMPLETE]
    assert len(dropped.threads) == 1


def test_no_other_function_is_begun(dropped):
    dropped.app.before_request(lambda: dropped.block("hook") and None)
    dropped.app.get("/")(lambda: dropped.note("view"))
    dropped.serve()
    assert dropped.log == ["hook begins", "hook ends", *ENDS]


def test_between_async_functions_too(dropped):
    @dropped.app.before_request
    async def before():
        await asyncio.sleep(0)

    @dropped.app.after_request
    async def after(response):
        dropped.note("after")
        return response

    dropped.app.get("/")(lambda: dropped.block("view"))
    dropped.serve()
    assert dropped.log == ["view begins", "view ends", *ENDS]
    assert len(dropped.threads) == 1


def test_an_async_view_is_ended_and_def_teardowns_run_on_the_requests_thread(dropped):
    hooks = []
    dropped.app.before_request(lambda: hooks.append(threading.current_thread()))

    @dropped.app.get("/")
    async def view():
        await dropped.suspend("view")

    dropped.serve()
    assert dropped.log == ["view begins", "view ends", *ENDS]
    assert dropped.threads == {threading.current_thread(), *hooks}


def test_without_a_thread_they_run_where_it_is_dropped(dropped):
    @dropped.app.get("/")
    async def view():
        await dropped.suspend("view")

    dropped.serve()
    assert dropped.log == ["view begins", "view ends", *ENDS]


def test_a_def_function_that_waits_for_an_async_one_is_released(dropped):
    class Application(Flask):
        def dispatch_request(self):
            try:
                return super().dispatch_request()
            finally:
                dropped.note("override ends")

    app = dropped.app
    dropped.app = Application("app", static_folder=None)
    dropped.app.teardown_request_funcs = app.teardown_request_funcs
    dropped.app.teardown_appcontext_funcs = app.teardown_appcontext_funcs

    @dropped.app.get("/")
    async def view():
        await dropped.suspend("view")

    dropped.serve()
    assert dropped.log == ["view begins", "view ends", "override ends", *ENDS]


def test_so_is_one_that_begins_to_wait_afterwards(dropped):
    async def never():
        dropped.note("never")

    def view():
        try:
            dropped.block("view")
            dropped.app.ensure_sync(never)()
        finally:
            dropped.note("released")

    dropped.app.get("/")(view)
    dropped.serve()
    assert dropped.log == ["view begins", "view ends", "released", *ENDS]


def test_a_teardown_that_runs_is_followed_by_the_others(dropped):
    dropped.app.teardown_request(lambda error: dropped.block("first teardown"))
    dropped.app.get("/")(lambda: "hello")
    dropped.serve()
    assert dropped.log == ["first teardown begins", "first teardown ends", *COMPLETE]
    assert len(dropped.threads) == 1


def test_an_async_teardown_is_left_out_and_logged(dropped, caplog):
    @dropped.app.teardown_request
    async def never(error):
        dropped.note("never")

    dropped.app.get("/")(lambda: dropped.block("view"))
    dropped.serve()
    assert dropped.log == ["view begins", "view ends", *COMPLETE]
    assert "dropped" in caplog.text


@pytest.mark.parametrize("keeps_context", [False, True])
def test_a_def_stream_is_closed_once_on_its_thread(dropped, keeps_context):
    def chunks():
        try:
            yield "one"
            dropped.block("stream")
            while True:
                yield "more"
        finally:
            dropped.note(f"closed {bool(request)}")

    dropped.app.get("/")(lambda: stream_with_context(chunks()) if keeps_context else chunks())
    dropped.serve()
    if keeps_context:
        assert dropped.log == ["stream begins", "stream ends", "closed True", *AFTER_STREAM]
    else:
        assert dropped.log == [*COMPLETE, "stream begins", "stream ends", "closed False"]
    assert len(dropped.threads) == 1


@pytest.mark.parametrize("place", ["body", "send"])
def test_an_async_stream_is_closed_where_it_is_dropped(dropped, place):
    @stream_with_context
    async def chunks():
        try:
            yield "one"
            await dropped.suspend("stream")
        finally:
            dropped.note("closed")

    async def send(message):
        if message.get("body"):
            await dropped.suspend("send")

    dropped.app.get("/")(chunks)
    dropped.serve(send=send if place == "send" else None)
    name = "stream" if place == "body" else "send"
    assert dropped.log == [f"{name} begins", f"{name} ends", "closed", *AFTER_STREAM]


def test_one_that_waits_in_line_for_a_thread_leaves_it(dropped):
    app = dropped.app
    app.get("/")(lambda: dropped.block("view"))

    async def ignore(message):
        pass

    async def main():
        first = asyncio.create_task(app.asgi(dict(SCOPE), anyio.sleep_forever, ignore))
        await dropped.wait_until_reached()
        second = app.asgi(dict(SCOPE), anyio.sleep_forever, ignore)
        second.send(None)
        assert len(app.worker_pool._line) == 1
        second.close()
        assert len(app.worker_pool._line) == 0
        assert dropped.log == ["view begins", *ENDS]
        dropped.goes_on.set()
        await first

    asyncio.run(main())
    dropped.wait_for_end()
    assert dropped.log == ["view begins", *ENDS, "view ends", *COMPLETE]


# -- what has dropped it stays as it is --------------------------------------------------------------------------


WEBSOCKET_SCOPE = {"type": "websocket", "path": "/ws", "query_string": b"", "headers": [], "subprotocols": []}


def drop_elsewhere(make_coroutine, start):
    """Drop a task that was made in the Context `start`, as the garbage collector would; return what that has set."""
    loop = asyncio.new_event_loop()
    elsewhere = Context()
    try:
        task = start.run(lambda: loop.create_task(make_coroutine()))
        loop.run_until_complete(asyncio.sleep(0.01))
        task._log_destroy_pending = False
        elsewhere.run(task.get_coro().close)
    finally:
        loop.close()
    return dict(elsewhere)


@pytest.fixture
def pushed(dropped):
    """A Context in which somebody has pushed an application context and left it there."""
    context, app_context = Context(), Flask("foreign").app_context()
    context.run(app_context.push)
    yield context
    context.run(app_context.pop)


@pytest.fixture(params=["http", "websocket"])
def scope(request, dropped):
    """The scope of a request that waits for ever."""

    @dropped.app.before_request
    async def set_it():
        word.set("set")

    @dropped.app.get("/")
    async def view():
        await asyncio.sleep(60)

    @dropped.app.websocket("/ws")
    async def talk():
        await websocket.receive()

    return {"http": SCOPE, "websocket": WEBSOCKET_SCOPE}[request.param]


def asgi_call(app, scope):
    messages = [{"type": "websocket.connect"}] if scope is WEBSOCKET_SCOPE else []

    async def receive():
        return messages.pop() if messages else await asyncio.sleep(60)

    async def send(message):
        pass

    return app.asgi(dict(scope), receive, send)


def test_its_contextvars_do_not_reach_who_drops_it(dropped, scope):
    assert drop_elsewhere(lambda: asgi_call(dropped.app, scope), Context()) == {}
    assert dropped.log == ENDS


def test_contexts_that_were_hidden_from_it_do_not_reach_who_drops_it(dropped, scope, pushed):
    assert drop_elsewhere(lambda: asgi_call(dropped.app, scope), pushed) == {}
    assert dropped.log == ENDS


def test_contexts_that_a_task_carries_do_not_reach_who_drops_it(dropped, pushed):
    async def wait():
        await asyncio.sleep(60)

    carried = pushed.run(carry, wait)
    assert drop_elsewhere(carried, Context()) == {}
    assert drop_elsewhere(carried, pushed) == {}
