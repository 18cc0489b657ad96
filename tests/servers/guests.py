"""A Starlette application with a lifespan mounted in one of ours, with ASGI middleware around both."""

import contextlib

import anyio
from journal import note
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from flaskctx import Flask


@contextlib.asynccontextmanager
async def lifespan(guest):
    async with anyio.create_task_group():
        note("started", "guest")
        yield {"pool": "a pool"}
        note("stopped", "guest")


async def look(request):
    await anyio.sleep(0)
    return PlainTextResponse(f"{request.state.pool} {request.url_for('look').path}")


def naming(asgi_app):
    """Middleware that adds a header."""

    async def named(scope, receive, send):
        async def send_named(message):
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], (b"x-middleware", b"yes")]}
            await send(message)

        await asgi_app(scope, receive, send_named)

    return named


app = Flask(__name__, static_folder=None)
app.mount_asgi("/guest", Starlette(routes=[Route("/look", look, name="look")], lifespan=lifespan))
app.asgi_app = naming(app.asgi_app)
app.get("/ready")(lambda: "ready")
