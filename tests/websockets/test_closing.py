"""How a websocket ends: who closes it, with which code, and what the view and its teardown are told."""

from __future__ import annotations

import asyncio

import anyio
import pytest

from flaskctx import WebsocketDisconnect, abort, request, websocket
from flaskctx.testing import WebsocketClosed

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def teardown(app, log):
    @app.teardown_request
    async def teardown(error):
        await anyio.sleep(0.01)
        log.append(f"teardown {type(error).__name__}")


async def close_code(client, path="/"):
    """Return the code with which a websocket is closed after its first message."""
    async with client.websocket(path) as ws:
        assert await ws.receive() == "hello"
        with pytest.raises(WebsocketClosed):
            await ws.receive()
    return ws.close_code


async def test_1000_at_the_views_end(app, client, kind, log):
    @app.websocket("/")
    @kind
    async def view(ws):
        await ws.send("hello")

    assert await close_code(client) == 1000
    assert log == ["teardown NoneType"]


async def test_1011_for_an_error(app, client, kind, log):
    @app.websocket("/")
    @kind
    async def view(ws):
        await ws.send("hello")
        raise KeyError("broken")

    assert await close_code(client) == 1011
    assert log == ["teardown KeyError"]


async def test_an_error_handler_says_how_it_ends(app, client, kind, log):
    @app.errorhandler(KeyError)
    def handler(error):
        log.append("handled")
        return "", 400

    @app.websocket("/")
    @kind
    async def view(ws):
        await ws.send("hello")
        raise KeyError("broken")

    assert await close_code(client) == 1008
    assert log == ["handled", "teardown NoneType"]


@pytest.mark.parametrize(("status", "code"), [(403, 1008), (503, 1011)])
async def test_abort_after_the_acceptance(app, client, kind, status, code):
    @app.websocket("/")
    @kind
    async def view(ws):
        await ws.send("hello")
        abort(status)

    assert await close_code(client) == code


async def test_the_after_hooks_are_not_called_again(app, client, kind, log):
    @app.after_request
    def after(response):
        log.append(f"after {response.status_code}")
        return response

    @app.websocket("/")
    @kind
    async def view(ws):
        await ws.send("hello")
        abort(403)

    await close_code(client)
    assert log == ["after 101", "teardown NoneType"]


@pytest.mark.parametrize("propagates", ["testing", "PROPAGATE_EXCEPTIONS"])
async def test_an_error_is_raised_to_the_test(app, client, kind, log, propagates):
    app.config[propagates.upper()] = True

    @app.websocket("/")
    @kind
    async def view(ws):
        await ws.send("hello")
        raise KeyError("broken")

    with pytest.raises(KeyError, match="broken"):
        await close_code(client)
    assert log == ["teardown KeyError"]


async def test_by_the_view_with_a_code_and_a_reason(app, client, kind):
    @app.websocket("/")
    @kind
    async def view(ws):
        await ws.accept()
        await ws.close(4001, "enough")
        await ws.close(4002, "closed already")
        with pytest.raises(RuntimeError, match="was closed; nothing more can be sent"):
            await ws.send("too late")

    async with client.websocket("/") as ws:
        with pytest.raises(WebsocketClosed, match="4001: enough"):
            await ws.receive()
    assert (ws.close_code, ws.close_reason) == (4001, "enough")


async def test_after_that_receive_raises_with_that_code(app, client, kind, log):
    @app.websocket("/")
    @kind
    async def view(ws):
        await ws.accept()
        await ws.close(4001, "enough")
        for _ in range(2):
            with pytest.raises(WebsocketDisconnect, match="4001: enough") as raised:
                await ws.receive()
            log.append((raised.value.code, raised.value.reason))

    async with client.websocket("/") as ws:
        with pytest.raises(WebsocketClosed):
            await ws.receive()
    assert log == [(4001, "enough"), (4001, "enough"), "teardown NoneType"]


async def test_who_waits_for_a_message_meanwhile_is_told_that_code(app, client, log):
    @app.websocket("/")
    async def view():
        await websocket.accept()
        me = websocket._get_current_object()

        async def listen():
            try:
                await me.receive()
            except WebsocketDisconnect as error:
                log.append(error.code)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listen)
            await anyio.sleep(0.02)
            await me.close(4001)

    async with client.websocket("/") as ws:
        with pytest.raises(WebsocketClosed):
            await ws.receive()
    assert log == [4001, "teardown NoneType"]


async def test_and_iteration_ends(app, client, log):
    @app.websocket("/")
    async def view():
        await websocket.send("hello")
        async for message in websocket:
            log.append(message)
            await websocket.close(4001)
        log.append("end")

    async with client.websocket("/") as ws:
        await ws.send("one")
        await ws.receive()
        with pytest.raises(WebsocketClosed):
            await ws.receive()
    assert log == ["one", "end", "teardown NoneType"]


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 2999, 5000, "1000"])
async def test_a_code_that_must_not_be_sent_is_refused(app, client, kind, code):
    @app.websocket("/")
    @kind
    async def view(ws):
        await ws.accept()
        with pytest.raises(ValueError, match="can't be closed with the code"):
            await ws.close(code)
        await ws.close(3000)

    async with client.websocket("/") as ws:
        assert [message async for message in ws] == []
    assert ws.close_code == 3000


async def test_1011_for_a_view_that_takes_longer_than_its_timeout(app, client, log):
    @app.websocket("/", timeout=0.05)
    async def view():
        await websocket.accept()
        try:
            await anyio.sleep(30)
        finally:
            log.append("view ended")

    async with client.websocket("/") as ws:
        assert [message async for message in ws] == []
    assert ws.close_code == 1011
    assert log[0] == "view ended"


async def test_what_is_configured_for_requests_limits_no_websocket(app, client, kind, log):
    app.config["REQUEST_TIMEOUT"] = 0.02

    @app.websocket("/")
    @kind
    async def view(ws):
        log.append(request.time_left)
        await ws.send(await ws.receive())

    async with client.websocket("/") as ws:
        await anyio.sleep(0.1)
        await ws.send("late")
        assert await ws.receive() == "late"
    assert log[0] is None


async def test_a_long_reason_is_refused(app, client, kind):
    @app.websocket("/")
    @kind
    async def view(ws):
        await ws.accept()
        with pytest.raises(ValueError, match="may have 123 bytes, not 124"):
            await ws.close(4001, "é" * 62)

    async with client.websocket("/") as ws:
        assert [message async for message in ws] == []
    assert ws.close_code == 1000


async def test_by_the_client_is_raised_with_its_code(app, client, kind, log):
    @app.websocket("/")
    @kind
    async def view(ws):
        await ws.send("hello")
        try:
            await ws.receive()
        except WebsocketDisconnect as error:
            log.append((error.code, error.reason))
        with pytest.raises(WebsocketDisconnect):
            await ws.send("too late")

    async with client.websocket("/") as ws:
        await ws.receive()
        await ws.close(4000, "bye")
    assert log == [(4000, "bye"), "teardown NoneType"]


async def test_by_the_client_need_not_be_caught(app, client, kind, log):
    app.testing = True

    @app.websocket("/")
    @kind
    async def view(ws):
        await ws.send("hello")
        await ws.receive()

    async with client.websocket("/") as ws:
        await ws.receive()
    assert log == ["teardown NoneType"]


async def test_a_view_that_sends_hears_of_it(app, client, kind, log):
    @app.websocket("/")
    @kind
    async def view(ws):
        try:
            while True:
                await ws.send("hello")
        except WebsocketDisconnect as error:
            log.append(error.code)

    async with client.websocket("/") as ws:
        await ws.receive()
        await ws.disconnect()
    assert log == [1006, "teardown NoneType"]


async def test_an_async_view_that_does_not_notice_is_cancelled(app, client, log):
    @app.websocket("/")
    async def view():
        await websocket.send("hello")
        try:
            await anyio.sleep(30)
        finally:
            log.append("view ended")

    with anyio.fail_after(5):
        async with client.websocket("/") as ws:
            await ws.receive()
    assert log[0] == "view ended"
    assert len(log) == 2


async def test_also_when_another_task_was_told(app, client, log):
    """The view is no wiser by it, and waits for what it waits for."""

    @app.websocket("/")
    async def view():
        async def receive():
            with pytest.raises(WebsocketDisconnect):
                await websocket.receive()
            log.append("task told")

        await websocket.accept()
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(receive)
                await anyio.sleep(30)
        finally:
            log.append("view ended")

    with anyio.fail_after(5):
        async with client.websocket("/"):
            pass
    assert log[:2] == ["task told", "view ended"]
    assert len(log) == 3


async def test_the_cancellation_stays_the_requests_own(app, log, anyio_backend):
    """The server's task ends as if nothing had been, though a teardown was awaited after it."""

    @app.websocket("/")
    async def view():
        await websocket.accept()
        await anyio.sleep(30)

    arriving = [{"type": "websocket.disconnect", "code": 1001}, {"type": "websocket.connect"}]

    async def receive():
        return arriving.pop()

    async def send(message):
        pass

    scope = {"type": "websocket", "path": "/", "headers": [], "query_string": b""}
    with anyio.fail_after(5):
        await app.asgi(scope, receive, send)
    assert len(log) == 1
    if anyio_backend == "asyncio":
        assert asyncio.current_task().cancelling() == 0


async def test_a_view_whose_route_says_so_is_not_cancelled(app, client, log):
    @app.websocket("/", cancel_on_disconnect=False)
    async def view():
        await websocket.send("hello")
        await anyio.sleep(0.8)
        log.append("view ended")

    async with client.websocket("/") as ws:
        await ws.receive()
    assert log == ["view ended", "teardown NoneType"]


async def test_a_view_that_knows_is_not_cancelled(app, client, log):
    @app.websocket("/")
    async def view():
        async for _ in websocket:
            pass
        await anyio.sleep(0.8)
        log.append("view ended")

    async with client.websocket("/") as ws:
        await ws.send("hello")
    assert log == ["view ended", "teardown NoneType"]


async def test_a_server_that_ends_cancels_the_view(app, client, log):
    @app.websocket("/")
    async def view():
        await websocket.send("hello")
        try:
            await websocket.receive()
        finally:
            log.append("view ended")

    with pytest.raises(ZeroDivisionError):
        async with client.websocket("/") as ws:
            await ws.receive()
            raise ZeroDivisionError
    assert log[0] == "view ended"
    assert log[1].startswith("teardown Cancelled")


async def test_it_says_how_it_stands(app, client, log):
    @app.websocket("/")
    async def view():
        log.append((repr(websocket), websocket.accepted, websocket.is_open))
        await websocket.accept()
        log.append((repr(websocket), websocket.accepted, websocket.is_open))
        await websocket.close()
        log.append((repr(websocket), websocket.accepted, websocket.is_open))

    async with client.websocket("/"):
        pass
    assert log[:3] == [
        ("<Websocket '/' not accepted>", False, False),
        ("<Websocket '/' open>", True, True),
        ("<Websocket '/' closed>", True, False),
    ]


async def test_who_keeps_it_after_its_end_is_told(app, client):
    kept = []

    @app.websocket("/")
    async def view():
        kept.append(websocket._get_current_object())
        await websocket.accept()

    async with client.websocket("/"):
        pass
    with pytest.raises((RuntimeError, WebsocketDisconnect)):
        await kept[0].send("too late")
    with pytest.raises((RuntimeError, WebsocketDisconnect)):
        await kept[0].receive()
