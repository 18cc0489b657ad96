"""Where each thread stands: the call of the request, or else the loop, on whose behalf it is running right now.

Bound for the length of one resumption, to the thread, and never kept in a ContextVar: a copied context would
carry a call to a thread or task where it is wrong.
"""

from __future__ import annotations

from contextlib import contextmanager
from threading import local
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .call import Call
    from .running_loop import LoopKey


class Standing:
    """Where one thread stands."""

    __slots__ = ("call", "loop")

    def __init__(self) -> None:
        self.call: Call | None = None
        self.loop: LoopKey | None = None


class _Here(local):
    def __init__(self) -> None:
        self.standing = Standing()


here = _Here()
"""`here.standing` is the running thread's, for who changes it back and forth."""


def bind(call: Call | None) -> Call | None:
    """Note that this thread runs on behalf of `call` (None: of nobody); return what stood there before."""
    standing = here.standing
    previous, standing.call = standing.call, call
    return previous


def bound() -> Call | None:
    """Return the call on whose behalf this thread runs, if any."""
    return here.standing.call


@contextmanager
def on_behalf_of(loop: LoopKey) -> Iterator[None]:
    """Note that this thread works for a loop, one of whose tasks waits for it."""
    standing = here.standing
    standing.loop = loop
    try:
        yield
    finally:
        standing.loop = None


def served_loop() -> LoopKey | None:
    """Return the loop for which this thread works, if any."""
    return here.standing.loop
