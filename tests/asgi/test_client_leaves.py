"""A client that leaves while its request is served: who hears of it, and what is cancelled."""

from __future__ import annotations

import asyncio
import functools
import threading
import time

import anyio
import pytest

from flaskctx import CarryingExecutor, Flask, carry, request, stream_with_context
from flaskctx.asgi import exchange, waiting

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request):
    return request.param


class Client:
    """Sends one request and leaves after `stays` seconds."""

    def __init__(self, app, stays=0.0, headers=()):
        self._app = app
        self._stays = stays
        self._headers = list(headers)
        self.asked = 0
        self.sent = []

    async def receive(self):
        self.asked += 1
        await anyio.sleep(self._stays)
        return {"type": "http.disconnect"}

    async def send(self, message):
        self.sent.append(message)

    async def get(self, path="/"):
        scope = {"type": "http", "method": "GET", "path": path, "headers": self._headers}
        with anyio.fail_after(5):
            await self._app.asgi(scope, self.receive, self.send)


@pytest.fixture(autouse=True)
def watched_soon(monkeypatch):
    """Have the connections of requests that wait watched after a tenth of a second."""
    monkeypatch.setattr(waiting, "PERIOD", 0.1 / (waiting.LOOKS + 1))
    monkeypatch.setattr(exchange, "DELAY", 0.1)


@pytest.fixture
def log():
    return []


@pytest.fixture
def app(log):
    app = Flask(__name__)

    @app.teardown_request
    async def teardown(error):
        await anyio.sleep(0.01)
        log.append("teardown")

    return app


@pytest.fixture(params=["alone", "behind a middleware around wsgi_app"])
def wrapped_or_not(request, app):
    if request.param != "alone":
        inner = app.wsgi_app
        app.wsgi_app = lambda environ, start_response: inner(environ, start_response)


def until_left(log):
    while not request.disconnected:
        time.sleep(0.01)
    log.append("seen")


async def until_left_async(log):
    while not request.disconnected:
        await anyio.sleep(0.01)
    log.append("seen")


@pytest.mark.usefixtures("wrapped_or_not")
async def test_cancels_an_async_view_and_runs_its_teardown_whole(app, log):
    @app.get("/")
    async def view():
        try:
            await anyio.sleep(30)
        finally:
            log.append("view ended")

    client = Client(app)
    await client.get()
    assert log == ["view ended", "teardown"]
    assert client.sent == []


async def test_leaves_the_servers_task_as_it_was(app):
    @app.get("/")
    async def view():
        await anyio.sleep(30)

    await Client(app).get()
    await anyio.sleep(0.01)  # would raise what was left of the cancellation


async def test_lets_a_view_go_on_whose_route_says_so(app, log):
    @app.get("/", cancel_on_disconnect=False)
    async def view():
        await anyio.sleep(0.4)
        log.append("view ended")
        return "done"

    await Client(app).get()
    assert log == ["view ended", "teardown"]


async def test_lets_a_def_view_go_on(app, log):
    @app.after_request
    async def after(response):
        await anyio.sleep(0.3)
        log.append("after")
        return response

    @app.get("/")
    def view():
        log.append("view ended")
        return "done"

    await Client(app).get()
    assert log == ["view ended", "after", "teardown"]


@pytest.mark.usefixtures("wrapped_or_not")
async def test_is_seen_by_a_def_view_that_asks(app, log):
    @app.get("/")
    def view():
        until_left(log)
        return "done"

    await Client(app, stays=0.05).get()
    assert log == ["seen", "teardown"]


async def test_is_seen_by_a_def_hook_that_asks_once_and_the_async_view_is_cancelled_at_its_first_wait(app, log):
    @app.before_request
    def hook():
        time.sleep(0.1)
        log.append(request.disconnected)

    @app.get("/")
    async def view():
        await anyio.sleep(30)
        log.append("never")

    await Client(app, stays=0).get()
    assert log == [True, "teardown"]


async def test_is_seen_by_an_async_view_that_asks(app, log):
    @app.get("/", cancel_on_disconnect=False)
    async def view():
        await until_left_async(log)
        return "done"

    await Client(app, stays=0.05).get()
    assert log == ["seen", "teardown"]


def in_a_carrying_executor(function):
    with CarryingExecutor(1) as executor:
        executor.submit(function).result()


def in_a_thread(function):
    thread = threading.Thread(target=carry(function))
    thread.start()
    thread.join()


@pytest.mark.parametrize("run", [in_a_carrying_executor, in_a_thread])
async def test_is_seen_by_a_carried_thread_that_a_def_view_waits_for(app, log, run):
    @app.get("/")
    def view():
        run(functools.partial(until_left, log))
        return "done"

    await Client(app, stays=0.05).get()
    assert log == ["seen", "teardown"]


async def test_is_seen_by_a_carried_thread_that_an_async_view_waits_for(app, log):
    @app.get("/", cancel_on_disconnect=False)
    async def view():
        await anyio.to_thread.run_sync(carry(functools.partial(until_left, log)))
        return "done"

    await Client(app, stays=0.05).get()
    assert log == ["seen", "teardown"]


async def test_is_seen_by_a_carried_thread_that_outlives_the_request(app, log):
    threads = []

    @app.get("/")
    async def view():
        threads.append(threading.Thread(target=carry(functools.partial(until_left, log))))
        threads[0].start()
        await anyio.sleep(30)

    await Client(app, stays=0.05).get()
    threads[0].join(5)
    assert sorted(log) == ["seen", "teardown"]


async def test_is_seen_by_a_task_that_an_async_view_waits_for(app, log):
    @app.get("/", cancel_on_disconnect=False)
    async def view():
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(until_left_async, log)
        return "done"

    await Client(app, stays=0.05).get()
    assert log == ["seen", "teardown"]


async def test_has_not_happened_to_a_carried_thread_whose_client_stays(app):
    @app.get("/")
    def view():
        def ask():
            before = request.disconnected
            time.sleep(0.1)
            return [before, request.disconnected]

        with CarryingExecutor(1) as executor:
            return executor.submit(ask).result()

    client = Client(app, stays=30)
    await client.get()
    assert client.sent[1]["body"] == b"[false,false]\n"


async def test_a_client_that_stays_has_not_left(app):
    @app.get("/")
    async def view():
        before = request.disconnected
        await anyio.sleep(0.3)
        return [before, request.disconnected]

    client = Client(app, stays=30)
    await client.get()
    assert client.sent[1]["body"] == b"[false,false]\n"


async def test_a_quick_request_does_not_ask_the_server(app):
    @app.get("/")
    async def view():
        await anyio.sleep(0)
        return "done"

    client = Client(app)
    await client.get()
    assert client.asked == 0
    assert client.sent[1]["body"] == b"done"


async def test_another_cancellation_at_the_same_time_is_passed_on(app, log):
    with anyio.CancelScope() as scope:

        @app.get("/")
        async def view():
            try:
                await anyio.sleep(30)
            finally:
                scope.cancel()

        await Client(app).get()
        await anyio.sleep(1)
        log.append("went on")
    assert scope.cancelled_caught
    assert log == ["teardown"]


async def test_does_not_cut_what_follows_a_view_that_has_ended(app, log):
    @app.after_request
    async def after(response):
        await anyio.sleep(0.3)
        log.append("after")
        return response

    @app.get("/")
    async def view():
        return "done"

    await Client(app).get()
    assert log == ["after", "teardown"]


async def test_a_view_may_catch_its_cancellation(app, anyio_backend):
    @app.get("/")
    async def view():
        try:
            await anyio.sleep(30)
        except BaseException as error:
            raise ValueError("something else") from error

    app.errorhandler(ValueError)(lambda error: "handled")
    client = Client(app)
    await client.get()
    assert client.sent == []
    if anyio_backend == "asyncio":
        # else the server's own timeouts and task groups would take it for theirs
        assert asyncio.current_task().cancelling() == 0


async def test_a_hook_may_answer_for_an_endpoint_without_view(app, log):
    app.url_map.add(app.url_rule_class("/", endpoint="nowhere", methods=["GET"]))

    @app.before_request
    async def answer():
        await anyio.sleep(0.3)
        log.append("answered")
        return "answer"

    await Client(app).get()
    assert log == ["answered", "teardown"]


async def test_is_seen_by_a_generator_that_asks(app, log):
    @app.get("/")
    def view():
        def chunks():
            yield b"first"
            until_left(log)

        return stream_with_context(chunks())

    await Client(app, stays=0.05).get()
    assert log == ["seen", "teardown"]


async def test_ends_a_body_that_never_waits(app, log):
    """A server with room in its buffers, or without a client any more, doesn't wait in `send` either."""

    @app.get("/")
    async def view():
        async def chunks():
            try:
                while time.monotonic() < begin + 5:
                    yield b"chunk"
            finally:
                log.append("soon" if time.monotonic() < begin + 3 else "late")

        begin = time.monotonic()
        return stream_with_context(chunks())

    await Client(app, stays=0.05).get()
    assert log == ["soon", "teardown"]
