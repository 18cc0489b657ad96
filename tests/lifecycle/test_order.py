"""The order in which a request calls what the user has registered, the same in every world."""

from __future__ import annotations

import contextlib

import pytest

from flaskctx import (
    Blueprint,
    after_this_request,
    appcontext_popped,
    appcontext_pushed,
    appcontext_tearing_down,
    g,
    request,
    request_finished,
    request_started,
    request_tearing_down,
    session,
)
from flaskctx.sessions import SecureCookieSessionInterface


@pytest.fixture
def log():
    return []


@pytest.fixture
def note(log, colour):
    """Make a function of the test's colour that logs its name, and returns its last argument if told so."""

    def make(name, passes_on=False):
        def function(*args, **kwargs):
            log.append(name)
            return args[-1] if passes_on else None

        return colour(function)

    return make


def nested_blueprints(app, note):
    """An application with a blueprint `outer` that contains `inner`; all three have two hooks of each kind."""
    inner, outer = Blueprint("inner", "app"), Blueprint("outer", "app")
    for owner, name in ((app, "app"), (outer, "outer"), (inner, "inner")):
        for number in (1, 2):
            owner.url_value_preprocessor(note(f"values {name} {number}"))
            owner.before_request(note(f"before {name} {number}"))
            owner.after_request(note(f"after {name} {number}", passes_on=True))
            owner.teardown_request(note(f"teardown {name} {number}"))
    return outer, inner


def test_a_request_from_push_to_pop(app, server, colour, log, note):
    outer, inner = nested_blueprints(app, note)
    app.before_first_request(note("first request"))
    app.teardown_appcontext(note("appcontext 1"))
    app.teardown_appcontext(note("appcontext 2"))

    class Sessions(SecureCookieSessionInterface):
        open_session = colour(lambda self, app, request: (log.append("open session"), {})[1])
        save_session = colour(lambda self, app, session, response: log.append("save session"))

    app.session_interface = Sessions()

    @inner.get("/")
    @colour
    def view():
        log.append("view")
        after_this_request(note("after this 1", passes_on=True))
        after_this_request(note("after this 2", passes_on=True))
        return "hello"

    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    signals = {
        "signal pushed": appcontext_pushed,
        "signal started": request_started,
        "signal finished": request_finished,
        "signal tearing down request": request_tearing_down,
        "signal tearing down appcontext": appcontext_tearing_down,
        "signal popped": appcontext_popped,
    }
    with contextlib.ExitStack() as connected:
        for name, signal in signals.items():
            connected.enter_context(signal.connected_to(note(name), app))
        assert server.get("/").text == "hello"

    assert log == [
        "signal pushed",
        "open session",
        "first request",
        "signal started",
        "values app 1", "values app 2", "values outer 1", "values outer 2", "values inner 1", "values inner 2",
        "before app 1", "before app 2", "before outer 1", "before outer 2", "before inner 1", "before inner 2",
        "view",
        "after this 1", "after this 2",
        "after inner 2", "after inner 1", "after outer 2", "after outer 1", "after app 2", "after app 1",
        "save session",
        "signal finished",
        "teardown inner 2", "teardown inner 1", "teardown outer 2", "teardown outer 1",
        "teardown app 2", "teardown app 1",
        "signal tearing down request",
        "appcontext 2", "appcontext 1",
        "signal tearing down appcontext",
        "signal popped",
    ]  # fmt: skip


def test_hooks_of_a_blueprint_are_for_its_own_requests_only(app, server, note, log, colour):
    outer, inner = nested_blueprints(app, note)
    app.get("/")(colour(lambda: "app"))
    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    server.get("/")
    assert {entry.split()[1] for entry in log} == {"app"}


def test_the_first_value_of_a_before_hook_is_the_response(app, server, colour, log, note):
    app.before_request(note("one"))
    app.before_request(colour(lambda: "from the hook"))
    app.before_request(note("two"))
    app.get("/")(note("view"))
    app.after_request(note("after", passes_on=True))
    assert server.get("/").text == "from the hook"
    assert log == ["one", "after"]


def test_an_after_hook_may_return_another_response(app, server, colour):
    app.after_request(colour(lambda response: app.response_class("first, " + response.get_data(as_text=True))))
    app.after_request(colour(lambda response: app.response_class("second, " + response.get_data(as_text=True))))
    app.get("/")(colour(lambda: "view"))
    assert server.get("/").text == "first, second, view"


def test_a_function_of_after_this_request_may_ask_for_another(app, server, colour, log, note):
    @colour
    def again(response):
        log.append("first")
        after_this_request(note("second", passes_on=True))
        return response

    @app.get("/")
    @colour
    def view():
        after_this_request(again)
        return "hello"

    assert server.get("/").text == "hello"
    assert log == ["first", "second"]


def test_after_this_request_is_for_one_request(app, server, colour, log, note):
    @app.get("/<int:number>")
    @colour
    def view(number):
        if number == 1:
            after_this_request(note("after", passes_on=True))
        return "hello"

    server.get("/1")
    server.get("/2")
    assert log == ["after"]


def test_url_value_preprocessors_change_the_views_arguments(app, server, colour):
    @app.url_value_preprocessor
    @colour
    def take_language(endpoint, values):
        g.language = values.pop("language")
        values["endpoint"] = endpoint

    app.get("/<language>/<name>", endpoint="page")(colour(lambda name, endpoint: f"{g.language} {name} {endpoint}"))
    assert server.get("/de/intro").text == "de intro page"


def test_url_value_preprocessors_see_no_endpoint_where_none_matches(app, server, colour):
    seen = []
    app.url_value_preprocessor(colour(lambda endpoint, values: seen.append((endpoint, values))))
    assert server.get("/nowhere").status_code == 404
    assert seen == [(None, None)]


def test_before_and_after_hooks_run_for_a_404(app, server, note, log):
    app.before_request(note("before"))
    app.after_request(note("after", passes_on=True))
    app.teardown_request(note("teardown"))
    assert server.get("/nowhere").status_code == 404
    assert log == ["before", "after", "teardown"]


def test_everything_sees_the_same_request_session_and_g(app, server, colour):
    def check(stage):
        def function(*args):
            assert request.path == "/page"
            g.stages = [*g.get("stages", []), stage]
            if stage != "teardown":
                session["stages"] = g.stages
            return args[-1] if stage == "after" else None

        return colour(function)

    seen = []
    app.before_request(check("before"))
    app.after_request(check("after"))
    app.teardown_request(check("teardown"))
    app.teardown_appcontext(colour(lambda error: seen.extend(g.stages)))
    app.get("/page")(colour(lambda: str(check("view") and g.stages)))
    assert server.get("/page").text == "['before']"
    assert seen == ["before", "after", "teardown"]


class TestTeardownsAreTold:
    @pytest.fixture
    def told(self, app, colour):
        told = []
        app.teardown_request(colour(lambda error: told.append(error)))
        app.teardown_appcontext(colour(lambda error: told.append(error)))
        return told

    def test_of_nothing_when_all_went_well(self, app, server, told):
        app.get("/")(lambda: "hello")
        server.get("/")
        assert told == [None, None]

    def test_of_the_error_that_became_a_500(self, app, server, colour, told):
        @app.get("/")
        @colour
        def view():
            raise ValueError("from the view")

        assert server.get("/").status_code == 500
        assert [repr(error) for error in told] == ["ValueError('from the view')"] * 2

    def test_of_nothing_when_a_handler_took_the_error(self, app, server, colour, told):
        app.register_error_handler(ValueError, colour(lambda error: ("handled", 400)))
        app.get("/")(colour(lambda: int("x")))
        assert server.get("/").status_code == 400
        assert told == [None, None]

    def test_of_nothing_when_the_view_aborts(self, app, server, told):
        assert server.get("/nowhere").status_code == 404
        assert told == [None, None]

    def test_of_the_error_where_it_propagates(self, app, server, colour, told):
        app.testing = True
        app.get("/")(colour(lambda: int("x")))
        with pytest.raises(ValueError):
            server.get("/")
        assert [type(error) for error in told] == [ValueError, ValueError]

    def test_of_nothing_where_should_ignore_error_says_so(self, app, server, colour, told, monkeypatch):
        monkeypatch.setattr(app, "should_ignore_error", colour(lambda error: isinstance(error, ValueError)))
        app.get("/")(colour(lambda: int("x")))
        assert server.get("/").status_code == 500
        assert told == [None, None]


class TestSignals:
    def test_are_sent_by_the_application_with_their_values(self, app, server, colour):
        seen = {}

        def receiver(name):
            return colour(lambda sender, **values: seen.update({name: (sender, sorted(values))}))

        with (
            request_started.connected_to(receiver("started"), app),
            request_finished.connected_to(receiver("finished"), app),
            request_tearing_down.connected_to(receiver("request"), app),
            appcontext_tearing_down.connected_to(receiver("appcontext"), app),
        ):
            server.get("/")
        assert seen == {
            "started": (app, []),
            "finished": (app, ["response"]),
            "request": (app, ["exc"]),
            "appcontext": (app, ["exc"]),
        }

    def test_of_another_application_are_not_received(self, app, server, colour, log, note):
        other = type(app)("other")
        with request_started.connected_to(note("started"), other):
            server.get("/")
        assert log == []

    def test_reach_every_receiver_though_one_fails(self, app, server, colour, log, note, caplog):
        @colour
        def failing(sender, **values):
            log.append("failing")
            raise ValueError("from the receiver")

        with (
            request_tearing_down.connected_to(failing, app),
            request_tearing_down.connected_to(note("healthy"), app),
        ):
            assert server.get("/").status_code == 500
        assert sorted(log) == ["failing", "healthy"]
        assert "from the receiver" in caplog.text
