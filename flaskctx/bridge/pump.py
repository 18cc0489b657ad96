"""A task of its own for an async body whose chunks are asked for from elsewhere."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextvars import Context
from typing import Any

import anyio

from .call import Outcome, Raised, Returned
from .loops import Inbox, is_being_cancelled, new_inbox, start_task
from .portal import STREAM
from .shelter import Shelter

logger = logging.getLogger("flaskctx.bridge")

MAKE_CHUNK, CLOSE = True, False
"""What the task is asked for."""

_END = Returned(None)


class Pump:
    """An async iterator whose steps are made by one task, a chunk at a time, for whoever asks from other tasks.

    One task to the end, since an async generator may hold what belongs to its task (a timeout, a task group) open
    across its yields. What such a timeout cancels while nobody asks is raised in the generator, at its yield.

    :param chunks: the body, as `flaskctx.wrappers.async_body.EncodedChunks`.
    :param context: the Context that the task runs in.
    :param wait: the seconds that closing the body may take.
    """

    def __init__(self, chunks: Any, context: Context, wait: float) -> None:
        self._chunks = chunks
        self._context = context
        self._wait = wait
        self._shelter = Shelter(wait)
        self._orders: Inbox | None = None
        self._waiting: list[Inbox] = []
        self._outcome: Outcome = _END
        self._task: object = None
        self.shelter: Callable[[], object] | None = None
        """As that of the chunks; it isn't called, since the task has its own."""
        self._works = False
        """Whether the body is making a chunk. (Else it stands at a yield.)"""
        self._is_ordered = False
        """Whether a chunk was asked for that nobody has taken yet."""
        self._is_told = False
        """Whether the outcome of that is there."""
        self._is_closing = False
        self._ended = False

    async def next_chunk(self, patience: float | None = None) -> bytes | None:
        """Return the next chunk, None at the end; raises what the body raises.

        :param patience: seconds after which b"" is returned while the chunk is still being made; None: no limit.
        """
        if self._orders is None:
            self._orders = new_inbox()
            self._task = start_task(self._run, STREAM, self._context)
        if not self._is_ordered:
            self._is_ordered, self._is_told = True, False
            self._orders.deliver(MAKE_CHUNK)
        await self._word(patience)
        if not (self._is_told or self._ended):
            return b""
        self._is_ordered = False
        return self._take_outcome()  # type: ignore[no-any-return]

    def __aiter__(self) -> Pump:
        return self

    async def __anext__(self) -> bytes:
        chunk = await self.next_chunk()
        if chunk is None:
            raise StopAsyncIteration
        return chunk

    async def athrow(self, error: BaseException) -> bytes | None:
        """Raise the cancellation of who asks for the chunks: it isn't the body's."""
        raise error

    @property
    def closed(self) -> bool:
        """Whether the body was closed."""
        closed: bool = self._chunks.closed
        return closed

    async def aclose(self) -> None:
        """Have the body closed, by the task that has run it; raises what it raises then. May be called again."""
        if self._orders is None:
            await self._chunks.aclose()
            return
        if self._works:
            # on a chunk that nobody waits for any more
            self._shelter.cancel()
        self._is_closing, self._is_ordered = True, False
        self._orders.deliver(CLOSE)
        while not self._ended:
            await self._word()
        self._take_outcome()

    async def _word(self, patience: float | None = None) -> None:
        """Wait for word from the task, that there is an outcome; so many seconds at most."""
        if not (self._is_told and self._is_ordered) and not self._ended:
            inbox = new_inbox()
            self._waiting.append(inbox)
            forget = None if patience is None else inbox.deliver_later(None, patience)
            try:
                await inbox.arrival()
            finally:
                if forget is not None:
                    forget()
                if inbox in self._waiting:
                    self._waiting.remove(inbox)

    def _take_outcome(self) -> Any:
        outcome, self._outcome = self._outcome, _END
        return outcome.get()

    # -- in the task of its own ----------------------------------------------------------------------------------

    async def _run(self) -> None:
        self._chunks.shelter = self._shelter.take
        try:
            with self._shelter:
                await self._make_chunks()
                await self._chunks.aclose()
            self._outcome = _END
        except GeneratorExit:
            # the task was dropped by its loop
            raise
        except anyio.get_cancelled_exc_class():
            # to the server this is a connection that breaks off: nothing to log, and no regular end
            self._outcome = Raised(ConnectionAbortedError("The process is ending, and the stream with it."))
        except BaseException as error:
            self._outcome = Raised(error)
        if self._shelter.was_too_short:
            logger.error("A streamed body took longer than TEARDOWN_WAIT (%s s) to close and was cut off.", self._wait)
        self._ended = True
        self._tell()

    async def _make_chunks(self) -> None:
        early: list[bytes] = []
        while await self._next_order(early) is MAKE_CHUNK and not self._is_closing:
            self._works = True
            chunk = early.pop(0) if early else await anext(self._chunks, None)
            self._works = False
            if chunk is None:
                return
            self._outcome = Returned(chunk)
            self._tell()

    async def _next_order(self, early: list[bytes]) -> Any:
        assert self._orders is not None
        while True:
            try:
                return await self._orders.arrival()
            except GeneratorExit:
                raise
            except BaseException as error:
                chunk = await self._chunks.athrow(error)
                if is_being_cancelled():
                    await self._chunks.aclose()
                    raise
                if chunk is not None:
                    early.append(chunk)

    def _tell(self) -> None:
        self._is_told = True
        waiting, self._waiting = self._waiting, []
        for inbox in waiting:
            inbox.deliver(None)
