"""Bodies that need the request while they are streamed: `stream_with_context`.

The context outlives its lifecycle until the body is closed. It is entered around each step of the generator
and never left on the thread in between, so a stream that is abandoned can't poison a pooled thread.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from contextlib import AsyncExitStack, ExitStack
from typing import TYPE_CHECKING, Any

from ..globals import _app_ctx_stack, _request_ctx_err_msg, _request_ctx_stack
from .carry import Borrowed

if TYPE_CHECKING:
    from .app_context import AppContext
    from .request_context import RequestContext


class _ContextStream:
    """What both kinds of stream share: the contexts, and giving them up once."""

    def __init__(self, app_context: AppContext | None, request_context: RequestContext) -> None:
        self._contexts = Borrowed(app_context, request_context)
        self._request_context: RequestContext | None = request_context
        request_context._streams += 1

    def _give_up(self) -> None:
        request_context, self._request_context = self._request_context, None
        if request_context is not None and request_context._streams:
            request_context._streams -= 1

    def __del__(self) -> None:
        self._give_up()


class ContextStream(_ContextStream, Iterator[Any]):
    """An iterator that runs in the contexts in which it was made."""

    def __init__(self, source: Iterable[Any], app_context: AppContext | None, request_context: RequestContext) -> None:
        super().__init__(app_context, request_context)
        self._iterator = iter(source)
        self._open = _distinct(self._iterator, source)

    def __next__(self) -> Any:
        try:
            with self._contexts:
                return next(self._iterator)
        except StopIteration:
            self.close()
            raise

    def close(self) -> None:
        """Close the generator, or what it was made of, in its contexts; a second call does nothing."""
        opened, self._open, self._iterator = self._open, [], iter(())
        try:
            with self._contexts, ExitStack() as closing:
                for each in opened:
                    if hasattr(each, "close"):
                        closing.callback(each.close)
        finally:
            self._give_up()


class AsyncContextStream(_ContextStream, AsyncIterator[Any]):
    """An async iterator that runs in the contexts in which it was made."""

    def __init__(
        self, source: AsyncIterable[Any], app_context: AppContext | None, request_context: RequestContext
    ) -> None:
        super().__init__(app_context, request_context)
        self._iterator = aiter(source)
        self._open = _distinct(self._iterator, source)

    async def __anext__(self) -> Any:
        try:
            with self._contexts:
                return await anext(self._iterator)
        except StopAsyncIteration:
            await self.aclose()
            raise

    async def athrow(self, error: BaseException) -> Any:
        """Raise an error in the generator, in its contexts; what isn't a generator doesn't learn of it."""
        throw = getattr(self._iterator, "athrow", None)
        if throw is None:
            raise error
        with self._contexts:
            return await throw(error)

    async def aclose(self) -> None:
        """Close the generator, or what it was made of, in its contexts; a second call does nothing."""
        opened, self._open, self._iterator = self._open, [], _nothing()
        try:
            with self._contexts:
                async with AsyncExitStack() as closing:
                    for each in opened:
                        if hasattr(each, "aclose"):
                            closing.push_async_callback(each.aclose)
        finally:
            self._give_up()


def _distinct(iterator: Any, source: Any) -> list[Any]:
    """Return what has to be closed, last first: iterables may have iterators with an end of their own."""
    return [source] if iterator is source else [source, iterator]


async def _nothing() -> AsyncIterator[Any]:
    chunks: tuple[Any, ...] = ()
    for chunk in chunks:
        yield chunk


def stream_with_context(generator_or_function: Any) -> Any:
    """Keep the request current while a response body is generated.

    Takes a generator, any iterable or async iterable, or works as a decorator of a (`def` or `async def`)
    generator function. The contexts stay alive until the body is closed; only then the teardown functions run,
    once, with the exception that ended the stream, if any.

    :param generator_or_function: what is to be sent, or the function that makes it.
    :returns: what the view returns, or the decorated function.
    :raises RuntimeError: where no request is current; the decorated function raises it when it is called.
    """
    if not isinstance(generator_or_function, Iterable | AsyncIterable):
        return _decorated(generator_or_function)
    request_context = _request_ctx_stack.top
    if request_context is None:
        raise RuntimeError(_request_ctx_err_msg)
    app_context = _app_ctx_stack.top
    if isinstance(generator_or_function, AsyncIterable):
        return AsyncContextStream(generator_or_function, app_context, request_context)
    return ContextStream(generator_or_function, app_context, request_context)


def _decorated(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def generate(*args: Any, **kwargs: Any) -> Any:
        return stream_with_context(function(*args, **kwargs))

    return generate
