"""The ASGI application: what kind of scope it is, and who serves it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ..globals import _app_ctx_stack, _request_ctx_stack
from ..lifecycle import overridden, untouched
from ..serving import REFUSAL, RETRY_AFTER, start_for_asgi
from ..wsgi.foreign import hide_foreign_contexts
from .http import run_override, serve_http
from .lifespan import serve_lifespan
from .mounting import mount_for_scope
from .websocket import serve_websocket
from .wsgi_override import wsgi_override

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..app import Flask
    from .mounting import Mount
    from .types import Receive, Scope, Send


_peek_app, _peek_request = _app_ctx_stack.peek, _request_ctx_stack.peek


class ASGIAdapter:
    """An application as ASGI servers want it: `uvicorn hello:app.asgi`.

    Works on asyncio (uvloop too) and trio. Source: the ASGI specification, version 3.0.
    """

    def __init__(self, app: Flask) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send, *, inside: bool = False) -> None:
        """Serve one HTTP request, one websocket, or the lifespan.

        :param inside: whether the middleware around `app.asgi_app` has had its turn.
        """
        app = self.app
        direct = untouched.middleware(app)
        if not (direct or inside) and overridden(app, "asgi_app"):
            await app.asgi_app(scope, receive, send)
            return
        kind: str = scope["type"]
        if kind == "http" or kind == "websocket":
            serve: Callable[..., Awaitable[None]] = serve_websocket if kind == "websocket" else serve_http
            mount: Mount | None = None
            if not direct and kind == "http" and wsgi_override(app):
                # it comes before what is mounted: what it lets through is found by `wsgi_app`
                serve = partial(serve_http, run=run_override)
            elif app._mounts:
                mount = mount_for_scope(app._mounts, scope)
            if mount is not None:
                serve = mount.serve_asgi
            elif _peek_app(None) is not None or _peek_request(None) is not None:
                serve = _hiding_foreign_contexts(serve)
            if app._serving is not None and not await start_for_asgi(app, app._serving):
                serve = refuse
            app._requests_under_way += 1
            try:
                await serve(app, scope, receive, send)
            finally:
                app._requests_under_way -= 1
        elif kind == "lifespan":
            await serve_lifespan(app, receive, send)
        else:
            raise ValueError(f"{kind!r} is not a kind of ASGI scope that this application can serve.")

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"The ASGI adapter has no attribute {name!r}; the application is its .app.")


async def refuse(app: Flask, scope: Scope, receive: Receive, send: Send) -> None:
    """Tell a client that the application could not be started."""
    if scope["type"] == "websocket":
        await receive()
        # closed before it was accepted: the client gets a 403 (ASGI specification)
        await send({"type": "websocket.close", "code": 1013})
        return
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(REFUSAL)).encode())]
    headers.append((b"retry-after", RETRY_AFTER.encode()))
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": REFUSAL})


def _hiding_foreign_contexts(serve: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    async def serve_hidden(app: Flask, scope: Scope, receive: Receive, send: Send) -> None:
        with hide_foreign_contexts(app, scope):
            await serve(app, scope, receive, send)

    return serve_hidden
