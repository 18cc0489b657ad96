"""Shelter: what was cancelled is brought to its end all the same, within a bounded time."""

from __future__ import annotations

from types import TracebackType

import anyio


class Shelter:
    """A cancel scope to be cancelled from outside, and in it another one, which can keep that away from an end.

    Enter it before the work begins. A scope can't be opened around the end alone: what is ended, an async generator
    say, may hold scopes of its own open, and scopes are left in the reverse order.

    :param wait: the seconds that the end may take.
    """

    __slots__ = ("_inner", "_outer", "_wait")

    _inner: anyio.CancelScope
    _outer: anyio.CancelScope

    def __init__(self, wait: float) -> None:
        self._wait = wait

    def cancel(self) -> None:
        """End the work."""
        self._outer.cancel()

    def take(self) -> None:
        """Keep the cancellations of scopes away for `wait` seconds. (`Task.cancel` of asyncio can't be kept away.)"""
        self._inner.shield = True
        self._inner.deadline = anyio.current_time() + self._wait

    @property
    def was_too_short(self) -> bool:
        """Whether the time is over, so that what was to be ended has been cut off."""
        return self._inner.cancel_called

    def __enter__(self) -> Shelter:
        self._outer = anyio.CancelScope().__enter__()
        self._inner = anyio.CancelScope().__enter__()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> bool:
        if exc_type is GeneratorExit:
            # the coroutine was dropped: there is no task any more that could leave a scope
            return False
        if self._inner.__exit__(exc_type, exc, tb):
            return bool(self._outer.__exit__(None, None, None)) or True
        return bool(self._outer.__exit__(exc_type, exc, tb))
