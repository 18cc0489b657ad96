"""The heartbeats of an event stream under ASGI: comments that are sent while it has nothing to say."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import anyio

from ..wrappers import HEARTBEAT
from .companion import Companion
from .sender import Sender

if TYPE_CHECKING:
    from collections.abc import Callable

    from .answer import Answer
    from .types import Send

logger = logging.getLogger("flaskctx.asgi")


class BeatingSender(Sender):
    """A sender for two tasks: the one that streams, and the one that fills the silence."""

    __slots__ = ("_has_ended", "_turn", "sent_at")

    def __init__(self, answer: Answer, send: Send) -> None:
        super().__init__(answer, send)
        self._turn = anyio.Lock()
        self._has_ended = False
        self.sent_at = anyio.current_time()
        """When something was sent last."""

    async def beat(self) -> None:
        """Send a heartbeat, unless something else is being sent."""
        self.sent_at = anyio.current_time()
        if not (self._has_ended or self._turn.locked()):
            await self.chunk(HEARTBEAT)

    async def end(self) -> None:
        self._has_ended = True
        await super().end()

    async def _pass(self, message: dict[str, Any]) -> None:
        async with self._turn:
            await super()._pass(message)
        self.sent_at = anyio.current_time()


class Heartbeat(Companion):
    """Sends a heartbeat after so many seconds of silence; calls `on_disconnect()` where the server refuses it.

    :param seconds: None: never.
    """

    __slots__ = ("_on_disconnect", "_seconds", "_sender")

    def __init__(self, sender: Sender, seconds: float | None, on_disconnect: Callable[[], None]) -> None:
        super().__init__(seconds)
        self._sender = sender
        self._seconds = seconds
        self._on_disconnect = on_disconnect

    async def work(self) -> None:
        sender, seconds = self._sender, self._seconds
        assert isinstance(sender, BeatingSender)
        assert seconds is not None
        try:
            while True:
                silence = anyio.current_time() - sender.sent_at
                if silence >= seconds:
                    await sender.beat()
                else:
                    await anyio.sleep(seconds - silence)
        except OSError as error:
            logger.debug("The client has left, as a heartbeat shows: %r", error)
        except Exception:
            # nobody waits for this task, and on trio its failure would end the whole run
            logger.exception("A heartbeat could not be sent; the client is taken to have left.")
        self._on_disconnect()
