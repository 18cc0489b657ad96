"""A websocket's URL that is asked by plain HTTP, an HTTP URL that is asked by a websocket, and servers without one."""

from __future__ import annotations

import logging

import pytest

from flaskctx import websocket
from flaskctx.testing import WebsocketRejected


@pytest.fixture
def app(app):
    @app.websocket("/ws")
    async def view():
        await websocket.accept()

    @app.get("/http")
    def http():
        return "hello"

    return app


def test_plain_http_gets_a_426(app, server, caplog):
    answer = server.get("/ws")
    assert answer.status_code == 426
    assert answer.headers["Upgrade"] == "websocket"
    assert "connect to it with a websocket client" in answer.text


def test_a_plain_request_writes_no_log(app, server, caplog):
    server.get("/ws")
    assert caplog.records == []


def test_an_upgrade_that_the_server_can_not_give_is_a_426_and_a_log_line(app, server, caplog):
    with caplog.at_level(logging.ERROR, "app"):
        answer = server.get("/ws", headers={"Connection": "Upgrade", "Upgrade": "websocket"})
    assert answer.status_code == 426
    assert "/ws, which this server can't give" in caplog.text


def test_other_methods_are_not_allowed_or_told_to_upgrade(app, server):
    assert server.request("POST", "/ws").status_code in (405, 426)


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_websocket_gets_a_400_from_an_http_url(app, client):
    with pytest.raises(WebsocketRejected) as rejected:
        async with client.websocket("/http"):
            pass
    assert rejected.value.response.status_code == 400


def test_both_may_share_a_url(app, server):
    app.get("/ws", endpoint="page")(lambda: "page")
    assert server.get("/ws").text == "page"
