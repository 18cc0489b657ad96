"""Sending an answer: the start with the first chunk, streams with back-pressure, an end when the client leaves."""

from __future__ import annotations

import logging
from collections import deque
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any

import anyio.lowlevel
from werkzeug.exceptions import ClientDisconnected

from ..bridge import Pump, Shelter
from ..bridge.in_worker import Ask
from ..bridge.loops import asyncio_is_running, cut_after, is_being_cancelled
from .disconnect import DisconnectWatch
from .heartbeat import BeatingSender, Heartbeat
from .sender import Sender

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from ..bridge import OnLoop
    from ..wrappers.async_body import EncodedChunks
    from .answer import Answer
    from .types import Receive, Send

OWN_VARIABLES = 2
"""How many ContextVars of a request are the framework's own: the stacks."""

logger = logging.getLogger("flaskctx.asgi")

BUFFER = 256 * 1024
"""Bytes that a `def` generator may be ahead of the client before its thread is given to others."""


TURN = 0.01
"""Seconds after which an async body that never waits lets others have the loop: who watches its client, for one."""


async def send_answer(call: OnLoop, answer: Answer, send: Send, receive: Receive | None) -> None:
    """Send an answer to its end, or until the client has gone.

    :param receive: to watch for the client's leaving while a stream lasts; None: don't watch.
    """
    if len(call.context) > OWN_VARIABLES:
        # middleware around the application finds in its `send` what the request has set
        call.copy_out()
    chunks = answer.chunks
    if chunks is not None:
        await send({"type": "http.response.start", "status": answer.code, "headers": answer.raw_headers()})
        data = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        await send({"type": "http.response.body", "body": data})
        return
    sender = Sender(answer, send) if answer.heartbeat is None else BeatingSender(answer, send)
    if answer.variables is not None:
        call.context.run(answer.variables.outlive_request)
    try:
        if answer.starts_at_once:
            await sender.start()
        if answer.stream is not None:
            await _send_stream(call, answer, sender, receive)
        else:
            await Production(call, answer, sender, receive).run()
    except OSError as error:
        # the server's way to say that the client has gone (ASGI specification, "Disconnected client - send exception")
        if not sender.failed:
            raise
        logger.debug("The client left while its response was streamed: %r", error)
    except ClientDisconnected:
        # the body of the response was reading that of the request
        logger.debug("The client left before the end of its request, while the response was streamed.")


async def within(seconds: float, sending: Awaitable[None]) -> None:
    """Await the sending of an answer for so many seconds.

    :raises TimeoutError: that was not enough; the server then breaks the connection off.
    """
    text = f"The response was not sent within RESPONSE_TIMEOUT ({seconds} s), and is broken off."
    await cut_after(seconds, sending, lambda: TimeoutError(text))


async def _send_stream(call: OnLoop, answer: Answer, sender: Sender, receive: Receive | None) -> None:
    """Send an async body. It is iterated and closed by one task, as it may hold what belongs to its task.

    On asyncio that is the task of the request: to go to another one and back for each chunk would take several
    times as long. On trio sending a chunk is where a timeout of the body's may strike, so it has its own.
    """
    stream, variables = answer.stream, answer.variables
    assert variables is not None
    wait: float = call._limits["TEARDOWN_WAIT"]
    with Shelter(wait) as shelter:
        if asyncio_is_running():
            stream.shelter = partial(_take_unless_dropped, shelter, call)
            context = variables.context
        else:
            answer.stream = stream = Pump(stream, variables.context, wait)
            context = call.context
        beating = Heartbeat(sender, answer.heartbeat, shelter.cancel)
        async with DisconnectWatch(receive, shelter.cancel), beating:
            await call.run(_iterate(call, stream, sender), context)
            call.check()
    if shelter.was_too_short:
        logger.error("A streamed body took longer than TEARDOWN_WAIT (%s s) to close and was cut off.", wait)


def _take_unless_dropped(shelter: Shelter, call: OnLoop) -> None:
    if not call.dropped:
        shelter.take()


async def _iterate(call: OnLoop, stream: EncodedChunks | Pump, sender: Sender) -> None:
    turn_ends = monotonic() + TURN
    try:
        async for chunk in stream:
            try:
                await sender.chunk(chunk)
                if monotonic() > turn_ends:
                    # servers whose buffers have room, or whose client has gone, don't wait in `send`
                    await anyio.lowlevel.checkpoint()
                    turn_ends = monotonic() + TURN
            except Exception:
                raise
            except BaseException as error:
                # a cancellation, maybe of a timeout that the body has open: it is the body that has to hear of it
                if stream.shelter is not None:
                    stream.shelter()
                await stream.athrow(error)
                if call.dropped or is_being_cancelled():
                    raise
                raise ConnectionAbortedError(
                    "A timeout of the response's body struck while a chunk was being sent. How much of that has "
                    "arrived nobody knows, so the body can't go on."
                ) from error
    except BaseException:
        await stream.aclose()
        raise
    await sender.end()


class Production:
    """A `def` body: iterated in the worker thread, a bounded number of bytes ahead of the client.

    The thread hands over each chunk at once, and leaves when `BUFFER` bytes wait to be sent; the loop calls it
    back when they are gone. So a slow client holds no thread.
    """

    def __init__(self, call: OnLoop, answer: Answer, sender: Sender, receive: Receive | None) -> None:
        self._call = call
        self._iterable = answer.iterator
        self._variables = answer.variables
        self._iterator: Any = None
        self._sender = sender
        self._receive = receive
        self._heartbeat = answer.heartbeat
        self._chunks: deque[bytes] = deque()
        # two counts, since each is changed by one side alone
        self._produced = 0
        self._taken = 0
        self._told = False
        self._left = True
        self._stopped = False
        self._outcome: BaseException | None = None
        self._exhausted = False

    async def run(self) -> None:
        """Iterate and send until the end, or until the client has gone."""
        inbox = self._call.inbox
        work = self._produce if self._variables is None else partial(self._variables.context.run, self._produce)
        await self._call.sit_down()
        beating = Heartbeat(self._sender, self._heartbeat, self._stop)
        async with DisconnectWatch(self._receive, self._stop), beating:
            while not (self._exhausted or self._stopped):
                self._left = False
                self._call.submit(work, self._burst_ends)
                try:
                    await self._consume()
                except GeneratorExit:
                    self._stop()
                    raise
                except BaseException:
                    self._stop()
                    while not self._left:
                        await self._hear_from_thread()
                    raise
                inbox.check()
        if self._outcome is not None:
            raise self._outcome
        if not self._stopped:
            await self._sender.end()

    async def _consume(self) -> None:
        """Send what the thread hands over until it leaves."""
        while not self._left or self._chunks:
            if not self._chunks:
                await self._hear_from_thread()
                if not self._left:
                    self._call.inbox.check()
                self._told = False
            while self._chunks:
                data = self._chunks.popleft()
                self._taken += len(data)
                await self._sender.chunk(data)

    async def _hear_from_thread(self) -> None:
        """Wait for word from the thread: that there are chunks, what it asks for, or that it has left."""
        message = await self._call.inbox.patient_arrival()
        if type(message) is Ask:
            await self._call.answer(message)
        elif message is self:
            self._left = True

    # -- on the worker thread ------------------------------------------------------------------------------------

    def _produce(self) -> None:
        try:
            if self._iterator is None:
                self._iterator = iter(self._iterable)
            for data in self._iterator:
                if self._stopped:
                    return
                if data:
                    self._chunks.append(data)
                    self._produced += len(data)
                    if self._produced - self._taken >= BUFFER:
                        return
                    if not self._told:
                        self._told = True
                        self._call.inbox.post(None)
            self._exhausted = True
        except BaseException as error:
            self._outcome = error
            self._exhausted = True

    def _burst_ends(self) -> None:
        self._call.inbox.post(self)

    def _stop(self) -> None:
        self._stopped = True
