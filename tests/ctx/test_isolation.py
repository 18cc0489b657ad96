"""Isolation at scale: threads, asyncio tasks, trio tasks and greenlets at once, each with its own request.

Every step of every request checks request, session and g: hooks and views of both kinds, child tasks, worker
threads, carried functions, and streams. Nothing foreign may be seen, nothing be lost, nothing be left.
"""

from __future__ import annotations

import asyncio
import functools
import threading
from collections import Counter

import anyio
import anyio.to_thread
import gevent
import gevent.event
import pytest
import trio

from flaskctx import Flask, carry, g, request, session, stream_with_context
from flaskctx.globals import _app_ctx_stack, _request_ctx_stack

STEPS_OF_DEF = 11
STEPS_OF_ASYNC = 17


class Checks:
    """Counts the checks that each request has passed."""

    def __init__(self, pause=lambda: None):
        self.passed = Counter()
        self.torn_down = Counter()
        self.pause = pause
        self._lock = threading.Lock()

    def check(self, *_):
        """Everything here belongs to one request."""
        number = request.args["number"]
        assert (request.path, g.number, session["number"]) == (f"/{number}", number, number)
        with self._lock:
            self.passed[number] += 1
        self.pause()

    async def check_async(self, *_):
        self.check()
        await anyio.sleep(0)
        self.check()


def make_application(checks, meet):
    """An application that checks at every step; `meet` lets all requests wait for one another in the view."""
    app = Flask("app", static_folder=None)
    app.secret_key = "tests"

    @app.before_request
    def before():
        g.number = session["number"] = request.args["number"]
        checks.check()

    @app.after_request
    def after(response):
        checks.check()
        return response

    @app.teardown_request
    def teardown(error):
        checks.check()
        with checks._lock:
            checks.torn_down[g.number] += 1

    def chunks():
        for _ in range(3):
            checks.check()
            yield request.args["number"]

    def def_view(number):
        checks.check()
        meet()
        checks.check()
        thread = threading.Thread(target=carry(checks.check))
        thread.start()
        thread.join()
        carry(checks.check)()
        checks.check()
        return stream_with_context(chunks())

    async def async_view(number):
        await checks.check_async()
        await meet()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(checks.check_async)
            tasks.start_soon(checks.check_async)
        await app.ensure_async(checks.check)()
        await anyio.to_thread.run_sync(checks.check)
        await checks.check_async()

        async def async_chunks():
            for _ in range(2):
                await checks.check_async()
                yield request.args["number"]

        return stream_with_context(async_chunks())

    app.add_url_rule("/<number>", view_func=def_view if checks.pause is not None and meet.is_def else async_view)
    return app


def check_result(checks, answers, steps):
    assert set(checks.passed.values()) == {steps}
    assert set(checks.torn_down.values()) == {1}
    assert len(checks.passed) == len(answers)
    for number, text in answers.items():
        assert set(text) <= set(str(number)), (number, text)
        assert text
    assert _app_ctx_stack.top_node is None
    assert _request_ctx_stack.top_node is None


def serve_wsgi(app, number, answers, between=lambda: None):
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": f"/{number}", "QUERY_STRING": f"number={number}",
        "SERVER_NAME": "localhost", "SERVER_PORT": "80", "wsgi.url_scheme": "http", "wsgi.input": None,
    }  # fmt: skip
    body = app(environ, lambda *args: None)
    text = ""
    for chunk in body:
        text += chunk.decode()
        assert _request_ctx_stack.top_node is None
        between()
    body.close()
    assert _app_ctx_stack.top_node is None
    answers[number] = text


async def serve_asgi(app, number, answers):
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": f"/{number}", "raw_path": b"", "query_string": f"number={number}".encode(), "root_path": "",
        "headers": [], "client": ("127.0.0.1", 1), "server": ("localhost", 80),
    }  # fmt: skip
    chunks = []

    async def send(message):
        await anyio.sleep(0)
        chunks.append(message.get("body", b""))

    await app.asgi(scope, anyio.sleep_forever, send)
    assert _app_ctx_stack.top_node is None
    assert _request_ctx_stack.top_node is None
    answers[number] = b"".join(chunks).decode()


def def_meeting(wait):
    wait.is_def = True
    return wait


def async_meeting(count, event):
    """All `count` requests wait until the last of them has come."""
    arrived = []

    async def meet():
        arrived.append(None)
        if len(arrived) == count:
            event.set()
        await event.wait()

    meet.is_def = False
    return meet


def test_64_threads():
    checks, answers = Checks(), {}
    barrier = threading.Barrier(64)
    app = make_application(checks, def_meeting(functools.partial(barrier.wait, 20)))
    threads = [threading.Thread(target=serve_wsgi, args=(app, number, answers)) for number in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check_result(checks, answers, STEPS_OF_DEF)


def test_64_threads_with_async_views():
    checks, answers = Checks(), {}
    app = make_application(checks, async_meeting(64, asyncio.Event()))
    threads = [threading.Thread(target=serve_wsgi, args=(app, number, answers)) for number in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check_result(checks, answers, STEPS_OF_ASYNC)


def test_2000_asyncio_tasks():
    checks, answers = Checks(), {}

    async def main():
        app = make_application(checks, async_meeting(2000, asyncio.Event()))
        await asyncio.gather(*(serve_asgi(app, number, answers) for number in range(2000)))
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())
    check_result(checks, answers, STEPS_OF_ASYNC)


def test_500_trio_tasks():
    checks, answers = Checks(), {}

    async def main():
        app = make_application(checks, async_meeting(500, trio.Event()))
        async with trio.open_nursery() as nursery:
            for number in range(500):
                nursery.start_soon(serve_asgi, app, number, answers)

    trio.run(main)
    check_result(checks, answers, STEPS_OF_ASYNC)


@pytest.mark.parametrize("run", [asyncio.run, lambda coroutine: trio.run(lambda: coroutine)], ids=["asyncio", "trio"])
def test_def_views_of_200_tasks_on_8_threads(run):
    checks, answers = Checks(), {}
    app = make_application(checks, def_meeting(lambda: None))
    app.config |= {"MAX_WORKER_THREADS": 8, "WORKER_WAIT": 60}  # a slow machine shall refuse none of them

    async def main():
        async with anyio.create_task_group() as tasks:
            for number in range(200):
                tasks.start_soon(serve_asgi, app, number, answers)

    run(main())
    check_result(checks, answers, STEPS_OF_DEF)


def test_200_greenlets():
    def switch():
        gevent.sleep(0)

    checks, answers = Checks(pause=lambda: gevent.sleep(0) if gevent.getcurrent().parent else None), {}
    arrived = gevent.event.Event()
    waiting = []

    def meet():
        waiting.append(None)
        if len(waiting) == 200:
            arrived.set()
        arrived.wait(20)

    app = make_application(checks, def_meeting(meet))
    jobs = [gevent.spawn(serve_wsgi, app, number, answers, switch) for number in range(200)]
    gevent.joinall(jobs, raise_error=True)
    check_result(checks, answers, STEPS_OF_DEF)
