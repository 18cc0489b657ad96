"""Mailboxes: how a thread, or under gevent a greenlet, waits for word from somewhere else."""

from __future__ import annotations

import math
import sys
import time
from collections import deque
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, Protocol


class Mailbox(Protocol):
    """What one waiting thread reads from and every other thread may write to."""

    def put(self, item: Any, /) -> None: ...

    def get(self, block: bool = True, timeout: float | None = None, /) -> Any:
        """Wait for a message, at most `timeout` seconds; raises queue.Empty then."""

    def empty(self) -> bool: ...


class GreenletMailbox:
    """A mailbox whose reader lets the other greenlets of its thread run while it waits.

    The writer is on another native thread, so it wakes the reader through the one thing in gevent that is
    meant for that: `run_callback_threadsafe` of the hub's loop.
    """

    def __init__(self, gevent: Any) -> None:
        self._messages: deque[Any] = deque()
        self._arrival = gevent.event.Event()
        self._run_in_hub = gevent.get_hub().loop.run_callback_threadsafe

    def put(self, item: Any, /) -> None:
        self._messages.append(item)
        self._run_in_hub(self._arrival.set)

    def get(self, block: bool = True, timeout: float | None = None, /) -> Any:
        deadline = math.inf if timeout is None else time.monotonic() + timeout
        while not self._messages:
            left = deadline - time.monotonic()
            if left <= 0:
                raise Empty
            self._arrival.wait(min(left, _LONG))
            # the news of a message that was there already may come late: look again
            self._arrival.clear()
        return self._messages.popleft()

    def empty(self) -> bool:
        return not self._messages


_LONG = 3600.0
"""Seconds. A hub with nothing to wait for, not even a timer, raises LoopExit, so there is always a timer."""


def gevent_patches_threads() -> bool:
    """Tell whether gevent has replaced the thread primitives of this process."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("_thread") or monkey.is_module_patched("thread"))


def new_mailbox() -> Mailbox:
    """Return a mailbox for the calling thread or greenlet."""
    if gevent_patches_threads():
        return GreenletMailbox(sys.modules["gevent"])
    mailbox: SimpleQueue[Any] = SimpleQueue()
    return mailbox


def way_back() -> Callable[[Callable[[], object]], object]:
    """Return what calls one function, from any thread, where it may wake those who wait on this thread.

    That matters to gevent alone: what greenlets of this thread wait for has to be set by its hub, and a hub that
    expects nothing raises LoopExit.
    """
    if not gevent_patches_threads():
        return _call
    messages: deque[Callable[[], object]] = deque()
    watcher = sys.modules["gevent"].get_hub().loop.async_()

    def arrive() -> None:
        watcher.stop()
        watcher.close()
        messages.popleft()()

    def send(message: Callable[[], object]) -> None:
        messages.append(message)
        watcher.send()

    watcher.start(arrive)
    return send


def _call(message: Callable[[], object]) -> object:
    return message()
