"""One request in ASGI's terms: its context, the answer to it, and whether its client is still there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio.lowlevel

from ..bridge import InWorker, OnLoop, bound
from ..ctx import State
from ..lifecycle import end_stream, propagates
from ..wrappers import may_block_at_start
from .answer import Answer, answer_of
from .client import Client
from .disconnect import DELAY

if TYPE_CHECKING:
    from ..ctx import RequestContext
    from .body import RequestBody
    from .types import Receive

_STREAMING = State.STREAMING


class Exchange:
    """A request and its answer.

    :param receive: the server's; None while nothing of it may be taken to see whether the client has left.
    :param cancel_scope: what to cancel for an `async def` view when it has; None on asyncio: the task.
    """

    __slots__ = ("_body", "_call", "_cancel_scope", "_environ", "answer", "client", "context", "receive")

    context: RequestContext | None
    answer: Any
    client: Client | None

    def __init__(
        self,
        call: OnLoop,
        environ: dict[str, Any],
        body: RequestBody | None = None,
        receive: Receive | None = None,
        cancel_scope: anyio.CancelScope | None = None,
    ) -> None:
        self._call = call
        self._environ = environ
        self._body = body
        self._cancel_scope = cancel_scope
        self.receive = receive
        self.context = self.answer = self.client = None
        call.exchange = self

    # -- the answer ----------------------------------------------------------------------------------------------

    def respond(self, response: Any, may_block: bool = False) -> Answer | None:
        """Settle the answer; a second one, made because a teardown has failed, takes the place of the first.

        Returns None where functions of the response's own class have to be called, unless they may block here.
        """
        if not may_block and may_block_at_start(response):
            return None
        replaced, self.answer = self.answer, answer_of(response, self._environ)
        if replaced is not None:
            self.answer.replaces(replaced)
        answer: Answer = self.answer
        return answer

    def has_to_be_closed(self) -> bool:
        """Tell whether something is left to do when the response has been sent, or won't be."""
        answer, context = self.answer, self.context
        return answer is not None and (
            answer.has_to_be_closed or (context is not None and context._state is _STREAMING)
        )

    async def close(self, error: BaseException | None) -> None:
        """Close the body where it runs, and end a context that was kept for it; failures are logged."""
        call, context = self._call, self.context
        if context is None:
            # an overridden `wsgi_app`: its contexts, and what happens to errors, are its own business
            await self.answer.close(call)
            return
        log = context.app.log_exception
        try:
            await self.answer.close(call)
        except Exception as failure:
            log((type(failure), failure, failure.__traceback__))
        finally:
            try:
                await end_stream(call, context, error)
            except Exception as failure:
                if error is None and propagates(context.app):
                    raise
                log((type(failure), failure, failure.__traceback__))

    # -- the client ----------------------------------------------------------------------------------------------

    def waits(self) -> None:
        """Watch the connection from now on; called when the request waits on the loop, so quick ones don't pay."""
        if self.client is None:
            self._watch(DELAY)

    def is_gone(self) -> bool:
        """Tell whether the client has left, as far as is known; the first question starts the watching."""
        if self.client is None:
            call = bound()
            if call is self._call:
                self._watch(0)
            elif type(call) is InWorker:
                call.wait_for(self._look())
        return self.client is not None and self.client.has_left

    async def _look(self) -> None:
        self._watch(0)
        for _ in range(3):
            # until the watching task has seen what the server knows already
            await anyio.lowlevel.checkpoint()

    def _watch(self, delay: float) -> None:
        # what would be taken from the server while the body is unread might be a part of it
        if self.receive is not None and (self._body is None or self._body.complete):
            self.client = Client(self.context, self.receive, self._cancel_scope, delay)
