"""What goes through a websocket: text, binary, JSON, from several tasks, no faster than the client reads."""

from __future__ import annotations

import anyio
import pytest

from flaskctx import Websocket, websocket
from flaskctx.testing.websocket import WINDOW

pytestmark = pytest.mark.anyio


@pytest.fixture
def echo(app, kind):
    @app.websocket("/")
    @kind
    async def echo(ws):
        while True:
            await ws.send(await ws.receive())


@pytest.mark.parametrize("message", ["", "grüße 🎉", b"", b"\x00\xff", "x" * 1_000_000])
async def test_text_and_binary(echo, client, message):
    async with client.websocket("/") as ws:
        await ws.send(message)
        assert await ws.receive() == message


async def test_json_through_the_applications_provider(app, client, kind):
    @app.websocket("/")
    @kind
    async def view(ws):
        await ws.send_json({"got": await ws.receive_json()})

    async with client.websocket("/") as ws:
        await ws.send_json([1, None])
        assert await ws.receive_json() == {"got": [1, None]}


async def test_what_is_not_json_is_an_error(app, client, kind):
    @app.websocket("/")
    @kind
    async def view(ws):
        await ws.receive_json()

    async with client.websocket("/") as ws:
        await ws.send("{")
        assert [message async for message in ws] == []
    assert ws.close_code == 1011


async def test_a_message_is_str_or_bytes(app, client, kind):
    @app.websocket("/")
    @kind
    async def view(ws):
        with pytest.raises(TypeError, match="str or bytes, not dict; see send_json"):
            await ws.send({})

    async with client.websocket("/") as ws:
        assert [message async for message in ws] == []
    assert ws.close_code == 1000


async def test_so_is_one_of_a_test(echo, client):
    async with client.websocket("/") as ws:
        with pytest.raises(TypeError, match="str or bytes, not dict; see send_json"):
            await ws.send({})


async def test_iterates_until_the_client_leaves(app, client, log):
    @app.websocket("/def")
    def blocking():
        log.append(list(websocket.sync))

    @app.websocket("/async")
    async def awaited():
        log.append([message async for message in websocket])

    for path in ("/def", "/async"):
        async with client.websocket(path) as ws:
            await ws.send("one")
            await ws.send(b"two")
        assert log.pop() == ["one", b"two"]


async def test_several_tasks_may_send_and_be_the_first_to_do_so(app, client):
    @app.websocket("/")
    async def view():
        async with anyio.create_task_group() as tasks:
            for number in range(10):
                tasks.start_soon(websocket.send, str(number))

    async with client.websocket("/") as ws:
        assert sorted([message async for message in ws]) == list("0123456789")


async def test_others_may_send_to_it(app, client):
    rooms: list[Websocket] = []

    @app.websocket("/")
    async def view():
        rooms.append(websocket._get_current_object())
        async for message in websocket:
            for other in rooms:
                await other.send(message)

    async with client.websocket("/") as one, client.websocket("/") as two:
        await one.send("hello")
        assert [await one.receive(), await two.receive()] == ["hello", "hello"]


async def test_send_waits_for_a_client_that_does_not_read(app, client, kind, log):
    @app.websocket("/")
    @kind
    async def view(ws):
        while True:
            await ws.send("x")
            log.append("sent")

    async with client.websocket("/"):
        await anyio.sleep(0.2)
        assert len(log) <= WINDOW + 1
    assert len(log) <= WINDOW + 1


async def test_a_client_that_sends_is_not_read_far_ahead(app):
    asked = []

    async def receive():
        asked.append(1)
        if len(asked) == 1:
            return {"type": "websocket.connect"}
        return {"type": "websocket.receive", "text": "x"}

    async def send(message):
        await anyio.sleep(0)

    @app.websocket("/")
    async def view():
        await websocket.receive()
        await anyio.sleep(0.1)

    await app.asgi({"type": "websocket", "path": "/", "headers": [], "query_string": b""}, receive, send)
    assert len(asked) < 20


async def test_blocking_methods_are_for_def_functions(app, client):
    @app.websocket("/")
    async def view():
        with pytest.raises(RuntimeError, match=r"use `await websocket.receive\(...\)`"):
            websocket.sync.receive()
        await websocket.send("fine")

    async with client.websocket("/") as ws:
        assert await ws.receive() == "fine"
