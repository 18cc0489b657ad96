"""Carrying contexts to threads, executors, tasks and greenlets: borrowed there, never torn down."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import threading
from concurrent.futures import ThreadPoolExecutor

import anyio
import gevent
import greenlet
import pytest

from flaskctx import (
    carry,
    copy_current_request_context,
    current_app,
    g,
    has_app_context,
    has_request_context,
    request,
    session,
)
from flaskctx.ctx import CarryingExecutor


@pytest.fixture
def torn_down(app):
    told = []
    app.teardown_request(told.append)
    app.teardown_appcontext(told.append)
    return told


@pytest.fixture
def current(app, torn_down):
    """A request that is current during the test."""
    with app.test_request_context("/page"):
        g.value = "value of g"
        session["value"] = "value of session"
        yield


def seen():
    """What a function sees of the current request."""
    return request.path, g.value, session["value"], current_app.name


SEEN = ("/page", "value of g", "value of session", "app")


def in_thread(function):
    outcome = []
    thread = threading.Thread(target=lambda: outcome.append(function()))
    thread.start()
    thread.join()
    return outcome[0]


CARRIERS = [carry, copy_current_request_context]


@pytest.mark.usefixtures("current")
@pytest.mark.parametrize("carrier", CARRIERS)
class TestTo:
    def test_a_thread(self, carrier):
        assert in_thread(carrier(seen)) == SEEN

    def test_an_executor(self, carrier):
        with ThreadPoolExecutor(2) as executor:
            assert list(executor.map(lambda call: call(), [carrier(seen)] * 4)) == [SEEN] * 4
            assert executor.submit(has_request_context).result() is False

    def test_a_greenlet(self, carrier):
        child = greenlet.greenlet(carrier(seen))
        child.gr_context = contextvars.Context()
        assert child.switch() == SEEN

    def test_gevents_pool(self, carrier):
        jobs = [gevent.spawn(carrier(seen)) for _ in range(5)]
        gevent.joinall(jobs, raise_error=True)
        assert [job.value for job in jobs] == [SEEN] * 5

    def test_a_partial_and_a_method(self, carrier):
        class Reader:
            def read(self, prefix):
                return prefix + request.path

        assert in_thread(functools.partial(carrier(Reader().read), "path: ")) == "path: /page"

    def test_many_threads_at_once(self, carrier):
        barrier = threading.Barrier(8)

        def meet():
            barrier.wait(5)
            g.count = g.get("count", 0) + 1
            return seen()

        with ThreadPoolExecutor(8) as executor:
            assert [future.result() for future in [executor.submit(carrier(meet)) for _ in range(8)]] == [SEEN] * 8
        assert g.count >= 1


@pytest.mark.parametrize("carrier", CARRIERS)
class TestToCoroutines:
    async def test_a_task(self, app, carrier, torn_down):
        async def look():
            await asyncio.sleep(0)
            return seen()

        async with app.test_request_context("/page"):
            g.value, session["value"] = SEEN[1:3]
            carried = carrier(look)
            plain = contextvars.Context()
            tasks = [asyncio.get_running_loop().create_task(carried(), context=plain.copy()) for _ in range(5)]
            assert await asyncio.gather(*tasks) == [SEEN] * 5
            assert torn_down == []
        assert len(torn_down) == 2

    async def test_asyncio_to_thread_and_run_in_executor(self, app, carrier):
        async with app.test_request_context("/page"):
            g.value, session["value"] = SEEN[1:3]
            assert await asyncio.to_thread(carrier(seen)) == SEEN
            assert await asyncio.get_running_loop().run_in_executor(None, carrier(seen)) == SEEN

    async def test_is_a_coroutine_function_where_the_function_is(self, app, carrier):
        async def look():
            return request.path

        async with app.test_request_context("/page"):
            assert asyncio.iscoroutinefunction(carrier(look))
            assert not asyncio.iscoroutinefunction(carrier(seen))


@pytest.mark.usefixtures("current")
class TestBorrowing:
    def test_runs_no_teardown(self, torn_down):
        in_thread(carry(seen))
        assert torn_down == []

    def test_shares_g_and_session_both_ways(self):
        def change():
            g.value = "changed"
            session["value"] = "changed"

        in_thread(carry(change))
        assert (g.value, session["value"]) == ("changed", "changed")

    def test_leaves_the_thread_as_it_was(self):
        def check():
            assert not has_request_context()
            carried()
            assert not has_request_context()
            assert not has_app_context()
            return True

        carried = carry(seen)
        assert in_thread(check)

    def test_leaves_it_so_after_an_error(self):
        def failing():
            raise LookupError

        carried = carry(failing)

        def check():
            with pytest.raises(LookupError):
                carried()
            return has_request_context(), has_app_context()

        assert in_thread(check) == (False, False)

    def test_keeps_name_and_docstring(self):
        assert carry(seen).__name__ == "seen"
        assert carry(seen).__doc__ == seen.__doc__

    def test_may_be_nested_in_another_request(self, app):
        carried = carry(seen)
        with app.test_request_context("/other"):
            assert carried() == SEEN
            assert request.path == "/other"


class TestAfterTheEnd:
    def test_a_borrower_still_reads(self, app, torn_down):
        with app.test_request_context("/page"):
            g.value, session["value"] = SEEN[1:3]
            carried = carry(seen)
        assert carried() == SEEN
        assert len(torn_down) == 2

    def test_a_borrower_that_changes_the_session_is_told(self, app, server):
        carried = []

        def change():
            session["late"] = 1

        app.get("/")(lambda: carried.append(carry(change)) or "hello")
        server.get("/")
        with pytest.raises(RuntimeError, match="session"):
            carried[0]()


class TestWithoutARequest:
    def test_carry_carries_an_application_context(self, app):
        with app.app_context():
            g.value = 1
            assert in_thread(carry(lambda: (g.value, has_request_context()))) == (1, False)

    def test_copy_current_request_context_insists_on_a_request(self, app):
        with app.app_context(), pytest.raises(RuntimeError, match="outside of request context"):
            copy_current_request_context(seen)

    def test_carry_insists_on_an_application_context(self):
        with pytest.raises(RuntimeError, match="outside of application context"):
            carry(seen)


class TestCarryingExecutor:
    def test_carries_by_itself(self, app, current):
        with CarryingExecutor(2) as executor:
            assert executor.submit(seen).result() == SEEN
            assert list(executor.map(lambda number: (number, *seen()), range(3))) == [(n, *SEEN) for n in range(3)]

    def test_without_a_context_is_a_plain_executor(self):
        with CarryingExecutor(1) as executor:
            assert executor.submit(has_app_context).result() is False

    def test_leaves_nothing_on_its_threads(self, app, current):
        with CarryingExecutor(1) as executor:
            executor.submit(seen).result()
            plain = contextvars.Context()
            assert plain.run(executor.submit, has_app_context).result() is False

    def test_works_from_views_of_both_kinds(self, app, server, colour, torn_down):
        with CarryingExecutor(2) as executor:
            app.get("/")(colour(lambda: executor.submit(lambda: request.path).result()))
            assert server.get("/").text == "/"
        assert torn_down == [None, None]


class TestChildTasks:
    """A task that a request starts sees the request without being handed anything, and may outlive it."""

    def test_sees_request_session_and_g_at_every_step(self, app, server):
        @app.get("/page")
        async def view():
            g.value, session["value"] = SEEN[1:3]
            results = []

            async def child():
                for _ in range(3):
                    await anyio.sleep(0)
                    results.append(seen())

            async with anyio.create_task_group() as tasks:
                for _ in range(3):
                    tasks.start_soon(child)
            assert results == [SEEN] * 9
            return "hello"

        assert server.get("/page").text == "hello"

    @pytest.mark.worlds("asgi-asyncio", "wsgi")
    def test_that_outlives_its_request_still_reads_and_may_not_write_the_session(self, app, server):
        outcome = []
        goes_on = threading.Event()

        @app.get("/page")
        async def view():
            g.value, session["value"] = SEEN[1:3]
            app.extensions["task"] = asyncio.create_task(child())
            return "hello"

        async def child():
            while not goes_on.is_set():
                await asyncio.sleep(0.001)
            outcome.append(seen())
            try:
                session["late"] = 1
            except RuntimeError as error:
                outcome.append(str(error))

        @app.get("/wait")
        async def wait():
            await app.extensions["task"]
            return request.path

        assert server.get("/page").text == "hello"
        goes_on.set()
        assert server.get("/wait").text == "/wait"
        assert outcome[0] == SEEN
        assert "session" in outcome[1]

    @pytest.mark.worlds("asgi-asyncio", "wsgi")
    def test_does_not_keep_the_next_request_from_its_own(self, app, server):
        seen_by_child = []

        @app.get("/<int:number>")
        async def view(number):
            async def child():
                await asyncio.sleep(0.01)
                seen_by_child.append((number, request.path))

            app.extensions.setdefault("tasks", []).append(asyncio.create_task(child()))
            return request.path

        @app.get("/wait")
        async def wait():
            await asyncio.gather(*app.extensions["tasks"])
            return "waited"

        for number in range(5):
            assert server.get(f"/{number}").text == f"/{number}"
        server.get("/wait")
        assert sorted(seen_by_child) == [(number, f"/{number}") for number in range(5)]


@pytest.mark.parametrize("carrier", [carry, copy_current_request_context])
def test_the_result_of_a_function_in_its_place_is_refused(app, carrier):
    with app.test_request_context(), pytest.raises(TypeError, match=r"takes a function, .* not 'result'"):
        carrier("result")
