"""A private Context for coroutines that run elsewhere while a thread waits for them.

A thread's own context can't be entered a second time, so the coroutine gets a context of its own. Before each
coroutine what the thread has changed is copied in, after it what the coroutine has changed is copied out: a
ContextVar set in an `async def` hook is seen by the `def` view after it, and the other way round. One mirror
serves one request, so that a token made in one coroutine can be used in a later one; where it takes a value
away on one side, the value goes on the other side too.
"""

from __future__ import annotations

from contextvars import Context, ContextVar, Token, copy_context
from typing import Any

_ABSENT = object()


Tokens = dict[ContextVar[Any], Token[Any]]
"""The token of the first value that was copied to a ContextVar."""


class Mirror:
    """The ContextVars of the code that waits, as seen by the code that it waits for.

    :param context: a copy of the context here in which other code has run already; an empty one by default.
    """

    __slots__ = ("_agreed", "_tokens_here", "_tokens_there", "context")

    def __init__(self, context: Context | None = None) -> None:
        self.context = Context() if context is None else context
        """Where the other code runs."""
        self._agreed = Context() if context is None else copy_context()
        self._tokens_here: Tokens = {}
        self._tokens_there: Tokens = {}

    def copy_in(self) -> None:
        """Copy what has changed here since the last time."""
        here = copy_context()
        self.context.run(_follow, here, self._agreed, self._tokens_there)
        self._agreed = here

    def copy_out(self) -> None:
        """Copy what has changed there since the last time."""
        _follow(self.context, self._agreed, self._tokens_here)
        self._agreed = copy_context()


def _follow(other: Context, agreed: Context, tokens: Tokens) -> None:
    """Repeat in the current context what was changed in another one since both agreed."""
    for variable, value in other.items():
        if agreed.get(variable, _ABSENT) is not value:
            tokens.setdefault(variable, variable.set(value))
    for variable in agreed:
        if variable not in other and variable in tokens:
            # it was reset to having no value
            variable.reset(tokens.pop(variable))
