"""The client of a request: watched while the request waits, and what follows when it leaves."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ..bridge import is_async
from ..bridge.loops import asyncio_is_running
from .disconnect import DisconnectWatch

if TYPE_CHECKING:
    import anyio

    from ..ctx import RequestContext
    from .types import Receive


class Client:
    """Watches one request's connection, from its making on, and cancels an `async def` view when the client leaves.

    :param receive: the server's.
    :param cancel_scope: what to cancel; None on asyncio, where it is the running task.
    :param delay: seconds until the watching begins.
    """

    __slots__ = ("_cancel_scope", "_context", "_interrupted", "_task", "_watch", "has_left")

    def __init__(
        self, context: RequestContext | None, receive: Receive, cancel_scope: anyio.CancelScope | None, delay: float
    ) -> None:
        self.has_left = False
        self._context = context
        self._cancel_scope = cancel_scope
        self._task: asyncio.Task[Any] | None = asyncio.current_task() if asyncio_is_running() else None
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

    def _leaves(self) -> None:
        self.has_left = True
        context = self._context
        rule: Any = None if context is None else context.request.url_rule
        if (
            context is not None
            and getattr(rule, "cancel_on_disconnect", False)
            and is_async(context.app.view_functions[rule.endpoint])
        ):
            self._interrupted = True
            if self._task is not None:
                self._task.cancel()
            elif self._cancel_scope is not None:
                self._cancel_scope.cancel()

    def has_caused(self, error: BaseException) -> bool:
        """Tell whether this is the cancellation of a request whose client has left, and nobody else's."""
        return (
            self._interrupted
            and self._task is not None
            and isinstance(error, asyncio.CancelledError)
            and self._task.uncancel() == 0
        )
