"""The lifespan protocol: the server's start and stop (https://asgi.readthedocs.io/en/latest/specs/lifespan.html)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..app import Flask
    from .types import Receive, Send


async def serve_lifespan(app: Flask, receive: Receive, send: Send) -> None:
    """Answer the server's startup and shutdown; the worker threads end with it."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            app.close_worker_pool()
            await send({"type": "lifespan.shutdown.complete"})
            return
