"""The start by a first request: under WSGI, and on a loop whose server runs no lifespan."""

from __future__ import annotations

import asyncio
import os
import threading

import anyio
import pytest
import werkzeug.test

from flaskctx.bridge import portal


@pytest.fixture(autouse=True)
def end_what_requests_have_started(app):
    """End what WSGI requests of the test have started on the background loop; later tests have apps of their own."""
    yield
    if app._serving is not None and portal.running_loop in app._serving.runs:
        with app.serving():
            pass


def test_the_first_request_finds_it_started(app, server, colour):
    seen = []
    app.before_serving(colour(lambda: seen.append("before")))
    app.before_request(lambda: seen.append("request"))
    app.get("/")(colour(lambda: "ok"))
    assert server.get("/").text == "ok"
    assert seen == ["before", "request"]


@pytest.mark.worlds("wsgi", "asgi-asyncio")
def test_it_is_started_once_on_the_loop_of_the_async_views(app, server):
    loops = []

    @app.before_serving
    async def open_pool():
        loops.append(asyncio.get_running_loop())

    @app.get("/")
    async def index():
        loops.append(asyncio.get_running_loop())
        return ""

    for _ in range(100):
        server.get("/")
    assert len(loops) == 101
    assert len(set(loops)) == 1


def test_requests_that_come_meanwhile_wait(app, server, colour):
    seen = []

    @app.before_serving
    async def start():
        await anyio.sleep(0.05)
        seen.append("before")

    app.get("/")(colour(lambda: seen.append("request") or ""))
    server.concurrently([("GET", "/")] * 5)
    assert seen == ["before"] + ["request"] * 5


def test_a_start_that_fails_is_a_503_that_says_nothing_private(app, server, caplog):
    failures = [LookupError("the password is 123")]

    @app.before_serving
    async def start():
        if failures:
            raise failures.pop()

    app.get("/")(lambda: "ok")
    answer = server.get("/")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert "123" not in answer.text
    assert "the password is 123" in caplog.text
    assert server.get("/").text == "ok"


def test_where_exceptions_propagate_the_failure_is_raised(app, server):
    app.testing = True

    @app.before_serving
    def start():
        raise LookupError("no database")

    with pytest.raises(RuntimeError, match="no database") as raised:
        server.get("/")
    assert isinstance(raised.value.__cause__, LookupError)


@pytest.mark.worlds("asgi-asyncio", "asgi-trio")
def test_a_loop_without_lifespan_is_told_of_in_the_log(app, server, caplog):
    app.before_serving(lambda: None)
    server.get("/")
    assert "runs no lifespan" in caplog.text


@pytest.mark.worlds("asgi-asyncio", "asgi-trio")
def test_it_is_ended_in_order_when_such_a_loop_ends(app, server):
    seen = []

    @app.after_serving
    async def after():
        await anyio.sleep(0.01)
        seen.append("after")

    app.after_serving(lambda: seen.append("def"))
    server.get("/")
    server.close()
    assert seen == ["def", "after"]


def test_a_start_may_use_the_test_client(app, server):
    app.before_serving(lambda: app.test_client().get("/warm"))
    app.get("/warm", endpoint="warm")(lambda: "warm")
    app.get("/")(lambda: "ok")
    assert server.get("/").text == "ok"


def test_a_block_ends_what_a_request_has_begun(app):
    seen = []
    app.before_serving(lambda: seen.append("before"))
    app.after_serving(lambda: seen.append("after"))
    with app.serving():
        app.test_client().get("/")
        app.test_client().get("/")
    assert seen == ["before", "after"]


async def test_wsgi_on_a_running_loop_is_an_error_that_helps(app):
    app.before_serving(lambda: None)
    environ = werkzeug.test.create_environ()
    with pytest.raises(RuntimeError, match="async with app"):
        app(environ, lambda *_: None)
    async with app.serving():
        app(environ, lambda *_: None)


def test_what_breaks_in_a_task_group_is_logged_and_started_anew(app, caplog):
    starts = []

    @app.while_serving
    async def around():
        async def break_down():
            await anyio.sleep(0.02)
            if len(starts) == 1:
                raise LookupError("lost")

        async with anyio.create_task_group() as tasks:
            starts.append(1)
            tasks.start_soon(break_down)
            yield

    app.get("/")(lambda: "ok")
    client = app.test_client()
    assert client.get("/").text == "ok"
    threading.Event().wait(0.1)
    assert "stopped serving" in caplog.text
    assert client.get("/").text == "ok"
    assert len(starts) == 2


def test_a_forked_process_starts_its_own(app, tmp_path):
    started = []
    app.before_serving(lambda: started.append(os.getpid()))
    app.get("/")(lambda: ",".join(map(str, started)))
    client = app.test_client()
    client.get("/")
    answer = tmp_path / "answer"
    child = os.fork()
    if child == 0:
        try:
            answer.write_text(client.get("/").text)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert answer.read_text() == f"{os.getpid()},{child}"


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_websocket_is_refused_where_the_start_fails(app, backend):
    app.before_serving(lambda: 1 / 0)
    sent = []

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message)

    anyio.run(lambda: app.asgi({"type": "websocket", "path": "/"}, receive, send), backend=backend)
    assert sent == [{"type": "websocket.close", "code": 1013}]
