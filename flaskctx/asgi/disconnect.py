"""Watching for the client's leaving while a response is streamed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from .companion import Companion

if TYPE_CHECKING:
    from .types import Receive

logger = logging.getLogger("flaskctx.asgi")

DELAY = 0.05
"""Seconds that a stream must last before its connection is watched: a short one shall not pay for it."""


class DisconnectWatch(Companion):
    """Calls `on_disconnect()` when the client goes. When it has ended, the server's `receive` is free.

    :param receive: the server's; None: don't watch.
    """

    __slots__ = ("_on_disconnect", "_receive")

    def __init__(self, receive: Receive | None, on_disconnect: Callable[[], None]) -> None:
        super().__init__(None if receive is None else DELAY)
        self._receive = receive
        self._on_disconnect = on_disconnect

    async def work(self) -> None:
        assert self._receive is not None
        try:
            while (await self._receive())["type"] != "http.disconnect":
                pass
        except Exception:
            # nobody waits for this task, and on trio its failure would end the whole run
            logger.exception("receive() failed while a response was streamed; the client is taken to have left.")
        self._on_disconnect()
