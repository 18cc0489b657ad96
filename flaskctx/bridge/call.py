"""The one place where functions written by users are called.

Every step of the lifecycle does `await call(function, ...)`. A `Call` knows where it stands: inline (WSGI,
command line), on an event loop, or in a worker thread of a request that a loop serves. Its subclasses say
only two things: whether the lifecycle has to move before a `def` function may be called (`move_for`), and how
a coroutine is brought to its end from here (`finish`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from types import CoroutineType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from .kinds import ASYNC_FLAGS, is_async, is_async_object
from .loops import cut_after
from .wrapped_view import as_the_view

if TYPE_CHECKING:
    from .threads import Seat

T = TypeVar("T")

_PEP_479 = "coroutine raised StopIteration"


class Call:
    """How the lifecycle calls a user's function from where it stands."""

    __slots__ = ()

    moves = False
    """Whether `move_for` has to be asked before a call."""

    async def __call__(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call `function`, `def` or `async def`, where its kind belongs, and return what it returns."""
        try:  # is_async(function), written out
            asynchronous = function.__code__.co_flags & ASYNC_FLAGS
        except AttributeError:
            asynchronous = is_async_object(function)
        if self.moves:
            move = self.move_for(function, asynchronous)
            if move is not None:
                await move
        result = function(*args, **kwargs)
        if asynchronous:
            return await self.finish(result)
        if type(result) is CoroutineType:
            return await self.finish(as_the_view(function, result))
        return result

    def shielded(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Coroutine[Any, Any, Any]:
        """Call `function` so that a cancellation of the request doesn't cut it short (teardowns)."""
        return self(function, *args, **kwargs)

    async def acquire(self, lock: threading.Lock) -> None:
        """Take a lock without stopping an event loop, or the other greenlets of a thread; the caller releases it."""
        while not lock.acquire(blocking=False):
            # a lock that was made before gevent came would stop all greenlets, the one that has it too
            time.sleep(0.001)  # noqa: ASYNC251  no loop runs here

    def lend_seat(self) -> Seat | None:
        """Return the place of this request's `def` functions, for a task that the request has started."""
        return None

    def move_for(self, function: Callable[..., Any], asynchronous: int) -> Awaitable[None] | None:
        """Return what to await so that the lifecycle stands where `function` may be called."""
        return None

    def finish(self, awaitable: Awaitable[T]) -> Awaitable[T]:
        """Return what to await so that `awaitable` comes to its end on the loop that belongs to this call."""
        raise NotImplementedError


class CancellableCall(Call):
    """Calls on behalf of a task that may be cancelled: `finish` asks `_in_teardown` whether to shelter from that."""

    __slots__ = ("_in_teardown",)

    def __init__(self) -> None:
        self._in_teardown = False

    async def shielded(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self._in_teardown = True
        try:
            return await self(function, *args, **kwargs)
        finally:
            self._in_teardown = False


def coroutine_of(
    function: Callable[..., Coroutine[Any, Any, T]], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Coroutine[Any, Any, T]:
    """Call an `async def` function where it is known to belong here; return its coroutine, to be awaited."""
    return function(*args, **kwargs)


def limited(function: Callable[..., Any], seconds: float, late: Callable[[], Exception]) -> Callable[..., Any]:
    """Return an `async def` function so that it is cancelled after `seconds`, and `late()` is raised instead.

    A `def` function comes back as it is: no thread can be stopped. For what it returns see wrapped_view.py.
    """
    if not is_async(function):
        return function

    async def within_time(*args: Any, **kwargs: Any) -> Any:
        return await cut_after(seconds, function(*args, **kwargs), late)

    return within_time


class Outcome(Protocol):
    """What became of a piece of work: `get()` returns its value or raises its exception."""

    def get(self) -> Any: ...


class Returned:
    """The work returned this value."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def get(self) -> Any:
        return self.value


class Raised:
    """The work raised this exception."""

    __slots__ = ("error",)

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def get(self) -> Any:
        """Raise it; to be called once."""
        error = self.error
        # the traceback refers to this frame, and to others that have this object: without the cycle, what they hold is
        # freed at once
        del self.error
        try:
            raise error
        finally:
            del error


def original(error: BaseException) -> BaseException:
    """Return the user's StopIteration where a coroutine had to turn it into a RuntimeError (PEP 479).

    A StopIteration can't leave a coroutine, so between the user's function and the lifecycle's error handling
    it travels as the cause of that RuntimeError, with its own traceback intact.
    """
    cause = error.__cause__
    if type(error) is RuntimeError and isinstance(cause, StopIteration) and str(error) == _PEP_479:
        return cause
    return error


def drive(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never suspends to its end, without an event loop.

    Raises whatever it raises. A coroutine that does suspend awaited something other than `call(...)`: it is
    closed, and a RuntimeError names what it awaited.
    """
    try:
        awaited = coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    except RuntimeError as error:
        stopped = original(error)
        if stopped is error:
            raise
        raise stopped from None
    raise suspended_here(coroutine, awaited)


def suspended_here(coroutine: Coroutine[Any, Any, Any], awaited: object) -> RuntimeError:
    """Close a coroutine that suspended where no event loop runs it; return the error that says so."""
    coroutine.close()
    return RuntimeError(
        f"A step of the request lifecycle awaited {awaited!r} where no event loop runs it. "
        "Steps may await nothing but functions that they are given, through call(function, ...)."
    )


def close_unawaited(awaitable: Awaitable[Any]) -> None:
    """Close a coroutine that will not be awaited, so that Python doesn't warn about it."""
    close = getattr(awaitable, "close", None)
    if close is not None:
        close()
