"""flaskctx/bridge/threads.py: a request never needs a second thread while it holds one.

With one thread in the pool, each of these would wait for itself.
"""

from __future__ import annotations

import asyncio
import threading
import time

import anyio
import pytest

from flaskctx import Flask, after_this_request, copy_current_request_context, request
from flaskctx.bridge import OnLoop
from flaskctx.bridge.threads import Seat, WorkerPool

ASGI = pytest.mark.worlds("asgi-asyncio", "asgi-trio")


@pytest.fixture
def app(app):
    return with_one_thread(app)


def with_one_thread(app):
    app.config["MAX_WORKER_THREADS"] = 1
    return app


def name_of_thread():
    return threading.current_thread().name


def get(server, path="/"):
    """Get a text; a request that hangs fails the test."""
    if not server.is_asgi:
        return server.get(path).text

    async def in_time():
        with anyio.fail_after(5):
            return (await server.app.async_test_client().get(path)).text

    return server.run(in_time)


def async_view_with_child_tasks(app):
    @app.get("/inner")
    async def inner():
        names = []

        async def child():
            names.append(await app.ensure_async(name_of_thread)())

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(child)
            tasks.start_soon(child)
        return str(len(names))


def test_child_tasks_below_middleware_around_wsgi_app(app, server):
    async_view_with_child_tasks(app)
    inner = app.wsgi_app
    app.wsgi_app = lambda environ, start_response: inner(environ, start_response)
    assert get(server, "/inner") == "2"


def test_child_tasks_of_a_request_that_a_def_view_makes(app, server):
    async_view_with_child_tasks(app)
    app.get("/")(lambda: app.test_client().get("/inner").data)
    assert get(server) == "2"


def test_an_async_teardown_below_a_def_override(server):
    class Application(Flask):
        def do_teardown_request(self, exc=None):
            return super().do_teardown_request(exc)

    app = server.app = with_one_thread(Application("app", static_folder=None))
    names = []

    @app.teardown_request
    async def teardown(error):
        names.append(await app.ensure_async(name_of_thread)())

    app.get("/")(name_of_thread)
    assert [get(server)] == names


def test_a_loop_of_a_def_view_s_own(app, server):
    @app.get("/")
    def view():
        async def main():
            async with app.app_context():
                return await app.ensure_async(lambda: request.path)()

        return asyncio.run(main())

    @app.teardown_appcontext
    def teardown(error):
        pass

    assert get(server) == "/"


def test_a_loop_of_a_thread_that_a_def_view_waits_for(app, server):
    @app.get("/")
    def view():
        outcome = []

        @copy_current_request_context
        def work():
            outcome.append(asyncio.run(app.ensure_async(lambda: request.path)()))

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        return outcome[0]

    assert get(server) == "/"


@ASGI
def test_the_thread_of_such_a_loop_ends_with_it(app, server):
    app.get("/")(lambda: asyncio.run(app.ensure_async(lambda: name_of_thread())()))
    get(server)
    for thread in threading.enumerate():
        if thread.name.startswith("flaskctx-worker") and thread._target.__self__ not in app.worker_pool.workers:
            thread.join(5)
            assert not thread.is_alive()


@ASGI
def test_a_full_house_is_logged_once_for_a_crowd(app, server, caplog):
    with_one_thread(app).get("/")(lambda: time.sleep(0.01) or "x")
    assert [answer.text for answer in server.concurrently([("GET", "/")] * 5)] == ["x"] * 5
    assert caplog.text.count("worker threads are busy") == 1


@ASGI
def test_a_full_house_calls_no_function_of_the_user(server):
    asked = []

    class Application(Flask):
        def should_ignore_error(self, error):
            asked.append(error)
            return False

    app = server.app = with_one_thread(Application("app", static_folder=None))
    app.config["WORKER_WAIT"] = 0.05
    began, leave = threading.Event(), threading.Event()

    @app.get("/slow")
    def slow():
        began.set()
        leave.wait(5)
        return "slow"

    @app.get("/")
    def view():
        asked.append("view")
        return "x"

    async def main():
        client = app.async_test_client()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.get, "/slow")
            while not began.is_set():
                await anyio.sleep(0.001)
            response = await client.get("/")
            leave.set()
        return response

    response = server.run(main)
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "1"
    assert asked == []


@ASGI
def test_a_teardown_goes_before_what_waits_for_its_thread(app, server):
    log = []
    began, leave = threading.Event(), threading.Event()
    with_one_thread(app).before_request(lambda: None)
    app.teardown_request(lambda error: log.append(f"teardown of {request.path}"))

    @app.get("/blocks")
    def block():
        began.set()
        leave.wait(5)
        return "x"

    @app.get("/waits")
    async def wait():
        after_this_request(lambda response: (log.append("hook of /waits"), response)[1])
        await gates["/waits"].wait()
        return "x"

    @app.get("/ends")
    async def end():
        await gates["/ends"].wait()
        return "x"

    def jobs():
        return len(app.worker_pool.workers[0]._jobs)

    async def main():
        client = app.async_test_client()
        gates.update({"/waits": anyio.Event(), "/ends": anyio.Event()})
        async with anyio.create_task_group() as tasks:
            for path in ("/waits", "/ends", "/blocks"):
                tasks.start_soon(client.get, path)
                await anyio.wait_all_tasks_blocked()
            while not began.is_set():
                await anyio.sleep(0.001)
            for number, path in enumerate(gates, 1):
                gates[path].set()
                while jobs() < number:
                    await anyio.sleep(0.001)
            leave.set()

    gates = {}
    server.run(main)
    assert log.index("teardown of /ends") < log.index("hook of /waits")


def test_requests_are_spread_over_the_threads():
    """First those to which none is tied, then new ones, then those with the fewest."""
    pool = WorkerPool(2)
    workers = []
    for _ in range(4):
        worker = pool.take(None)
        done = threading.Event()
        pool.submit(worker, lambda done=done: done.set, first=False, promised=True)
        assert done.wait(5)
        workers.append(worker)
    first, second = workers[:2]
    assert first is not second
    assert sorted(worker.seats for worker in pool.workers) == [2, 2]
    pool.give_back(second, promised=False)
    pool.give_back(second, promised=False)
    assert pool.take(None) is second
    pool.give_back(second, promised=True)
    pool.give_back(first, promised=False)
    pool.give_back(first, promised=False)
    pool.close()


class EagerSeat(Seat):
    """A thread that is done with its job before the task that handed it over goes on."""

    def submit(self, job, first=False):
        tell = []
        thread = threading.Thread(target=lambda: tell.append(job()))
        thread.start()
        thread.join()
        tell[0]()


async def test_a_thread_may_answer_before_the_task_listens():
    call = OnLoop(EagerSeat)
    assert await call.run(call(name_of_thread)) != name_of_thread()
