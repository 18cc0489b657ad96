"""Sync names and their awaitable forms: what each does where an event loop runs, and where none does."""

from __future__ import annotations

import asyncio
import functools
import threading

import anyio
import pytest
import trio

from flaskctx import Flask, g, has_app_context, has_request_context, request
from flaskctx.signals import appcontext_popped, appcontext_tearing_down, request_tearing_down


@pytest.fixture(params=["asyncio", "trio"])
def on_loop(request):
    """Run a coroutine function where a loop runs."""
    return {"asyncio": lambda function: asyncio.run(function()), "trio": trio.run}[request.param]


@pytest.fixture
def log():
    return []


@pytest.fixture
def app(app, log):
    """An application whose functions are all `async def`; a test may replace them."""

    @app.get("/")
    async def view():
        return f"async {request.path}"

    @app.before_request
    async def before():
        log.append("before")

    @app.after_request
    async def after(response):
        log.append("after")
        return response

    @app.teardown_request
    async def teardown(error):
        log.append("teardown request")

    @app.teardown_appcontext
    async def teardown_app(error):
        log.append("teardown appcontext")

    return app


class TestOnARunningLoop:
    @pytest.mark.parametrize(
        ("name", "arguments"),
        [
            ("full_dispatch_request", []),
            ("preprocess_request", []),
            ("dispatch_request", []),
            ("finalize_request", ["hello"]),
            ("process_response", [None]),
            ("do_teardown_request", [None]),
            ("do_teardown_appcontext", [None]),
        ],
    )
    def test_a_name_that_meets_an_async_function_raises_naming_the_awaitable_form(
        self, app, on_loop, log, name, arguments
    ):
        async def main():
            async with app.test_request_context("/"):
                log.clear()
                with pytest.raises(RuntimeError, match=rf"await app\.ensure_async\(app\.{name}\)\(") as caught:
                    getattr(app, name)(*arguments)
                assert "async def" in str(caught.value)
                assert log == []

        on_loop(main)
        assert log == ["teardown request", "teardown appcontext"]

    @pytest.mark.parametrize("make", ["app_context", "test_request_context"])
    def test_a_context_that_could_not_be_left_is_not_entered(self, app, on_loop, log, make):
        async def main():
            with pytest.raises(RuntimeError, match=rf"async with app\.{make}\("):
                with getattr(app, make)():
                    log.append("entered")
            assert not has_app_context()
            assert not has_request_context()

        on_loop(main)
        assert log == []

    @pytest.mark.parametrize("signal", [request_tearing_down, appcontext_tearing_down, appcontext_popped])
    def test_nor_one_whose_end_has_an_async_receiver(self, on_loop, signal):
        app = Flask("app", static_folder=None)

        async def receive(sender, **values):
            raise AssertionError("never called")

        async def main():
            with signal.connected_to(receive, app):
                with pytest.raises(RuntimeError, match="async with"):
                    app.test_request_context().push()
                assert not has_request_context()

        on_loop(main)

    @pytest.mark.parametrize("name", ["open_session", "do_teardown_request", "do_teardown_appcontext"])
    def test_nor_one_for_which_the_application_has_an_async_method(self, on_loop, name):
        async def override(self, *args):
            raise AssertionError("never called")

        app = type("Application", (Flask,), {name: override})("app", static_folder=None)

        async def main():
            with pytest.raises(RuntimeError, match="async with"):
                app.test_request_context().push()
            assert not has_request_context()

        on_loop(main)

    @pytest.mark.parametrize("make", ["app_context", "test_request_context"])
    def test_one_that_cannot_be_left_any_more_stays_entered_and_the_message_says_how(self, on_loop, log, make):
        app = Flask("app", static_folder=None)

        async def teardown(error):
            log.append("teardown")

        async def main():
            context = getattr(app, make)()
            context.push()
            app.teardown_appcontext(teardown)
            with pytest.raises(RuntimeError, match=r"await context\.__aexit__\(None, None, None\)"):
                context.pop()
            assert has_app_context()
            await context.__aexit__(None, None, None)
            assert not has_app_context()

        on_loop(main)
        assert log == ["teardown"]

    @pytest.mark.parametrize("make", ["app_context", "test_request_context"])
    def test_async_with_enters_and_leaves_it(self, app, on_loop, log, make):
        async def main():
            async with getattr(app, make)():
                assert has_app_context()
                assert has_request_context() is (make == "test_request_context")
            assert not has_app_context()
            assert not has_request_context()

        on_loop(main)
        assert log[-1:] == ["teardown appcontext"]

    def test_with_enters_it_where_all_functions_are_def(self, on_loop, log):
        app = Flask("app", static_folder=None)
        app.teardown_appcontext(lambda error: log.append(threading.current_thread()))

        async def main():
            with app.test_request_context("/"):
                assert request.path == "/"
            assert not has_request_context()

        on_loop(main)
        assert log == [threading.main_thread()]

    def test_the_awaitable_form_of_the_whole_dispatch(self, app, on_loop, log):
        async def main():
            async with app.test_request_context("/"):
                response = await app.ensure_async(app.full_dispatch_request)()
                assert response.get_data(as_text=True) == "async /"

        on_loop(main)
        assert log == ["before", "after", "teardown request", "teardown appcontext"]

    def test_the_awaitable_forms_of_the_parts(self, app, on_loop, log):
        async def main():
            async with app.test_request_context("/"):
                assert await app.ensure_async(app.preprocess_request)() is None
                rv = await app.ensure_async(app.dispatch_request)()
                response = await app.ensure_async(app.finalize_request)(rv)
                assert response.get_data(as_text=True) == "async /"

        on_loop(main)
        assert log == ["before", "after", "teardown request", "teardown appcontext"]

    def test_an_error_in_the_awaitable_form_goes_the_usual_way(self, app, on_loop):
        async def failing():
            raise LookupError("from the view")

        app.view_functions["view"] = failing
        app.register_error_handler(LookupError, lambda error: f"handled {error}")

        async def main():
            async with app.test_request_context("/"):
                response = await app.ensure_async(app.full_dispatch_request)()
                assert "handled" in response.get_data(as_text=True)

        on_loop(main)

    def test_def_functions_of_the_awaitable_form_run_beside_the_loop(self, app, on_loop):
        threads = []
        app.before_request_funcs[None].append(lambda: threads.append(threading.current_thread()))
        app.view_functions["view"] = lambda: threads.append(threading.current_thread()) or "hello"

        async def main():
            async with app.test_request_context("/"):
                await app.ensure_async(app.full_dispatch_request)()

        on_loop(main)
        assert len(threads) == 2
        assert threading.main_thread() not in threads

    def test_contexts_made_current_reach_child_tasks(self, app, on_loop):
        async def main():
            async with app.test_request_context("/parent"):
                g.name = "parent"
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(child)

        async def child():
            assert (request.path, g.name) == ("/parent", "parent")

        on_loop(main)


class TestEnsureSync:
    def test_gives_a_def_function_itself(self, app):
        def function():
            pass

        assert app.ensure_sync(function) is function

    def test_waits_where_no_loop_runs(self, app):
        async def add(a, b):
            await asyncio.sleep(0)
            return a + b

        assert app.ensure_sync(add)(1, b=2) == 3

    def test_keeps_name_and_docstring(self, app):
        async def add():
            """Add."""

        assert (app.ensure_sync(add).__name__, app.ensure_sync(add).__doc__) == ("add", "Add.")

    def test_raises_on_a_running_loop(self, app, on_loop):
        async def add():
            pass

        async def main():
            with pytest.raises(RuntimeError, match=r"await .*add\(\.\.\.\)"):
                app.ensure_sync(add)()

        on_loop(main)

    def test_waits_in_a_def_view_of_every_world(self, app, server):
        async def inner():
            return request.path

        app.add_url_rule("/waiting", view_func=lambda: app.ensure_sync(inner)(), endpoint="waiting")
        assert server.get("/waiting").text == "/waiting"

    def test_an_error_is_raised_as_itself(self, app, server, caplog):
        async def failing():
            raise LookupError("inside")

        app.add_url_rule("/failing", view_func=lambda: app.ensure_sync(failing)(), endpoint="failing")
        assert server.get("/failing").status_code == 500
        assert caplog.records[-1].exc_info[0] is LookupError


class TestEnsureAsync:
    def test_calls_a_def_function_on_the_requests_thread(self, app, server):
        threads = []

        def blocking(value):
            threads.append(threading.current_thread())
            return f"{value} {request.path}"

        @app.get("/mixed")
        async def mixed():
            return await app.ensure_async(functools.partial(blocking, "from"))()

        app.before_request_funcs[None].append(lambda: threads.append(threading.current_thread()))
        assert server.get("/mixed").text == "from /mixed"
        assert len(set(threads)) == 1

    def test_awaits_an_async_function_as_it_is(self, app, server):
        async def inner(value):
            return value

        @app.get("/inner")
        async def outer():
            return await app.ensure_async(inner)("inner")

        assert server.get("/inner").text == "inner"

    def test_works_in_tasks_that_the_request_has_started(self, app, server):
        @app.get("/gather")
        async def gather():
            results = []

            async def one(number):
                results.append(await app.ensure_async(lambda: (number, request.path))())

            async with anyio.create_task_group() as tasks:
                for number in range(5):
                    tasks.start_soon(one, number)
            return sorted(results)

        assert server.get("/gather").json == [[number, "/gather"] for number in range(5)]
