"""A request leaves nothing behind that only the garbage collector could free: that would cost as much as serving it."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest

from flaskctx import Flask, abort, request, session, stream_with_context
from flaskctx.asgi import exchange


async def in_two_parts():
    yield "a"
    yield "b"


def refuse():
    abort(403)


VIEWS = {
    "text": lambda: "hello",
    "JSON": lambda: {"a": 1},
    "session": lambda: str(session.setdefault("a", 1)),
    "stream": lambda: iter(["a", "b"]),
    "stream with context": lambda: stream_with_context(iter(["a", "b"])),
    "async stream": lambda: in_two_parts(),
    "HTTP exception": refuse,
    "handled error": lambda: {}["missing"],
    "unhandled error": lambda: 1 / 0,
}


def as_coroutine_function(view):
    async def coroutine():
        return view()

    return coroutine


@pytest.fixture
def app():
    app = Flask(__name__)
    app.secret_key = "x"
    app.errorhandler(KeyError)(lambda error: "handled")
    for name, view in VIEWS.items():
        app.add_url_rule(f"/def/{name}", f"def {name}", view)
        app.add_url_rule(f"/async def/{name}", f"async def {name}", as_coroutine_function(view))
    return app


@pytest.fixture
def no_collection():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def wsgi_get(app, path):
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": path, "HTTP_HOST": "localhost", "SERVER_NAME": "localhost",
        "SERVER_PORT": "80", "wsgi.url_scheme": "http", "wsgi.input": None, "SCRIPT_NAME": "", "QUERY_STRING": "",
        "REMOTE_ADDR": "",
    }  # fmt: skip
    body = app(environ, lambda *args: None)
    assert b"".join(body)
    if hasattr(body, "close"):
        body.close()


async def stay():
    await asyncio.sleep(60)


async def asgi_get(app, path, receive=stay):
    async def send(message):
        pass

    scope = {"type": "http", "method": "GET", "path": path, "headers": [(b"host", b"localhost")]}
    await app.asgi(scope, receive, send)


@pytest.mark.parametrize("view", [*VIEWS])
@pytest.mark.parametrize("colour", ["def", "async def"])
class TestNothingIsLeftToCollect:
    def test_by_wsgi(self, app, colour, view, no_collection):
        path = f"/{colour}/{view}"
        wsgi_get(app, path)
        gc.collect()
        wsgi_get(app, path)
        assert gc.collect() == 0

    def test_by_asgi(self, app, colour, view, no_collection):
        path = f"/{colour}/{view}"

        async def run():
            await asgi_get(app, path)
            gc.collect()
            await asgi_get(app, path)
            return gc.collect()

        assert asyncio.run(run()) == 0

    def test_by_asgi_when_the_connection_was_watched(self, app, colour, view, no_collection, monkeypatch):
        monkeypatch.setattr(exchange, "DELAY", 0)

        @app.before_request
        async def wait():
            await asyncio.sleep(0.01)

        self.test_by_asgi(app, colour, view, no_collection)


@pytest.mark.parametrize("hook", [None, lambda: "answered"])
@pytest.mark.parametrize("handler", [None, lambda error: "handled"])
@pytest.mark.parametrize("path", ["/unknown", "/post", "/folder"])
class TestARequestThatTheRouterAnswersIsFreedAtOnce:
    """(werkzeug's matching itself leaves a few objects to collect, for each path that isn't known beforehand.)"""

    @pytest.fixture
    def freed(self, app, handler, hook):
        requests = []
        app.teardown_request(lambda error: requests.append(weakref.ref(request._get_current_object())))
        app.post("/post", endpoint="post")(lambda: "posted")
        app.get("/folder/", endpoint="folder")(lambda: "folder")
        if handler is not None:
            app.register_error_handler(404, handler)
        if hook is not None:
            app.before_request(hook)
        yield lambda: [ref() for ref in requests] == [None, None]
        assert len(requests) == 2

    def test_by_wsgi(self, app, path, freed, no_collection):
        wsgi_get(app, path)
        wsgi_get(app, path)
        assert freed()

    def test_by_asgi(self, app, path, freed, no_collection):
        async def run():
            await asgi_get(app, path)
            await asgi_get(app, path)

        asyncio.run(run())
        assert freed()


@pytest.mark.parametrize("options", [{}, {"timeout": 0.01}])
def test_nothing_is_left_by_a_view_that_was_cancelled(app, no_collection, monkeypatch, options):
    monkeypatch.setattr(exchange, "DELAY", 0)

    @app.get("/sleeps", **options)
    async def view():
        await asyncio.sleep(30)

    async def leave():
        await asyncio.sleep(0.1)
        return {"type": "http.disconnect"}

    async def run():
        await asgi_get(app, "/sleeps", leave)
        gc.collect()
        await asgi_get(app, "/sleeps", leave)
        return gc.collect()

    assert asyncio.run(run()) == 0


@pytest.mark.usefixtures("no_collection")
def test_an_application_is_freed_when_nobody_has_it_any_more(app):
    freed = weakref.ref(Flask(__name__))
    assert freed() is None
    other = Flask(__name__)
    freed = weakref.ref(other)
    other.get("/")(lambda: "hello")
    wsgi_get(other, "/")
    del other
    assert freed() is None
