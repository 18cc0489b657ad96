"""The bridge of WSGI, the command line and the shell: everything is called here, on this thread.

A coroutine runs on the process's background loop while this thread, or greenlet, waits; `def` functions that
it calls back are run by the waiting thread itself.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from .call import Call, close_unawaited
from .mirror import Mirror
from .portal import BackgroundLoop, portal

T = TypeVar("T")


class Inline(Call):
    """Calls on the thread that serves the request."""

    __slots__ = ("_mirror", "_portal")

    def __init__(self, background: BackgroundLoop = portal) -> None:
        self._portal = background
        self._mirror: Mirror | None = None

    async def finish(self, awaitable: Awaitable[T]) -> T:
        return self.wait_for(awaitable)

    def wait_for(self, awaitable: Awaitable[T]) -> T:
        """Run `awaitable` on the background loop and wait for it; returns or raises what it does."""
        if self._mirror is None:
            self._mirror = Mirror()
        self._mirror.copy_in()
        try:
            return self._portal.wait_for(awaitable, self._mirror.context)
        finally:
            self._mirror.copy_out()


class Refusing(Call):
    """Calls of a sync name on a thread whose event loop runs: an `async def` function can't be waited for."""

    __slots__ = ("advice",)

    def __init__(self, advice: str) -> None:
        self.advice = advice

    async def finish(self, awaitable: Awaitable[T]) -> T:
        close_unawaited(awaitable)
        raise RuntimeError(refusal(awaitable, self.advice))


def refusal(function: object, advice: str) -> str:
    """Say why a sync name can't go on, and what to write instead."""
    name = getattr(function, "__qualname__", None) or repr(function)
    return (
        f"{name} is an async def function, and it is needed on a thread whose event loop is running: waiting for "
        f"it here would stop the loop. Use the awaitable form instead: {advice}"
    )
