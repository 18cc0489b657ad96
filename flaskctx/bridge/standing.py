"""Where each thread stands: the call of the request on whose behalf it is running right now.

Bound for the length of one resumption, to the thread, and never kept in a ContextVar: a copied context would
carry a call to a thread or task where it is wrong.
"""

from __future__ import annotations

from _thread import get_ident
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .call import Call

_standing: dict[int, Call] = {}
"""By the thread's number, which another thread may have later: nothing is kept of one that has ended."""


def bind(call: Call | None) -> Call | None:
    """Note that this thread runs on behalf of `call` (None: of nobody); return what stood there before."""
    ident = get_ident()
    if call is None:
        return _standing.pop(ident, None)
    previous = _standing.get(ident)
    _standing[ident] = call
    return previous


def bound() -> Call | None:
    """Return the call on whose behalf this thread runs, if any."""
    return _standing.get(get_ident())
