"""The plan of an endpoint beside what a request of it really does: the same calls, in the same order and places."""

from __future__ import annotations

import contextlib
import itertools
import threading

import pytest
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import BaseConverter

from flaskctx import (
    Blueprint,
    Flask,
    appcontext_popped,
    appcontext_pushed,
    appcontext_tearing_down,
    got_request_exception,
    nonblocking,
    request_finished,
    request_started,
    request_tearing_down,
)
from flaskctx.bridge import OnLoop
from flaskctx.cli.endpoints import context_of, plan_for
from flaskctx.ctx import RequestContext
from flaskctx.lifecycle.places import places_of, summary_of
from flaskctx.lifecycle.plan import plan_of_errors
from flaskctx.sessions import SecureCookieSession, SessionInterface

SIGNALS = (
    appcontext_pushed,
    request_started,
    request_finished,
    request_tearing_down,
    appcontext_tearing_down,
    appcontext_popped,
)


class Recorder:
    """Makes functions of given kinds, in turns, that note their name and where they run.

    :param kinds: a letter for each: `d` for def, `a` for async def, `n` for a def marked `@nonblocking`.
    """

    def __init__(self, kinds):
        self._kinds = itertools.cycle(kinds)
        self.calls = []

    def __call__(self, name, returns=lambda *args, **kwargs: None):
        kind = next(self._kinds)

        def function(*args, **kwargs):
            self.note(name)
            return returns(*args, **kwargs)

        async def async_function(*args, **kwargs):
            self.note(name)
            return returns(*args, **kwargs)

        function.__name__ = async_function.__name__ = name
        return async_function if kind == "a" else nonblocking(function) if kind == "n" else function

    def note(self, name):
        thread = threading.current_thread().name
        place = next((place for prefix, place in PLACES.items() if thread.startswith(prefix)), "main")
        self.calls.append((name, place))


PLACES = {"flaskctx-worker-": "worker", "flaskctx-loop": "background loop"}


def response(*args, **kwargs):
    return args[-1]


class Sessions(SessionInterface):
    def __init__(self, record):
        self.open_session = record("open session", lambda app, request: SecureCookieSession())
        self.save_session = record("save session")


def fill(app, record):
    """Give an application and two nested blueprints a function in every place; the view is `outer.inner.view`."""
    inner, outer = Blueprint("inner", "app"), Blueprint("outer", "app")
    for owner, name in ((app, "app"), (outer, "outer"), (inner, "inner")):
        for number in (1, 2):
            owner.url_value_preprocessor(record(f"values {name} {number}"))
            owner.before_request(record(f"before {name} {number}"))
            owner.after_request(record(f"after {name} {number}", response))
            owner.teardown_request(record(f"teardown {name} {number}"))
    app.before_first_request(record("first 1"))
    app.before_first_request(record("first 2"))
    app.teardown_appcontext(record("teardown appcontext 1"))
    app.teardown_appcontext(record("teardown appcontext 2"))
    app.session_interface = Sessions(record)
    inner.post("/")(record("view", lambda: "hello"))
    inner.add_url_rule("/", endpoint="view")
    outer.register_blueprint(inner)
    app.register_blueprint(outer)


def connected(app, record):
    """Connect a receiver to each signal of the lifecycle."""
    stack = contextlib.ExitStack()
    for signal in SIGNALS:
        stack.enter_context(signal.connected_to(record(signal.name), app))
    return stack


def check(plan, server, record, visits=None):
    """Serve a request of `outer.inner.view`; what the recorder notes has to be what the plan says.

    :param visits: counts how many times the request goes to its worker.
    """
    here = "loop" if server.is_asgi else "thread"
    expected = []
    for planned, place in zip(plan, places_of(plan), strict=True):
        name = getattr(planned.function, "__name__", None)  # the server's own has none, and neither has ProxyFix
        if name is not None:
            where = place.asgi if server.is_asgi else place.wsgi
            expected.append((name, "main" if where == here else where))
    record.calls.clear()  # making the context of the plan may have called something
    assert server.request("POST", "/", data="body").text == "hello"
    assert record.calls == expected
    if server.is_asgi and visits is not None:
        assert len(visits) == list(places_of(plan))[-1].visits


def the_plan(app):
    return plan_for(app, next(rule for rule in app.url_map.iter_rules() if "POST" in rule.methods))


@pytest.fixture
def visits(monkeypatch):
    """How many times requests have gone to their worker."""
    counted = []
    visit = OnLoop._visit_worker

    def counting(self, *args):
        counted.append(self)
        return visit(self, *args)

    monkeypatch.setattr(OnLoop, "_visit_worker", counting)
    return counted


@pytest.mark.parametrize("kinds", ["d", "a", "n", "da", "ad", "dda", "dan", "nnd", "aadd"])
def test_a_request_calls_what_is_planned_in_order_and_in_place(app, server, visits, kinds):
    record = Recorder(kinds)
    fill(app, record)
    with connected(app, record):
        check(the_plan(app), server, record, visits)
    assert len(record.calls) == 2 * 3 * 4 + 2 + 2 + 2 + 1 + len(SIGNALS)


@pytest.mark.parametrize("kinds", ["d", "a", "da", "ad", "dan"])
@pytest.mark.parametrize(
    "step",
    [
        "full_dispatch_request",
        "preprocess_request",
        "dispatch_request",
        "finalize_request",
        "process_response",
        "make_response",
        "open_session",
        "save_session",
        "do_teardown_request",
        "do_teardown_appcontext",
    ],
)
def test_an_override_stands_before_what_it_leads_to(server, colour, visits, step, kinds):
    record = Recorder(kinds)

    def override(self, *args, **kwargs):
        record.note(step)
        return getattr(super(Application, self), step)(*args, **kwargs)

    async def async_override(self, *args, **kwargs):
        record.note(step)
        return await self.ensure_async(getattr(super(Application, self), step))(*args, **kwargs)

    Application = type("Application", (Flask,), {step: async_override if colour.is_async else override})
    getattr(Application, step).__name__ = step
    app = server.app = Application("app", static_folder=None)
    fill(app, record)
    plan = the_plan(app)
    assert [planned.step for planned in plan if planned.overrides] == [step]
    # whether an async override calls super() is not known; the plan takes it that it does if that calls anything
    counts = any(planned.depth for planned in plan) or not colour.is_async
    check(plan, server, record, visits if counts else None)


@pytest.mark.parametrize("kinds", ["d", "a", "da"])
def test_an_override_that_makes_the_context_comes_first(server, visits, kinds):
    record = Recorder(kinds)

    class Application(Flask):
        def create_url_adapter(self, request):
            record.note("create_url_adapter")
            return super().create_url_adapter(request)

    app = server.app = Application("app", static_folder=None)
    fill(app, record)
    check(the_plan(app), server, record, visits)


@pytest.mark.parametrize("kinds", ["d", "a", "da"])
def test_overrides_of_the_context_are_planned_too(server, visits, kinds):
    record = Recorder(kinds)

    class Context(RequestContext):
        def push(self):
            record.note("push")
            super().push()

        def match_request(self):
            record.note("match_request")
            super().match_request()

        def auto_pop(self, exc):
            record.note("auto_pop")
            super().auto_pop(exc)

        def pop(self, *args):
            record.note("pop")
            super().pop(*args)

    class Application(Flask):
        def request_context(self, environ):
            record.note("request_context")
            return Context(self, environ)

    app = server.app = Application("app", static_folder=None)
    fill(app, record)
    check(the_plan(app), server, record, visits)


@pytest.mark.parametrize("kinds", ["d", "a", "da"])
def test_all_happens_inside_of_the_applications_own_wsgi_app(app, server, kinds):
    record = Recorder(kinds)
    fill(app, record)
    app.wsgi_app = ProxyFix(app.wsgi_app)
    plan = the_plan(app)
    places = list(places_of(plan))
    assert plan[0].step == "wsgi_app"
    assert [place.waits for place in places] == [place.asgi == "loop" for place in places]
    check(plan, server, record)
    assert places[-1].visits == 1


class TestWhatIsPlanned:
    def plan(self, app, *args, **kwargs):
        app.add_url_rule("/", "view", lambda: "hello", *args, **kwargs)
        return plan_for(app, next(app.url_map.iter_rules()))

    def steps(self, app, **kwargs):
        return [planned.step for planned in self.plan(app, **kwargs)]

    def test_the_session_in_a_cookie_is_opened_when_it_is_used(self, app):
        plan = self.plan(app)
        assert [(planned.step, planned.when) for planned in plan] == [
            ("open_session", "session in use"),
            ("view", ""),
            ("save_session", "session in use"),
        ]
        assert next(places_of(plan)).asgi == ""

    def test_with_an_override_it_is_opened_at_the_beginning(self):
        class Application(Flask):
            def make_response(self, rv):
                return super().make_response(rv)

        assert all(planned.when == "" for planned in self.plan(Application("app", static_folder=None)))

    @pytest.mark.parametrize(("methods", "body"), [(["GET"], False), (["GET", "POST"], True), (["PATCH"], True)])
    def test_a_body_is_received_for_methods_that_have_one(self, app, methods, body):
        assert ("receive the body" in self.steps(app, methods=methods)) is body

    def test_but_not_for_a_view_that_reads_it_as_it_arrives(self, app):
        assert "receive the body" not in self.steps(app, methods=["POST"], stream=True)

    def test_converters_that_may_block_are_called_in_the_worker(self, app):
        app.url_map.converters["own"] = type("Own", (BaseConverter,), {})
        plan = self.plan(app)
        assert plan[1].step == "URL converters"
        assert list(places_of(plan))[1].asgi == "worker"

    def test_functions_of_the_first_request_are_planned_until_there_was_one(self, app, server):
        app.before_first_request(lambda: None)
        assert "before_first_request" in self.steps(app)
        server.get("/")
        assert "before_first_request" not in [step.step for step in plan_for(app, next(app.url_map.iter_rules()))]

    def test_the_after_hooks_of_a_websocket_are_called_when_it_is_accepted(self, app):
        app.after_request(lambda response: response)
        app.websocket("/")(lambda: None)
        plan = plan_for(app, next(app.url_map.iter_rules()))
        assert [(planned.step, planned.when) for planned in plan] == [
            ("open_session", ""),
            ("view", ""),
            ("after_request", "when it is accepted"),
            ("save_session", "when it is accepted"),
        ]

    def test_error_handlers_stand_in_the_order_of_precedence(self, app):
        blueprint = Blueprint("shop", __name__)
        for owner in (app, blueprint):
            owner.errorhandler(ValueError)(lambda error: "value")
            owner.errorhandler(404)(lambda error: "not found")
        blueprint.add_url_rule("/", "view", lambda: "hello")
        app.register_blueprint(blueprint)
        with got_request_exception.connected_to(lambda sender, exception: None, app):
            plan = plan_of_errors(context_of(app, next(app.url_map.iter_rules())))
            assert [(planned.step, planned.when) for planned in plan] == [
                ("errorhandler 404 of shop", ""),
                ("errorhandler 404", ""),
                ("errorhandler ValueError of shop", ""),
                ("errorhandler ValueError", ""),
                ("signal got_request_exception", "nothing has handled it"),
            ]


class TestSummary:
    @pytest.fixture
    def summary(self, app):
        """Return the summary of an endpoint whose before hooks, view and after hooks are of these kinds."""

        def summary(kinds, app=app, methods=("GET",), make=Recorder):
            for kind in kinds[:-1]:
                app.before_request(make(kind)("hook"))
            app.add_url_rule("/", "view", make(kinds[-1])("view"), methods=methods)
            return summary_of(plan_for(app, next(app.url_map.iter_rules())))

        return summary

    @pytest.mark.parametrize(
        ("kinds", "expected"),
        [
            ("a", "loop"),
            ("n", "loop"),
            ("an", "loop"),
            ("d", "worker"),
            ("dnd", "worker"),
            ("ddd", "worker"),
            ("da", "both (1 hop)"),
            ("add", "both (1 hop)"),
            ("dad", "both (2 hops)"),
            ("dadad", "both (3 hops)"),
        ],
    )
    def test_it_says_where_the_functions_run_and_counts_the_hops(self, summary, kinds, expected):
        assert summary(kinds) == expected

    def test_a_body_that_is_waited_for_costs_a_hop(self, summary):
        assert summary("dd", methods=["POST"]) == "worker (2 hops)"

    def test_one_that_is_waited_for_first_costs_none(self, summary):
        assert summary("d", methods=["POST"]) == "worker"

    def test_the_first_request_is_left_out(self, app, summary):
        app.before_first_request(lambda: None)
        assert summary("a") == "loop"

    def test_an_override_in_the_worker_holds_its_thread(self, summary):
        class Application(Flask):
            def dispatch_request(self):
                return super().dispatch_request()

        assert summary("a", Application("app", static_folder=None)) == "both (1 hop, thread waits)"
