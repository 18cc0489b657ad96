"""The clients of each kind behind one text: `client.get("/")` in a plain `def` test."""

from __future__ import annotations

import functools
import inspect

import pytest
from anyio.from_thread import start_blocking_portal


@pytest.fixture(params=["sync", "asyncio", "trio"])
def new_client(request, app):
    """`new_client(...)` gives a client of `app`: the sync one, or the async one driven on a loop of its own."""
    if request.param == "sync":
        yield app.test_client
        return
    with start_blocking_portal(request.param) as portal:
        yield lambda **kwargs: Driven(app.async_test_client(**kwargs), portal)


@pytest.fixture
def client(new_client):
    return new_client()


class Driven:
    """An async client for `def` tests: whatever it wants awaited is awaited on the portal's loop."""

    def __init__(self, client, portal):
        self._client = client
        self._portal = portal

    def __getattr__(self, name):
        value = getattr(self._client, name)
        if not callable(value):
            return value

        @functools.wraps(value)
        def driven(*args, **kwargs):
            result = value(*args, **kwargs)
            if hasattr(result, "__aenter__"):
                return self._portal.wrap_async_context_manager(result)
            if inspect.isawaitable(result):
                return self._portal.call(_awaited, result)
            return result

        return driven


async def _awaited(awaitable):
    return await awaitable
