"""Sender: passes an answer to the server, message by message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .answer import Answer
    from .types import Send


class Sender:
    """Sends chunks; the start goes out with the first one."""

    __slots__ = ("_answer", "_send", "_started", "failed")

    def __init__(self, answer: Answer, send: Send) -> None:
        self._answer = answer
        self._send = send
        self._started = False
        self.failed = False
        """Whether the server has refused a message."""

    async def start(self) -> None:
        self._started = True
        answer = self._answer
        await self._pass({"type": "http.response.start", "status": answer.code, "headers": answer.raw_headers()})

    async def chunk(self, data: bytes) -> None:
        if not self._started:
            await self.start()
        if data:
            await self._pass({"type": "http.response.body", "body": data, "more_body": True})

    async def end(self) -> None:
        if not self._started:
            await self.start()
        await self._pass({"type": "http.response.body", "body": b""})

    async def _pass(self, message: dict[str, Any]) -> None:
        try:
            await self._send(message)
        except OSError:
            self.failed = True
            raise
