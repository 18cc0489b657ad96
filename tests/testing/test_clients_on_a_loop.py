"""flaskctx/testing/: the clients where an event loop runs, in tests and in the application itself."""

from __future__ import annotations

import anyio
import pytest
import pytest_asyncio

from flaskctx import g, has_app_context, has_request_context, request


@pytest.fixture
def torn_down(app):
    """What the teardown functions were told, one of which is `async def`."""
    torn_down = []

    @app.teardown_request
    async def teardown(error):
        await anyio.sleep(0)
        torn_down.append(request.path)

    @app.get("/<name>")
    async def view(name):
        await anyio.sleep(0)
        g.name = name
        return name

    return torn_down


@pytest.fixture(params=["asyncio", "trio"])
def run(request):
    """Run a coroutine function on each loop."""
    return lambda function: anyio.run(function, backend=request.param)


@pytest_asyncio.fixture
async def async_client(app):
    async with app.async_test_client() as client:
        yield client


async def test_the_async_client_can_be_made_by_an_async_fixture(app, async_client):
    app.get("/")(lambda: "hello")
    assert (await async_client.get("/")).text == "hello"


def test_a_lifespan_that_fails_is_an_error_not_a_hang(app, run, monkeypatch):
    async def broken(self, scope, receive, send):
        raise ValueError("this adapter is broken")

    monkeypatch.setattr(type(app.asgi), "__call__", broken)

    async def main():
        with anyio.fail_after(5):
            async with app.async_test_client():
                raise AssertionError("never entered")

    with pytest.raises(RuntimeError, match="this adapter is broken"):
        run(main)


def test_the_block_of_the_sync_client_shows_the_last_request_and_ends_it(app, run, torn_down):
    async def main():
        with app.test_client() as client:
            client.get("/one")
            assert (request.path, g.name, torn_down) == ("/one", "one", [])
            client.get("/two")
            assert (request.path, g.name, torn_down) == ("/two", "two", ["/one"])
        assert torn_down == ["/one", "/two"]
        assert not has_request_context()
        assert not has_app_context()

    run(main)


@pytest.mark.worlds("asgi-asyncio", "asgi-trio")
def test_an_async_view_may_use_either_client(app, server, torn_down):
    @app.get("/")
    async def outer():
        by_async_client = await app.async_test_client().get("/async")
        return [by_async_client.text, app.test_client().get("/sync").text, request.path]

    assert server.get("/").json == ["async", "sync", "/"]


@pytest.mark.worlds("wsgi")
def test_on_the_background_loop_the_sync_client_says_that_it_would_wait_for_itself(app, server, torn_down):
    @app.get("/")
    async def outer():
        with pytest.raises(RuntimeError, match=r"app\.async_test_client\(\)"):
            app.test_client().get("/sync")
        return (await app.async_test_client().get("/async")).text

    assert server.get("/").text == "async"
