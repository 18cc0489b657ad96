"""Requests that wait and are not watched yet: one timer of their loop looks through them, not one for each."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from .exchange import Exchange

DELAY = 0.5
"""Seconds that a request must wait before its connection is watched: a quick one shall not pay for it, nor one of
many on a busy server."""

PERIOD = 0.1
"""Seconds between two looks."""


class WaitingRoom:
    """The waiting requests of one asyncio loop, the one that has waited longest first."""

    __slots__ = ("__weakref__", "_is_looked_after", "_since")

    def __init__(self) -> None:
        self._since: dict[Exchange, float] = {}
        self._is_looked_after = False

    def enter(self, exchange: Exchange) -> None:
        """Have the request watched if it still waits after `DELAY` seconds."""
        loop = asyncio.get_running_loop()
        self._since[exchange] = loop.time()
        if not self._is_looked_after:
            self._is_looked_after = True
            loop.call_later(PERIOD, self._look, loop)

    def leave(self, exchange: Exchange) -> None:
        """The request waits no longer."""
        self._since.pop(exchange, None)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        latest = loop.time() - DELAY
        while self._since:
            exchange, since = next(iter(self._since.items()))
            if since > latest:
                loop.call_later(PERIOD, self._look, loop)
                return
            del self._since[exchange]
            exchange.watch(0)
        self._is_looked_after = False


_rooms: WeakKeyDictionary[asyncio.AbstractEventLoop, WaitingRoom] = WeakKeyDictionary()


def waiting_room() -> WaitingRoom:
    """Return the room of the running loop."""
    loop = asyncio.get_running_loop()
    room = _rooms.get(loop)
    if room is None:
        room = _rooms[loop] = WaitingRoom()
    return room
