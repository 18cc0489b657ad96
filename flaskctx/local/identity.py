"""Who runs this code: the identity of the current greenlet, task or thread.

Values are kept apart by :mod:`contextvars`, not by identity. The identity only answers code
that still asks for one: ``local.__storage__[local.__ident_func__()]``.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Hashable, Mapping
from types import MappingProxyType
from typing import Any

IdentFunction = Callable[[], Hashable]
Storage = Mapping[Hashable, Mapping[str, Any]]


def get_ident() -> int:
    """Return a number that nothing else running now has: of the greenlet, else the task, else the thread.

    Libraries are only asked when something else has imported them already. The main greenlet of a
    thread stands for the thread itself.
    """
    greenlet = sys.modules.get("greenlet")
    if greenlet is not None:
        current = greenlet.getcurrent()
        if current.parent is not None:
            return id(current)
    task = current_task()
    return threading.get_ident() if task is None else id(task)


def current_task() -> object | None:
    """Return the asyncio or trio task that runs on this thread, None outside of any."""
    for library in ("asyncio", "trio.lowlevel"):
        module = sys.modules.get(library)
        if module is None:
            continue
        try:
            task: object | None = module.current_task()
        except RuntimeError:  # no loop runs on this thread
            continue
        if task is not None:
            return task
    return None


def identity_view(ident: IdentFunction, values: Mapping[str, Any]) -> Storage:
    """Return *values* below the identity that they belong to, the way ``__storage__`` always looked.

    Nobody else's values can be reached from here. The view is read-only: what is written into it
    would be lost.
    """
    return MappingProxyType({ident(): MappingProxyType(dict(values))} if values else {})
