"""Threads that inherit contexts: a plain new thread starts unbound there too.

Up to Python 3.13 a new thread starts in an empty context. Where ``sys.flags.thread_inherit_context``
is set (Python 3.14, the default of its free-threaded build) it starts in a copy of its starter's
context, and would find the starter's request there. What a thread was handed on purpose
(``copy_context().run``, ``asyncio.to_thread``, an executor that carries) has to stay visible.

What tells the two apart: code of a plain thread runs in the thread's *own* context, the one that
``Thread.start`` made; what is handed over runs in another one. So a value found in the thread's own
context counts only if this thread put it there.

Two limits. ``Thread(context=copy_context())`` looks the same as a plain start afterwards, and starts
unbound as well; call ``context.run`` in the thread instead. And a plain thread that copies its own
context (``asyncio.run`` does) finds in the copy what it had inherited.
"""

from __future__ import annotations

import sys
import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Holder(Protocol[T]):
    """What a Local or LocalStack needs of the variable that it stands on; a ContextVar has it."""

    def get(self, default: None, /) -> T | None: ...

    def set(self, value: T, /) -> Any: ...


class UninheritedVar(Generic[T]):
    """Reads and sets a ContextVar, blind to what its thread only inherited from its starter."""

    __slots__ = ("_placed_by", "_var")

    def __init__(self, var: ContextVar[T]) -> None:
        self._var = var
        self._placed_by: ContextVar[object] = ContextVar(f"{var.name} placed by")

    def get(self, default: None, /) -> T | None:
        """Return the value of this context, None if there is none or only the start of the thread left it."""
        value = self._var.get(default)
        if value is None or self._placed_by.get(None) is this_thread() or not in_own_context():
            return value
        return None

    def set(self, value: T, /) -> None:
        """Set the value for this context, in the name of this thread."""
        self._var.set(value)
        self._placed_by.set(this_thread())


class _ThreadMark(threading.local):
    def __init__(self) -> None:
        # Unlike a thread's number, an object that a context may still hold is never used again.
        self.mark = object()


_marks = _ThreadMark()
_probe: ContextVar[object] = ContextVar("flaskctx.local.probe")


def this_thread() -> object:
    """Return an object that stands for this thread and never for another one."""
    return _marks.mark


def in_own_context() -> bool:
    """Tell whether this code runs in the very context that its thread was started with."""
    own = getattr(threading.current_thread(), "_context", None)
    if own is None:  # the main thread, or one that threading did not start: these inherit nothing
        return False
    mark = object()
    token = _probe.set(mark)
    try:
        return own.get(_probe) is mark
    finally:
        _probe.reset(token)


def plain_holder(var: ContextVar[T]) -> Holder[T]:
    """Return *var* itself, where threads start in an empty context."""
    return var


uninherited: Callable[[ContextVar[Any]], Holder[Any]]
"""Returns what reads and sets a ContextVar without showing a plain thread its starter's value."""
uninherited = UninheritedVar if getattr(sys.flags, "thread_inherit_context", False) else plain_holder
