"""The applications that `on_the_wire.py` has served: the same views for each library."""

from __future__ import annotations

import asyncio
import time
from types import ModuleType
from typing import TYPE_CHECKING, Any

import flask
import quart
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

import flaskctx

if TYPE_CHECKING:
    from starlette.requests import Request


async def hello() -> str:
    return "hello"


def hello_def() -> str:
    return "hello"


async def wait() -> str:
    await asyncio.sleep(0.1)
    return "waited"


async def wait_long() -> str:
    await asyncio.sleep(4)
    return "waited"


def sleep() -> str:
    time.sleep(0.05)
    return "slept"


VIEWS = {"/hello": hello, "/hello-def": hello_def, "/wait": wait, "/wait-long": wait_long, "/sleep": sleep}


def flask_like(library: ModuleType) -> Any:
    """Return an application of flaskctx, Flask or Quart."""
    app = getattr(library, "Flask", None) or library.Quart
    app = app(__name__, static_folder=None)
    for path, view in VIEWS.items():
        app.get(path)(view)
    return app


def starlette() -> Starlette:
    """Return an application of Starlette."""

    def of_request(view: Any) -> Any:
        if not asyncio.iscoroutinefunction(view):
            return lambda request: HTMLResponse(view())

        async def asynchronous(request: Request) -> HTMLResponse:
            return HTMLResponse(await view())

        return asynchronous

    async def upload(request: Request) -> HTMLResponse:
        return HTMLResponse(str(len(await request.body())))

    routes = [Route(path, of_request(view)) for path, view in VIEWS.items()]
    return Starlette(routes=[*routes, Route("/upload", upload, methods=["POST"])])


flaskctx_wsgi = flask_like(flaskctx)
flaskctx_asgi = flaskctx_wsgi.asgi
flask_wsgi = flask_like(flask)
quart_asgi = flask_like(quart)
starlette_asgi = starlette()


@flaskctx_wsgi.post("/upload")
def upload() -> str:
    return str(len(flaskctx.request.get_data()))


@quart_asgi.post("/upload")
async def quart_upload() -> str:
    return str(len(await quart.request.get_data()))
