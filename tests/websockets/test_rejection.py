"""A handshake that is answered with a response, and not accepted."""

from __future__ import annotations

import anyio
import pytest

from flaskctx import Response, abort, session, websocket
from flaskctx.testing import WebsocketRejected

pytestmark = pytest.mark.anyio


async def rejection(client, path="/"):
    """Return the response with which a websocket is rejected."""
    with pytest.raises(WebsocketRejected) as rejected:
        async with client.websocket(path):
            pass
    return rejected.value.response


async def test_by_a_returned_response(app, client, kind, log):
    @app.after_request
    def after(response):
        log.append("after")
        response.headers["X-After"] = "yes"
        return response

    @app.teardown_request
    def teardown(error):
        log.append(f"teardown {error}")

    @app.websocket("/")
    @kind
    async def view(ws):
        session["seen"] = True
        return {"error": "members only"}, 402

    response = await rejection(client)
    assert (response.status_code, response.json) == (402, {"error": "members only"})
    assert response.headers["X-After"] == "yes"
    assert log == ["after", "teardown None"]
    async with client.session_transaction() as saved:
        assert saved["seen"]


async def test_by_abort_through_the_error_handlers(app, client, kind):
    @app.errorhandler(403)
    def handler(error):
        return f"handled: {error.description}", 403

    @app.websocket("/")
    @kind
    async def view(ws):
        abort(403, "not you")

    assert (await rejection(client)).text == "handled: not you"


async def test_by_a_before_hook(app, client, kind):
    app.before_request(lambda: ("no", 401))
    app.websocket("/")(kind(never))
    assert (await rejection(client)).status_code == 401


async def never(ws):
    raise AssertionError("the view of a rejected websocket was called")


async def test_by_an_error_of_the_view(app, client, kind):
    @app.websocket("/")
    @kind
    async def view(ws):
        raise KeyError("broken")

    assert (await rejection(client)).status_code == 500


async def test_by_an_error_of_an_after_hook(app, client, kind):
    @app.after_request
    def after(response):
        if response.status_code == 101:
            raise KeyError("broken")
        return response

    @app.websocket("/")
    @kind
    async def view(ws):
        await ws.accept()

    assert (await rejection(client)).status_code == 500


async def test_by_a_view_that_does_nothing(app, client, kind):
    @app.websocket("/")
    @kind
    async def view(ws):
        pass

    app.testing = True
    with pytest.raises(TypeError, match="view"):
        await rejection(client)


async def test_by_an_unknown_url(app, client):
    assert (await rejection(client, "/nowhere")).status_code == 404


async def test_with_a_streamed_body(app, client, kind, log):
    def chunks():
        try:
            yield "one "
            yield "two"
        finally:
            log.append("closed")

    @app.websocket("/")
    @kind
    async def view(ws):
        return Response(chunks(), 418)

    response = await rejection(client)
    assert (response.status_code, response.text) == (418, "one two")
    assert log == ["closed"]


async def test_by_closing(app, client, kind, log):
    app.teardown_request(lambda error: log.append(f"teardown {error}"))

    @app.websocket("/")
    @kind
    async def view(ws):
        await ws.close()
        with pytest.raises(RuntimeError, match="closed before it was accepted"):
            await ws.send("too late")

    assert (await rejection(client)).status_code == 403
    assert log == ["teardown None"]


async def test_is_a_closed_websocket_where_the_server_sends_no_responses(app):
    app.websocket("/")(lambda: ("no", 402))
    arriving = [{"type": "websocket.connect"}]
    sent = []

    async def receive():
        return arriving.pop() if arriving else await anyio.sleep_forever()

    async def send(message):
        sent.append(message)

    scope = {"type": "websocket", "path": "/", "headers": [], "query_string": b""}
    await app.asgi(scope, receive, send)
    assert [message["type"] for message in sent] == ["websocket.close"]


async def test_of_a_def_view_that_finds_no_thread(app, client):
    app.config |= {"MAX_WEBSOCKET_THREADS": 1, "WORKER_WAIT": 0.05}

    @app.websocket("/")
    def view():
        for message in websocket.sync:
            websocket.sync.send(message)

    @app.get("/")
    def http():
        return "hello"

    async with client.websocket("/") as ws:
        await ws.send("x")
        assert await ws.receive() == "x"
        response = await rejection(client)
        assert (response.status_code, response.headers["Retry-After"]) == (503, "1")
        assert (await client.get("/")).text == "hello"
    async with client.websocket("/") as ws:
        await ws.send("free again")
        assert await ws.receive() == "free again"


async def test_of_a_def_view_that_finds_no_thread_after_an_async_hook(app, client, log):
    app.config |= {"MAX_WEBSOCKET_THREADS": 1, "WORKER_WAIT": 0.05}

    @app.before_request
    async def before():
        await anyio.sleep(0)

    @app.teardown_request
    async def teardown(error):
        log.append(type(error).__name__)

    @app.websocket("/")
    def view():
        for message in websocket.sync:
            websocket.sync.send(message)

    async with client.websocket("/") as ws:
        await ws.send("x")
        assert await ws.receive() == "x"
        assert (await rejection(client)).status_code == 503
        assert log == ["NoneType"]


async def test_a_view_that_ends_before_it_has_accepted_is_told_what_to_await(app, client, kind, caplog):
    @app.websocket("/")
    @kind
    async def view(ws):
        pass

    assert (await rejection(client)).status_code == 500
    assert "has ended before the websocket was accepted. Accept it with await websocket.accept()" in caplog.text
