"""The bridge of a `def` function that runs on a worker thread and calls back into the lifecycle.

An override like `def dispatch_request(self): return super().dispatch_request()` drives the rest of the
lifecycle from its own frame, on its own thread. `def` functions are called right there; a coroutine is
awaited by the task of the server's loop that serves this request, and the thread waits for it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Coroutine
from contextvars import Context
from typing import TYPE_CHECKING, Any, TypeVar

from .call import CancellableCall, close_unawaited
from .mailbox import Mailbox, new_mailbox
from .mirror import Mirror

if TYPE_CHECKING:
    from .on_loop import Exchange, OnLoop
    from .running_loop import LoopKey
    from .threads import Seat

T = TypeVar("T")


class Ask:
    """A thread's request to its task on the loop: await this, and tell me what became of it."""

    __slots__ = ("context", "coroutine", "mailbox")

    def __init__(self, coroutine: Coroutine[Any, Any, Any], context: Context, mailbox: Mailbox) -> None:
        self.coroutine = coroutine
        self.context = context
        self.mailbox = mailbox


class InWorker(CancellableCall):
    """Calls from the worker thread of a request that a loop serves."""

    __slots__ = ("_depth", "_mirrors", "_on_loop")

    def __init__(self, on_loop: OnLoop) -> None:
        self._on_loop = on_loop
        self._mirrors: list[Mirror] = []
        super().__init__()
        self._depth = 0
        """How many calls of `wait_for` this thread is in: an override may call a step that meets another one."""

    def serve(self, context: object) -> None:
        """Note which request the middleware around a `wsgi_app` has let through: it ends with its client."""
        if self._on_loop.exchange is not None:
            self._on_loop.exchange.inner = context

    async def finish(self, awaitable: Awaitable[T]) -> T:
        return self.wait_for(awaitable, self._in_teardown)

    def wait_for(self, awaitable: Awaitable[T], sheltered: bool = False) -> T:
        """Have the loop await `awaitable` and wait for it; returns or raises what it does.

        :param sheltered: out of reach of the request's cancellation.
        """
        depth = self._depth
        if depth == len(self._mirrors):
            # the mirror of the level above is entered right now, on this thread
            self._mirrors.append(Mirror())
        mirror = self._mirrors[depth]
        mailbox = new_mailbox()
        mirror.copy_in()
        self._depth = depth + 1
        seat = self._on_loop.seat
        seat.will_wait(mailbox)
        steps = self._on_loop.sheltered(awaitable) if sheltered else await_it(awaitable)
        self._on_loop.inbox.post(Ask(steps, mirror.context, mailbox))
        if self._on_loop.dropped:
            self._on_loop.drop()
        try:
            outcome = seat.wait(mailbox)
        finally:
            self._depth = depth
        if self._on_loop.dropped:
            close_unawaited(awaitable)
        mirror.copy_out()
        return outcome.get()  # type: ignore[no-any-return]

    def lend_seat(self) -> Seat:
        return self._on_loop.lend_seat()

    @property
    def exchange(self) -> Exchange | None:
        """The request on the server's side; an overridden `wsgi_app` has its application's lifecycle run here."""
        return self._on_loop.exchange

    @property
    def loop(self) -> LoopKey:
        """The loop that serves the request."""
        return self._on_loop.inbox.loop


async def await_it(awaitable: Awaitable[T]) -> T:
    """Make a coroutine of any awaitable."""
    return await awaitable
