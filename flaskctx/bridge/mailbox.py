"""Mailboxes: how a thread, or under gevent a greenlet, waits for word from somewhere else."""

from __future__ import annotations

import sys
from collections import deque
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

    The writer is on another native thread, so the hub is woken through the thread-safe `async_` watcher of its
    loop (gevent documentation, `gevent.hub.Hub.loop`).
    """

    def __init__(self, gevent: Any) -> None:
        self._messages: deque[Any] = deque()
        self._event = gevent.event.Event()
        self._watcher = gevent.get_hub().loop.async_()
        self._watcher.start(self._event.set)

    def put(self, item: Any, /) -> None:
        self._messages.append(item)
        self._watcher.send()

    def get(self, block: bool = True, timeout: float | None = None, /) -> Any:
        if not self._messages:
            self._event.wait(timeout)
            self._event.clear()
        if not self._messages:
            raise Empty
        return self._messages.popleft()

    def empty(self) -> bool:
        return not self._messages

    def __del__(self) -> None:
        self._watcher.close()


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
