"""A fault at any point of the lifecycle: the stacks end empty, and each teardown runs exactly once.

The server of these tests is one of production (neither testing nor debug): an Exception never leaves the
application, the client gets a 500 and the log a traceback. That the stacks are empty, `server` checks itself.
"""

from __future__ import annotations

import anyio
import pytest
from werkzeug.exceptions import ImATeapot
from werkzeug.routing import BaseConverter

from flaskctx import (
    Response,
    after_this_request,
    appcontext_popped,
    appcontext_pushed,
    appcontext_tearing_down,
    got_request_exception,
    request_finished,
    request_started,
    request_tearing_down,
    stream_with_context,
)


class Catastrophe(BaseException):
    """No Exception: nothing may swallow it."""


FAULTS = {"Exception": LookupError, "HTTPException": ImATeapot, "BaseException": Catastrophe}

# Where an HTTPException is an answer. Elsewhere it is an error like any other.
ANSWERING = {"request_started", "url_value_preprocessor", "before_request", "view", "dispatch_request", "converter"}


class Injection:
    """Puts a function that fails into an application, at one of its methods' points."""

    def __init__(self, app, colour, error):
        self.app = app
        self.colour = colour
        self.error = error
        self.receivers = []

    def fault(self, *args, **kwargs):
        def fail(*args, **kwargs):
            raise self.error

        return self.colour(fail)

    def view(self):
        self.app.view_functions["view"] = self.fault()

    def url_value_preprocessor(self):
        self.app.url_value_preprocessor(self.fault())

    def before_request(self):
        self.app.before_request(self.fault())

    def after_request(self):
        self.app.after_request(self.fault())

    def after_this_request(self):
        self.app.view_functions["view"] = lambda: (after_this_request(self.fault()), "hello")[1]

    def before_first_request(self):
        self.app.before_first_request(self.fault())

    def teardown_request(self):
        self.app.teardown_request(self.fault())

    def teardown_appcontext(self):
        self.app.teardown_appcontext(self.fault())

    def error_handler(self):
        self.app.view_functions["view"] = lambda: {}["missing"]
        self.app.register_error_handler(KeyError, self.fault())

    def handler_of_500(self):
        self.app.view_functions["view"] = lambda: {}["missing"]
        self.app.register_error_handler(500, self.fault())

    def open_session(self):
        interface = type(self.app.session_interface)
        self.app.session_interface = type("Sessions", (interface,), {"open_session": self.fault()})()

    def save_session(self):
        interface = type(self.app.session_interface)
        self.app.session_interface = type("Sessions", (interface,), {"save_session": self.fault()})()

    def converter(self):
        injection = self

        class Failing(BaseConverter):
            def to_python(self, value):
                injection.raise_it()

        self.app.url_map.converters["failing"] = Failing
        self.app.add_url_rule("/converted/<failing:value>", "view")
        self.path = "/converted/value"

    def raise_it(self):
        raise self.error

    def wsgi_callable(self):
        self.app.view_functions["view"] = lambda: lambda environ, start_response: self.raise_it()

    def override(name):
        def patch(self):
            if name in ("handle_exception", "log_exception", "should_ignore_error"):
                self.app.view_functions["view"] = lambda: {}["missing"]
            setattr(self.app, name, self.fault())

        return patch

    full_dispatch_request = override("full_dispatch_request")
    dispatch_request = override("dispatch_request")
    make_response = override("make_response")
    finalize_request = override("finalize_request")
    process_response = override("process_response")
    handle_exception = override("handle_exception")
    log_exception = override("log_exception")
    should_ignore_error = override("should_ignore_error")

    def receiver(signal):
        def connect(self):
            if signal is got_request_exception:
                self.app.view_functions["view"] = lambda: {}["missing"]
            fault = self.fault()
            self.receivers.append(fault)
            signal.connect(fault, self.app)

        return connect

    appcontext_pushed = receiver(appcontext_pushed)
    request_started = receiver(request_started)
    request_finished = receiver(request_finished)
    got_request_exception = receiver(got_request_exception)
    request_tearing_down = receiver(request_tearing_down)
    appcontext_tearing_down = receiver(appcontext_tearing_down)
    appcontext_popped = receiver(appcontext_popped)

    path = "/"


POINTS = [
    name
    for name in vars(Injection)
    if not name.startswith("_") and name not in ("fault", "raise_it", "override", "receiver", "path")
]


@pytest.fixture
def ran(app, colour):
    """How often each teardown has run; there are two of each, of both kinds, around the one that may fail."""
    ran = []

    @app.teardown_request
    async def request_1(error):
        await anyio.sleep(0)
        ran.append("request 1")

    app.teardown_request(lambda error: ran.append("request 2"))
    app.teardown_appcontext(lambda error: ran.append("appcontext 1"))

    @app.teardown_appcontext
    async def appcontext_2(error):
        await anyio.sleep(0)
        ran.append("appcontext 2")

    app.get("/", endpoint="view")(colour(lambda: "hello"))
    return ran


ALL_ONCE = ["appcontext 1", "appcontext 2", "request 1", "request 2"]


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("point", POINTS)
def test_a_fault(app, server, colour, ran, caplog, point, kind):
    injection = Injection(app, colour, FAULTS[kind]("injected"))
    getattr(injection, point)()
    if kind == "BaseException":
        with pytest.raises(Catastrophe):
            server.get(injection.path)
    else:
        answer = server.get(injection.path)
        is_an_answer = kind == "HTTPException" and point in ANSWERING
        assert answer.status_code == (418 if is_an_answer else 500)
        logged = {record.exc_info[0] for record in caplog.records if record.exc_info}
        assert is_an_answer or FAULTS[kind] in logged
        assert logged <= {FAULTS[kind], KeyError}
    # nothing was pushed that would have to be torn down where the very first push has failed
    assert sorted(ran) == [name for name in ALL_ONCE if point != "appcontext_pushed" or "appcontext" in name]


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_in_every_teardown_at_once(app, server, colour, ran, caplog, kind):
    injection = Injection(app, colour, FAULTS[kind]("injected"))
    for point in ("teardown_request", "request_tearing_down", "teardown_appcontext", "appcontext_tearing_down"):
        getattr(injection, point)()
        getattr(injection, point)()
    if kind == "BaseException":
        with pytest.raises(Catastrophe):
            server.get("/")
    else:
        assert server.get("/").status_code == 500
    assert sorted(ran) == ALL_ONCE


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("when", ["first chunk", "second chunk", "close", "call_on_close"])
@pytest.mark.parametrize("keeps_context", [False, True])
def test_a_fault_in_a_streamed_body(app, server, colour, ran, kind, when, keeps_context):
    error = FAULTS[kind]("injected")

    def fail(now):
        if now == when:
            raise error

    def body():
        try:
            fail("first chunk")
            yield "one"
            fail("second chunk")
            yield "two"
        finally:
            fail("close")

    async def async_body():
        for chunk in body():
            await anyio.sleep(0)
            yield chunk

    def view():
        made = async_body() if colour.is_async else body()
        response = Response(stream_with_context(made) if keeps_context else made)
        response.call_on_close(lambda: fail("call_on_close"))
        return response

    app.view_functions["view"] = colour(view)
    try:
        server.get("/")
    except BaseException as raised:
        assert raised is error
    assert sorted(ran) == ALL_ONCE


def test_a_fault_in_the_logging_of_a_fault(app, server, colour, ran, caplog):
    def failing_log(exc_info):
        raise LookupError("in log_exception")

    app.log_exception = colour(failing_log)
    app.view_functions["view"] = colour(lambda: {}["missing"])
    assert server.get("/").status_code == 500
    assert "KeyError: 'missing'" in caplog.text
    assert sorted(ran) == ALL_ONCE


def test_contexts_that_a_request_leaves_behind_are_popped_and_reported(app, server, ran, caplog):
    app.view_functions["view"] = lambda: (app.app_context().push(), "hello")[1]
    assert server.get("/").text == "hello"
    assert sorted(ran) == sorted([*ALL_ONCE, "appcontext 1", "appcontext 2"])
    assert "never popped" in caplog.text
