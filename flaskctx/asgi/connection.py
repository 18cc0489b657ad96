"""The messages of one websocket, in ASGI's terms: its states, reading ahead by a little, who has closed it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel

from ..local.identity import current_task
from ..websockets import WebsocketDisconnect

if TYPE_CHECKING:
    from .types import Receive, Scope, Send

READ_AHEAD = 8
"""Messages that are taken from the server before the view asks for them, so that a client's leaving is noticed."""

GRACE = 0.25
"""Seconds after which a view that hasn't noticed the client's leaving is cancelled."""


class WebsocketConnection:
    """One websocket from its handshake to its end; it is made by the task that runs the view.

    :param send: may be called by one task at a time.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.subprotocols: Sequence[str] = scope.get("subprotocols") or ()
        self.accepted = False
        self._receive = receive
        self._send = send
        self._closed: tuple[int, str] | None = None
        """With which code and reason this side has closed it, or refused the handshake."""
        self._left: tuple[int, str] | None = None
        """With which code and reason the client has left."""
        self._view_knows = False
        self._view_task: object = current_task()
        self._reading = anyio.CancelScope()
        self._sending = anyio.Lock()
        self._arriving, self._arrived = anyio.create_memory_object_stream[str | bytes](READ_AHEAD)

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent, as far as is known."""
        return self.accepted and self._closed is None and self._left is None

    @property
    def has_left(self) -> bool:
        """Whether the client has left, as far as is known."""
        return self._left is not None

    @property
    def refused(self) -> bool:
        """Whether it was closed before it was accepted."""
        return self._closed is not None and not self.accepted

    async def accept(self, subprotocol: str | None, headers: Sequence[tuple[str, str]]) -> None:
        """Answer the handshake: the connection is a websocket from now on."""
        if self._closed is not None:
            raise RuntimeError("This websocket was closed before it was accepted, which has refused its handshake.")
        if self._left is not None:
            raise self._disconnect()
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        async with self._sending:
            # before it has gone: other tasks may send from now on, and wait for it
            self.accepted = True
            await self._pass({"type": "websocket.accept", "subprotocol": subprotocol, "headers": raw})

    async def receive(self) -> str | bytes:
        """Return the next message. Raises WebsocketDisconnect when there will be none."""
        try:
            return await self._arrived.receive()
        except anyio.EndOfStream:
            raise self._disconnect() from None
        except anyio.ClosedResourceError:
            raise RuntimeError("The view of this websocket has ended, and it was closed.") from None

    async def send(self, data: str | bytes) -> None:
        """Send a message, when those before it have gone."""
        if not isinstance(data, (str, bytes)):
            raise TypeError(f"A websocket's message is str or bytes, not {type(data).__name__}; see send_json().")
        async with self._sending:
            if self._left is not None:
                raise self._disconnect()
            if self._closed is not None:
                raise RuntimeError("This websocket was closed; nothing more can be sent.")
            kind = "text" if isinstance(data, str) else "bytes"
            await self._pass({"type": "websocket.send", kind: data})

    async def close(self, code: int, reason: str) -> None:
        """Close it, if it isn't closed; before it was accepted, refuse the handshake."""
        if self._closed is not None or self._left is not None:
            return
        self._closed = (code, reason)
        # granian closes nothing while somebody waits for a message
        self._reading.cancel()
        await anyio.lowlevel.checkpoint()
        try:
            await self._pass({"type": "websocket.close", "code": code, "reason": reason})
        except WebsocketDisconnect:
            pass

    async def read(self, on_leaving: Callable[[], None], on_unnoticed_leaving: Callable[[], None]) -> None:
        """Take messages from the server until the client leaves, be it before the acceptance; a task of its own.

        :param on_leaving: called when it does.
        :param on_unnoticed_leaving: called when the view has not been told of that some time later.
        """
        with self._reading:
            while (message := await self._receive())["type"] == "websocket.receive":
                text = message.get("text")
                await self._arriving.send(message["bytes"] if text is None else text)
            self._left = self._left or (message.get("code") or 1005, message.get("reason") or "")
            on_leaving()
        self._arriving.close()
        await anyio.sleep(GRACE)
        if not self._view_knows and self._closed is None:
            on_unnoticed_leaving()

    def end(self) -> None:
        """Release what receivers wait for, the task, and the server's connection."""
        self._view_task = None
        self._arriving.close()
        self._arrived.close()
        # a timer of asyncio's that was cancelled keeps its context until its time has come, and in that context, this
        self._receive = self._send = _after_the_end

    async def _pass(self, message: dict[str, Any]) -> None:
        try:
            await self._send(message)
        except OSError:
            # the server's way to say that the client has gone (ASGI specification, "Disconnected client")
            self._left = self._left or (1006, "")
            raise self._disconnect() from None

    def _disconnect(self) -> WebsocketDisconnect:
        # what other tasks hear, of the view's own or of other requests, leaves it waiting for what it waits for
        self._view_knows = self._view_knows or current_task() is self._view_task
        return WebsocketDisconnect(*(self._left or self._closed or (1006, "")))


async def _after_the_end(*message: Any) -> Any:
    raise RuntimeError("The view of this websocket has ended, and it was closed.")
