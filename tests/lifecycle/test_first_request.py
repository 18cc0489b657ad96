"""The first request: functions that run once before it, and setup that comes too late after it."""

from __future__ import annotations

import time

import pytest

from flaskctx import Blueprint, g, request


class TestBeforeFirstRequest:
    def test_functions_run_once_in_order_and_within_the_first_request(self, app, server, colour):
        ran = []
        app.before_first_request(colour(lambda: ran.append(("one", request.path))))
        app.before_first_request(colour(lambda: ran.append(("two", request.path))))
        assert not app.got_first_request
        server.get("/first")
        server.get("/second")
        assert ran == [("one", "/first"), ("two", "/first")]
        assert app.got_first_request

    def test_if_one_raises_the_client_gets_a_500_and_all_run_again(self, app, server, colour):
        ran = []

        def flaky():
            ran.append("flaky")
            if len(ran) < 3:
                raise LookupError("not yet")

        app.before_first_request(colour(lambda: ran.append("sound")))
        app.before_first_request(colour(flaky))
        app.get("/", endpoint="view")(colour(lambda: "hello"))
        assert [server.get("/").status_code for _ in range(3)] == [500, 200, 200]
        assert ran == ["sound", "flaky", "sound", "flaky"]

    def test_of_many_requests_at_once_one_runs_them_and_the_others_wait(self, app, server, colour):
        ran = []

        def slow():
            ran.append("begin")
            time.sleep(0.02)
            g.first = True
            ran.append("end")

        app.before_first_request(colour(slow))
        app.get("/", endpoint="view")(colour(lambda: ran.append("view") or "hello"))
        answers = server.concurrently([("GET", "/")] * 8)
        assert {answer.status_code for answer in answers} == {200}
        assert ran == ["begin", "end", *["view"] * 8]

    def test_may_ask_for_functions_of_both_kinds_to_be_called(self, app, server, colour):
        async def connect():
            return "connected"

        ran = []
        app.before_first_request(lambda: ran.append(app.ensure_sync(connect)()))
        server.get("/")
        assert ran == ["connected"]


class TestSetupAfterTheFirstRequest:
    @pytest.mark.parametrize(
        ("method", "arguments"),
        [
            ("before_request", [lambda: None]),
            ("after_request", [lambda response: response]),
            ("teardown_request", [lambda error: None]),
            ("teardown_appcontext", [lambda error: None]),
            ("before_first_request", [lambda: None]),
            ("url_value_preprocessor", [lambda endpoint, values: None]),
            ("url_defaults", [lambda endpoint, values: None]),
            ("context_processor", [lambda: {}]),
            ("shell_context_processor", [lambda: {}]),
            ("add_url_rule", ["/late"]),
            ("route", ["/late"]),
            ("get", ["/late"]),
            ("endpoint", ["late"]),
            ("errorhandler", [404]),
            ("register_error_handler", [404, lambda error: "late"]),
            ("register_blueprint", [Blueprint("late", "app")]),
            ("template_filter", ["late"]),
            ("template_test", ["late"]),
            ("template_global", ["late"]),
            ("add_template_filter", [str.upper]),
        ],
    )
    @pytest.mark.worlds("wsgi")
    def test_is_an_error_that_says_what_to_do(self, app, server, method, arguments):
        server.get("/")
        with pytest.raises(AssertionError, match=f"'{method}' was called after .* Register"):
            getattr(app, method)(*arguments)

    def test_is_noticed_in_every_world(self, app, server):
        server.get("/nowhere")
        with pytest.raises(AssertionError, match="before_request"):
            app.before_request(lambda: None)

    @pytest.mark.worlds("wsgi")
    def test_on_a_registered_blueprint_is_an_error_too(self, app, server):
        blueprint = Blueprint("pages", "app")
        app.register_blueprint(blueprint)
        server.get("/")
        with pytest.raises(AssertionError, match="before_request"):
            blueprint.before_request(lambda: None)

    def test_works_as_long_as_the_first_request_has_not_begun(self, app, server):
        with app.test_request_context():
            app.get("/", endpoint="view")(lambda: "hello")
        assert server.get("/").text == "hello"
