"""flaskctx/testing/: one client in several tasks and threads, and clients within requests."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor

import anyio
import pytest
import pytest_asyncio

from flaskctx import g, has_request_context, request, session


@pytest.fixture
def app(app, colour):
    def view(name):
        g.name = name
        return f"{request.path} {g.name}"

    app.get("/<name>", endpoint="view")(colour(view))
    return app


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("in_block", [True, False])
def test_tasks_may_share_an_async_client(app, backend, in_block):
    answers = {}

    async def get(client, name):
        answers[name] = (await client.get(f"/{name}")).text

    async def get_all(client):
        async with anyio.create_task_group() as tasks:
            for number in range(50):
                tasks.start_soon(get, client, f"{number}")

    async def main():
        client = app.async_test_client()
        if in_block:
            async with client:
                await get_all(client)
        else:
            await get_all(client)

    anyio.run(main, backend=backend)
    assert answers == {f"{number}": f"/{number} {number}" for number in range(50)}


def test_requests_of_one_client_really_overlap(app):
    under_way, most = 0, 0

    @app.get("/slow/<name>")
    async def slow(name):
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await anyio.sleep(0.01)
        under_way -= 1
        return name

    async def main():
        async with app.async_test_client() as client:
            await asyncio.gather(*(client.get(f"/slow/{number}") for number in range(20)))

    asyncio.run(main())
    assert most == 20


async def test_tasks_may_share_a_sync_client(app):
    client = app.test_client()

    async def get(name):
        return client.get(f"/{name}").text

    assert await asyncio.gather(*(get(name) for name in "abc")) == ["/a a", "/b b", "/c c"]


def test_threads_may_share_a_sync_client(app):
    client = app.test_client()
    names = [f"{number}" for number in range(50)]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda name: client.get(f"/{name}").text, names))
    assert answers == [f"/{name} {name}" for name in names]


async def test_a_sync_block_on_a_loop_has_one_thread_for_all_of_its_functions(app):
    @app.before_request
    def connect():
        g.db = sqlite3.connect(":memory:")
        threads.add(threading.current_thread())

    @app.teardown_request
    def close(error):
        # sqlite refuses this on any other thread
        g.db.close()
        closed.append(request.path)

    threads, closed = set(), []
    with app.test_client() as client:
        client.get("/one")
        client.get("/two")
        assert closed == ["/one"]
    assert closed == ["/one", "/two"]
    assert threading.current_thread() not in threads
    assert not [thread for thread in threads if thread.is_alive()]


async def test_a_sync_block_on_a_loop_ends_a_failed_request_too(app):
    app.testing = True
    app.get("/failing", endpoint="failing")(lambda: {}["missing"])
    torn_down = []
    app.teardown_request(lambda error: torn_down.append(type(error)))
    with app.test_client() as client:
        with pytest.raises(KeyError):
            client.get("/failing")
        assert request.path == "/failing"
    assert torn_down == [KeyError]
    assert not has_request_context()


class TestClientsOfFixtures:
    """Entered by a fixture, in another task than the test's."""

    @pytest.fixture
    def client(self, app):
        with app.test_client() as client:
            yield client

    @pytest_asyncio.fixture
    async def async_client(self, app):
        async with app.async_test_client() as client:
            yield client

    @pytest.fixture
    def torn_down(self, app):
        torn_down = []
        app.teardown_request(lambda error: torn_down.append(request.path))
        return torn_down

    @pytest.fixture(autouse=True)
    def all_are_torn_down(self, torn_down, request):
        # the fixture after which those of the clients are torn down
        yield
        assert torn_down == ["/one", "/two"]

    def test_of_the_sync_client_in_a_def_test(self, client, torn_down):
        client.get("/one")
        client.get("/two")
        assert (request.path, torn_down) == ("/two", ["/one"])

    async def test_of_the_sync_client_in_an_async_test(self, client, torn_down):
        client.get("/one")
        client.get("/two")
        assert (request.path, torn_down) == ("/two", ["/one"])

    async def test_of_the_async_client_ends_its_requests_with_their_response(self, async_client, torn_down):
        await async_client.get("/one")
        await async_client.get("/two")
        assert torn_down == ["/one", "/two"]
        assert not has_request_context()

    async def test_of_the_async_client_may_be_entered_by_the_test_again(self, async_client, torn_down):
        async with async_client:
            await async_client.get("/one")
            await async_client.get("/two")
            assert (request.path, torn_down) == ("/two", ["/one"])


class TestOnTheLoopOfAModule:
    pytestmark = pytest.mark.asyncio(loop_scope="module")

    async def test_first(self, app):
        async with app.async_test_client() as client:
            assert (await client.get("/one")).text == "/one one"
            assert request.path == "/one"

    async def test_second(self, app):
        assert not has_request_context()
        async with app.async_test_client() as client:
            assert (await client.get("/two")).text == "/two two"


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_clients_nest_across_requests(app, backend):
    app.get("/inner", endpoint="inner")(lambda: f"{request.path} of {session.get('user')}")

    @app.get("/outer")
    async def outer():
        session["user"] = "outer"
        async with app.async_test_client() as client:
            async with client.session_transaction() as opened:
                opened["user"] = "inner"
            text = (await client.get("/inner")).text
        return f"{text}, {request.path} of {session['user']}"

    async def main():
        async with app.async_test_client() as client:
            answer = await client.get("/outer")
            assert answer.text == "/inner of inner, /outer of outer"
            assert request.path == "/outer"

    anyio.run(main, backend=backend)
