"""flaskctx/asgi/sending.py: what becomes of a body, and what middleware around the application sees of it."""

from __future__ import annotations

from contextvars import ContextVar

import anyio
import pytest

from flaskctx.asgi import disconnect
from flaskctx.asgi.sending import BUFFER

marked: ContextVar[str] = ContextVar("marked", default="not set")


@pytest.fixture(params=["asyncio", "trio"])
def run(request):
    """Run a coroutine function on each loop; one that hangs fails the test."""

    def run(function):
        async def in_time():
            with anyio.fail_after(5):
                return await function()

        return anyio.run(in_time, backend=request.param)

    return run


async def never():
    await anyio.sleep_forever()


async def serve(app, send, receive=never, path="/"):
    scope = {
        "type": "http", "http_version": "1.1", "method": "GET", "path": path, "query_string": b"", "headers": [],
    }  # fmt: skip
    await app.asgi(scope, receive, send)


class TestADefGeneratorThatIsAhead:
    """Its thread has left with the buffer full when the sending breaks off: nobody may wait for it."""

    @pytest.fixture
    def closed(self, app):
        closed = []

        @app.get("/")
        def view():
            def generate():
                try:
                    yield b"x" * (BUFFER + 1)
                    yield b"never asked for"
                finally:
                    closed.append(True)

            return generate()

        return closed

    def test_ends_when_send_fails(self, app, run, closed):
        async def send(message):
            if message["type"] == "http.response.body":
                raise OSError("the client has gone")

        run(lambda: serve(app, send))
        assert closed == [True]

    def test_ends_when_it_is_cancelled(self, app, run, closed):
        async def send(message):
            if message["type"] == "http.response.body":
                await anyio.sleep_forever()

        async def main():
            with anyio.move_on_after(0.05):
                await serve(app, send)

        run(main)
        assert closed == [True]


def test_a_receive_that_fails_while_a_stream_is_watched_ends_the_stream(app, run, caplog, monkeypatch):
    monkeypatch.setattr(disconnect, "DELAY", 0)
    ended = []

    @app.get("/")
    async def view():
        async def generate():
            try:
                while True:
                    yield b"x"
                    await anyio.sleep(0.001)
            finally:
                ended.append(True)

        return generate()

    async def receive():
        await anyio.sleep(0.01)
        raise ValueError("this middleware is broken")

    async def send(message):
        pass

    run(lambda: serve(app, send, receive))
    assert ended == [True]
    assert "receive() failed" in caplog.text


class TestMiddleware:
    @pytest.mark.parametrize("body", ["text", "def stream", "async stream"])
    def test_finds_in_send_what_the_request_has_set(self, app, run, body):
        @app.get("/")
        def view():
            async def chunks():
                yield "x"

            marked.set("set by the view")
            return {"text": "x", "def stream": iter("x"), "async stream": chunks()}[body]

        seen = []

        async def send(message):
            seen.append(marked.get())

        async def main():
            await serve(app, send)
            return marked.get()

        assert run(main) == "set by the view"
        assert set(seen) == {"set by the view"}

    def test_keeps_what_it_sets_in_send_itself(self, app, run):
        app.get("/")(lambda: "x")

        async def send(message):
            marked.set("sent")

        async def main():
            # more than the framework's own, so that there is something to compare
            for name in ("one", "two", "three"):
                ContextVar(name).set(name)
            marked.set("not sent")
            await serve(app, send)
            return marked.get()

        assert run(main) == "sent"
