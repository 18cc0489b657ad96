"""Watching for the client's leaving while a response is streamed."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..bridge.loops import asyncio_is_running

if TYPE_CHECKING:
    from .types import Receive

logger = logging.getLogger("flaskctx.asgi")

DELAY = 0.05
"""Seconds that a stream must last before its connection is watched: a short one shall not pay for it."""


class DisconnectWatch:
    """Calls `on_disconnect()` when the client goes, from a task of its own that starts after `DELAY` seconds.

    :param receive: the server's; None: don't watch.
    """

    __slots__ = ("_cancel_scope", "_ended", "_on_disconnect", "_receive", "_task", "_timer")

    def __init__(self, receive: Receive | None, on_disconnect: Callable[[], None]) -> None:
        self._receive = receive
        self._on_disconnect = on_disconnect
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        self._cancel_scope: Any = None
        self._ended: Any = None

    async def __aenter__(self) -> None:
        if self._receive is not None:
            self.start()

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        if exc_type is not GeneratorExit:
            await self.stop()
        elif self._timer is not None:
            # the coroutine was dropped: it can't wait for anything any more
            self._timer.cancel()

    def start(self, delay: float = DELAY) -> None:
        """Begin to watch in `delay` seconds; called on the loop."""
        if asyncio_is_running():
            self._timer = asyncio.get_running_loop().call_later(delay, self._start_task)
        else:
            trio = sys.modules["trio"]
            self._cancel_scope, self._ended = trio.CancelScope(), trio.Event()
            trio.lowlevel.spawn_system_task(self._watch_on_trio, trio, delay)

    async def stop(self) -> None:
        """Watch no longer; the server's `receive` is free when this returns."""
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self._cancel_scope is not None:
            self._cancel_scope.cancel()
            with sys.modules["trio"].CancelScope(shield=True):
                await self._ended.wait()

    def _start_task(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._watch())

    async def _watch_on_trio(self, trio: Any, delay: float) -> None:
        try:
            with self._cancel_scope:
                await trio.sleep(delay)
                await self._watch()
        finally:
            self._ended.set()

    async def _watch(self) -> None:
        assert self._receive is not None
        try:
            while (await self._receive())["type"] != "http.disconnect":
                pass
        except Exception:
            # nobody waits for this task, and on trio its failure would end the whole run
            logger.exception("receive() failed while a response was streamed; the client is taken to have left.")
        self._on_disconnect()
