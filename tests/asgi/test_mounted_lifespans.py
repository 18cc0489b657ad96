"""The lifespans of mounted ASGI applications: run along with the lifespan of the application around them."""

from __future__ import annotations

import logging

import anyio
import pytest
from werkzeug.middleware.proxy_fix import ProxyFix

from flaskctx import Flask


class Mounted:
    """An ASGI application with a lifespan: notes what happens to it, and has a state."""

    def __init__(self, name, seen, fails_at=None):
        self.name = name
        self.seen = seen
        self.fails_at = fails_at

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            async with anyio.create_task_group():
                await self._live(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": str(scope["state"]["pool"]).encode()})

    async def _live(self, scope, receive, send):
        for event in ("startup", "shutdown"):
            assert (await receive())["type"] == f"lifespan.{event}"
            if event == self.fails_at:
                await send({"type": f"lifespan.{event}.failed", "message": "no database"})
                return
            self.seen.append(f"{self.name} {event}")
            scope["state"]["pool"] = f"pool of {self.name}"
            await send({"type": f"lifespan.{event}.complete"})


@pytest.fixture(params=["asyncio", "trio"])
def live(request, app):
    """Take `app` through its lifespan, with requests in between; return the responses."""

    async def main(paths):
        async with app.async_test_client() as client:
            return [await client.get(path) for path in paths]

    return lambda *paths: anyio.run(main, paths, backend=request.param)


def test_they_start_and_stop_with_the_application_around_them(app, live):
    seen = []
    app.mount_asgi("/one", Mounted("one", seen))
    app.mount_asgi("/two", Mounted("two", seen))
    live("/")
    assert seen == ["one startup", "two startup", "two shutdown", "one shutdown"]


def test_their_requests_see_the_state_of_their_own_lifespan(app, live):
    app.mount_asgi("/one", Mounted("one", []))
    app.mount_asgi("/two", Mounted("two", []))
    assert [response.text for response in live("/one", "/two")] == ["pool of one", "pool of two"]


def test_an_application_of_ours_is_started_too_however_it_is_mounted(app, live):
    seen = []
    inner, innermost = Flask("inner"), Flask("innermost")
    app.mount_wsgi("/inner", inner)
    inner.mount_asgi("/innermost", innermost)
    innermost.mount_asgi("/one", Mounted("one", seen))
    assert live("/inner/innermost/one")[0].text == "pool of one"
    assert seen == ["one startup", "one shutdown"]


def test_one_that_cannot_start_stops_the_server_and_those_that_have_started(app, live):
    seen = []
    app.mount_asgi("/good", Mounted("good", seen))
    app.mount_asgi("/bad", Mounted("bad", seen, fails_at="startup"))
    with pytest.raises(RuntimeError, match="'/bad' could not start: no database"):
        live()
    assert seen in ([], ["good startup", "good shutdown"])


def test_one_that_cannot_stop_is_logged(app, live, caplog):
    app.mount_asgi("/bad", Mounted("bad", [], fails_at="shutdown"))
    live()
    assert "'/bad' could not stop: no database" in caplog.text


@pytest.mark.parametrize("kind", ["raises", "returns", "sends a response"])
def test_one_without_a_lifespan_is_no_error(app, live, caplog, kind):
    async def mounted(scope, receive, send):
        if scope["type"] == "lifespan" and kind == "raises":
            raise ValueError("only HTTP")
        if scope["type"] == "http" or kind == "sends a response":
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body"})

    caplog.set_level(logging.WARNING)
    app.mount_asgi("/sub", mounted)
    assert live("/sub")[0].status_code == 204
    assert caplog.text == ""


def test_one_that_breaks_down_in_between_is_logged(app, live, caplog):
    async def mounted(scope, receive, send):
        await receive()
        await send({"type": "lifespan.startup.complete"})
        raise LookupError("broken down")

    app.mount_asgi("/sub", mounted)
    app.get("/")(lambda: "still here")
    assert live("/")[0].text == "still here"
    assert "LookupError: broken down" in caplog.text


def test_one_that_asks_on_after_its_end_is_not_waited_for(app, live):
    async def mounted(scope, receive, send):
        while True:
            kind = (await receive())["type"]
            await send({"type": f"{kind}.complete"})

    app.mount_asgi("/sub", mounted)
    live()


def test_under_wsgi_they_start_before_the_first_request_and_serve_on_the_loop_that_they_started_on(app):
    seen = []
    app.mount_asgi("/one", Mounted("one", seen))
    assert app.test_client().get("/one").text == "pool of one"
    assert app.test_client().get("/one").text == "pool of one"
    assert seen == ["one startup"]
    with app.serving():
        assert app.test_client().get("/one").text == "pool of one"
    assert seen == ["one startup", "one shutdown"]


def test_under_wsgi_one_that_cannot_start_is_a_503(app):
    app.mount_asgi("/bad", Mounted("bad", [], fails_at="startup"))
    assert app.test_client().get("/bad").status_code == 503


@pytest.mark.parametrize("live", ["asyncio"], indirect=True)
def test_wsgi_middleware_around_it_changes_nothing(app, live):
    app.mount_asgi("/one", Mounted("one", []))
    app.wsgi_app = ProxyFix(app.wsgi_app)
    assert live("/one")[0].text == "pool of one"
