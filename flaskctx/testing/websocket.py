"""A test's end of a websocket: connected to the application in this process, awaited or blocking."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextvars import Context
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
from werkzeug.datastructures import Headers

from ..bridge import portal
from .companion import Companion
from .exchange import build_scope, decoded_headers
from .kept import preserved_contexts_hidden

if TYPE_CHECKING:
    from werkzeug.test import TestResponse
    from werkzeug.wrappers import Request as BaseRequest

    from .base import ApplicationClient

T = TypeVar("T")

WINDOW = 16
"""Messages to the test that may be under way before the application has to wait for the test to receive them."""

_SCHEMES = {"http": "ws", "https": "wss"}


class WebsocketRejected(Exception):
    """The application has answered the handshake with a response instead of accepting it: `response`."""

    def __init__(self, response: TestResponse) -> None:
        super().__init__(f"The websocket was rejected: {response.status}.")
        self.response = response


class WebsocketClosed(Exception):
    """The websocket is closed: by the application, or by this test.

    :param code: the close code (RFC 6455, section 7.4).
    :param reason: the text that came with it.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"The websocket is closed ({code}{': ' if reason else ''}{reason}).")
        self.code = code
        self.reason = reason


class ClientWebsocket:
    """A test's end of one websocket; `client.websocket(...)` of the async client makes it.

        async with client.websocket("/echo") as ws:
            await ws.send("hello")
            assert await ws.receive() == "hello"

    The block begins when the application has accepted the handshake. At its end the websocket is closed, and the
    view and its teardown are awaited. An exception that leaves the block cancels the view. What the application
    raises comes out of `receive()`, or of the block.

    :raises WebsocketRejected: on entering: the application has answered with a response.
    """

    def __init__(self, client: ApplicationClient, request: BaseRequest, subprotocols: Sequence[str]) -> None:
        self._client = client
        self._request = request
        self._scope = _scope_of(request, subprotocols)
        self._answered = anyio.Event()
        self._closed: tuple[int, str] | None = None
        self._status = 0
        self._rejection: list[bytes] = []
        self._companion: Companion | None = None
        self.headers = Headers()
        """The headers with which the handshake was answered."""
        self.subprotocol: str | None = None
        """The subprotocol that the application has chosen."""

    @property
    def close_code(self) -> int | None:
        """The code with which the websocket was closed, by whichever side; None while it is open."""
        return None if self._closed is None else self._closed[0]

    @property
    def close_reason(self) -> str | None:
        """The text that came with the code."""
        return None if self._closed is None else self._closed[1]

    async def __aenter__(self) -> ClientWebsocket:
        if self._companion is not None:
            raise RuntimeError("A websocket is connected once. Ask the client for another one.")
        self._to_app, self._from_client = anyio.create_memory_object_stream[dict[str, Any]](math.inf)
        self._to_client, self._from_app = anyio.create_memory_object_stream[str | bytes](WINDOW)
        self._to_app.send_nowait({"type": "websocket.connect"})
        with preserved_contexts_hidden():
            companion = self._companion = Companion(self._serve)
        try:
            await self._answered.wait()
            if self._status == 101:
                return self
            await companion.end()
        except BaseException:
            await companion.cancel()
            self._release()
            raise
        self._release()
        companion.raise_error()
        if not self._status:
            raise RuntimeError("The ASGI application has returned without answering the websocket's handshake.")
        raise WebsocketRejected(
            self._client._response(self._request, self._status, self.headers, b"".join(self._rejection))
        )

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: TracebackType | None
    ) -> None:
        companion = self._connected()
        try:
            if exc_value is None:
                await self.close()
                await companion.end()
        finally:
            if not companion.has_ended:
                self._leave(1006, "")
                await companion.cancel()
            self._release()
        if exc_value is None:
            companion.raise_error()

    async def send(self, data: str | bytes) -> None:
        """Send a message: str as text, bytes as binary.

        :raises WebsocketClosed: the websocket is closed.
        :raises TypeError: it is something else.
        """
        if not isinstance(data, (str, bytes)):
            raise TypeError(f"A websocket's message is str or bytes, not {type(data).__name__}; see send_json().")
        self._connected()
        if self._closed is not None:
            raise WebsocketClosed(*self._closed)
        key = "text" if isinstance(data, str) else "bytes"
        await self._to_app.send({"type": "websocket.receive", key: data})

    async def receive(self) -> str | bytes:
        """Return the application's next message: str for a text message, bytes for a binary one.

        :raises WebsocketClosed: there will be none, since the websocket is closed.
        """
        companion = self._connected()
        try:
            return await self._from_app.receive()
        except (anyio.EndOfStream, anyio.ClosedResourceError):
            pass
        if self._closed is None or companion.error is not None:
            await companion.end()
            companion.raise_error()
        raise WebsocketClosed(*(self._closed or (1006, "")))

    async def send_json(self, value: Any) -> None:
        """Send a value as JSON, in a text message."""
        await self.send(self._client.application.json.dumps(value))

    async def receive_json(self) -> Any:
        """Return the application's next message, decoded."""
        return self._client.application.json.loads(await self.receive())

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the websocket, if it is open."""
        self._connected()
        self._leave(code, reason)

    async def disconnect(self) -> None:
        """Be gone, without a word."""
        self._connected()
        self._leave(1006, "")

    async def __aiter__(self) -> AsyncIterator[str | bytes]:
        """Iterate the application's messages until the websocket is closed."""
        try:
            while True:
                yield await self.receive()
        except WebsocketClosed:
            return

    def _connected(self) -> Companion:
        if self._companion is None:
            raise RuntimeError('Connect the websocket first: "with client.websocket(...) as ws:", or "async with".')
        return self._companion

    def _leave(self, code: int, reason: str) -> None:
        if self._closed is None:
            self._closed = (code, reason)
            self._from_app.close()
            self._to_app.send_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})

    def _release(self) -> None:
        for stream in (self._from_app, self._from_client, self._to_app, self._to_client):
            stream.close()

    # -- the application's side ----------------------------------------------------------------------------------

    async def _serve(self) -> None:
        try:
            await self._client.application.asgi(self._scope, self._from_client.receive, self._take)
        finally:
            self._answered.set()
            self._to_client.close()

    async def _take(self, message: Any) -> None:
        kind = message["type"]
        if kind == "websocket.send":
            text = message.get("text")
            try:
                await self._to_client.send(message["bytes"] if text is None else text)
            except anyio.BrokenResourceError:
                # ASGI specification, "Disconnected client - send exception"
                raise OSError("The client has left.") from None
        elif kind == "websocket.accept":
            self.subprotocol = message.get("subprotocol")
            self._answer(101, message)
        elif kind == "websocket.close":
            if not self._status:
                # what a server makes of it (ASGI specification, "Close - send event")
                self._answer(403, {"headers": []})
            elif self._closed is None:
                self._closed = (message.get("code", 1000), message.get("reason") or "")
            self._to_client.close()
        elif kind == "websocket.http.response.start":
            self._answer(message["status"], message)
        else:
            self._rejection.append(message.get("body", b""))

    def _answer(self, status: int, message: Any) -> None:
        self._status, self.headers = status, decoded_headers(message)
        self._client._take_cookies(self._request, self.headers.getlist("Set-Cookie"))
        self._answered.set()


class BlockingClientWebsocket:
    """`ClientWebsocket` for `def` tests; `client.websocket(...)` of the sync client makes it.

        with client.websocket("/echo") as ws:
            ws.send("hello")
            assert ws.receive() == "hello"

    The application serves it on the background loop. What the methods take, return and raise is written at those
    of `ClientWebsocket`.
    """

    def __init__(self, websocket: Callable[[], ClientWebsocket]) -> None:
        self._connect = websocket
        self._websocket: ClientWebsocket | None = None

    @property
    def headers(self) -> Headers:
        """The headers with which the handshake was answered."""
        return self._connected().headers

    @property
    def subprotocol(self) -> str | None:
        """The subprotocol that the application has chosen."""
        return self._connected().subprotocol

    @property
    def close_code(self) -> int | None:
        """The code with which the websocket was closed; None while it is open."""
        return self._connected().close_code

    @property
    def close_reason(self) -> str | None:
        """The text that came with the code."""
        return self._connected().close_reason

    def __enter__(self) -> BlockingClientWebsocket:
        if self._websocket is not None:
            raise RuntimeError("A websocket is connected once. Ask the client for another one.")
        self._websocket = _wait_for(self._make())
        _wait_for(self._websocket.__aenter__())
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: TracebackType | None
    ) -> None:
        _wait_for(self._connected().__aexit__(exc_type, exc_value, tb))

    def send(self, data: str | bytes) -> None:
        """Send a message."""
        _wait_for(self._connected().send(data))

    def receive(self) -> str | bytes:
        """Return the application's next message."""
        return _wait_for(self._connected().receive())

    def send_json(self, value: Any) -> None:
        """Send a value as JSON."""
        _wait_for(self._connected().send_json(value))

    def receive_json(self) -> Any:
        """Return the application's next message, decoded."""
        return _wait_for(self._connected().receive_json())

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the websocket, if it is open."""
        _wait_for(self._connected().close(code, reason))

    def disconnect(self) -> None:
        """Be gone, without a word."""
        _wait_for(self._connected().disconnect())

    def __iter__(self) -> Iterator[str | bytes]:
        """Iterate the application's messages until the websocket is closed."""
        try:
            while True:
                yield self.receive()
        except WebsocketClosed:
            return

    async def _make(self) -> ClientWebsocket:
        # on the loop: anyio's events and streams belong to the loop that they are made on
        return self._connect()

    def _connected(self) -> ClientWebsocket:
        if self._websocket is None:
            raise RuntimeError('Connect the websocket first: "with client.websocket(...) as ws:".')
        return self._websocket


def _wait_for(coroutine: Coroutine[Any, Any, T]) -> T:
    # a context of its own: what is current in the test is not the application's
    return portal.wait_for(coroutine, Context())


def _scope_of(request: BaseRequest, subprotocols: Sequence[str]) -> dict[str, Any]:
    """Return the scope of a handshake that a test's request describes."""
    environ = request.environ
    # nothing of a websocket is kept for the test to look at: it ends with its block
    environ.pop("flask._preserve_context", None)
    environ |= {
        "HTTP_CONNECTION": "Upgrade",
        "HTTP_UPGRADE": "websocket",
        "HTTP_SEC_WEBSOCKET_VERSION": "13",
        "HTTP_SEC_WEBSOCKET_KEY": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    if subprotocols:
        environ["HTTP_SEC_WEBSOCKET_PROTOCOL"] = ", ".join(subprotocols)
    scope = build_scope(request)
    del scope["method"]
    return scope | {
        "type": "websocket",
        "scheme": _SCHEMES[scope["scheme"]],
        "subprotocols": list(subprotocols),
        "extensions": {"websocket.http.response": {}},
    }
