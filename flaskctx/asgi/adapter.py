"""The ASGI application: what kind of scope it is, and who serves it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..globals import _app_ctx_stack, _request_ctx_stack
from ..wsgi.foreign import hide_foreign_contexts
from .http import serve_http
from .lifespan import serve_lifespan
from .mounting import mount_for_scope
from .websocket import serve_websocket
from .wsgi_override import wsgi_override

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..app import Flask
    from .types import Receive, Scope, Send


_peek_app, _peek_request = _app_ctx_stack.peek, _request_ctx_stack.peek


class ASGIAdapter:
    """An application as ASGI servers want it: `uvicorn hello:app.asgi`.

    Works on asyncio (uvloop too) and trio. Source: the ASGI specification, version 3.0.
    """

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.under_way = 0
        """How many requests are being served."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request, one websocket, or the lifespan."""
        kind: str = scope["type"]
        if self.app._mounts and await self._served_by_mount(kind, scope, receive, send):
            return
        if kind == "http" or kind == "websocket":
            serve: Callable[..., Awaitable[None]] = serve_websocket if kind == "websocket" else serve_http
            if _peek_app(None) is not None or _peek_request(None) is not None:
                serve = _hiding_foreign_contexts(serve)
            self.under_way += 1
            try:
                await serve(self.app, scope, receive, send)
            finally:
                self.under_way -= 1
        elif kind == "lifespan":
            await serve_lifespan(self.app, receive, send)
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


def _hiding_foreign_contexts(serve: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    async def serve_hidden(app: Flask, scope: Scope, receive: Receive, send: Send) -> None:
        with hide_foreign_contexts(app, scope):
            await serve(app, scope, receive, send)

    return serve_hidden
