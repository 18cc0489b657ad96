"""What kind of function this is: `def`, `async def`, or a `def` that never blocks."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

_MARK = "__flaskctx_nonblocking__"
ASYNC_FLAGS = inspect.CO_COROUTINE | inspect.CO_ITERABLE_COROUTINE


def is_async(function: Callable[..., Any]) -> bool:
    """Tell whether calling `function` gives a coroutine that has to be awaited.

    Sees through bound methods, `functools.partial` and objects whose `__call__` is `async def`. Decorators are
    taken as what they are: a `def` wrapper is a `def`, and the coroutine that it may return is awaited all the
    same. Nothing is remembered between calls, so a function that is replaced is judged anew.
    """
    try:
        flags = function.__code__.co_flags
    except AttributeError:
        return is_async_object(function)
    return bool(flags & ASYNC_FLAGS)


def is_async_object(function: Any) -> bool:
    """`is_async` for callables that have no code of their own."""
    while isinstance(function, partial):
        function = function.func
    if inspect.iscoroutinefunction(function):
        return True
    return not inspect.isclass(function) and inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004


def nonblocking(function: F) -> F:
    """Mark a `def` function as one that never waits, so that under ASGI it is called on the event loop.

    Use it for cheap, pure functions (a header added in an after hook, a URL converter): a call then saves
    the way to a worker thread and back. A marked function that does block stops every request of the process.
    The mark belongs to this function alone: a decorator put around it afterwards doesn't inherit it.
    """
    setattr(function, _MARK, function)
    return function


def is_nonblocking(function: Any) -> bool:
    """Tell whether `function` itself was marked with :func:`nonblocking`."""
    mark = getattr(function, _MARK, None)
    return mark is not None and (mark is function or mark is getattr(function, "__func__", None))
