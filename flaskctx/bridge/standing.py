"""Where each thread stands: the call of the request on whose behalf it is running right now.

Bound for the length of one resumption, to the thread, and never kept in a ContextVar: a copied context would
carry a call to a thread or task where it is wrong.
"""

from __future__ import annotations

from threading import local
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .call import Call


class Standing:
    """Where one thread stands."""

    __slots__ = ("call",)

    def __init__(self) -> None:
        self.call: Call | None = None


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
