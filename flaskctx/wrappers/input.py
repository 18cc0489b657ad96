"""The request's body as `request.stream` shows it: a file for `def` views, async chunks for `async def` ones."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from werkzeug.wsgi import LimitedStream

from ..globals import current_app

CHUNK = 64 * 1024
"""Bytes that are read at once for an `async for`."""


class CountedStream(LimitedStream):
    """A stream of unknown length that raises a 413 where it exceeds the limit, also when it is read in one go.

    werkzeug's returns just as many bytes as the limit allows then, as if they were all.
    """

    def readall(self) -> bytes:
        data = super().readall()
        if self.is_exhausted and self._stream.read(1):
            self.on_exhausted()
        return data


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

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = current_app.ensure_async(self.read)
        while chunk := await read(CHUNK):
            yield chunk

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
