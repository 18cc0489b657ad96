"""The three cases of a pop: under another context, in another chain, and the lifecycle's own."""

from __future__ import annotations

import asyncio
import contextvars
import threading

import anyio
import pytest

from flaskctx import Flask, Response, current_app, g, has_app_context, has_request_context, request, stream_with_context
from flaskctx.globals import _app_ctx_stack, _request_ctx_stack

from ..conftest import build_environ


@pytest.fixture
def torn_down(app):
    told = []
    app.teardown_request(lambda error: told.append(f"request {request.path}"))
    app.teardown_appcontext(lambda error: told.append(f"appcontext {g.get('name')}"))
    return told


class TestUnderAnother:
    def test_is_an_error_that_names_both_and_changes_nothing(self, app, torn_down):
        other = Flask("other")
        lower, upper = app.app_context(), other.app_context()
        with lower, upper:
            with pytest.raises(RuntimeError) as caught:
                lower.pop()
            assert repr(lower) in str(caught.value)
            assert repr(upper) in str(caught.value)
            assert torn_down == []
            assert current_app.name == "other"
        assert torn_down == ["appcontext None"]

    def test_holds_for_request_contexts(self, app, torn_down):
        lower, upper = app.test_request_context("/lower"), app.test_request_context("/upper")
        with lower, upper:
            with pytest.raises(RuntimeError, match=r"/lower.*/upper"):
                lower.pop()
            assert torn_down == []
            assert request.path == "/upper"
        assert torn_down == ["request /upper", "request /lower", "appcontext None"]

    def test_holds_for_an_application_context_above_that_of_the_request(self, app, torn_down):
        lower, upper = app.test_request_context("/lower"), Flask("other").app_context()
        with lower, upper:
            with pytest.raises(RuntimeError, match="other"):
                lower.pop()
            assert torn_down == []
            assert request.path == "/lower"


class TestInAnotherChain:
    def pop_elsewhere(self, context, in_copy):
        failures = []

        def pop():
            try:
                context.pop(None)
            except BaseException as error:
                failures.append(error)

        if in_copy:
            contextvars.copy_context().run(pop)
        else:
            thread = threading.Thread(target=pop)
            thread.start()
            thread.join()
        assert failures == []

    def test_on_another_thread_closes_it_and_tears_it_down_once(self, app, torn_down):
        context = app.test_request_context("/page")
        context.push()
        g.name = "page"
        self.pop_elsewhere(context, in_copy=False)
        assert torn_down == ["request /page", "appcontext page"]
        assert not has_request_context()
        assert not has_app_context()
        assert _request_ctx_stack.top is None
        assert _app_ctx_stack.top is None

    def test_in_a_copy_of_the_context_tears_it_down_and_the_other_pop_just_takes_it_off(self, app, torn_down):
        context = app.test_request_context("/page")
        context.push()
        self.pop_elsewhere(context, in_copy=True)
        assert torn_down == ["request /page", "appcontext None"]
        context.pop()
        assert not has_request_context()
        assert not has_app_context()
        assert len(torn_down) == 2

    def test_what_lies_below_is_seen_again(self, app, torn_down):
        with app.test_request_context("/below"):
            context = app.test_request_context("/page")
            context.push()
            self.pop_elsewhere(context, in_copy=False)
            assert request.path == "/below"
            assert has_app_context()

    def test_an_application_context_too(self, app, torn_down):
        context = app.app_context()
        context.push()
        self.pop_elsewhere(context, in_copy=False)
        assert torn_down == ["appcontext None"]
        assert not has_app_context()

    def test_a_second_pop_says_that_it_is_closed(self, app, torn_down):
        context = app.test_request_context("/page")
        context.push()
        self.pop_elsewhere(context, in_copy=False)
        with pytest.raises(RuntimeError, match="closed"):
            context.pop()
        assert len(torn_down) == 2

    async def test_in_a_child_task(self, app, torn_down):
        context = app.app_context()
        await context.__aenter__()

        async def child():
            assert current_app.name == app.name
            await context.__aexit__(None, None, None)
            assert not has_app_context()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(child)
        await context.__aexit__(None, None, None)
        assert torn_down == ["appcontext None"]
        assert not has_app_context()

    async def test_of_a_request_in_a_child_task(self, app, torn_down):
        async with app.test_request_context("/") as context:
            await asyncio.create_task(context.__aexit__(None, None, None))
        assert torn_down == ["request /", "appcontext None"]
        assert not has_app_context()
        assert not has_request_context()


class TestTheLifecyclesOwn:
    """A request that leaves contexts pushed: they are popped, torn down and logged."""

    def test_pops_what_was_left_above_it(self, app, server, torn_down, caplog):
        @app.get("/page")
        def view():
            app.test_request_context("/left").push()
            app.app_context().push()
            g.name = "left"
            return "hello"

        assert server.get("/page").text == "hello"
        assert torn_down == ["request /left", "appcontext left", "request /page", "appcontext None"]
        assert [record.message for record in caplog.records if "never popped" in record.message] != []

    def test_goes_on_though_that_fails(self, app, server, torn_down, caplog):
        other = Flask("other")
        other.teardown_appcontext(lambda error: 1 / 0)

        @app.get("/page")
        def view():
            other.app_context().push()
            return "hello"

        assert server.get("/page").status_code == 500
        assert torn_down == ["request /page", "appcontext None"]
        assert "ZeroDivisionError" in caplog.text

    def test_does_not_tear_down_again_what_the_view_has_popped(self, app, server, torn_down):
        @app.get("/page")
        def view():
            _request_ctx_stack.top.pop()
            return "hello"

        server.get("/page")
        assert torn_down == ["request /page", "appcontext None"]


class TestForeignContexts:
    """Contexts that a server's thread carries around when a request arrives."""

    def test_are_hidden_reported_once_and_left_alone(self, app, server, caplog):
        other = Flask("other")
        torn_down = []
        other.teardown_appcontext(torn_down.append)
        app.get("/")(lambda: f"{len(list(_app_ctx_stack.nodes()))} {current_app.name}")
        with other.app_context():
            g.value = 1
            assert server.get("/").text == "1 app"
            assert server.get("/").text == "1 app"
            assert (current_app.name, g.value) == ("other", 1)
            assert torn_down == []
        assert torn_down == [None]
        assert [record.message.count("never popped") for record in caplog.records] == [1]

    def test_of_the_same_application_are_not_shared(self, app, server):
        app.get("/")(lambda: str(g.get("value")))
        with app.app_context():
            g.value = 1
            assert server.get("/").text == "None"

    @pytest.mark.parametrize("keeps_request", [False, True])
    def test_are_hidden_from_a_body_and_what_its_closing_calls_too(self, app, server, colour, keeps_request):
        seen = []

        def look():
            seen.append(current_app.name if has_app_context() else None)

        def chunks():
            look()
            yield "a"
            look()

        @app.get("/")
        @colour
        def view():
            response = Response(stream_with_context(chunks()) if keeps_request else chunks())
            response.call_on_close(look)
            return response

        with Flask("other").app_context():
            assert server.get("/").text == "a"
            assert current_app.name == "other"
        assert seen == (["app", "app", None] if keeps_request else [None, None, None])

    @pytest.mark.worlds("wsgi")
    def test_of_another_request_are_hidden_from_what_the_end_of_an_abandoned_body_calls(self, app, server):
        seen = []

        @app.get("/")
        def view():
            response = Response(iter(["a", "b"]))
            response.call_on_close(lambda: seen.append(has_request_context()))
            return response

        @app.get("/other")
        def other():
            bodies.pop()
            return str(has_request_context())

        bodies = [app(build_environ("GET", "/"), lambda status, headers: None)]
        assert server.get("/other").text == "True"
        assert seen == [False]

    @pytest.mark.worlds("wsgi")
    def test_are_shared_with_a_test_client(self, app, server):
        app.get("/")(lambda: str(g.get("value")))
        with app.app_context():
            g.value = 1
            assert app.test_client().get("/").text == "1"

    def test_of_a_running_request_are_shared_with_a_nested_call(self, app, server):
        inner = Flask("inner")
        inner.get("/inner")(lambda: f"{current_app.name} {len(list(_request_ctx_stack.nodes()))}")

        @app.get("/")
        def view():
            return app.response_class.from_app(inner, {**request.environ, "PATH_INFO": "/inner"})

        assert server.get("/").text == "inner 2"
