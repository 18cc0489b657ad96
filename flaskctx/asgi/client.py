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

    It is until its view has ended, where that is `async def` and the rule agrees.
    """
    rule: Any = None if context is None else context.request.url_rule
    return (
        context is not None
        and not context._has_result
        and getattr(rule, "cancel_on_disconnect", False)
        and (view := context.app.view_functions.get(rule.endpoint)) is not None
        and is_async(view)
    )


class Client:
    """Watches one request's connection, from its making on, and cancels an `async def` view when the client leaves.

    :param receive: the server's.
    :param task: what to cancel on asyncio.
    :param cancel_scope: what to cancel on trio.
    :param delay: seconds until the watching begins.
    """

    __slots__ = ("_cancel_scope", "_context", "_interrupted", "_task", "_watch", "has_left")

    def __init__(
        self,
        context: RequestContext | None,
        receive: Receive,
        task: asyncio.Task[Any] | None,
        cancel_scope: anyio.CancelScope | None,
        delay: float,
    ) -> None:
        self.has_left = False
        self._context = context
        self._cancel_scope = cancel_scope
        self._task = task
        self._interrupted = False
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
        self._take_back()

    def _leaves(self) -> None:
        self.has_left = True
        if ends_with_its_client(self._context):
            self._interrupted = True
            if self._task is not None:
                self._task.cancel()
            elif self._cancel_scope is not None:
                self._cancel_scope.cancel()

    def has_caused(self, error: BaseException) -> bool:
        """Tell whether this is the cancellation of a request whose client has left, and nobody else's."""
        return self._take_back() and isinstance(error, asyncio.CancelledError)

    def _take_back(self) -> bool:
        """Let the task be one that nobody has cancelled; tell whether it was, and now isn't."""
        interrupted, self._interrupted = self._interrupted, False
        return interrupted and self._task is not None and self._task.uncancel() == 0
