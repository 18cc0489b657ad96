"""flaskctx/asgi/sending.py: a `def` generator that is cut off stops at its next chunk, and is closed once."""

from __future__ import annotations

import time

import anyio
import pytest

SCOPE = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}


@pytest.fixture(params=["asyncio", "trio"])
def run(request):
    """Run a coroutine function on a loop of each kind."""
    return lambda function: anyio.run(function, backend=request.param)


@pytest.fixture
def closed(app):
    """How often an endless stream was closed; between its chunks it waits for a coroutine, on its thread."""
    closed = []

    async def pause():
        await anyio.sleep(0.005)

    @app.get("/")
    def index():
        wait = app.ensure_sync(pause)

        def generate():
            try:
                while True:
                    yield "x"
                    wait()
                    time.sleep(0.005)
            finally:
                closed.append(True)

        return generate()

    return closed


async def never():
    await anyio.sleep_forever()


def test_by_a_cancellation(app, closed, run):
    async def send(message):
        pass

    async def main():
        with anyio.fail_after(2):
            with anyio.move_on_after(0.05):
                await app.asgi(SCOPE, never, send)

    run(main)
    assert closed == [True]


def test_by_a_send_that_fails(app, closed, run):
    sent = []

    async def send(message):
        sent.append(message)
        if len(sent) == 5:
            raise OSError("the client has gone")

    async def main():
        with anyio.fail_after(2):
            await app.asgi(SCOPE, never, send)

    run(main)
    assert closed == [True]
    assert len(sent) == 5


def test_by_the_client(app, closed, run):
    async def receive():
        await anyio.sleep(0.1)
        return {"type": "http.disconnect"}

    async def send(message):
        pass

    async def main():
        with anyio.fail_after(2):
            await app.asgi(SCOPE, receive, send)

    run(main)
    assert closed == [True]
