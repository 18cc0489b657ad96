"""Where the functions of a plan run: the thread or loop that each of them gets under WSGI and under ASGI.

This tells beforehand what the bridges do (bridge/on_loop.py and bridge/in_worker.py for ASGI).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from ..bridge import is_async
from ..bridge.kinds import is_nonblocking
from .plan import FIRST, SESSION

if TYPE_CHECKING:
    from .plan import Planned

LOOP, WORKER = "loop", "worker"
MAKING_THE_CONTEXT = ("request_context", "create_url_adapter")


class Place(NamedTuple):
    """Where one function of a plan runs."""

    wsgi: str
    """`thread`, the one that serves the request, or `background loop`."""
    asgi: str
    """`loop`, the server's, or `worker`, the request's thread; nothing: wherever the session is used."""
    moves: bool
    """Whether, under ASGI, that is another place than the one before."""
    waits: bool
    """Whether the worker waits meanwhile, as it stands in an override that is called there."""
    visits: int
    """How many times the request has gone to its worker by then."""


def kind_of(function: Callable[..., Any] | None) -> str:
    """Return `def`, `async def` or `def @nonblocking`; nothing for no function."""
    if function is None:
        return ""
    if is_async(function):
        return "async def"
    return "def @nonblocking" if is_nonblocking(function) else "def"


def places_of(plan: Iterable[Planned]) -> Iterator[Place]:
    """Tell where each function of a plan runs."""
    here = previous = LOOP  # where the lifecycle itself is, and where the function before this one ran
    depth = visits = 0
    begins = True  # whether the context is yet to be made; its lifecycle begins on the loop
    for planned in plan:
        kind, visits_before = kind_of(planned.function), visits
        wsgi = "background loop" if kind == "async def" else "thread"
        if planned.when == SESSION and planned.step == "open_session":
            yield Place("", "", False, False, visits)
            continue
        if planned.depth:
            # `super()` is called in the worker, and goes on there
            visits += not depth and here == LOOP
            asgi = LOOP if kind == "async def" else WORKER
        else:
            if begins:
                here = LOOP
                begins = planned.step in MAKING_THE_CONTEXT
            asgi = {"def": WORKER, "def @nonblocking": here}.get(kind, LOOP)
            visits += asgi == WORKER != here
            here = asgi
        depth = planned.depth
        moves = asgi != previous or visits != visits_before
        yield Place(wsgi, asgi, moves, bool(depth) and asgi == LOOP, visits)
        previous = asgi


def summary_of(plan: Iterable[Planned]) -> str:
    """Say in a few words where a request of this plan runs under ASGI: not the first one, and without its body.

    :returns: `loop`, `worker` or `both`; with how many times it goes to its worker thread (hops), unless that is
        obvious, and with `thread waits` where it holds the thread while the loop works.
    """
    plan = [planned for planned in plan if planned.when != FIRST]
    places = list(places_of(plan))
    visits = places[-1].visits if places else 0
    if not visits:
        return LOOP
    hops = "1 hop" if visits == 1 else f"{visits} hops"
    if not any(kind_of(planned.function) == "async def" for planned in plan):
        return WORKER if visits == 1 else f"{WORKER} ({hops})"
    waiting = ", thread waits" if any(place.waits for place in places) else ""
    return f"both ({hops}{waiting})"
