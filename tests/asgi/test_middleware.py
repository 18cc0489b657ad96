"""`app.asgi_app`: ASGI middleware is around everything that comes through ASGI, and nothing else."""

from __future__ import annotations

import anyio
import pytest
from werkzeug.middleware.proxy_fix import ProxyFix

from flaskctx import Flask, request


class Noting:
    """Middleware that notes the kinds of scopes, and adds a header to responses."""

    def __init__(self, app, seen, name="outer"):
        self.app = app
        self.seen = seen
        self.name = name

    async def __call__(self, scope, receive, send):
        async def send_with_header(message):
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], (b"x-middleware", self.name.encode())]}
            await send(message)

        self.seen.append((self.name, scope["type"]))
        await self.app(scope, receive, send_with_header)


async def the_end(scope, receive, send):
    """An ASGI application that closes websockets and answers requests."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close"})
    else:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})


def call(app, backend, scope, *messages):
    """Call an application on a loop of its own; return what it has sent."""
    sent = []
    received = list(messages)

    async def receive():
        return received.pop(0) if received else await anyio.sleep_forever()

    async def send(message):
        sent.append(message)

    anyio.run(app, scope, receive, send, backend=backend)
    return sent


@pytest.fixture(params=["asyncio", "trio"])
def backend(request):
    return request.param


LIFESPAN = ({"type": "lifespan"}, {"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})
WEBSOCKET = (
    {"type": "websocket", "path": "/socket", "query_string": b"", "headers": [], "scheme": "ws"},
    {"type": "websocket.connect"},
)


def test_requests_go_through_it_under_asgi_only(app, server, colour):
    seen = []
    app.get("/")(colour(lambda: "hello"))
    app.asgi_app = Noting(app.asgi_app, seen)
    answer = server.get("/")
    assert answer.text == "hello"
    assert (answer.headers.get("X-Middleware"), seen) == (
        ("outer", [("outer", "http")]) if server.is_asgi else (None, [])
    )


@pytest.mark.worlds("asgi-asyncio", "asgi-trio")
def test_several_stand_around_each_other(app, server):
    seen = []
    app.get("/")(lambda: "hello")
    app.asgi_app = Noting(app.asgi_app, seen, "inner")
    app.asgi_app = Noting(app.asgi_app, seen, "outer")
    assert server.get("/").headers.getlist("X-Middleware") == ["inner", "outer"]
    assert seen == [("outer", "http"), ("inner", "http")]


def test_the_lifespan_and_websockets_go_through_it(app, backend):
    seen = []

    @app.websocket("/socket")
    async def socket(): ...

    app.asgi_app = Noting(app.asgi_app, seen)
    said = call(app.asgi, backend, *LIFESPAN)
    assert [message["type"] for message in said] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    call(app, backend, *WEBSOCKET)
    assert seen == [("outer", "lifespan"), ("outer", "websocket")]


def test_mounts_are_inside_of_it(app, backend):
    seen = []
    app.mount_asgi("/socket", the_end)
    app.asgi_app = Noting(app.asgi_app, seen)
    assert call(app.asgi, backend, *WEBSOCKET) == [{"type": "websocket.close"}]
    assert seen == [("outer", "websocket")]


def test_middleware_may_answer_without_the_application(app, server):
    app.get("/")(lambda: "hello")
    app.asgi_app = the_end
    assert server.get("/").text == ("" if server.is_asgi else "hello")


@pytest.mark.worlds("asgi-asyncio", "asgi-trio")
def test_a_subclass_may_override_it(server):
    class Shouting(Flask):
        async def asgi_app(self, scope, receive, send):
            await super().asgi_app({**scope, "path": "/shout"}, receive, send)

    server.app = Shouting("shouting")
    server.app.get("/shout")(lambda: request.path)
    assert server.get("/").text == "/shout"


def test_both_kinds_of_middleware_work_together(app, server, colour):
    """The lifecycle runs once, inside of both."""
    seen, steps = [], []
    app.before_request(colour(lambda: steps.append("before")))
    app.teardown_request(colour(lambda error: steps.append("teardown")))
    app.get("/")(colour(lambda: f"{request.remote_addr} {request.script_root}"))
    app.wsgi_app = ProxyFix(app.wsgi_app, x_prefix=1)
    app.asgi_app = Noting(app.asgi_app, seen)
    answer = server.get("/", headers={"X-Forwarded-For": "1.2.3.4", "X-Forwarded-Prefix": "/outer"})
    assert answer.text == "1.2.3.4 /outer"
    assert steps == ["before", "teardown"]
    assert len(seen) == server.is_asgi


@pytest.mark.worlds("asgi-asyncio", "asgi-trio")
def test_an_error_of_the_middleware_reaches_the_server(app, server):
    async def failing(scope, receive, send):
        raise LookupError("middleware")

    app.asgi_app = failing
    with pytest.raises(LookupError, match="middleware"):
        server.get("/")


def test_the_clients_go_through_it(app):
    async def main():
        async with app.async_test_client() as client:
            return await client.get("/")

    seen = []
    app.get("/")(lambda: "hello")
    app.asgi_app = Noting(app.asgi_app, seen)
    assert anyio.run(main).text == "hello"
    assert seen == [("outer", "lifespan"), ("outer", "http")]
    assert "X-Middleware" not in app.test_client().get("/").headers
