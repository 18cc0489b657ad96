"""Errors: which handler takes one, what becomes of those that none takes, and what leaves the application."""

from __future__ import annotations

import asyncio
import logging
import traceback

import pytest
from werkzeug.exceptions import Forbidden, HTTPException, InternalServerError, NotFound

from flaskctx import Blueprint, abort, g, got_request_exception, request, stream_with_context

from ..conftest import Exchange, build_environ, build_scope


class Custom(Exception):
    pass


class MoreCustom(Custom):
    pass


def raising(error):
    """A function that raises `error`, whatever it is called with."""

    def function(*args, **kwargs):
        raise error

    function.__name__ = f"raises_{type(error).__name__}"
    return function


def answers(text, status=400):
    """A handler that answers with `text` and the name of the error's class."""
    return lambda error: (f"{text}: {type(error).__name__}", status)


class TestHandlers:
    def test_by_status_code(self, app, server, colour):
        app.register_error_handler(404, colour(answers("not here", 404)))
        answer = server.get("/nowhere")
        assert (answer.status_code, answer.text) == (404, "not here: NotFound")

    def test_by_class(self, app, server, colour):
        app.register_error_handler(Custom, colour(answers("custom")))
        app.get("/")(colour(raising(Custom())))
        assert server.get("/").text == "custom: Custom"

    def test_the_nearest_class_wins(self, app, server, colour):
        app.register_error_handler(Exception, colour(answers("any")))
        app.register_error_handler(Custom, colour(answers("custom")))
        app.get("/")(colour(raising(MoreCustom())))
        app.get("/other")(colour(raising(LookupError())))
        assert server.get("/").text == "custom: MoreCustom"
        assert server.get("/other").text == "any: LookupError"

    def test_a_code_wins_over_a_class(self, app, server, colour):
        app.register_error_handler(HTTPException, colour(answers("http")))
        app.register_error_handler(403, colour(answers("code")))
        app.get("/forbidden", endpoint="forbidden")(colour(lambda: abort(403)))
        app.get("/teapot", endpoint="teapot")(colour(lambda: abort(418)))
        assert server.get("/forbidden").text == "code: Forbidden"
        assert server.get("/teapot").text == "http: ImATeapot"

    def test_a_blueprints_handler_wins_over_the_applications(self, app, server, colour):
        inner, outer = Blueprint("inner", "app"), Blueprint("outer", "app", url_prefix="/outer")
        for owner, name in ((app, "app"), (outer, "outer"), (inner, "inner")):
            owner.register_error_handler(Custom, colour(answers(name)))
            owner.get(f"/{name}")(colour(raising(Custom())))
        outer.register_error_handler(403, colour(answers("outer")))
        inner.get("/forbidden")(colour(lambda: abort(403)))
        outer.register_blueprint(inner, url_prefix="/inner")
        app.register_blueprint(outer)
        assert server.get("/app").text == "app: Custom"
        assert server.get("/outer/outer").text == "outer: Custom"
        assert server.get("/outer/inner/inner").text == "inner: Custom"
        assert server.get("/outer/inner/forbidden").text == "outer: Forbidden"

    def test_an_exception_class_of_http_may_have_its_own_code(self, app, server, colour):
        class OutOfTea(HTTPException):
            code = 418
            description = "Only coffee."

        app.get("/")(colour(raising(OutOfTea())))
        assert server.get("/").status_code == 418
        app.error_handler_spec[None][418][OutOfTea] = colour(answers("sorry"))
        assert server.get("/").text == "sorry: OutOfTea"

    @pytest.mark.parametrize("place", ["url_value_preprocessor", "before_request"])
    def test_take_errors_of_hooks_before_the_view(self, app, server, colour, place):
        getattr(app, place)(colour(raising(Custom())))
        app.register_error_handler(Custom, colour(answers("custom")))
        app.get("/")(colour(lambda: "view"))
        assert server.get("/").text == "custom: Custom"

    def test_run_within_the_request(self, app, server, colour):
        app.before_request(colour(lambda: setattr(g, "user", "anna")))
        app.register_error_handler(404, colour(lambda error: f"{g.user} looked for {request.path}"))
        assert server.get("/nowhere").text == "anna looked for /nowhere"

    def test_may_raise_themselves(self, app, server, colour, caplog):
        app.register_error_handler(Custom, colour(raising(LookupError("in the handler"))))
        app.get("/")(colour(raising(Custom("in the view"))))
        assert server.get("/").status_code == 500
        assert "LookupError: in the handler" in caplog.text

    def test_a_response_given_to_abort_is_sent_as_it_is(self, app, server, colour):
        app.register_error_handler(HTTPException, colour(answers("http")))
        app.get("/")(colour(lambda: abort(app.response_class("as it is", 202))))
        assert (server.get("/").status_code, server.get("/").text) == (202, "as it is")

    def test_redirects_of_the_router_are_no_errors(self, app, server, colour):
        app.register_error_handler(HTTPException, colour(answers("http")))
        app.get("/folder/")(colour(lambda: "folder"))
        answer = server.get("/folder")
        assert answer.status_code == 308
        assert answer.headers["Location"].endswith("/folder/")


class TestUnhandled:
    def test_errors_become_a_500_and_a_traceback_in_the_log(self, app, server, colour, caplog):
        app.get("/")(colour(raising(Custom("unexpected"))))
        answer = server.get("/")
        assert answer.status_code == 500
        assert "Internal Server Error" in answer.text
        (record,) = caplog.records
        assert (record.name, record.levelno) == ("app", logging.ERROR)
        assert record.message == "Exception on / [GET]"
        assert record.exc_info[0] is Custom

    def test_errors_reach_the_handler_of_500_wrapped(self, app, server, colour):
        @colour
        def handler(error):
            assert isinstance(error, InternalServerError)
            return f"sorry: {error.original_exception}", 500

        app.register_error_handler(500, handler)
        app.get("/")(colour(raising(Custom("unexpected"))))
        assert server.get("/").text == "sorry: unexpected"

    def test_errors_of_the_500_handler_leave_a_plain_500(self, app, server, colour, caplog):
        app.register_error_handler(500, colour(raising(LookupError("in the handler"))))
        app.get("/")(colour(raising(Custom("in the view"))))
        answer = server.get("/")
        assert (answer.status_code, "Internal Server Error" in answer.text) == (500, True)
        assert "LookupError: in the handler" in caplog.text
        assert "Custom: in the view" in caplog.text

    def test_the_log_names_the_request_of_a_teardown_that_fails(self, app, server, colour, caplog):
        app.get("/gone")(colour(lambda: "hello"))
        app.teardown_request(colour(raising(Custom("teardown"))))
        assert server.get("/gone").status_code == 500
        assert [record.message for record in caplog.records] == ["Exception on /gone [GET]"]

    def test_and_that_of_one_that_fails_after_a_stream(self, app, server, colour, caplog):
        @app.get("/gone")
        @colour
        def view():
            return stream_with_context(iter(["a", "b"]))

        app.teardown_request(colour(raising(Custom("teardown"))))
        server.get("/gone")
        assert [record.message for record in caplog.records] == ["Exception on /gone [GET]"]

    def test_errors_of_after_hooks_become_a_500(self, app, server, colour, caplog):
        app.after_request(colour(raising(Custom("after"))))
        app.get("/")(colour(lambda: "hello"))
        assert server.get("/").status_code == 500
        assert "Custom: after" in caplog.text

    def test_after_hooks_see_the_500(self, app, server, colour):
        @app.after_request
        @colour
        def mark(response):
            response.headers["X-Seen"] = str(response.status_code)
            return response

        app.get("/")(colour(raising(Custom())))
        assert server.get("/").headers["X-Seen"] == "500"

    def test_exceptions_that_are_no_errors_leave_the_application(self, app, server, colour):
        class Stop(BaseException):
            pass

        app.register_error_handler(Exception, colour(answers("any")))
        app.get("/")(colour(raising(Stop())))
        with pytest.raises(Stop):
            server.get("/")

    def test_nor_does_the_error_of_a_teardown_take_their_place(self, app, server, colour, caplog):
        class Stop(BaseException):
            pass

        app.teardown_request(colour(raising(Custom())))
        app.get("/")(colour(raising(Stop())))
        with pytest.raises(Stop):
            server.get("/")
        assert [record.exc_info[0] for record in caplog.records] == [Custom]

    async def test_nor_that_of_a_cancellation(self, app, colour, caplog):
        began = asyncio.Event()

        @app.get("/")
        async def view():
            began.set()
            await asyncio.sleep(30)

        app.teardown_request(colour(raising(Custom())))
        exchange = Exchange()
        serving = asyncio.create_task(app.asgi(build_scope(build_environ("GET", "/")), exchange.receive, exchange.send))
        await began.wait()
        serving.cancel()
        await asyncio.wait([serving])
        assert serving.cancelled()
        assert [record.exc_info[0] for record in caplog.records] == [Custom]


class TestPropagation:
    @pytest.mark.parametrize("setting", ["TESTING", "DEBUG", "PROPAGATE_EXCEPTIONS"])
    def test_errors_are_raised_to_the_server(self, app, server, colour, setting):
        app.config["PRESERVE_CONTEXT_ON_EXCEPTION"] = False
        app.config[setting] = True
        app.get("/")(colour(raising(Custom("raised"))))
        with pytest.raises(Custom, match="raised"):
            server.get("/")

    def test_can_be_switched_off_for_tests(self, app, server, colour):
        app.config.update(TESTING=True, PROPAGATE_EXCEPTIONS=False)
        app.get("/")(colour(raising(Custom("raised"))))
        assert server.get("/").status_code == 500

    def test_leaves_handled_errors_alone(self, app, server, colour):
        app.testing = True
        app.register_error_handler(Custom, colour(answers("custom")))
        app.get("/")(colour(raising(Custom("raised"))))
        assert server.get("/").text == "custom: Custom"

    def test_of_a_failing_teardown(self, app, server, colour):
        app.testing = True
        app.teardown_request(colour(raising(Custom("teardown"))))
        with pytest.raises(Custom, match="teardown"):
            server.get("/")

    def test_the_views_frame_is_in_the_traceback(self, app, server, colour):
        app.testing = True

        def failing_view():
            raise Custom

        app.get("/")(colour(failing_view))
        with pytest.raises(Custom) as caught:
            server.get("/")
        assert "failing_view" in [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]


class TestGotRequestException:
    @pytest.mark.parametrize("testing", [False, True])
    def test_is_sent_for_unhandled_errors(self, app, server, colour, testing):
        app.testing = testing
        seen = []
        receiver = colour(lambda sender, exception: seen.append((sender, str(exception), request.path)))
        app.get("/")(colour(raising(Custom("unexpected"))))
        with got_request_exception.connected_to(receiver, app):
            if testing:
                with pytest.raises(Custom):
                    server.get("/")
            else:
                assert server.get("/").status_code == 500
        assert seen == [(app, "unexpected", "/")]

    def test_is_not_sent_for_handled_ones(self, app, server, colour):
        seen = []
        receiver = colour(lambda sender, exception: seen.append(exception))
        app.register_error_handler(Custom, colour(answers("custom")))
        app.get("/")(colour(raising(Custom())))
        with got_request_exception.connected_to(receiver, app):
            server.get("/")
            server.get("/nowhere")
        assert seen == []


class TestTraps:
    def test_http_exceptions_are_errors_of_the_program_when_trapped(self, app, server, colour):
        app.config.update(TRAP_HTTP_EXCEPTIONS=True, PROPAGATE_EXCEPTIONS=True)
        app.get("/")(colour(raising(Forbidden())))
        with pytest.raises(Forbidden):
            server.get("/")

    def test_trapped_ones_reach_the_handler_of_their_class(self, app, server, colour):
        app.config["TRAP_HTTP_EXCEPTIONS"] = True
        app.register_error_handler(NotFound, colour(answers("not found")))
        assert server.get("/nowhere").text == "not found: NotFound"

    @pytest.mark.parametrize(
        ("debug", "trap", "status"),
        [
            (False, None, 400),
            (False, True, None),
            (True, None, None),
            (True, False, 400),
        ],
    )
    def test_a_missing_key_of_the_form(self, app, server, colour, debug, trap, status):
        app.config.update(
            DEBUG=debug,
            TRAP_BAD_REQUEST_ERRORS=trap,
            PROPAGATE_EXCEPTIONS=True,
            PRESERVE_CONTEXT_ON_EXCEPTION=False,
        )
        app.get("/")(colour(lambda: request.args["name"]))
        if status is None:
            with pytest.raises(KeyError, match="name"):
                server.get("/")
        else:
            answer = server.get("/")
            assert answer.status_code == status
            assert ("name" in answer.text) is debug


class TestStopIteration:
    """PEP 479 turns one into a RuntimeError inside coroutines; the user must not notice."""

    def failing(self, colour):
        def stopping_view():
            next(iter(()))

        return colour(stopping_view)

    def test_reaches_its_handler(self, app, server, colour):
        seen = []

        @app.errorhandler(StopIteration)
        @colour
        def handler(error):
            seen.append(error)
            return "stopped", 400

        app.get("/")(self.failing(colour))
        assert server.get("/").text == "stopped"
        (error,) = seen
        assert "stopping_view" in [frame.name for frame in traceback.extract_tb(error.__traceback__)]

    def test_becomes_a_500_with_its_frame_in_the_log(self, app, server, colour, caplog):
        app.get("/")(self.failing(colour))
        assert server.get("/").status_code == 500
        assert caplog.records[0].exc_info[0] is StopIteration
        assert "stopping_view" in caplog.text

    def test_propagates_as_itself_or_as_the_cause(self, app, server, colour):
        # a coroutine can't raise StopIteration: out of the ASGI callable it has to travel as the cause
        app.testing = True
        app.get("/")(self.failing(colour))
        with pytest.raises((StopIteration, RuntimeError)) as caught:
            server.get("/")
        error = caught.value if isinstance(caught.value, StopIteration) else caught.value.__cause__
        assert isinstance(error, StopIteration)
        assert "stopping_view" in [frame.name for frame in traceback.extract_tb(error.__traceback__)]
        assert server.is_asgi or caught.value is error

    @pytest.mark.parametrize("place", ["url_value_preprocessor", "before_request"])
    def test_of_a_hook_reaches_its_handler(self, app, server, colour, place):
        getattr(app, place)(colour(lambda *args: next(iter(()))))
        app.register_error_handler(StopIteration, colour(answers("stopped")))
        app.get("/")(colour(lambda: "view"))
        assert server.get("/").text == "stopped: StopIteration"

    @pytest.mark.parametrize("place", ["after_request", "teardown_request", "teardown_appcontext"])
    def test_of_a_late_hook_is_logged_as_itself(self, app, server, colour, place, caplog):
        getattr(app, place)(colour(lambda *args: next(iter(()))))
        app.get("/")(colour(lambda: "view"))
        assert server.get("/").status_code == 500
        assert caplog.records[0].exc_info[0] is StopIteration

    def test_passes_through_an_override_of_dispatch_request(self, app, server, colour):
        class Application(type(app)):
            def dispatch_request(self):
                return super().dispatch_request()

        server.app = Application("app", static_folder=None)
        server.app.get("/")(self.failing(colour))
        server.app.register_error_handler(StopIteration, colour(answers("stopped")))
        assert server.get("/").text == "stopped: StopIteration"
