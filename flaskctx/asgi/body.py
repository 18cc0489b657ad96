"""The request's body: taken from the server only when somebody wants it, in memory or in a temporary file."""

from __future__ import annotations

import io
import tempfile
from collections import deque
from collections.abc import AsyncIterator
from typing import IO, TYPE_CHECKING, Any, cast

import anyio
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from ..bridge import InWorker, bound
from ..wrappers.arriving_form import ArrivingForm, can_be_parsed
from ..wrappers.input import CHUNK, MEMORY_LIMIT, NOT_ARRIVED

if TYPE_CHECKING:
    from ..wrappers import Request
    from .types import Message, Receive

READ_AHEAD = 512 * 1024
"""Bytes of a body that are taken, and kept in memory, before somebody reads them, to see whether the client leaves."""


class _NoBody(io.RawIOBase):
    """The `wsgi.input` of all requests that have no body: always at its end, and never closed."""

    def readable(self) -> bool:
        return True

    def readinto(self, _buffer: Any) -> int:
        return 0

    def close(self) -> None:
        pass


NO_BODY = _NoBody()


class RequestBody(io.RawIOBase):
    """The `wsgi.input` of a request that came through ASGI: a file that grows as the body arrives.

    In the worker thread of the request it is read like any file, and waits with that thread for what has not
    arrived yet. On the event loop what has arrived can be read, and the rest by `async for`.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._file: IO[bytes] = io.BytesIO()
        self._in_memory = True
        self._received = 0
        self.complete = False
        """Whether the whole body has arrived."""
        self.disconnected = False
        """Whether the client has gone before the end of the body."""
        self.limit: int | None = None
        """The most bytes that may arrive; more is a 413."""
        # what only a watched body needs is made by the watch
        self._ahead: deque[Message] | None = None
        self._room = READ_AHEAD
        self._asking = False
        self._change: anyio.Event | None = None

    # -- arriving ------------------------------------------------------------------------------------------------

    async def receive_all(self, request: Request) -> None:
        """Take the whole body from the server: the lifecycle's step before the view.

        It is kept as it is, for whatever the view wants to have of it; but a form that is too large for memory is
        parsed as it arrives, so that its files are not written twice, and not by the view, on the loop.

        :raises RequestEntityTooLarge: (413) it has more bytes than `request.max_content_length`.
        :raises ClientDisconnected: (400) the client left before its end.
        """
        self.limit = request.max_content_length
        declared = request.content_length
        if self.limit is not None and declared is not None and declared > self.limit:
            raise RequestEntityTooLarge
        while not self.complete and (self._in_memory or not can_be_parsed(request)):
            await self.receive_more()
        if not self.complete:
            with ArrivingForm(request) as form:
                async for chunk in self:
                    form.feed(chunk)

    async def receive_more(self) -> None:
        """Take the next part of the body from the server; what has been read already is dropped first."""
        chunk = await self._next_chunk()
        if self._file.tell() > 0:
            unread = self._file.read()
            self._file.seek(0)
            self._file.truncate()
            self._file.write(unread)
        end = self._file.seek(0, io.SEEK_END)
        if self._in_memory and end + len(chunk) > MEMORY_LIMIT:
            self._move_to_disk()
        self._file.write(chunk)
        self._file.seek(0)

    async def _next_chunk(self) -> bytes:
        self._check()
        message = await self._next_message()
        if message["type"] == "http.disconnect":
            self.disconnected = True
        chunk: bytes = message.get("body", b"")
        self._received += len(chunk)
        self._check()
        if not message.get("more_body", False):
            self.complete = True
        return chunk

    async def _next_message(self) -> Message:
        """Return what was taken ahead, else the server's next message."""
        while not self._ahead:
            if not self._asking:
                return await self._ask_server()
            await self._next_change()
        message = self._ahead.popleft()
        self._room += _size(message)
        self._announce_change()
        return message

    async def receive_ahead(self) -> Message:
        """Take the server's next message for who watches the connection; a part of the body is kept for its readers.

        Waits while `READ_AHEAD` bytes wait to be read: then a client that leaves is noticed when they are.
        """
        while self._asking or self._room <= 0:
            await self._next_change()
        message: Message = {"type": "http.disconnect"} if self.disconnected else await self._ask_server()
        if not self.complete:
            if self._ahead is None:
                self._ahead = deque()
            self._ahead.append(message)
            self._room -= _size(message)
        return message

    async def _ask_server(self) -> Message:
        self._asking = True
        try:
            return await self._receive()
        finally:
            self._asking = False
            self._announce_change()

    async def _next_change(self) -> None:
        if self._change is None:
            self._change = anyio.Event()
        await self._change.wait()

    def _announce_change(self) -> None:
        change, self._change = self._change, None
        if change is not None:
            change.set()

    def _check(self) -> None:
        """Raise what keeps the body from ever being complete; whoever reads on (an error handler, say) gets it too."""
        if self.disconnected:
            raise ClientDisconnected
        if self.limit is not None and self._received > self.limit:
            raise RequestEntityTooLarge

    def _move_to_disk(self) -> None:
        memory = cast("io.BytesIO", self._file)
        self._file = tempfile.TemporaryFile(prefix="flaskctx-body-")  # noqa: SIM115  closed by close()
        self._file.write(memory.getvalue())
        self._in_memory = False

    def close(self) -> None:
        self._file.close()
        super().close()

    # -- reading as a file ---------------------------------------------------------------------------------------

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            self._wait_for(lambda: False)
            return self._file.read()
        self._wait_for(lambda: self._available() >= size)
        return self._file.read(size)

    def readinto(self, buffer: Any, /) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def readline(self, size: int | None = -1, /) -> bytes:
        limit = None if size is None or size < 0 else size
        line = b""
        while not line.endswith(b"\n") and (limit is None or len(line) < limit):
            part = self._file.readline(-1 if limit is None else limit - len(line))
            line += part
            if not part:
                if self.complete:
                    break
                self._wait_for(lambda: self._available() > 0)
        return line

    def _available(self) -> int:
        position: int = self._file.tell()
        end: int = self._file.seek(0, io.SEEK_END)
        self._file.seek(position)
        return end - position

    def _wait_for(self, enough: Any) -> None:
        """Wait, on the request's worker thread, until the body is complete or has enough."""
        if self.complete or enough():
            return
        self._check()
        call = bound()
        if not isinstance(call, InWorker):
            raise RuntimeError(NOT_ARRIVED)
        while not self.complete and not enough():
            call.wait_for(self.receive_more())

    # -- reading on the loop -------------------------------------------------------------------------------------

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Iterate the body as it arrives; the server is asked for more only when the last part was used."""
        return self

    async def __anext__(self) -> bytes:
        chunk = self._file.read(CHUNK)
        while not chunk:
            if self.complete:
                raise StopAsyncIteration
            chunk = await self._next_chunk()
        return chunk


def _size(message: Message) -> int:
    """Return how much memory a message takes, in bytes, about: the smallest take some too."""
    return len(message.get("body", b"")) + 100


def expects_body(environ: dict[str, Any]) -> bool:
    """Tell whether a request can have a body: RFC 9112, section 6.3; in HTTP/2 and 3 any request can."""
    if "CONTENT_LENGTH" in environ:
        return bool(environ["CONTENT_LENGTH"] != "0")
    return "HTTP_TRANSFER_ENCODING" in environ or environ["SERVER_PROTOCOL"] not in ("HTTP/1.1", "HTTP/1.0")
