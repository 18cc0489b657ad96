"""The server's side of the lifespan protocol (https://asgi.readthedocs.io/en/latest/specs/lifespan.html)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Hashable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio

from ..bridge.running_loop import loop_here
from .companion import Companion

if TYPE_CHECKING:
    from ..app import Flask

_lifespans: dict[Hashable, Lifespan] = {}
"""Those that are running, by application and loop."""


@asynccontextmanager
async def started(app: Flask) -> AsyncIterator[None]:
    """Run an application's startup, and at the end of the block its shutdown.

    An application is started once on each loop: blocks that overlap share the lifespan.

    :raises RuntimeError: the startup, or the shutdown, has failed; from the application's own error.
    """
    key = (app, loop_here())
    lifespan = _lifespans.get(key) or _lifespans.setdefault(key, Lifespan(app))
    async with lifespan.lock:
        if not lifespan.users:
            try:
                await lifespan.start()
            except BaseException:
                _lifespans.pop(key, None)
                raise
        lifespan.users += 1
    try:
        yield
    finally:
        async with lifespan.lock:
            lifespan.users -= 1
            if not lifespan.users:
                _lifespans.pop(key, None)
                await lifespan.stop()


class Lifespan:
    """One lifespan of an application on one loop, and how many blocks use it."""

    def __init__(self, app: Flask) -> None:
        self.lock = anyio.Lock()
        self.users = 0
        self._app = app
        self._companion: Companion | None = None

    async def start(self) -> None:
        """Start the application."""
        self._to_app, self._from_server = anyio.create_memory_object_stream[dict[str, Any]](2)
        self._to_server, self._from_app = anyio.create_memory_object_stream[Any](2)
        self._companion = Companion(self._serve)
        await self._exchange("startup")

    async def stop(self) -> None:
        """Shut the application down."""
        assert self._companion is not None
        await self._exchange("shutdown")
        await self._companion.end()
        self._close()

    def _close(self) -> None:
        for stream in (self._to_app, self._from_server, self._to_server, self._from_app):
            stream.close()

    async def _serve(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
        with self._to_server:
            await self._app.asgi(scope, self._from_server.receive, self._to_server.send)

    async def _exchange(self, event: str) -> None:
        assert self._companion is not None
        await self._to_app.send({"type": f"lifespan.{event}"})
        try:
            answer = await self._from_app.receive()
        except anyio.EndOfStream:
            await self._companion.end()
            answer = {"type": "the end", "message": repr(self._companion.error)}
        if answer["type"] != f"lifespan.{event}.complete":
            self._close()
            raise RuntimeError(
                f"The application's {event} failed: {answer.get('message', '')}"
            ) from self._companion.error
