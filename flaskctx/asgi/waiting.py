"""Requests that wait and are not watched yet: one timer of their loop looks through them, not one for each."""

from __future__ import annotations

import asyncio
from collections import deque
from threading import local
from typing import TYPE_CHECKING
from weakref import ref

if TYPE_CHECKING:
    from .exchange import Exchange

DELAY = 0.5
"""Seconds that a request must wait before its connection is watched: a quick one shall not pay for it, nor one of
many on a busy server."""

PERIOD = 0.1
"""Seconds between two looks."""

LOOKS = round(DELAY / PERIOD)
"""How many looks a request is let alone for."""


class WaitingRoom:
    """The waiting requests of one asyncio loop, by the period in which they came."""

    __slots__ = ("_earlier", "_is_looked_after", "_loop", "_newest")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._newest: dict[Exchange, None] = {}
        self._earlier: deque[dict[Exchange, None]] = deque()
        self._loop = ref(loop)
        self._is_looked_after = False

    def is_in(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Tell whether it is this loop's."""
        return self._loop() is loop

    def enter(self, exchange: Exchange) -> dict[Exchange, None]:
        """Have the request watched if it still waits after `DELAY` seconds; return what it is to be taken out of."""
        self._newest[exchange] = None
        if not self._is_looked_after:
            self._is_looked_after = True
            self._call_later()
        return self._newest

    def _look(self) -> None:
        self._earlier.append(self._newest)
        self._newest = {}
        if len(self._earlier) > LOOKS:
            for exchange in list(self._earlier.popleft()):
                exchange.watch(0)
        self._is_looked_after = any(self._earlier)
        if self._is_looked_after:
            self._call_later()

    def _call_later(self) -> None:
        loop = self._loop()
        assert loop is not None
        loop.call_later(PERIOD, self._look)


class _Here(local):
    """Each thread's: no two loops run in one at the same time."""

    room: WaitingRoom | None = None


_here = _Here()


def waiting_room(loop: asyncio.AbstractEventLoop) -> WaitingRoom:
    """Return the room of the running loop."""
    room = _here.room
    if room is None or not room.is_in(loop):
        room = _here.room = WaitingRoom(loop)
    return room
