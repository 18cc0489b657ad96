"""One request in ASGI's terms: its context, the answer to it, and whether its client is still there."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from ..bridge import InWorker, OnLoop, bound
from ..ctx import State
from ..lifecycle import end_stream, log_of_left_request, propagates
from ..wrappers import may_block_at_start
from .answer import Answer, answer_of
from .client import Client
from .waiting import DELAY, waiting_room

if TYPE_CHECKING:
    import anyio

    from ..ctx import RequestContext
    from .body import RequestBody
    from .types import Message, Receive

LOOK = 0.01
"""Seconds that a `def` function waits for the answer when it first asks whether its client has left."""

_STREAMING = State.STREAMING


class Exchange:
    """A request and its answer.

    :param receive: the server's; None while nothing of it may be taken to see whether the client has left.
    :param cancel_scope: what to cancel for an `async def` view when it has; None on asyncio: the task.
    """

    __slots__ = (
        "_body", "_call", "_cancel_scope", "_environ", "_has_left", "_server_receive", "_task", "_waits_among",
        "answer", "client", "context", "inner", "receive",
    )  # fmt: skip

    context: RequestContext | None
    inner: Any
    """The context of a request that middleware around an overridden `wsgi_app` has let through."""
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
        self.receive = self._server_receive = receive
        self._has_left = False
        self._waits_among: dict[Exchange, None] | None = None
        self._task: asyncio.Task[Any] | None = None
        self.context = self.inner = self.answer = self.client = None
        call.exchange = self

    # -- the answer ----------------------------------------------------------------------------------------------

    def respond(self, response: Any, may_block: bool = False, *, failure: BaseException | None = None) -> Answer | None:
        """Settle the answer; a second one, made because a teardown has failed, takes the place of the first.

        Returns None where functions of the response's own class have to be called, unless they may block here.
        ASGI has no way of telling the server about the `failure` that a response of last resort stands for.
        """
        if not may_block and type(response) is not tuple and may_block_at_start(response):
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
            answer.has_to_be_closed
            or (context is not None and (context._state is _STREAMING or bool(context._after_response)))
        )

    async def close(self, error: BaseException | None) -> None:
        """Close the body where it runs, and end a context that was kept for it; failures are logged."""
        call, context = self._call, self.context
        if not self.has_to_be_closed():
            # of a request that was dropped this can't be known before it comes to this
            return
        if context is None:
            # an overridden `wsgi_app`: its contexts, and what happens to errors, are its own business
            await self.answer.close(call)
            return
        try:
            await self.answer.close(call)
        except Exception as failure:
            log_of_left_request(context, failure)
        finally:
            try:
                await end_stream(call, context, error)
            except Exception as failure:
                if error is None and propagates(context.app):
                    raise
                log_of_left_request(context, failure)
            finally:
                for start in context._after_response:
                    start()

    # -- the client ----------------------------------------------------------------------------------------------

    def waits(self) -> None:
        """Watch the connection from now on; called when the request waits on the loop, so quick ones don't pay."""
        client = self.client
        if client is not None:
            if client.task is None:
                self._tell_task(client)
                # before there was nobody to be cancelled
                client.strike_if_left()
        elif self._waits_among is None and self._may_be_watched():
            if DELAY and self._cancel_scope is None:
                loop = asyncio.get_running_loop()
                self._task = asyncio.current_task(loop)
                self._waits_among = waiting_room(loop).enter(self)
            else:
                self.watch(DELAY)

    def awaits_view(self) -> None:
        """End with the client from now on: what the request's `def` view has led to is awaited."""
        client = self.client
        if client is not None:
            if client.task is None:
                self._tell_task(client)
            client.strike_if_left()

    def _tell_task(self, client: Client) -> None:
        # a thread has asked for the watch, which doesn't know the task
        if self._cancel_scope is None:
            client.task = asyncio.current_task()

    def ends(self) -> None:
        """Wait no longer: the request has ended."""
        if self._waits_among is not None:
            self._waits_among.pop(self, None)

    def is_gone(self) -> bool:
        """Tell whether the client has left, as far as is known; the first question starts the watching."""
        if self.client is None and self.receive is not None:
            call = bound()
            if call is self._call:
                self.watch(0)
            elif type(call) is InWorker and call.exchange is self:
                self._look()
            else:
                # a thread that carries the request, and that its view may be waiting for
                self._call.do_on_loop(self._watch_for_others)
        body, client = self._body, self.client
        return self._has_left or (body is not None and body.disconnected) or (client is not None and client.has_left)

    async def receive_while_sending(self) -> Message:
        """Take the next message for who watches the connection while the response is streamed."""
        receive, body = self._server_receive, self._body
        assert receive is not None
        message = await (receive() if body is None else body.receive_ahead())
        if message["type"] == "http.disconnect":
            self.notice_leaving()
        return message

    def notice_leaving(self) -> None:
        """Note that the client has left."""
        self._has_left = True
        context = self.context or self.inner
        if context is not None:
            context._client_has_left = True

    def _look(self) -> None:
        """Start the watching from the worker thread, and give it a moment to see what the server knows already.

        The thread doesn't ask the task to do that: the cancellation that may follow would be raised to it.
        """
        if self._may_be_watched():
            self._call.do_on_loop(self._watch_for_others)
            tries = 10
            while tries and not (self.client is not None and self.client.has_left):
                time.sleep(LOOK / 10)
                tries -= 1

    def _may_be_watched(self) -> bool:
        # what would be taken from the server while the body is unread might be a part of it
        return self.receive is not None and (self._body is None or self._body.complete)

    def watch(self, delay: float) -> None:
        """Watch the connection, in `delay` seconds; called on the loop."""
        if self.client is None and self._may_be_watched():
            if self._task is None and self._cancel_scope is None:
                self._task = asyncio.current_task()
            self._watch(delay)

    def _watch(self, delay: float) -> None:
        assert self.receive is not None
        self.client = Client(self.context or self.inner, self.receive, self._task, self._cancel_scope, delay)

    def _watch_for_others(self) -> None:
        if self.client is None and self._may_be_watched():
            self._watch(0)
