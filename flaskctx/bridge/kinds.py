"""What kind of function this is: `def`, `async def`, or a `def` that never blocks."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

_MARK = "__flaskctx_nonblocking__"
ASYNC_FLAGS = inspect.CO_COROUTINE | inspect.CO_ITERABLE_COROUTINE


class Chooser:
    """A callable that stands for one of several functions: which one, and of which kind, is known when it's called."""

    def chosen(self) -> Callable[..., Any]:
        """Return the function that a call would call now."""
        raise NotImplementedError

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.chosen()(*args, **kwargs)


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
    while isinstance(function, (partial, Chooser)):
        function = function.func if isinstance(function, partial) else function.chosen()
    if inspect.iscoroutinefunction(function):
        return True
    return not inspect.isclass(function) and inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004


def check_callable(taker: str, function: object) -> None:
    """Refuse what can't be called later, where it is handed over: the result of a function, most often.

    :param taker: who was given it, as written in code.
    :raises TypeError: it is no function; a coroutine, say, because it was called already.
    """
    if callable(function):
        return
    hint = "Hand over the function itself, without calling it; its arguments come after it, where it takes any."
    if inspect.iscoroutine(function):
        function.close()
        hint = f"Leave out the call: {taker}(f, ...) instead of {taker}(f(...))."
    raise TypeError(f"{taker} takes a function, which it calls later, not {function!r}. {hint}")


def nonblocking(function: F) -> F:
    """Mark a `def` function as one that never waits, so that under ASGI it is called on the event loop.

    Use it for cheap, pure functions (a header added in an after hook, a URL converter): a call then saves
    the way to a worker thread and back. A marked function that does block stops every request of the process.
    The mark belongs to this function alone: a decorator put around it afterwards doesn't inherit it.

    :param function: a view, hook, handler, or converter class: what the application calls.
    :returns: the function itself; a decorator, to be used where functions are defined.
    """
    setattr(function, _MARK, function)
    return function


def is_nonblocking(function: Any) -> bool:
    """Tell whether `function` itself was marked with :func:`nonblocking`."""
    mark = getattr(function, _MARK, None)
    if mark is None:
        return isinstance(function, Chooser) and is_nonblocking(function.chosen())
    return mark is function or mark is getattr(function, "__func__", None)
