"""`timeout=` of a route, REQUEST_TIMEOUT, BODY_TIMEOUT and RESPONSE_TIMEOUT."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time

import anyio
import pytest

from flaskctx import request
from flaskctx.wrappers import TimeLimitExceeded

ASGI = pytest.mark.worlds("asgi-asyncio", "asgi-trio")


@pytest.fixture
def log(app):
    return []


@pytest.fixture
def sleepy(app, log):
    """Registers a view that sleeps too long and takes note of how that ends."""

    def register(**options):
        @app.get("/", **options)
        async def view():
            try:
                await anyio.sleep(30)
            finally:
                log.append("view ended")

        app.teardown_request(lambda error: log.append("teardown"))

    return register


def test_an_async_view_that_takes_too_long_is_cancelled_and_answers_503(server, sleepy, log):
    sleepy(timeout=0.05)
    assert server.get("/").status_code == 503
    assert log == ["view ended", "teardown"]


def test_a_configured_timeout_counts_for_every_view(app, server, sleepy, log):
    app.config["REQUEST_TIMEOUT"] = 0.05
    sleepy()
    assert server.get("/").status_code == 503
    assert log == ["view ended", "teardown"]


def test_a_routes_timeout_wins_over_the_configured_one(app, server):
    app.config["REQUEST_TIMEOUT"] = 0.01

    @app.get("/", timeout=30)
    async def view():
        await anyio.sleep(0.1)
        return "in time"

    assert server.get("/").text == "in time"


def test_error_handlers_are_asked(app, server, sleepy, colour):
    sleepy(timeout=0.05)
    app.errorhandler(TimeLimitExceeded)(colour(lambda error: ("too late", 504)))
    answer = server.get("/")
    assert (answer.status_code, answer.text) == (504, "too late")


def test_a_timeout_of_the_views_own_stays_its_own(app, server):
    @app.get("/", timeout=30)
    async def view():
        with anyio.move_on_after(0.01):
            await anyio.sleep(30)
        return "went on"

    assert server.get("/").text == "went on"


@pytest.mark.parametrize("seconds", [0, -1, "5"])
def test_a_timeout_that_is_no_time_is_refused(app, seconds):
    with pytest.raises(ValueError, match="no number of seconds above 0"):
        app.get("/", timeout=seconds)(lambda: "never")


@pytest.mark.parametrize("name", ["max_content_length", "max_form_memory_size", "max_form_parts"])
@pytest.mark.parametrize("limit", [-1, "5"])
def test_a_limit_of_the_body_that_is_no_number_is_refused(app, name, limit):
    with pytest.raises(ValueError, match=f"{name}={limit!r}"):
        app.post("/", **{name: limit})(lambda: "never")


def test_a_route_may_be_without_limit(app, server):
    app.config["REQUEST_TIMEOUT"] = 0.01

    @app.get("/", timeout=math.inf)
    async def view():
        await anyio.sleep(0.1)
        return "in time"

    assert server.get("/").text == "in time"


def test_none_stands_for_the_configured_one(app, server, sleepy):
    app.config["REQUEST_TIMEOUT"] = 0.05
    sleepy(timeout=None)
    assert server.get("/").status_code == 503


class CountingLoop(asyncio.SelectorEventLoop):
    turns = 0

    def _run_once(self):
        self.turns += 1
        super()._run_once()


def test_the_loop_rests_while_a_view_that_is_too_late_waits_for_a_thread(app):
    @app.get("/", timeout=0.01)
    async def view():
        await app.ensure_async(lambda: time.sleep(0.2))()

    async def send(message):
        pass

    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    with asyncio.Runner(loop_factory=CountingLoop) as runner:
        runner.run(app.asgi(scope, anyio.sleep_forever, send))
        assert runner.get_loop().turns < 100


class TestADefView:
    def test_sees_its_deadline(self, app, server):
        @app.get("/", timeout=30)
        def view():
            return {"left": request.time_left, "until": request.deadline - time.monotonic()}

        answer = server.get("/").json
        assert 20 < answer["left"] <= 30
        assert 20 < answer["until"] <= 30

    def test_may_check_it(self, app, server):
        @app.get("/", timeout=0.02)
        def view():
            while True:
                time.sleep(0.01)
                request.check_deadline()

        assert server.get("/").status_code == 503

    def test_that_does_not_check_it_is_not_cut(self, app, server):
        @app.get("/", timeout=0.01)
        def view():
            time.sleep(0.05)
            return "done" if request.time_left < 0 else "early"

        assert server.get("/").text == "done"


def test_without_a_timeout_there_is_no_deadline(app, server, colour):
    @colour
    def view():
        request.check_deadline()
        return [request.deadline, request.time_left]

    app.get("/")(view)
    assert server.get("/").json == [None, None]


@ASGI
def test_a_body_that_takes_too_long_to_arrive_is_a_408(app, server):
    app.config["BODY_TIMEOUT"] = 0.05
    app.post("/")(lambda: "never")
    messages = []

    async def receive():
        if not messages:
            messages.append("asked")
            return {"type": "http.request", "body": b"beginning", "more_body": True}
        await anyio.sleep(30)

    status = []

    async def send(message):
        status.append(message.get("status"))

    scope = {"type": "http", "method": "POST", "path": "/", "headers": [(b"content-length", b"100")]}
    server.run(app.asgi, scope, receive, send)
    assert status[0] == 408


@ASGI
def test_a_response_that_takes_too_long_to_be_sent_is_broken_off(app, server, log):
    app.config["RESPONSE_TIMEOUT"] = 0.05

    @app.get("/")
    def view():
        def chunks():
            try:
                while True:
                    yield b"x" * 1000
            finally:
                log.append("closed")

        return chunks()

    async def send(message):
        if message["type"] == "http.response.body":
            await anyio.sleep(30)

    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    with pytest.raises(TimeoutError, match="RESPONSE_TIMEOUT"):
        server.run(app.asgi, scope, anyio.sleep_forever, send)
    assert log == ["closed"]


@ASGI
@pytest.mark.parametrize(("config", "own", "raises"), [(0.02, None, False), (None, 0.02, True), (0.02, 5, False)])
def test_a_response_may_have_its_own_time_to_be_sent(app, server, config, own, raises):
    app.config["RESPONSE_TIMEOUT"] = config

    @app.get("/")
    async def view():
        response = app.response_class("text")
        response.timeout = own
        return response

    async def send(message):
        await anyio.sleep(0.05)

    scope = {"type": "http", "method": "GET", "path": "/", "headers": []}
    with pytest.raises(TimeoutError) if raises else contextlib.nullcontext():
        server.run(app.asgi, scope, anyio.sleep_forever, send)
