"""flaskctx/testing/: `async with client` keeps the context of the last request, as `with client` does."""

from __future__ import annotations

import sqlite3

import anyio
import pytest

from flaskctx import Response, current_app, g, has_app_context, has_request_context, request, session
from flaskctx import stream_with_context as with_context


@pytest.fixture(params=["asyncio", "trio"])
def run(request):
    return lambda function: anyio.run(function, backend=request.param)


@pytest.fixture
def torn_down(app):
    told = []
    app.teardown_request(lambda error: told.append((request.path, type(error))))
    return told


@pytest.fixture
def app(app, colour):
    def view(name):
        g.name = name
        session["name"] = name
        return name

    def fail():
        raise LookupError("the view's")

    app.get("/<name>", endpoint="view")(colour(view))
    app.get("/failing", endpoint="failing")(colour(fail))
    return app


def test_until_the_next_request_and_the_blocks_end(app, run, torn_down):
    async def main():
        async with app.async_test_client() as client:
            await client.get("/one")
            assert (request.path, g.name, session["name"], current_app.name) == ("/one", "one", "one", "app")
            assert torn_down == []
            await client.get("/two")
            assert (request.path, g.name, session["name"]) == ("/two", "two", "two")
            assert torn_down == [("/one", type(None))]
            session["name"] = "may still be changed"
        assert torn_down == [("/one", type(None)), ("/two", type(None))]
        assert not has_request_context()
        assert not has_app_context()

    run(main)


def test_without_the_block_nothing_is_kept(app, run, torn_down):
    async def main():
        await app.async_test_client().get("/one")
        assert not has_request_context()
        assert torn_down == [("/one", type(None))]

    run(main)


@pytest.mark.parametrize("testing", [False, True])
def test_of_a_failing_request_too_which_is_torn_down_with_its_error(app, run, torn_down, testing):
    app.testing = testing

    async def main():
        async with app.async_test_client() as client:
            try:
                await client.get("/failing")
            except LookupError:
                assert testing
            assert request.path == "/failing"
            assert torn_down == []
        assert torn_down == [("/failing", LookupError)]

    run(main)


def test_a_block_that_fails_leaves_nothing(app, run, torn_down):
    async def main():
        with pytest.raises(KeyError):
            async with app.async_test_client() as client:
                await client.get("/one")
                raise KeyError
        assert not has_request_context()
        assert torn_down == [("/one", type(None))]

    run(main)


def test_teardown_functions_run_on_the_thread_of_the_request(app, run):
    @app.before_request
    def connect():
        g.db = sqlite3.connect(":memory:")

    @app.teardown_request
    def close(error):
        # sqlite refuses this on any other thread
        g.db.close()

    async def main():
        async with app.async_test_client() as client:
            await client.get("/one")
            async with anyio.create_task_group() as tasks:
                # meanwhile other requests want threads
                for _ in range(4):
                    tasks.start_soon(client.get, "/other")
            await client.get("/two")
            assert request.path == "/two"

    run(main)


def test_async_teardown_functions_run_on_the_loop(app, run):
    torn_down = []

    @app.teardown_request
    async def teardown(error):
        await anyio.sleep(0)
        torn_down.append(request.path)

    async def main():
        async with app.async_test_client() as client:
            await client.get("/one")
            await client.get("/two")
        assert torn_down == ["/one", "/two"]

    run(main)


def test_an_error_of_a_teardown_comes_out_of_the_block(app, run):
    app.teardown_request(lambda error: {}["missing"])

    async def main():
        with pytest.raises(KeyError, match="missing"):
            async with app.async_test_client() as client:
                await client.get("/one")
        assert not has_request_context()

    run(main)


def test_requests_of_other_tasks_end_with_their_response(app, run, torn_down):
    async def main():
        async with app.async_test_client() as client:
            await client.get("/mine")

            async def get():
                await client.get("/other")
                assert request.path == "/mine"

            async with anyio.create_task_group() as tasks:
                for _ in range(5):
                    tasks.start_soon(get)
            assert torn_down == [("/other", type(None))] * 5
            assert request.path == "/mine"
        assert torn_down[5:] == [("/mine", type(None))]

    run(main)


def test_blocks_of_one_client_nest(app, run, torn_down):
    async def main():
        async with app.async_test_client() as client:
            await client.get("/one")
            async with client:
                await client.get("/two")
            assert not has_request_context()
            await client.get("/three")
            assert request.path == "/three"

    run(main)
    assert [path for path, _ in torn_down] == ["/one", "/two", "/three"]


def test_blocks_of_two_clients_nest(app, run, torn_down):
    async def main():
        async with app.async_test_client() as outer, app.async_test_client() as inner:
            await outer.get("/outer")
            await inner.get("/inner")
            assert request.path == "/inner"
            await inner.get("/again")
            assert request.path == "/again"
        assert not has_request_context()

    run(main)
    assert [path for path, _ in torn_down] == ["/inner", "/again", "/outer"]


def test_beside_a_block_of_the_sync_client(app, run, torn_down):
    async def main():
        with app.test_client() as sync_client:
            sync_client.get("/sync")
            async with app.async_test_client() as async_client:
                await async_client.get("/async")
                assert request.path == "/async"
            assert request.path == "/sync"
        assert not has_request_context()

    run(main)
    assert [path for path, _ in torn_down] == ["/async", "/sync"]


def test_a_stream_with_context_is_kept_when_it_has_ended(app, run, torn_down):
    def numbers():
        yield request.path
        yield "!"

    app.get("/stream", endpoint="stream")(lambda: Response(with_context(numbers())))

    async def main():
        async with app.async_test_client() as client:
            assert (await client.get("/stream")).text == "/stream!"
            assert request.path == "/stream"
            assert torn_down == []
        assert torn_down == [("/stream", type(None))]

    run(main)


def test_with_middleware_around_wsgi_app(app, run, torn_down):
    inner = app.wsgi_app
    app.wsgi_app = lambda environ, start_response: inner(environ, start_response)

    async def main():
        async with app.async_test_client() as client:
            await client.get("/one")
            assert (request.path, torn_down) == ("/one", [])
        assert torn_down == [("/one", type(None))]

    run(main)


def test_an_application_context_of_the_test_is_the_requests_too(app, run):
    async def main():
        async with app.app_context():
            g.name = "of the test"
            async with app.async_test_client() as client:
                await client.get("/one")
                assert g.name == "one"
            assert g.name == "one"

    run(main)
