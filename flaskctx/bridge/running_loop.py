"""A running event loop, asyncio's or trio's, as any thread may name it and reach it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any, TypeAlias

LoopKey: TypeAlias = Any
"""What stands for a loop: an `asyncio.AbstractEventLoop` or a `trio.lowlevel.TrioToken`. Hashable."""


def loop_here() -> LoopKey | None:
    """Return the loop that runs on this thread, None where there is none."""
    loop = asyncio._get_running_loop()
    if loop is not None:
        return loop
    trio = sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_run():
        return trio.lowlevel.current_trio_token()
    return None


def call_on_loop(loop: LoopKey, work: Callable[[], object]) -> None:
    """Have `work()` called on a loop soon, from any thread; at once if this is the loop.

    :raises RuntimeError: the loop has ended.
    """
    if loop is loop_here():
        work()
    elif isinstance(loop, asyncio.AbstractEventLoop):
        loop.call_soon_threadsafe(work)
    else:
        loop.run_sync_soon(work)
