"""The lifespan protocol: the server's start and stop (https://asgi.readthedocs.io/en/latest/specs/lifespan.html)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

if TYPE_CHECKING:
    from ..app import Flask
    from .types import Receive, Send

END_WAIT = 5.0
"""Seconds that requests under way are given to end when the server shuts down."""


async def serve_lifespan(app: Flask, receive: Receive, send: Send) -> None:
    """Answer the server's startup and shutdown; the worker threads end with it."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await _requests_end(app)
            app.close_worker_pool()
            await send({"type": "lifespan.shutdown.complete"})
            return


async def _requests_end(app: Flask) -> None:
    """Wait for requests that the server has just cancelled: their teardown functions are still to run."""
    with anyio.move_on_after(END_WAIT):
        while app.asgi.under_way:
            await anyio.sleep(0.01)
