"""`has_websocket_context()`: whether `websocket` can be used."""

from __future__ import annotations

import anyio
import pytest

from flaskctx import Flask, has_websocket_context, websocket


def test_outside_of_requests_and_in_plain_ones_it_is_false(app):
    assert not has_websocket_context()
    with app.test_request_context("/"):
        assert not has_websocket_context()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_in_a_websocket_it_is_true_in_its_hooks_too(backend, colour):
    app, seen = Flask("app"), []
    app.before_request(colour(lambda: seen.append(has_websocket_context())))

    @app.websocket("/")
    async def view():
        seen.append(has_websocket_context())
        await websocket.close()

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        pass

    anyio.run(app.asgi, {"type": "websocket", "path": "/", "headers": []}, receive, send, backend=backend)
    assert seen == [True, True]
