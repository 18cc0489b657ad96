"""A response that is streamed while its request's body is unread: the client's leaving is noticed, no byte is lost."""

from __future__ import annotations

import time

import anyio
import pytest

from flaskctx import request, stream_with_context
from flaskctx.asgi import body, disconnect

SCOPE = {"type": "http", "http_version": "1.1", "method": "POST", "path": "/", "query_string": b"",
         "headers": [(b"transfer-encoding", b"chunked")]}  # fmt: skip


@pytest.fixture(params=["asyncio", "trio"])
def backend(request, monkeypatch):
    monkeypatch.setattr(disconnect, "DELAY", 0)
    return request.param


class Client:
    """Sends parts of a body, at once or when `more` is called, and leaves after the last one if it's told to."""

    def __init__(self, *parts, leaves=False, whole=True):
        self.parts = list(parts)
        self.leaves = leaves
        self.whole = whole
        self.received = b""
        self.asking = 0

    async def receive(self):
        self.asking += 1
        assert self.asking == 1, "two ask the server at once"
        try:
            await anyio.sleep(0.002)
            if self.parts:
                part = self.parts.pop(0)
                return {"type": "http.request", "body": part, "more_body": bool(self.parts) or not self.whole}
            if not self.leaves:
                await anyio.sleep_forever()
            return {"type": "http.disconnect"}
        finally:
            self.asking -= 1

    async def send(self, message):
        self.received += message.get("body", b"")


@pytest.fixture
def serve(app, backend):
    def serve(client):
        async def main():
            with anyio.fail_after(5):
                await app.asgi(dict(SCOPE), client.receive, client.send)

        anyio.run(main, backend=backend)
        return client.received

    return serve


@pytest.fixture
def endless(colour):
    """An endless stream; and how often it was closed."""
    closed = []

    def chunks():
        try:
            while True:
                time.sleep(0.001)
                yield b"x"
        finally:
            closed.append(True)

    async def async_chunks():
        try:
            while True:
                await anyio.sleep(0.001)
                yield b"x"
        finally:
            closed.append(True)

    return async_chunks if colour.is_async else chunks, closed


@pytest.mark.parametrize("parts", [(), (b"one",), (b"one", b"two", b"three")], ids=len)
@pytest.mark.parametrize("whole", [True, False])
def test_an_endless_stream_ends_when_the_client_leaves(app, serve, endless, parts, whole):
    chunks, closed = endless
    app.post("/", stream=True)(lambda: chunks())
    serve(Client(*parts, leaves=True, whole=whole))
    assert closed == [True]


PARTS = [b"%d," % number for number in range(20)]


@pytest.fixture
def echo(app, colour):
    """Register a view that streams the request's body back, having begun to stream before."""

    @stream_with_context
    def chunks():
        yield b"begin,"
        time.sleep(0.02)
        while part := request.stream.read(3):
            time.sleep(0.001)
            yield part

    @stream_with_context
    async def async_chunks():
        yield b"begin,"
        await anyio.sleep(0.02)
        async for part in request.stream:
            await anyio.sleep(0.001)
            yield part

    app.post("/", stream=True)(async_chunks if colour.is_async else chunks)


def test_a_stream_that_reads_the_body_meanwhile_gets_all_of_it(serve, echo):
    assert serve(Client(*PARTS)) == b"begin," + b"".join(PARTS)


def test_also_when_the_client_leaves_after_its_last_byte(serve, echo):
    """The stream is cut off then, wherever it is; but no byte of the body has come twice, or before another."""
    assert (b"begin," + b"".join(PARTS)).startswith(serve(Client(*PARTS, leaves=True)))


def test_a_body_that_breaks_off_is_no_whole_one(app, serve, colour, caplog):
    seen = []

    @stream_with_context
    def chunks():
        yield b"begin"
        seen.append(request.stream.read())

    @stream_with_context
    async def async_chunks():
        yield b"begin"
        seen.append(b"".join([part async for part in request.stream]))

    app.post("/", stream=True)(async_chunks if colour.is_async else chunks)
    serve(Client(b"one", leaves=True, whole=False))
    assert seen == []
    assert "Traceback" not in caplog.text


def test_no_more_than_a_bounded_part_of_the_body_is_taken_before_somebody_reads(app, serve, monkeypatch, colour):
    monkeypatch.setattr(body, "READ_AHEAD", 400)
    client = Client(*[b"x" * 40] * 20)

    def chunks():
        for _ in range(10):
            time.sleep(0.01)
            yield b"x"

    async def async_chunks():
        for _ in range(10):
            await anyio.sleep(0.01)
            yield b"x"

    app.post("/", stream=True)(lambda: (async_chunks if colour.is_async else chunks)())
    assert serve(client) == b"x" * 10
    assert len(client.parts) == 17
