"""A private Context for coroutines that run elsewhere while a thread waits for them.

A thread's own context can't be entered a second time, so the coroutine gets a context of its own. Before each
coroutine the values that the thread has changed are copied in, after it those that the coroutine has changed
are copied out: a ContextVar set in an `async def` hook is seen by the `def` view after it, and the other way
round. One mirror serves one request, so that a token made in one coroutine can be used in a later one.
"""

from __future__ import annotations

from contextvars import Context, ContextVar, Token, copy_context
from typing import Any

_ABSENT = object()


class Mirror:
    """The waiting thread's ContextVars, as seen by coroutines on a loop."""

    __slots__ = ("_agreed", "_tokens", "context")

    def __init__(self) -> None:
        self.context = copy_context()
        """Where the coroutines run."""
        self._agreed: Context = self.context.copy()
        self._tokens: dict[ContextVar[Any], Token[Any]] = {}

    def copy_in(self) -> None:
        """Copy what the thread has changed since the last time; call it on the waiting thread."""
        here = copy_context()
        for variable, value in here.items():
            if self._agreed.get(variable, _ABSENT) is not value:
                self.context.run(variable.set, value)

    def copy_out(self) -> None:
        """Copy back what the coroutine has changed; call it on the waiting thread."""
        for variable, token in copy_changes(self.context):
            self._tokens.setdefault(variable, token)
        for variable in [variable for variable in self._tokens if variable not in self.context]:
            # set in one coroutine, reset by its token in another
            variable.reset(self._tokens.pop(variable))
        self._agreed = copy_context()


def copy_changes(context: Context) -> list[tuple[ContextVar[Any], Token[Any]]]:
    """Set every ContextVar here that has another value in `context`; return what was set."""
    here = copy_context()
    return [
        (variable, variable.set(value))
        for variable, value in context.items()
        if here.get(variable, _ABSENT) is not value
    ]
