"""Websockets on the in-process client: on asyncio and trio, with `def` and `async def` views."""

from __future__ import annotations

import functools

import pytest

from flaskctx import Flask, websocket
from flaskctx.bridge import drive


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


@pytest.fixture
def app():
    """An application as it is deployed, with sessions."""
    app = Flask("app", static_folder=None)
    app.secret_key = "tests"
    return app


@pytest.fixture
def client(app):
    return app.async_test_client()


@pytest.fixture
def log():
    return []


@pytest.fixture(params=["def", "async def"])
def kind(request):
    """The kind of view to test: `@kind` makes one of an `async def` function that is given the websocket.

        @app.websocket("/echo")
        @kind
        async def echo(ws):
            await ws.send(await ws.receive())

    A `def` view calls the blocking methods: nothing that it awaits suspends, so no loop has to run it.
    """
    return as_def_view if request.param == "def" else as_async_view


def as_async_view(function):
    @functools.wraps(function)
    async def view(**values):
        return await function(websocket, **values)

    return view


def as_def_view(function):
    @functools.wraps(function)
    def view(**values):
        return drive(function(Blocking(), **values))

    return view


class Blocking:
    """`websocket.sync`, awaited."""

    def __getattr__(self, name):
        method = getattr(websocket.sync, name)

        async def call(*args, **kwargs):
            return method(*args, **kwargs)

        return call
