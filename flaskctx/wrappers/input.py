"""The request's body as `request.stream` shows it: a file for `def` views, async chunks for `async def` ones."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from ..globals import current_app

CHUNK = 64 * 1024
"""Bytes that are read at once for an `async for`."""


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
