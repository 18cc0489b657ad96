"""The ASGI application: what kind of scope it is, and who serves it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from .http import serve_http
from .lifespan import serve_lifespan
from .mounting import mount_for_scope
from .wsgi_override import wsgi_override

if TYPE_CHECKING:
    from ..app import Flask
    from .types import Receive, Scope, Send

logger = logging.getLogger("flaskctx.asgi")


class ASGIAdapter:
    """An application as ASGI servers want it: `uvicorn hello:app.asgi`.

    Works on asyncio (uvloop too) and trio. Source: the ASGI specification, version 3.0.
    """

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.under_way = 0
        """How many requests are being served."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request or the lifespan; websockets are for mounted applications only."""
        kind: str = scope["type"]
        if self.app._mounts and await self._served_by_mount(kind, scope, receive, send):
            return
        if kind == "http":
            self.under_way += 1
            try:
                await serve_http(self.app, scope, receive, send)
            finally:
                self.under_way -= 1
        elif kind == "lifespan":
            await serve_lifespan(self.app, receive, send)
        elif kind == "websocket":
            await _refuse_websocket(scope, receive, send)
        else:
            raise ValueError(f"{kind!r} is not a kind of ASGI scope that this application can serve.")

    async def _served_by_mount(self, kind: str, scope: Scope, receive: Receive, send: Send) -> bool:
        # middleware around `wsgi_app` comes first: what it lets through is found by `wsgi_app`
        if kind == "websocket" or (kind == "http" and not wsgi_override(self.app)):
            mount = mount_for_scope(self.app._mounts, scope)
            if mount is not None:
                await mount.serve_asgi(scope, receive, send)
                return True
        return False

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"The ASGI adapter has no attribute {name!r}; the application is its .app.")


async def _refuse_websocket(scope: Scope, receive: Receive, send: Send) -> None:
    logger.warning("A websocket connection to %s was refused: the application has no websocket routes.", scope["path"])
    await receive()
    # before it was accepted, this is a 403 to the client
    await send({"type": "websocket.close", "code": 1000})
