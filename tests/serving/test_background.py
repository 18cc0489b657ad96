"""add_background_task and after_response."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
import time

import anyio
import pytest
import werkzeug.test

from flaskctx import (
    after_response,
    carry,
    current_app,
    g,
    got_background_exception,
    has_request_context,
    request,
    run_in_thread,
)


@pytest.fixture
def done():
    return threading.Event()


@pytest.fixture
def serve(app, server):
    """Send a GET to a path, and let the application end in order: `serve("/")`."""

    def serve(path="/", until=None):
        if not server.is_asgi:
            with app.serving():
                return server.get(path)

        async def main():
            async with app.serving():
                answer = await server._serve(werkzeug.test.create_environ(path))
                if until is not None:
                    await run_in_thread(until.wait, 5)
                return answer

        return server.run(main)

    return serve


def view(app, colour, function):
    """Make the view of `/` do something."""

    @app.get("/")
    @colour
    def index():
        function()
        return "ok"


def test_a_task_has_an_application_context_and_no_request(app, serve, colour):
    seen = []

    def task(word, number):
        g.word = word
        seen.append((current_app.name, has_request_context(), g.word, number))

    app.teardown_appcontext(lambda error: seen.append(("teardown", g.get("word"))))
    view(app, colour, lambda: app.add_background_task(colour(task), "word", number=1))
    assert serve().text == "ok"
    assert ("app", False, "word", 1) in seen
    assert seen.count(("teardown", "word")) == 1


def test_a_carried_request_is_there(app, serve, colour):
    seen = []
    view(app, colour, lambda: app.add_background_task(carry(colour(lambda: seen.append(request.path)))))
    serve()
    assert seen == ["/"]


def test_it_goes_on_when_the_request_has_ended(app, serve, colour, done):
    seen = []

    @colour
    def task():
        done.wait(5)
        seen.append("task")

    async def task_async():
        await run_in_thread(done.wait, 5)
        seen.append("task")

    def start():
        app.add_background_task(task_async if colour.is_async else task)

    app.teardown_request(lambda error: (seen.append("request ended"), done.set()))
    view(app, colour, start)
    serve()
    assert seen == ["request ended", "task"]


def test_def_functions_and_their_teardown_run_on_one_thread_of_their_own(app, serve, colour):
    threads = []

    def task():
        g.task = True
        threads.append(threading.current_thread())

    @app.teardown_appcontext
    def teardown(error):
        if "task" in g:
            threads.append(threading.current_thread())

    view(app, colour, lambda: app.add_background_task(task))
    serve()
    assert threads[0] is threads[1]
    assert threads[0].name.startswith("flaskctx-worker")


def test_failures_are_logged_and_signalled(app, serve, colour, caplog):
    heard = []

    def hear(sender, exception, task):
        heard.append((sender, type(exception), task))

    def fail():
        raise LookupError("lost")

    function = colour(fail)
    view(app, colour, lambda: app.add_background_task(function))
    with got_background_exception.connected_to(hear, app):
        assert serve().text == "ok"
    assert heard == [(app, LookupError, function)]
    assert "lost" in caplog.text


def test_one_that_calls_sys_exit_has_failed_and_the_process_goes_on(app, serve, colour, caplog):
    """As a command's function does, that runs in the background."""
    signalled, seen = [], []

    def keep(sender, exception, **_):
        signalled.append(exception)

    got_background_exception.connect(keep, app)
    app.after_serving(lambda: seen.append("after"))
    view(app, colour, lambda: app.add_background_task(colour(sys.exit), "code"))
    serve()
    assert [repr(error) for error in signalled] == ["SystemExit('code')"]
    assert seen == ["after"]
    assert "Exception in <background task" in caplog.text


@pytest.mark.worlds("wsgi", "asgi-asyncio")
def test_one_that_is_cut_off_by_a_cancellation_of_its_own_is_logged(app, serve, colour, caplog):
    async def task():
        endless = asyncio.ensure_future(asyncio.sleep(60))
        endless.cancel()
        await endless

    seen = []
    app.after_serving(lambda: seen.append("after"))
    view(app, colour, lambda: app.add_background_task(task))
    serve()
    assert seen == ["after"]
    assert "was cut off by CancelledError()" in caplog.text


def test_they_are_given_time_at_the_end(app, serve, colour):
    seen = []

    async def task():
        await anyio.sleep(0.05)
        seen.append("task")

    app.after_serving(lambda: seen.append("after"))
    view(app, colour, lambda: app.add_background_task(task))
    serve()
    assert seen == ["task", "after"]


def test_so_are_those_that_the_end_starts(app, serve, colour):
    seen = []

    async def task():
        await anyio.sleep(0.05)
        seen.append("task")

    app.get("/")(lambda: "ok")
    app.after_serving(colour(lambda: app.add_background_task(task)))
    app.after_serving(colour(lambda: seen.append("after")))
    serve()
    assert seen == ["after", "task"]


def test_and_are_cancelled_after_that(app, serve, colour, caplog):
    app.config["BACKGROUND_TASK_SHUTDOWN_TIMEOUT"] = 0.05
    seen = []

    async def task():
        try:
            await anyio.sleep(60)
        finally:
            seen.append("cancelled")

    app.teardown_appcontext(lambda error: seen.append(type(error).__name__))
    view(app, colour, lambda: app.add_background_task(task))
    serve()
    # the last one is that of the lifespan's own context
    assert seen[-3] == "cancelled"
    assert "Cancelled" in seen[-2]
    assert "had not finished after 0.05 s" in caplog.text


def test_a_task_may_start_another(app, serve, colour):
    seen = []

    async def first():
        app.add_background_task(lambda: seen.append("second"))
        seen.append("first")

    view(app, colour, lambda: app.add_background_task(first))
    serve()
    assert sorted(seen) == ["first", "second"]


def test_plain_threads_and_commands_may_start_one(app):
    seen = []

    @app.cli.command("work")
    def work():
        app.add_background_task(lambda: seen.append("from a command"))

    with app.serving():
        thread = threading.Thread(target=app.add_background_task, args=(seen.append, "from a thread"))
        thread.start()
        thread.join()
        app.test_cli_runner().invoke(args=["work"])
    assert sorted(seen) == ["from a command", "from a thread"]


def test_nothing_is_left_of_a_task(app):
    with app.serving():
        app.add_background_task(lambda: None)
    assert app._background_tasks._jobs == {}


class TestAfterResponse:
    def test_it_is_called_when_the_response_was_sent(self, app, serve, colour):
        seen = []

        @app.get("/")
        @colour
        def index():
            after_response(colour(seen.append), "after")

            def body():
                seen.append("first chunk")
                yield "a"
                time.sleep(0.02)
                seen.append("last chunk")
                yield "b"

            return body()

        assert serve().text == "ab"
        assert seen == ["first chunk", "last chunk", "after"]

    def test_it_is_called_for_plain_bodies_and_errors_too(self, app, serve, colour):
        seen = []

        def fail():
            after_response(seen.append, "after")
            raise LookupError

        app.get("/fails")(colour(fail))
        view(app, colour, lambda: after_response(seen.append, "after"))
        assert serve("/").text == "ok"
        assert serve("/fails").status_code == 500
        assert seen == ["after", "after"]

    @pytest.mark.worlds("asgi-asyncio", "asgi-trio")
    def test_it_is_called_when_the_client_has_gone(self, app, server):
        seen = []

        @app.get("/")
        async def index():
            after_response(seen.append, "after")

            async def body():
                while True:
                    yield b"x"
                    await anyio.sleep(0.01)

            return body()

        async def send(message):
            if message["type"] == "http.response.body":
                raise OSError("gone")

        async def main():
            async with app.serving():
                scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}
                with contextlib.suppress(OSError):
                    await app.asgi(scope, anyio.sleep_forever, send)

        server.run(main)
        assert seen == ["after"]

    def test_a_coroutine_is_refused_at_once(self, app):
        async def function():
            pass

        for hand_over in (after_response, app.add_background_task):
            text = r"takes a function, which it calls later, not <coroutine .* \w+\(f, ...\) instead of"
            with app.test_request_context(), pytest.raises(TypeError, match=text):
                hand_over(function())

    def test_it_needs_a_request(self, app):
        with app.app_context(), pytest.raises(RuntimeError, match="after_response needs a current request"):
            after_response(print)
