"""The lifespan protocol: the server's start and stop (https://asgi.readthedocs.io/en/latest/specs/lifespan.html)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from ..bridge.running_loop import loop_here
from ..serving import Served, StartFailed

if TYPE_CHECKING:
    from ..app import Flask
    from .types import Receive, Send

END_WAIT = 5.0
"""Seconds that requests under way are given to end when the server shuts down."""


async def serve_lifespan(app: Flask, receive: Receive, send: Send) -> None:
    """Answer the server's startup and shutdown; the application is started and ended, and its threads with it."""
    await _message(receive, "lifespan.startup")
    app._server_loop = loop_here()
    served = None if app._serving is None else Served(app)
    try:
        if served is not None:
            await served.__aenter__()
    except StartFailed as failure:
        app._server_loop = None
        await send({"type": "lifespan.startup.failed", "message": str(failure)})
        return
    await send({"type": "lifespan.startup.complete"})
    await _message(receive, "lifespan.shutdown")
    failed: Exception | None = None
    await _requests_end(app)
    try:
        await app._background_tasks.drain()
        if served is not None:
            await served.__aexit__(None, None, None)
    except Exception as error:
        failed = error
    app._server_loop = None
    app.close_worker_pool()
    if failed is None:
        await send({"type": "lifespan.shutdown.complete"})
    else:
        await send({"type": "lifespan.shutdown.failed", "message": repr(failed)})


async def _message(receive: Receive, kind: str) -> None:
    while (await receive())["type"] != kind:
        pass


async def _requests_end(app: Flask) -> None:
    """Wait for requests that the server has just cancelled: their teardown functions are still to run."""
    with anyio.move_on_after(END_WAIT):
        while app._requests_under_way:
            await anyio.sleep(0.01)
