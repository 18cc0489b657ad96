"""Foreign applications that cross over, carried by a2wsgi: WSGI ones served through ASGI and the reverse.

What stands here is around a2wsgi: the environ is ours, a client that leaves ends what was produced for it, a
body that was cut off is an error, and neither a thread nor a task is left waiting for the other.
"""

from __future__ import annotations

import asyncio
import io
import logging
import shutil
import tempfile
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import a2wsgi

from ..bridge.loops import asyncio_is_running
from ..bridge.portal import portal
from ..serving.background import loop_for
from ..wrappers.input import MEMORY_LIMIT
from .body import expects_body
from .disconnect import DisconnectWatch
from .environ import build_environ

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from ..app import Flask
    from .types import ASGIApplication, Message, Receive, Scope, Send

logger = logging.getLogger("flaskctx.asgi")

_EXCHANGE = "flaskctx.exchange"
_ASCII = bytes(range(128)).decode()


# -- WSGI applications in ASGI -----------------------------------------------------------------------------


class WSGIInASGI:
    """A WSGI application as an ASGI one. It runs in threads: `MAX_WORKER_THREADS` of them at most.

    :param wsgi_app: the foreign application.
    :param app: the application that it is mounted in, whose configuration counts.
    """

    def __init__(self, wsgi_app: WSGIApplication, app: Flask) -> None:
        self._wsgi_app = wsgi_app
        self._app = app

    @cached_property
    def _carrier(self) -> Any:
        application: Any = _run_exchange
        return a2wsgi.WSGIMiddleware(application, workers=self._app.config["MAX_WORKER_THREADS"])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; returns when its thread is done with it.

        :raises RuntimeError: the server runs on trio.
        """
        if not asyncio_is_running():
            raise RuntimeError(
                "A mounted WSGI application can't be served here: a2wsgi, which carries it, needs asyncio, "
                "and this server runs on trio. Use an asyncio worker of the server, or a WSGI server."
            )
        if scope["type"] != "http":
            await self._carrier(scope, receive, send)
            return
        exchange = _Exchange(self._wsgi_app, scope, receive, send)
        # a2wsgi builds an environ from this that is not used: it must not stumble over query or headers
        carried = {**scope, "query_string": b"", "headers": [], _EXCHANGE: exchange}
        await exchange.run(self._carrier(carried, exchange.receive, exchange.send))


class _Exchange:
    """One request to a WSGI application: a2wsgi stands between `__call__`, on a thread, and the rest."""

    def __init__(self, wsgi_app: WSGIApplication, scope: Scope, receive: Receive, send: Send) -> None:
        self._wsgi_app = wsgi_app
        self._environ = build_environ(scope)
        self._receive = receive
        self._send = send
        self._receiving: asyncio.Future[Message] | None = None
        self._complete = asyncio.Event()
        if not expects_body(self._environ):
            self._complete.set()
        self._gone = False

    async def run(self, carrying: Any) -> None:
        """Await a2wsgi's coroutine. A cancellation ends the exchange, and is raised after it."""
        task = asyncio.ensure_future(carrying)
        async with DisconnectWatch(self._receive_after_body, self._leave):
            try:
                await asyncio.shield(task)
            except asyncio.CancelledError:
                self._leave()
                await _outlast(task)
                raise
            except Exception:
                if not self._gone:
                    raise
                logger.debug("The client left a mounted application.", exc_info=True)

    async def receive(self) -> Message:
        """Hand over the next part of the request's body."""
        if self._complete.is_set():
            return {"type": "http.request"}
        if not self._gone:
            self._receiving = asyncio.ensure_future(self._receive())
            message = await self._receiving
            if message["type"] == "http.request":
                if not message.get("more_body", False):
                    self._complete.set()
                return message
        self._gone = True
        raise ConnectionResetError("The client left before the end of the request's body.")

    async def send(self, message: Message) -> None:
        """Pass a message on. It is dropped when the client has gone: a2wsgi's queue has to become empty."""
        if not self._gone:
            try:
                await self._send(message)
            except OSError:
                self._leave()

    async def _receive_after_body(self) -> Message:
        await self._complete.wait()
        return await self._receive()

    def _leave(self) -> None:
        self._gone = True
        if self._receiving is not None:
            self._receiving.cancel()

    # -- on the thread -------------------------------------------------------------------------------------

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterator[bytes]:
        """Call the application, and stop its body after the client has left."""
        body = io.BufferedReader(_RawBody(environ["wsgi.input"]))
        iterable = self._wsgi_app({**self._environ, "wsgi.input": body}, start_response)
        try:
            for chunk in iterable:
                if self._gone:
                    return
                yield chunk
        finally:
            close = getattr(iterable, "close", None)
            if close is not None:
                close()


def _run_exchange(environ: dict[str, Any], start_response: StartResponse) -> Iterator[bytes]:
    exchange: _Exchange = environ["asgi.scope"][_EXCHANGE]
    return exchange(environ, start_response)


async def _outlast(task: asyncio.Future[Any]) -> None:
    """Wait for a task whatever happens to this one; what became of it is of no interest any more."""
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            continue
    task.exception()


class _RawBody(io.RawIOBase):
    """a2wsgi's request body, from which `io.BufferedReader` makes a file."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        data: bytes = self._body.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


# -- ASGI applications in WSGI -----------------------------------------------------------------------------


class ASGIInWSGI:
    """An ASGI application as a WSGI one. It runs where `async def` views do, while the request's thread waits.

    :param app: the application that it is mounted in.
    """

    def __init__(self, asgi_app: ASGIApplication, app: Flask) -> None:
        self._asgi_app = asgi_app
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request: return the body, which has to be closed (PEP 3333)."""
        guest: Any = _Guest(self._asgi_app)
        environ = _digestible(environ)
        loop = loop_for(self._app)
        if not isinstance(loop, asyncio.AbstractEventLoop):
            # trio's: a2wsgi needs asyncio
            loop = portal.loop
        carrier: Any = a2wsgi.ASGIMiddleware(guest, loop=loop)
        return _CarriedBody(loop, guest, environ["wsgi.input"], carrier(environ, start_response))


class _Guest:
    """One request to an ASGI application, on the background loop: sees to it that its thread hears an end."""

    def __init__(self, asgi_app: ASGIApplication) -> None:
        self._asgi_app = asgi_app
        self._task: asyncio.Task[Any] | None = None
        self._started = False
        self._ended = False
        self._unwanted = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def receive_or_end() -> Message:
            return {"type": "http.disconnect"} if self._ended else await receive()

        async def send_and_note(message: Message) -> None:
            self._started = True
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                self._ended = True
            await send(message)

        self._task = asyncio.current_task()
        try:
            await self._asgi_app(scope, receive_or_end, send_and_note)
            if not self._started:
                raise RuntimeError("The mounted ASGI application returned without a response.")
            if not self._ended:
                await send_and_note({"type": "http.response.body"})
        except BaseException as error:
            if self._unwanted:
                raise
            logger.exception("The mounted ASGI application failed at %s.", scope["path"])
            if isinstance(error, Exception):
                raise
            # of a task that was cancelled a2wsgi would not tell the thread
            raise RuntimeError("The mounted ASGI application was cancelled.") from error

    def cancel(self) -> None:
        """End the application's task if it still runs; called on the loop."""
        self._unwanted = True
        if self._task is not None:
            self._task.cancel()


class _CarriedBody:
    """The response's body; the application ends with it, also when the client leaves before its end."""

    def __init__(self, loop: asyncio.AbstractEventLoop, guest: _Guest, request_body: _WholeBody, chunks: Any) -> None:
        self._loop = loop
        self._guest = guest
        self._request_body = request_body
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._chunks)

    def close(self) -> None:
        """End the application's task."""
        self._chunks.close()
        self._loop.call_soon_threadsafe(self._guest.cancel)
        self._request_body.close()


class _WholeBody:
    """A request's body that a2wsgi reads up to its declared length: an earlier end is an error."""

    def __init__(self, body: Any) -> None:
        self._body = body
        self._copy: Any = None

    def measure(self) -> int:
        """Take all of a body of undeclared length, and return the length; a large one goes to disk."""
        self._copy = tempfile.SpooledTemporaryFile(MEMORY_LIMIT)  # noqa: SIM115  closed by close()
        shutil.copyfileobj(self._body, self._copy)
        self._body = self._copy
        length: int = self._copy.tell()
        self._copy.seek(0)
        return length

    def read(self, size: int) -> bytes:
        data: bytes = self._body.read(size)
        if not data:
            raise ConnectionResetError("The client left before the end of the request's body.")
        return data

    def close(self) -> None:
        if self._copy is not None:
            self._copy.close()


def _digestible(environ: WSGIEnvironment) -> WSGIEnvironment:
    """Return a copy that a2wsgi can make a scope of: query in ASCII, paths in UTF-8, a body with a length."""
    body = _WholeBody(environ["wsgi.input"])
    taken = {
        **environ,
        "QUERY_STRING": quote(environ.get("QUERY_STRING", "").encode("latin-1"), safe=_ASCII),
        "PATH_INFO": _valid_utf8(environ.get("PATH_INFO", "")),
        "SCRIPT_NAME": _valid_utf8(environ.get("SCRIPT_NAME", "")),
        "wsgi.input": body,
    }
    if taken.pop("HTTP_TRANSFER_ENCODING", None) is not None and environ.get("wsgi.input_terminated"):
        taken["CONTENT_LENGTH"] = str(body.measure())
    return taken


def _valid_utf8(text: str) -> str:
    return text.encode("latin-1").decode("utf-8", "replace").encode().decode("latin-1")
