"""A part of a test that runs beside it: the application's lifespan, a response that is read as it comes."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextvars import copy_context

import anyio

from ..bridge.loops import asyncio_is_running


class Companion:
    """A task of its own, on asyncio or trio, for an `async def` function; its exception is kept in `error`.

    Not in a task group: of an async fixture the beginning and the end run in different tasks.
    """

    def __init__(self, function: Callable[[], Awaitable[None]]) -> None:
        self._function = function
        self._scope = anyio.CancelScope()
        self._ended = anyio.Event()
        self.error: Exception | None = None
        if asyncio_is_running():
            # the loop itself keeps a weak reference only
            self._task = asyncio.get_running_loop().create_task(self._run())
        else:
            sys.modules["trio"].lowlevel.spawn_system_task(self._run, context=copy_context())

    async def _run(self) -> None:
        try:
            with self._scope:
                await self._function()
        except Exception as error:
            self.error = error
        finally:
            self._ended.set()

    @property
    def has_ended(self) -> bool:
        """Whether the function has ended, however it did."""
        return self._ended.is_set()

    async def end(self) -> None:
        """Wait until the function has ended."""
        await self._ended.wait()

    async def cancel(self) -> None:
        """Cancel the function, if it still runs, and wait until it has ended."""
        self._scope.cancel()
        with anyio.CancelScope(shield=True):
            await self._ended.wait()

    def raise_error(self) -> None:
        """Raise what the function has raised, the first time that it is asked for."""
        error, self.error = self.error, None
        if error is not None:
            raise error
