"""The body of a response that is an async iterable: iterating it, encoding it, closing it once."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, TypeGuard

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Callable


def is_async_body(body: object) -> TypeGuard[AsyncIterable[str | bytes]]:
    """Tell whether `body` can only be iterated with `async for`.

    What offers both ways counts as an ordinary body: all of werkzeug's methods work with it.
    """
    return hasattr(body, "__aiter__") and not hasattr(body, "__iter__")


class EncodedChunks:
    """Async iterator over a body's chunks as bytes, which closes the body when it ends.

    It ends by exhaustion, by an error in the body, or by `aclose()`, whichever comes first; the body is
    closed exactly once, also when it was never iterated. Use it in one task: a body may hold what belongs to
    its task.

    :param body: an async iterable of str (sent as UTF-8) and bytes.
    :param encode: makes bytes of the chunks of a body that has others.
    """

    __slots__ = ("_body", "_encode", "_iterator", "closed", "shelter")

    def __init__(self, body: AsyncIterable[Any], encode: Callable[[Any], bytes] | None = None) -> None:
        self._body = body
        self._encode = encode or _encoded
        self._iterator: Any = None
        self.closed = False
        """Whether the body was closed."""
        self.shelter: Callable[[], object] | None = None
        """Called before a body is closed that has not come to its end, so that a cancellation doesn't cut that off."""

    def __aiter__(self) -> EncodedChunks:
        return self

    async def __anext__(self) -> bytes:
        if self.closed:
            raise StopAsyncIteration
        try:
            if self._iterator is None:
                self._iterator = aiter(self._body)
            return self._encode(await anext(self._iterator))
        except StopAsyncIteration:
            await self._close()
            raise
        except GeneratorExit:  # its task was dropped: nothing can be awaited any more
            raise
        except BaseException:
            await self.aclose()
            raise

    async def athrow(self, error: BaseException) -> bytes | None:
        """Raise a cancellation where the body has yielded: it may be that of a timeout which the body holds open there.

        Returns the next chunk of a body that goes on, None at its end. Raises what the body raises.
        """
        throw = getattr(self._iterator, "athrow", None)
        if throw is None:
            raise error
        try:
            return self._encode(await throw(error))
        except StopAsyncIteration:
            await self._close()
            return None
        except BaseException:
            await self.aclose()
            raise

    async def aclose(self) -> None:
        """Close the body. A second call does nothing."""
        if not self.closed:
            if self.shelter is not None:
                self.shelter()
            await self._close()

    async def _close(self) -> None:
        self.closed = True
        try:
            if self._iterator is not None and self._iterator is not self._body:
                await _close(self._iterator)
        finally:
            await _close(self._body)


def _encoded(chunk: object) -> bytes:
    if isinstance(chunk, bytes):
        return chunk
    if isinstance(chunk, str):
        return chunk.encode()
    if isinstance(chunk, bytearray | memoryview):
        return bytes(chunk)
    raise TypeError(f"The async body of a response yielded {chunk!r}: its chunks have to be str or bytes.")


async def _close(source: Any) -> None:
    # async generators have `aclose`; files and streams of async libraries often just an awaitable `close`
    close = getattr(source, "aclose", None) or getattr(source, "close", None)
    if close is not None:
        outcome = close()
        if inspect.isawaitable(outcome):
            try:
                await outcome
            except BaseExceptionGroup as group:
                # a task group that a generator holds open wraps up the GeneratorExit with which it is closed
                _, rest = group.split(GeneratorExit)
                if rest is not None:
                    raise rest from None
