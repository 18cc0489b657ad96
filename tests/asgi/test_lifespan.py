"""flaskctx/asgi/lifespan.py: the server's start and stop."""

from __future__ import annotations

import threading

import anyio
import pytest

from flaskctx.asgi import lifespan

SCOPE = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}


@pytest.fixture(params=["asyncio", "trio"])
def run(request):
    """Run a coroutine function on a loop of each kind."""
    return lambda function: anyio.run(function, backend=request.param)


@pytest.fixture
def live(app):
    """Take the application through its lifespan: `await live()`; return what it said, in order."""

    async def live():
        said = []

        async def receive():
            return {"type": messages.pop(0)}

        async def send(message):
            said.append(message["type"])

        messages = ["lifespan.startup", "lifespan.shutdown"]
        await app.asgi({"type": "lifespan"}, receive, send)
        return said

    return live


@pytest.fixture
def serve(app):
    """Serve a GET / through ASGI, as a coroutine."""

    async def receive():
        await anyio.sleep_forever()

    async def send(message):
        pass

    return lambda: app.asgi(SCOPE, receive, send)


def test_start_and_stop_are_answered(live, run):
    assert run(live) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_the_worker_threads_end(app, live, serve, run):
    threads = []
    app.get("/")(lambda: threads.append(threading.current_thread()) or "")

    async def main():
        await serve()
        await live()

    run(main)
    threads[0].join(5)
    assert not threads[0].is_alive()


def test_requests_that_were_cancelled_are_torn_down_first(app, live, serve, run):
    seen = []

    @app.get("/")
    async def index():
        await anyio.sleep_forever()

    @app.teardown_request
    async def teardown(error):
        await anyio.sleep(0.05)
        seen.append("async teardown")

    @app.teardown_request
    def blocking_teardown(error):
        seen.append("teardown")

    async def main():
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(serve)
            await anyio.sleep(0.05)
            tasks.cancel_scope.cancel()
            with anyio.CancelScope(shield=True):
                await live()
            seen.append("stopped")

    run(main)
    assert seen == ["teardown", "async teardown", "stopped"]


def test_one_that_never_ends_is_not_waited_for_longer_than_a_bound(app, live, serve, run, monkeypatch):
    monkeypatch.setattr(lifespan, "END_WAIT", 0.05)

    @app.get("/")
    async def index():
        await anyio.sleep_forever()

    async def main():
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(serve)
            await anyio.sleep(0.01)
            with anyio.fail_after(2):
                assert "lifespan.shutdown.complete" in await live()
            tasks.cancel_scope.cancel()

    run(main)


def test_a_request_that_is_still_served_keeps_its_thread(app, live, serve, run, monkeypatch):
    """Its `def` teardown runs on the thread of its `def` hook, though the pool was closed in between."""
    monkeypatch.setattr(lifespan, "END_WAIT", 0)
    threads = []

    @app.before_request
    def before():
        threads.append(threading.current_thread())

    @app.get("/")
    async def index():
        await anyio.sleep(0.1)
        return ""

    @app.teardown_request
    def teardown(error):
        threads.append(threading.current_thread())

    async def main():
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(serve)
            await anyio.sleep(0.02)
            await live()

    run(main)
    assert threads[0] is threads[1]
    threads[0].join(5)
    assert not threads[0].is_alive()
