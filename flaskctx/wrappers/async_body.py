"""The body of a response that is an async iterable: iterating it, encoding it, closing it once."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, TypeGuard

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator


def is_async_body(body: object) -> TypeGuard[AsyncIterable[str | bytes]]:
    """Tell whether `body` can only be iterated with `async for`.

    What offers both ways counts as an ordinary body: all of werkzeug's methods work with it.
    """
    return hasattr(body, "__aiter__") and not hasattr(body, "__iter__")


class EncodedChunks:
    """Async iterator over a body's chunks as bytes, which closes the body when it ends.

    It ends by exhaustion, by an error in the body, or by `aclose()`, whichever comes first; the body is
    closed exactly once, also when it was never iterated. Use it in one task at a time.

    :param body: an async iterable of str (sent as UTF-8) and bytes.
    """

    __slots__ = ("_body", "_closed", "_iterator")

    def __init__(self, body: AsyncIterable[str | bytes]) -> None:
        self._body = body
        self._iterator: AsyncIterator[str | bytes] | None = None
        self._closed = False

    def __aiter__(self) -> EncodedChunks:
        return self

    async def __anext__(self) -> bytes:
        if self._closed:
            raise StopAsyncIteration
        try:
            if self._iterator is None:
                self._iterator = aiter(self._body)
            chunk = await anext(self._iterator)
        except BaseException:  # its end is StopAsyncIteration
            await self.aclose()
            raise
        return chunk.encode() if isinstance(chunk, str) else chunk

    async def aclose(self) -> None:
        """Close the body. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        try:
            if self._iterator is not None and self._iterator is not self._body:
                await _close(self._iterator)
        finally:
            await _close(self._body)


async def _close(source: Any) -> None:
    # async generators have `aclose`; files and streams of async libraries often just an awaitable `close`
    close = getattr(source, "aclose", None) or getattr(source, "close", None)
    if close is not None:
        outcome = close()
        if inspect.isawaitable(outcome):
            await outcome
