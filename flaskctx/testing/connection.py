"""A request that is sent, and a response that is read, bit by bit."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from types import TracebackType
from typing import TYPE_CHECKING, Any

import anyio
from werkzeug.datastructures import Headers

from .companion import Companion
from .exchange import build_scope, decoded_headers
from .kept import preserved_contexts_hidden

if TYPE_CHECKING:
    from werkzeug.test import TestResponse
    from werkzeug.wrappers import Request as BaseRequest

    from .async_client import FlaskAsyncClient
    from .kept import Kept

WINDOW = 16
"""Chunks of the response that may be under way before the application has to wait for the test to read them."""

_WITHOUT_BODY = ("GET", "HEAD", "OPTIONS", "TRACE")


class ClientGone(OSError):
    """Raised by `send` when the client has left (ASGI specification, "Disconnected client - send exception")."""


class Connection:
    """One request of an async client that is under way while the test goes on; `client.request(...)` makes it.

        async with client.request("/upload", method="POST") as connection:
            await connection.send(b"some")
            await connection.send(b"more")
            await connection.send_complete()
            first = await connection.receive()
        response = await connection.as_response()

    At the end of the block the request's body is complete, and the rest of the response is awaited; call
    `disconnect()` first to leave a stream that has no end. An exception that leaves the block ends the connection
    and cancels the request. What the application raises comes out of `receive()`, or of the block.
    """

    def __init__(self, client: FlaskAsyncClient, request: BaseRequest) -> None:
        self._client = client
        self._request = request
        self._started = anyio.Event()
        self._sent = False
        self._left = False
        self._rest: list[bytes] = []
        self._companion: Companion | None = None
        self._kept: Kept | None = None
        self.status_code = 0
        """The response's status; 0 until it has begun."""
        self.headers = Headers()
        """The response's headers; empty until it has begun."""

    async def __aenter__(self) -> Connection:
        if self._companion is not None:
            raise RuntimeError("A connection is for one request. Ask the client for another one.")
        environ = self._request.environ
        body = environ["wsgi.input"].read()
        if not body and environ.get("CONTENT_LENGTH", "0") == "0" and environ["REQUEST_METHOD"] not in _WITHOUT_BODY:
            # how a client announces a body whose length it doesn't know yet (RFC 9112, section 6.3)
            environ.pop("CONTENT_LENGTH", None)
            environ["HTTP_TRANSFER_ENCODING"] = "chunked"
        self._kept = await self._client._begin(self._request)
        self._to_app, self._from_client = anyio.create_memory_object_stream[dict[str, Any]](math.inf)
        self._to_client, self._from_app = anyio.create_memory_object_stream[bytes](WINDOW)
        with preserved_contexts_hidden():
            self._companion = Companion(self._serve)
        if body:
            await self.send(body)
            await self.send_complete()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: TracebackType | None
    ) -> None:
        companion = self._entered()
        try:
            if exc_value is None:
                await self.send_complete()
                await self._receive_rest()
                await companion.end()
        finally:
            if not companion.has_ended:
                self._leave()
                await companion.cancel()
            self._from_app.close()
            self._from_client.close()
            self._to_app.close()
            self._client._end(self._kept)
        if exc_value is None:
            companion.raise_error()

    async def send(self, data: bytes) -> None:
        """Send a part of the request's body."""
        self._entered()
        await self._to_app.send({"type": "http.request", "body": data, "more_body": True})

    async def send_complete(self) -> None:
        """Say that the request's body is complete."""
        self._entered()
        if not self._sent:
            self._sent = True
            await self._to_app.send({"type": "http.request", "body": b"", "more_body": False})

    async def disconnect(self) -> None:
        """Leave, as a client does that closes its connection."""
        self._entered()
        self._leave()

    async def started(self) -> None:
        """Wait until the response has begun: `status_code` and `headers` are known then."""
        companion = self._entered()
        await self._started.wait()
        if not self.status_code:
            companion.raise_error()

    async def receive(self) -> bytes:
        """Return the next part of the response's body as soon as it is there, `b""` at the end."""
        companion = self._entered()
        try:
            return await self._from_app.receive()
        except (anyio.EndOfStream, anyio.ClosedResourceError):
            pass
        companion.raise_error()
        return b""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while data := await self.receive():
            yield data

    async def as_response(self) -> TestResponse:
        """Return the response, with that part of its body that `receive()` has not returned; waits for its end."""
        await self._receive_rest()
        return self._client._response(self._request, self.status_code, self.headers, b"".join(self._rest))

    async def _receive_rest(self) -> None:
        async for data in self:
            self._rest.append(data)

    def _entered(self) -> Companion:
        if self._companion is None:
            raise RuntimeError('Enter the connection first: "async with client.request(...) as connection:".')
        return self._companion

    def _leave(self) -> None:
        if not self._left:
            self._left = self._sent = True
            self._from_app.close()
            self._to_app.send_nowait({"type": "http.disconnect"})

    # -- the application's side ----------------------------------------------------------------------------------

    async def _serve(self) -> None:
        try:
            await self._client.application.asgi(build_scope(self._request), self._from_client.receive, self._take)
        except ClientGone:
            pass  # an application needn't catch what a server raises to let it know
        finally:
            self._started.set()
            self._to_client.close()

    async def _take(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status_code, self.headers = message["status"], decoded_headers(message)
            self._client._take_cookies(self._request, self.headers.getlist("Set-Cookie"))
            self._started.set()
            return
        if data := message.get("body"):
            try:
                await self._to_client.send(data)
            except anyio.BrokenResourceError:
                raise ClientGone("The client has left.") from None
        if not message.get("more_body", False):
            self._to_client.close()
            self._left = True
            self._to_app.send_nowait({"type": "http.disconnect"})
