"""The request's body as `request.stream` shows it: a file for `def` views, async chunks for `async def` ones."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable, Iterator
from tempfile import SpooledTemporaryFile
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.wsgi import LimitedStream

from ..bridge import portal
from ..globals import current_app

CHUNK = 64 * 1024
"""Bytes that are read at once for an `async for`."""

MEMORY_LIMIT = 512 * 1024
"""Bytes of a body, or of an uploaded file, that are kept in memory; a larger one goes to a temporary file."""


class KeptFile(SpooledTemporaryFile[bytes]):
    """A temporary file that is closed with its last reference: the request's, or that of a stream which reads it."""

    def __init__(self) -> None:
        super().__init__(MEMORY_LIMIT)

    def __del__(self) -> None:
        self.close()


class CountedStream(LimitedStream):
    """A stream of unknown length that raises a 413 where it exceeds the limit, also when it is read in one go.

    werkzeug's returns just as many bytes as the limit allows then, as if they were all.
    """

    def readall(self) -> bytes:
        data = super().readall()
        if self.is_exhausted and self._stream.read(1):
            self.on_exhausted()
        return data


class ParsedInput(io.RawIOBase):
    """What is left of a body that was parsed on arrival: reading it is an error.

    :param error: why it could not be parsed; reading raises that again, if it is an answer to the client.
    """

    def __init__(self, error: BaseException | None) -> None:
        self._error = type(error) if isinstance(error, HTTPException) else None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        if self._error is not None:
            raise self._error
        raise RuntimeError(
            "The body of this request is a large form, and was parsed while it arrived: see request.form and "
            "request.files. To read it as it was sent, register the route with stream=True."
        )


NOT_ARRIVED = (
    "The request's body has not arrived yet, and waiting for it here would stop the event loop. It is there in the "
    'view. In an async def before hook, "await request.load_body()" first; in a view registered with stream=True, use '
    '"async for chunk in request.stream".'
)


class InputStream:
    """A WSGI server's input: read as the file that it is, or iterated with `async for` on an event loop.

    The reads of the async iteration block, so they run where `def` functions run: on the thread that waits for the
    view under WSGI, on the request's worker thread elsewhere.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.read = stream.read
        self.readline = stream.readline
        self.readlines = stream.readlines

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._stream)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        chunk: bytes = await current_app.ensure_async(self.read)(CHUNK)
        if not chunk:
            raise StopAsyncIteration
        return chunk

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class UnreadInput(InputStream):
    """A WSGI server's input whose end may still be on its way: a read waits for the client, and has to be on a thread.

    :raises RuntimeError: it is read on the background loop.
    """

    def __init__(self, stream: Any) -> None:
        super().__init__(stream)
        self.read = self._guarded(stream.read)
        self.readline = self._guarded(stream.readline)
        self.readlines = self._guarded(stream.readlines)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    @staticmethod
    def _guarded(read: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(*args: Any) -> Any:
            if portal.is_here():
                raise RuntimeError(NOT_ARRIVED)
            return read(*args)

        return guarded
