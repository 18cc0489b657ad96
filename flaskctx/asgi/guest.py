"""A mounted ASGI application: its lifespan is run along with its host's, and its requests see the state of it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

import anyio

from ..bridge.loops import start_task
from ..bridge.running_loop import LoopKey, loop_here

if TYPE_CHECKING:
    from .types import ASGIApplication, Message, Receive, Scope, Send

logger = logging.getLogger("flaskctx.asgi")


class Guest:
    """An ASGI application that another one serves, and starts and stops as a server would.

    :param path: where it is mounted.
    """

    def __init__(self, asgi_app: ASGIApplication, path: str) -> None:
        self._asgi_app = asgi_app
        self._path = path
        self._states: dict[LoopKey, dict[str, Any]] = {}
        """What it has put into the state of its lifespan, by the loop on which it was started."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or websocket."""
        if self._states and (state := self._states.get(loop_here())):
            scope = {**scope, "state": {**(scope.get("state") or {}), **state}}
        await self._asgi_app(scope, receive, send)

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[None]:
        """Start it, and stop it at the end of the block.

        :raises RuntimeError: its start has failed.
        """
        running = RunningLifespan(self._asgi_app, self._path)
        await running.start()
        loop = loop_here()
        self._states[loop] = running.state
        try:
            yield
        finally:
            del self._states[loop]
            await running.stop()


class RunningLifespan:
    """The server's side of one lifespan, in a task of its own.

    Source: https://asgi.readthedocs.io/en/latest/specs/lifespan.html. An application that raises at the scope, or
    returns without an answer, has no lifespan, which is no error.
    """

    def __init__(self, asgi_app: ASGIApplication, path: str) -> None:
        self.state: dict[str, Any] = {}
        self._asgi_app = asgi_app
        self._path = path
        self._failure: str | None = None
        self._announced = False
        self._started, self._stopping, self._stopped = anyio.Event(), anyio.Event(), anyio.Event()
        self._returned = anyio.Event()
        self._scope = anyio.CancelScope()

    async def start(self) -> None:
        """Return when the application has started, or has said by its silence that it has no need to."""
        self._task = start_task(self._run, f"lifespan of {self._path}", copy_context())
        try:
            await self._started.wait()
        except BaseException:
            await self._end()
            raise
        if self._failure is not None:
            await self._end()
            raise RuntimeError(f"The application mounted under {self._path!r} could not start: {self._failure}")

    async def stop(self) -> None:
        """Return when the application has stopped."""
        self._stopping.set()
        try:
            await self._stopped.wait()
        finally:
            await self._end()

    async def _end(self) -> None:
        self._scope.cancel()
        with anyio.CancelScope(shield=True):
            await self._returned.wait()

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        try:
            with self._scope:
                await self._asgi_app(scope, self._receive, self._send)
        except Exception as error:
            if not self._started.is_set():
                logger.debug("The application mounted under %r has no lifespan: %r", self._path, error)
            elif self._failure is None:
                logger.exception("The lifespan of the application mounted under %r has failed.", self._path)
        finally:
            for event in (self._started, self._stopped, self._returned):
                event.set()

    async def _receive(self) -> Message:
        if not self._announced:
            self._announced = True
            return {"type": "lifespan.startup"}
        await self._stopping.wait()
        if self._stopped.is_set():
            await anyio.sleep_forever()
        return {"type": "lifespan.shutdown"}

    async def _send(self, message: Message) -> None:
        kind = message["type"]
        if kind == "lifespan.startup.failed":
            self._failure = message.get("message", "")
        elif kind == "lifespan.shutdown.failed":
            logger.error("The application mounted under %r could not stop: %s", self._path, message.get("message", ""))
        if kind in ("lifespan.startup.complete", "lifespan.startup.failed"):
            self._started.set()
        elif kind in ("lifespan.shutdown.complete", "lifespan.shutdown.failed"):
            self._stopped.set()
        else:
            raise RuntimeError(f"A lifespan has no message {kind!r}.")
