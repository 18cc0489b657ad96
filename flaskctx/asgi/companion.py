"""Companion: a task beside a request or its response, on asyncio or trio, that begins after a delay."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from types import TracebackType
from typing import Any

from ..bridge.loops import asyncio_is_running


class Companion:
    """Does `work()` beside whoever enters it, as long as that takes; a quick one ends before it has begun.

    :param delay: seconds until it begins; None: it doesn't.
    """

    __slots__ = ("_cancel_scope", "_delay", "_ended", "_task", "_timer")

    def __init__(self, delay: float | None) -> None:
        self._delay = delay
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._cancel_scope: Any = None
        self._ended: Any = None

    async def work(self) -> None:
        """Do the work; must not raise."""
        raise NotImplementedError

    async def __aenter__(self) -> None:
        if self._delay is not None:
            self.start(self._delay)

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        if exc_type is not GeneratorExit:
            await self.stop()
            return
        # the coroutine was dropped: it can't wait for anything any more
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            with suppress(RuntimeError):  # the loop is closed
                self._task.cancel()

    def start(self, delay: float) -> None:
        """Begin in `delay` seconds; called on the loop."""
        if asyncio_is_running():
            self._timer = asyncio.get_running_loop().call_later(delay, self._start_task)
        else:
            trio = sys.modules["trio"]
            self._cancel_scope, self._ended = trio.CancelScope(), trio.Event()
            trio.lowlevel.spawn_system_task(self._work_on_trio, trio, delay)

    async def stop(self) -> None:
        """End it; when this returns, it has ended."""
        if self._timer is not None:
            self._timer.cancel()
        # the task, cancelled, refers to this by a traceback: without the cycle, what they hold is freed at once
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        if self._cancel_scope is not None:
            self._cancel_scope.cancel()
            with sys.modules["trio"].CancelScope(shield=True):
                await self._ended.wait()

    def _start_task(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self.work())

    async def _work_on_trio(self, trio: Any, delay: float) -> None:
        try:
            with self._cancel_scope:
                await trio.sleep(delay)
                await self.work()
        finally:
            self._ended.set()
