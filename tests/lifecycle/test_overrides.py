"""Overridden methods of the application: honoured in every world, `def` or `async def`, wherever they are put."""

from __future__ import annotations

import functools
from types import MethodType

import pytest

from flaskctx import Flask, abort, request, session
from flaskctx.ctx import RequestContext

OVERRIDES = {
    # name of the method: (request method, path, status) of a request that needs it
    "full_dispatch_request": ("GET", "/", 200),
    "try_trigger_before_first_request_functions": ("GET", "/", 200),
    "preprocess_request": ("GET", "/", 200),
    "dispatch_request": ("GET", "/", 200),
    "finalize_request": ("GET", "/", 200),
    "make_response": ("GET", "/", 200),
    "process_response": ("GET", "/", 200),
    "open_session": ("GET", "/", 200),
    "save_session": ("GET", "/", 200),
    "make_null_session": ("GET", "/", 200),
    "make_default_options_response": ("OPTIONS", "/", 200),
    "handle_user_exception": ("GET", "/teapot", 418),
    "handle_http_exception": ("GET", "/teapot", 418),
    "handle_exception": ("GET", "/failing", 500),
    "log_exception": ("GET", "/failing", 500),
    "should_ignore_error": ("GET", "/failing", 500),
    "do_teardown_request": ("GET", "/", 200),
    "do_teardown_appcontext": ("GET", "/", 200),
}


@pytest.fixture
def called():
    """The names of the overrides that were called, in order."""
    return []


def override_of(name, original, called, colour):
    """A function that notes its name and calls the original method, awaited where it is `async def` itself."""

    def override(self, *args):
        called.append(name)
        return MethodType(original, self)(*args)

    async def async_override(self, *args):
        called.append(name)
        return await self.ensure_async(MethodType(original, self))(*args)

    return functools.wraps(original)(async_override if colour.is_async else override)


def on_subclass(name, called, colour, monkeypatch):
    return type("Application", (Flask,), {name: override_of(name, getattr(Flask, name), called, colour)})


def on_instance(name, called, colour, monkeypatch):
    def make(*args, **kwargs):
        app = Flask(*args, **kwargs)
        setattr(app, name, MethodType(override_of(name, getattr(Flask, name), called, colour), app))
        return app

    return make


def on_flask_itself(name, called, colour, monkeypatch):
    monkeypatch.setattr(Flask, name, override_of(name, getattr(Flask, name), called, colour))
    return Flask


def make_application(flask, colour, called):
    """An application with a view for every purpose, and hooks of both kinds around them."""
    app = flask("app", static_folder=None)
    app.config["PROPAGATE_EXCEPTIONS"] = False

    async def async_hook(*args):
        called.append("hook")

    app.before_request(async_hook)
    app.before_request(lambda: called.append("hook"))
    app.teardown_request(lambda error: called.append("teardown"))
    app.teardown_appcontext(lambda error: called.append("teardown"))
    app.get("/", endpoint="index")(colour(lambda: "hello"))
    app.get("/teapot", endpoint="teapot")(colour(lambda: abort(418)))
    app.get("/failing", endpoint="failing")(colour(lambda: int("no number")))
    return app


@pytest.mark.parametrize("place", [on_subclass, on_instance, on_flask_itself])
@pytest.mark.parametrize("name", OVERRIDES)
def test_an_override_that_calls_the_original(server, colour, called, monkeypatch, name, place):
    method, path, status = OVERRIDES[name]
    server.app = make_application(place(name, called, colour, monkeypatch), colour, called)
    if name == "save_session":
        server.app.secret_key = "tests"
    answer = server.request(method, path)
    assert answer.status_code == status
    assert path != "/" or method != "GET" or answer.text == "hello"
    assert called.count(name) == 1
    assert called.count("hook") == 2
    assert called.count("teardown") == 2


@pytest.mark.parametrize("name", OVERRIDES)
def test_a_patch_that_is_taken_back_is_forgotten(server, colour, called, monkeypatch, name):
    method, path, status = OVERRIDES[name]
    flask = on_flask_itself(name, called, colour, monkeypatch)
    server.app = make_application(flask, colour, called)
    server.request(method, path)
    monkeypatch.undo()
    called.clear()
    assert server.request(method, path).status_code == status
    assert name not in called


def test_an_override_may_do_without_the_original(server, colour):
    class Application(Flask):
        dispatch_request = colour(lambda self: f"dispatched {request.path}")

    server.app = Application("app", static_folder=None)
    assert server.get("/anywhere").text == "dispatched /anywhere"


def test_overrides_of_every_step_at_once(server, colour, called):
    methods = {name: override_of(name, getattr(Flask, name), called, colour) for name in OVERRIDES}
    server.app = make_application(type("Application", (Flask,), methods), colour, called)
    server.app.secret_key = None
    assert server.get("/").text == "hello"
    assert [name for name in called if name in OVERRIDES] == [
        "open_session",
        "make_null_session",
        "full_dispatch_request",
        "try_trigger_before_first_request_functions",
        "preprocess_request",
        "dispatch_request",
        "finalize_request",
        "make_response",
        "process_response",
        "save_session",
        "do_teardown_request",
        "do_teardown_appcontext",
    ]


def test_an_override_may_replace_what_the_original_returns(server, colour):
    class Application(Flask):
        if colour.is_async:

            async def finalize_request(self, rv, from_error_handler=False):
                response = await self.ensure_async(super().finalize_request)(rv, from_error_handler)
                response.headers["X-Finalized"] = "yes"
                return response
        else:

            def finalize_request(self, rv, from_error_handler=False):
                response = super().finalize_request(rv, from_error_handler)
                response.headers["X-Finalized"] = "yes"
                return response

    server.app = make_application(Application, colour, [])
    assert server.get("/").headers["X-Finalized"] == "yes"
    assert server.get("/failing").headers["X-Finalized"] == "yes"


def test_an_error_passes_through_an_override_as_itself(server, colour, called, caplog):
    methods = {name: override_of(name, getattr(Flask, name), called, colour) for name in OVERRIDES}
    server.app = make_application(type("Application", (Flask,), methods), colour, called)
    assert server.get("/failing").status_code == 500
    assert caplog.records[0].exc_info[0] is ValueError
    caught = []
    server.app.error_handler_spec[None][None][ValueError] = lambda error: caught.append(error) or "caught"
    assert server.get("/failing").text == "caught"


class TestContextMethods:
    @pytest.mark.parametrize("name", ["push", "pop", "auto_pop", "match_request"])
    def test_of_an_own_class_are_honoured(self, server, colour, called, name):
        override = override_of_context(name, called, colour)

        class Context(RequestContext):
            pass

        setattr(Context, name, override)

        class Application(Flask):
            def request_context(self, environ):
                return Context(self, environ)

        server.app = make_application(Application, colour, called)
        assert server.get("/").text == "hello"
        assert called.count(name) == 1
        assert called.count("teardown") == 2

    def test_an_override_of_request_context_may_be_patched_onto_the_instance(self, app, server, called):
        original = app.request_context
        app.request_context = lambda environ: (called.append("made"), original(environ))[1]
        app.get("/", endpoint="view")(lambda: "hello")
        assert server.get("/").text == "hello"
        assert called == ["made"]

    def test_an_override_of_create_url_adapter_is_honoured(self, server, called):
        class Application(Flask):
            def create_url_adapter(self, request):
                called.append(request is not None)
                return super().create_url_adapter(request)

        server.app = make_application(Application, lambda function: function, [])
        assert server.get("/").text == "hello"
        assert called.count(True) == 1


def override_of_context(name, called, colour):
    original = getattr(RequestContext, name)

    def override(self, *args):
        called.append(name)
        return original(self, *args)

    async def async_override(self, *args):
        called.append(name)
        return await self.app.ensure_async(MethodType(original, self))(*args)

    return async_override if colour.is_async else override


class TestTheSessionInterface:
    def test_may_be_of_both_kinds(self, app, server, colour, called):
        from_class = type(app.session_interface)

        class Sessions(from_class):
            @colour
            def open_session(self, app, request):
                called.append("open")
                return from_class.open_session(self, app, request)

            @colour
            def save_session(self, app, session, response):
                called.append("save")
                return from_class.save_session(self, app, session, response)

        app.session_interface = Sessions()
        app.get("/", endpoint="view")(colour(lambda: "hello"))
        assert server.get("/").text == "hello"
        assert called == ["open", "save"]

    def test_that_opens_nothing_leaves_a_null_session(self, app, server, colour, caplog):
        class Sessions(type(app.session_interface)):
            open_session = colour(lambda self, app, request: None)

        app.session_interface = Sessions()

        @app.get("/")
        @colour
        def view():
            assert session.get("anything") is None
            session["a"] = 1

        assert server.get("/").status_code == 500
        assert "session" in caplog.text
