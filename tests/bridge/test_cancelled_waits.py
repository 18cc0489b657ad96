"""A cancellation that arrives while a thread is waited for: kept until the thread is done, then raised as it came."""

from __future__ import annotations

import asyncio
import threading
import time

import anyio
import pytest

from flaskctx.bridge.loops import new_inbox

SCOPE = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}


@pytest.fixture
def serve(app):
    """Serve a GET / through ASGI, as a coroutine."""

    async def receive():
        return {"type": "http.request", "body": b""}

    async def send(message):
        pass

    return lambda: app.asgi(SCOPE, receive, send)


@pytest.fixture
def finished(app):
    """A list to which a slow `def` view adds when it is through."""
    finished = []

    @app.get("/")
    def slow():
        time.sleep(0.1)
        finished.append("view")
        return ""

    return finished


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_cancel_scope_around_the_request_catches_its_own_cancellation(serve, finished, backend):
    """On asyncio anyio knows it by its message."""

    async def main():
        with anyio.move_on_after(0.02) as scope:
            await serve()
        return scope.cancelled_caught

    assert anyio.run(main, backend=backend) is True
    assert finished == ["view"]


async def test_a_timeout_of_asyncio_around_the_request_catches_it(serve, finished):
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await serve()
    assert finished == ["view"]


async def test_the_message_of_a_cancellation_is_kept():
    async def wait():
        inbox = new_inbox()
        threading.Timer(0.05, inbox.post, ["done"]).start()
        seen.append(await inbox.patient_arrival())
        inbox.check()

    seen = []
    task = asyncio.create_task(wait())
    await asyncio.sleep(0.01)
    task.cancel("the reason")
    with pytest.raises(asyncio.CancelledError, match="the reason"):
        await task
    assert seen == ["done"]
