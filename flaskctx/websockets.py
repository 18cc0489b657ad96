"""The websocket of a request: what its view talks through, awaited in `async def` functions, blocking in `def` ones."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import anyio
from werkzeug.exceptions import HTTPException

from .bridge import InWorker, bound
from .bridge.loops import loop_is_running

if TYPE_CHECKING:
    from .ctx import RequestContext

T = TypeVar("T")
HandshakeHeaders = Mapping[str, str] | Sequence[tuple[str, str]] | None


_CLOSE_CODES = (range(1000, 1004), range(1007, 1015), range(3000, 5000))


class WebsocketDisconnect(Exception):
    """The websocket is closed, or its client is gone. A view that doesn't catch it has simply ended.

    :param code: the close code (RFC 6455, section 7.4) of the side that closed it first; 1005 where the client gave
        none, 1006 for a lost connection.
    :param reason: what that side said.
    """

    def __init__(self, code: int = 1005, reason: str = "") -> None:
        super().__init__(f"The websocket is closed ({code}{': ' if reason else ''}{reason}).")
        self.code = code
        self.reason = reason


class UpgradeRequired(HTTPException):
    """The answer to a plain HTTP request for a websocket's URL (RFC 9110, section 15.5.22)."""

    code = 426
    description = "This URL is a websocket: connect to it with a websocket client."

    def get_headers(self, environ: Any = None, scope: Any = None) -> list[tuple[str, str]]:
        """Return the headers; `Upgrade` says which protocol is required."""
        return [*super().get_headers(environ, scope), ("Upgrade", "websocket"), ("Connection", "Upgrade")]


class Connection(Protocol):
    """What the protocol's side offers: the messages of one websocket."""

    accepted: bool
    subprotocols: Sequence[str]

    @property
    def is_open(self) -> bool: ...

    async def accept(self, subprotocol: str | None, headers: Sequence[tuple[str, str]]) -> None: ...
    async def receive(self) -> str | bytes: ...
    async def send(self, data: str | bytes) -> None: ...
    async def close(self, code: int, reason: str) -> None: ...


class Websocket:
    """The websocket of the current request; `flaskctx.websocket` stands for it. ASGI only.

    Its methods are awaited, in `async def` functions. `websocket.sync` has the same methods for `def` functions,
    where they wait with the request's worker thread.

        @app.websocket("/echo")
        async def echo():
            async for message in websocket:
                await websocket.send(message)

    The handshake is the request: hooks, session and `request` are those of any other. The first `receive` or
    `send` accepts it, or `accept` does, which runs the after hooks on a response with status 101: the headers that
    these and the session set are part of the handshake. A view or hook that returns a response before that, or
    aborts, rejects the client with it. The end of the view closes the websocket. Source: the ASGI specification,
    "WebSocket Connection Scope" (https://asgi.readthedocs.io/en/latest/specs/www.html#websocket).

    Other attributes are those of the handshake's request: `headers`, `args`, `cookies`, `authorization`, `view_args`.
    """

    def __init__(self, context: RequestContext, connection: Connection) -> None:
        self._context = context
        self._connection = connection
        # several tasks may be the first to use it
        self._accepting = anyio.Lock()

    @property
    def sync(self) -> BlockingWebsocket:
        """The same websocket for `def` functions."""
        return BlockingWebsocket(self)

    @property
    def accepted(self) -> bool:
        """Whether the handshake was accepted."""
        return self._connection.accepted

    @property
    def is_open(self) -> bool:
        """Whether messages can be exchanged: it was accepted, and as far as is known nobody has closed it."""
        return self._connection.is_open

    @property
    def requested_subprotocols(self) -> Sequence[str]:
        """The subprotocols that the client offers, its favourite first."""
        return self._connection.subprotocols

    async def accept(
        self,
        subprotocol: str | None = None,
        headers: HandshakeHeaders = None,
    ) -> None:
        """Accept the handshake; nothing happens where that was done.

        :param subprotocol: one of `requested_subprotocols`.
        :param headers: more headers for the handshake's response.
        :raises ValueError: the client hasn't offered the subprotocol.
        :raises WebsocketDisconnect: the client has gone meanwhile.
        """
        if not self._connection.accepted:
            async with self._accepting:
                if not self._connection.accepted:
                    await self._accept(subprotocol, headers)

    async def _accept(self, subprotocol: str | None, headers: HandshakeHeaders) -> None:
        context = self._context
        if subprotocol is not None and subprotocol not in self.requested_subprotocols:
            raise ValueError(
                f"The client hasn't offered the subprotocol {subprotocol!r}, but {list(self.requested_subprotocols)}; "
                "choose one of websocket.requested_subprotocols, or none."
            )
        response = context.app.response_class(status=101)
        response.headers.clear()
        for name, value in headers.items() if isinstance(headers, Mapping) else headers or ():
            response.headers.add(name, value)
        response = await context.app._async_step("finalize_request", context, response)
        context._handshake = response
        context._close_session()
        response.headers.remove("Content-Length")
        await self._connection.accept(subprotocol, response.headers.to_wsgi_list())

    async def receive(self) -> str | bytes:
        """Return the client's next message: str for a text message, bytes for a binary one.

        :raises WebsocketDisconnect: there will be none: the client has closed the websocket or is gone, or this side
            has closed it; then the code is the one that `close` was given.
        """
        await self.accept()
        return await self._connection.receive()

    async def send(self, data: str | bytes) -> None:
        """Send a message: str as text, bytes as binary. Waits while the client doesn't read (back-pressure).

        May be called by several tasks of the application, also by other requests' (`_get_current_object()` of the
        proxy gives what to keep).

        :raises WebsocketDisconnect: the client has closed the websocket, or is gone.
        :raises RuntimeError: this side has closed it.
        """
        await self.accept()
        await self._connection.send(data)

    async def receive_json(self) -> Any:
        """Return the client's next message, decoded by `app.json`.

        :raises ValueError: it isn't JSON. (An unhandled one closes the websocket with 1011.)
        :raises WebsocketDisconnect: as in `receive`.
        """
        return self._context.app.json.loads(await self.receive())

    async def send_json(self, value: Any) -> None:
        """Send a text message: a value encoded by `app.json`."""
        await self.send(self._context.app.json.dumps(value))

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the websocket; where it wasn't accepted, the client's handshake is refused with a 403.

        :param code: the close code: 1000 to 1003, 1007 to 1014, or 3000 to 4999. (RFC 6455, section 7.4, and
            https://www.iana.org/assignments/websocket; the others must not be sent.)
        :param reason: a text of at most 123 bytes for the client.
        :raises ValueError: another code, or a longer reason.
        """
        if not any(code in codes for codes in _CLOSE_CODES):
            raise ValueError(
                f"A websocket can't be closed with the code {code!r}. Use 1000 for a normal end, or a number from 3000 "
                "to 4999 for one of your own."
            )
        if len(reason.encode()) > 123:
            raise ValueError(f"The reason for closing a websocket may have 123 bytes, not {len(reason.encode())}.")
        if not self._connection.accepted and self._context._handshake is None:
            self._context._handshake = self._context.app.response_class(status=403)
        await self._connection.close(code, reason)

    async def __aiter__(self) -> AsyncIterator[str | bytes]:
        """Iterate the client's messages until it closes the websocket."""
        try:
            while True:
                yield await self.receive()
        except WebsocketDisconnect:
            return

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return getattr(self._context.request, name)

    def __repr__(self) -> str:
        state = "open" if self.is_open else "closed" if self.accepted else "not accepted"
        return f"<{type(self).__name__} {self._context.request.path!r} {state}>"


class BlockingWebsocket:
    """`websocket.sync`: a websocket's methods for `def` functions. Each waits with the request's worker thread.

        @app.websocket("/echo")
        def echo():
            for message in websocket.sync:
                websocket.sync.send(message)

    A `def` view keeps a thread for as long as it runs: `MAX_WEBSOCKET_THREADS` of them serve websockets, and the
    HTTP requests have their own. What the methods take, return and raise is written at those of `Websocket`; each
    raises RuntimeError where it isn't called by a `def` function of the request.
    """

    def __init__(self, websocket: Websocket) -> None:
        self._websocket = websocket

    def accept(
        self,
        subprotocol: str | None = None,
        headers: HandshakeHeaders = None,
    ) -> None:
        """Accept the handshake."""
        self._wait_for(self._websocket.accept, subprotocol, headers)

    def receive(self) -> str | bytes:
        """Return the client's next message."""
        return self._wait_for(self._websocket.receive)

    def send(self, data: str | bytes) -> None:
        """Send a message."""
        self._wait_for(self._websocket.send, data)

    def receive_json(self) -> Any:
        """Return the client's next message, decoded."""
        return self._wait_for(self._websocket.receive_json)

    def send_json(self, value: Any) -> None:
        """Send a value as JSON."""
        self._wait_for(self._websocket.send_json, value)

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the websocket."""
        self._wait_for(self._websocket.close, code, reason)

    def __iter__(self) -> Iterator[str | bytes]:
        """Iterate the client's messages until it closes the websocket."""
        try:
            while True:
                yield self.receive()
        except WebsocketDisconnect:
            return

    def _wait_for(self, method: Callable[..., Awaitable[T]], *args: Any) -> T:
        call = bound()
        if type(call) is not InWorker or loop_is_running():
            name = getattr(method, "__name__", "receive")
            raise RuntimeError(
                f"websocket.sync.{name}() waits with a worker thread: it is for `def` functions that a request under "
                f"ASGI calls. In `async def` functions, use `await websocket.{name}(...)`."
            )
        return call.wait_for(method(*args))
