"""The client of a request: watched while the request waits, and what follows when it leaves."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ..bridge import is_async
from .disconnect import DisconnectWatch

if TYPE_CHECKING:
    import anyio

    from ..ctx import RequestContext
    from .types import Receive


def ends_with_its_client(context: RequestContext | None) -> bool:
    """Tell whether a request is cancelled when its client leaves now.

    It is until its view has ended, where that is `async def` and the rule agrees; where that stands behind a `def`
    wrapper, while it is awaited.
    """
    rule: Any = None if context is None else context.request.url_rule
    return (
        context is not None
        and not context._has_result
        and getattr(rule, "cancel_on_disconnect", False)
        and (view := context.app.view_functions.get(rule.endpoint)) is not None
        and (context._awaits_view or is_async(view))
    )


class Cancellation:
    """The cancelling of one request whose client has left, told from that of the server's.

    On asyncio it isn't a scope that is cancelled: those of anyio cancel again at each turn of the loop, which would be
    kept busy by a teardown function that takes its time.

    :param task: what to cancel on asyncio; None where that isn't known yet.
    :param cancel_scope: what to cancel on trio.
    """

    __slots__ = ("_cancel_scope", "_struck", "task")

    def __init__(self, task: asyncio.Task[Any] | None, cancel_scope: anyio.CancelScope | None) -> None:
        self.task = task
        self._cancel_scope = cancel_scope
        self._struck = False

    def strike(self) -> None:
        """Cancel the request."""
        self._struck = True
        if self.task is not None:
            self.task.cancel()
        elif self._cancel_scope is not None:
            self._cancel_scope.cancel()

    def has_caused(self, error: BaseException) -> bool:
        """Tell whether this is the cancellation of a request whose client has left, and nobody else's."""
        return self.take_back() and isinstance(error, asyncio.CancelledError)

    def take_back(self) -> bool:
        """Let the task be one that nobody has cancelled; tell whether it was, and now isn't."""
        struck, self._struck = self._struck, False
        return struck and self.task is not None and self.task.uncancel() == 0


class Client(Cancellation):
    """Watches one request's connection, from its making on, and cancels an `async def` view when the client leaves.

    :param receive: the server's.
    :param delay: seconds until the watching begins.
    """

    __slots__ = ("_context", "_watch", "has_left")

    def __init__(
        self,
        context: RequestContext | None,
        receive: Receive,
        task: asyncio.Task[Any] | None,
        cancel_scope: anyio.CancelScope | None,
        delay: float,
    ) -> None:
        super().__init__(task, cancel_scope)
        self.has_left = False
        self._context = context
        self._watch: DisconnectWatch | None = DisconnectWatch(receive, self._leaves)
        self._watch.start(delay)

    async def ignore(self, error: BaseException | None = None) -> None:
        """Watch no longer: when this returns, others may take the connection's messages.

        :param error: what ends the request; after a GeneratorExit nothing can be waited for.
        """
        watch, self._watch = self._watch, None
        if watch is not None:
            await watch.__aexit__(None if error is None else type(error), error, None)
        # a view may have caught it
        self.take_back()

    def _leaves(self) -> None:
        self.has_left = True
        if self._context is not None:
            self._context._client_has_left = True
        self.strike_if_left()

    def strike_if_left(self) -> None:
        """Cancel the request if it has no client any more and is one that ends with it."""
        if self.has_left and ends_with_its_client(self._context):
            self.strike()
