"""A websocket's client that leaves before its handshake is answered."""

from __future__ import annotations

import asyncio
import time

import anyio
import pytest

from flaskctx import WebsocketDisconnect, request, websocket

pytestmark = pytest.mark.anyio


class Client:
    """Asks for one websocket and leaves after `stays` seconds, whether or not it got an answer."""

    def __init__(self, app, stays=0.05):
        self._app = app
        self._stays = stays
        self._arriving = [{"type": "websocket.connect"}]
        self.sent = []

    async def receive(self):
        if self._arriving:
            return self._arriving.pop()
        await anyio.sleep(self._stays)
        self._stays = 60
        return {"type": "websocket.disconnect", "code": 1006}

    async def send(self, message):
        self.sent.append(message)

    async def connect(self):
        scope = {"type": "websocket", "path": "/", "headers": [], "query_string": b""}
        with anyio.fail_after(5):
            await self._app.asgi(scope, self.receive, self.send)


@pytest.fixture(autouse=True)
def teardown(app, log):
    @app.teardown_request
    async def teardown(error):
        await anyio.sleep(0.05)
        log.append("teardown")


async def wait_for_long(log):
    try:
        await anyio.sleep(30)
    finally:
        log.append("cancelled")


async def test_an_async_view_is_cancelled_and_its_teardown_runs_whole(app, log):
    @app.websocket("/")
    async def view():
        await wait_for_long(log)

    client = Client(app)
    await client.connect()
    assert log == ["cancelled", "teardown"]
    assert client.sent == []


async def test_the_servers_task_is_left_as_it_was(app, log, anyio_backend):
    @app.websocket("/")
    async def view():
        await wait_for_long(log)

    await Client(app).connect()
    await anyio.sleep(0.01)  # would raise what was left of the cancellation
    if anyio_backend == "asyncio":
        assert asyncio.current_task().cancelling() == 0


async def test_a_hook_before_an_async_view_is_cancelled(app, log):
    @app.before_request
    async def hook():
        await wait_for_long(log)

    @app.websocket("/")
    async def view():
        log.append("view")

    await Client(app).connect()
    assert log == ["cancelled", "teardown"]


async def test_a_view_may_catch_its_cancellation(app, log, anyio_backend):
    @app.websocket("/")
    async def view():
        try:
            await anyio.sleep(30)
        except BaseException:
            log.append("caught")
        return "too late", 402

    client = Client(app)
    await client.connect()
    assert log == ["caught", "teardown"]
    assert client.sent == []
    if anyio_backend == "asyncio":
        assert asyncio.current_task().cancelling() == 0


async def test_a_view_whose_route_says_so_goes_on(app, log):
    @app.websocket("/", cancel_on_disconnect=False)
    async def view():
        await anyio.sleep(0.5)
        log.append("view ended")

    await Client(app).connect()
    assert log == ["view ended", "teardown"]


@pytest.mark.parametrize("method", ["accept", "receive", "send"])
async def test_a_view_is_told_when_it_accepts(app, kind, log, method):
    @app.websocket("/", cancel_on_disconnect=False)
    @kind
    async def view(ws):
        while not request.disconnected:
            time.sleep(0.01) if kind_is_def(ws) else await anyio.sleep(0.01)
        try:
            await getattr(ws, method)(*["hello"] * (method == "send"))
        except WebsocketDisconnect as error:
            log.append(error.code)

    client = Client(app)
    await client.connect()
    assert log == [1006, "teardown"]
    assert client.sent == []


def kind_is_def(ws):
    return ws is not websocket


async def test_a_rejection_is_not_sent(app, log):
    @app.websocket("/", cancel_on_disconnect=False)
    async def view():
        await anyio.sleep(0.2)
        return "no", 402

    client = Client(app)
    await client.connect()
    assert log == ["teardown"]
    assert client.sent == []


async def test_a_client_that_stays_has_not_left(app, kind, client):
    @app.websocket("/")
    @kind
    async def view(ws):
        before = request.disconnected
        await ws.send_json([before, request.disconnected])

    async with client.websocket("/") as ws:
        assert await ws.receive_json() == [False, False]
