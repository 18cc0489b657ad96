"""Errors at every point of a request, in every mode, and which handler gets which."""

from __future__ import annotations

from itertools import product

from werkzeug.exceptions import BadRequest, Conflict, HTTPException, NotFound

from ..recording import Boom, passing, raising, recording_sessions
from ..scenario import each, scenario

MODES = {
    "production": {},
    "testing": {"TESTING": True},
    # in debug mode a failed request's context would be preserved, see contexts.py
    "debug": {"DEBUG": True, "PRESERVE_CONTEXT_ON_EXCEPTION": False},
    "testing without propagation": {"TESTING": True, "PROPAGATE_EXCEPTIONS": False},
    "propagation": {"PROPAGATE_EXCEPTIONS": True},
    "trapping": {"TRAP_HTTP_EXCEPTIONS": True},
    "trapping while testing": {"TRAP_HTTP_EXCEPTIONS": True, "TESTING": True},
    "trapping bad requests": {"TRAP_BAD_REQUEST_ERRORS": True},
}


def failing_sessions(framework, log, method, error):
    """Return a session interface of which one method raises."""
    interface = recording_sessions(framework, log)

    def fail(*args):
        log(f"{method} fails")
        raise error

    setattr(interface, method, fail)
    return interface


def _late_error(framework, app, log, error):
    app.get("/")(log.on("view", lambda: "view"))
    app.after_request(log.on("after 1", passing))
    app.after_request(log.on("after 2", raising(error)))
    app.after_request(log.on("after 3", passing))


def _after_this_request(framework, app, log, error):
    fail = log.on("after this", raising(error))
    app.get("/")(log.on("view", lambda: framework.after_this_request(fail) and "view"))


def _before(framework, app, log, error):
    app.before_request(log.on("before 1"))
    app.before_request(log.on("before 2", raising(error)))
    app.before_request(log.on("before 3"))


def _error_handler(framework, app, log, error):
    app.get("/")(log.on("view", raising(KeyError("a"))))
    app.register_error_handler(KeyError, log.on("handler", raising(error)))


def _handler_of_500(framework, app, log, error):
    app.get("/")(log.on("view", raising(KeyError("a"))))
    app.register_error_handler(500, log.on("handler", raising(error)))


def _received(signal):
    def register(framework, app, log, error):
        app.get("/")(log.on("view", lambda: "view"))
        log.keep = log.on(f"receiver of {signal}", raising(error))
        getattr(framework, signal).connect(log.keep, app)

    return register


def _open_session(framework, app, log, error):
    app.session_interface = failing_sessions(framework, log, "open_session", error)
    app.get("/")(log.on("view", lambda: "view"))


def _save_session(framework, app, log, error):
    app.session_interface = failing_sessions(framework, log, "save_session", error)
    app.get("/")(log.on("view", lambda: "view"))


def _view(framework, app, log, error):
    app.get("/")(log.on("view", raising(error)))


def _values(framework, app, log, error):
    app.get("/")(log.on("view", lambda: "view"))
    app.url_value_preprocessor(log.on_def("values", raising(error)))


def _make_response(framework, app, log, error):
    class Response(framework.Response):
        def __init__(self, *args, **kwargs):
            if args == ("view",):
                raise error
            super().__init__(*args, **kwargs)

    app.response_class = Response
    app.get("/")(log.on("view", lambda: "view"))


def _template(framework, app, log, error):
    app.context_processor(log.on_def("context processor", raising(error)))
    app.get("/")(log.on("view", lambda: framework.render_template_string("hello")))


def _url_defaults(framework, app, log, error):
    app.url_defaults(log.on_def("defaults", raising(error)))
    app.get("/")(log.on("view", lambda: framework.url_for("view")))


POINTS = {
    "view": _view,
    "before hook": _before,
    "after hook": _late_error,
    "after_this_request": _after_this_request,
    "values": _values,
    "error handler": _error_handler,
    "handler of 500": _handler_of_500,
    "response class": _make_response,
    "template": _template,
    "url defaults": _url_defaults,
    "open_session": _open_session,
    "save_session": _save_session,
    "request_started": _received("request_started"),
    "request_finished": _received("request_finished"),
    "got_request_exception": _received("got_request_exception"),
}

TEARDOWNS = {
    f"{kind}, {mode}": (kind, MODES[mode])
    for kind, mode in product(("teardown_request", "teardown_appcontext"), ("production", "testing"))
}

ERRORS = {
    "Boom": (Boom("on the way"), ("production", "testing", "debug", "testing without propagation", "propagation")),
    "Conflict": (Conflict(), ("production", "debug", "trapping", "trapping while testing")),
}


def in_modes(table):
    """Return a row for each row of the table, each error, and each mode that matters for it: row, error, config."""
    return {
        ", ".join([f"{error} in {name}", mode]): (row, ERRORS[error][0], MODES[mode])
        for (name, row), error in product(table.items(), ERRORS)
        for mode in ERRORS[error][1]
    }


@each(in_modes(POINTS), "GET /")
def raised(framework, app, log, row):
    register, error, config = row
    app.config.update(config)
    register(framework, app, log, error)
    app.after_request(log.on("after", passing))
    app.teardown_request(log.on("teardown request"))
    app.teardown_appcontext(log.on("teardown appcontext"))


@each(TEARDOWNS, "GET /")
def raised_in_teardown(framework, app, log, row):
    kind, config = row
    app.config.update(config)
    app.get("/")(log.on("view", lambda: "view"))
    register = getattr(app, kind)
    register(log.on(f"{kind} 1"))
    register(log.on(f"{kind} 2", raising(Boom("on the way"))))
    register(log.on(f"{kind} 3"))
    app.after_request(log.on("after", passing))


@each(in_modes({"view": None}), "GET /")
def raised_and_handled(framework, app, log, row):
    _, error, config = row
    app.config.update(config)
    app.get("/")(log.on("view", raising(error)))
    app.register_error_handler(type(error), log.on("handler", lambda error: ("handled", 202)))
    app.after_request(log.on("after", passing))
    app.teardown_request(log.on("teardown request"))


@each(in_modes({"view": None}), "GET /")
def raised_with_a_handler_of_500(framework, app, log, row):
    def handle(error):
        log("original", getattr(error, "original_exception", "none"))
        return "handled", 500

    _, error, config = row
    app.config.update(config)
    app.get("/")(log.on("view", raising(error)))
    app.register_error_handler(500, log.on("handler", handle))
    app.after_request(log.on("after", passing))
    app.teardown_request(log.on("teardown request"))


@each(MODES, "GET /?b=1", "POST /form", ("POST /json", {"data": "{", "content_type": "application/json"}))
def bad_requests(framework, app, log, config):
    request = framework.request
    app.config.update(config)
    app.get("/")(log.on("view", lambda: request.args["a"]))
    app.post("/form")(log.on("form", lambda: request.form["a"]))
    app.post("/json")(log.on("json", lambda: request.json))


@each(MODES, "GET /nowhere", "POST /", "GET /slash?a=1", "POST /slash")
def routing_errors(framework, app, log, config):
    app.config.update(config)
    app.get("/")(log.on("view", lambda: "view"))
    app.route("/slash/", methods=["GET", "POST"])(log.on("slash", lambda: "slash"))
    app.teardown_request(log.on("teardown request"))


# Which handler


class Base(Exception):
    name = "Base"


class Derived(Base):
    name = "Derived"


class Teapot(HTTPException):
    code = 418
    description = "short and stout"


class Tea(Teapot):
    description = "of its own class"


HANDLERS = {
    "nothing": (),
    "class": ((None, Derived),),
    "base class": ((None, Base),),
    "base and class": ((None, Base), (None, Derived)),
    "class of blueprint, class of app": (("inner", Derived), (None, Derived)),
    "base of blueprint, class of app": (("inner", Base), (None, Derived)),
    "Exception": ((None, Exception),),
    "Exception of blueprint, class of app": (("inner", Exception), (None, Derived)),
    "code": ((None, 418),),
    "code of blueprint, code of app": (("inner", 418), (None, 418)),
    "class of blueprint, code of app": (("inner", Teapot), (None, 418)),
    "HTTPException": ((None, HTTPException),),
    "HTTPException of blueprint, code of app": (("inner", HTTPException), (None, 418)),
    "HTTPException and Exception": ((None, HTTPException), (None, Exception)),
    "Exception and code": ((None, Exception), (None, 418)),
    "Exception of blueprint, HTTPException of app": (("inner", Exception), (None, HTTPException)),
    "500": ((None, 500),),
    "500 and Exception": ((None, 500), (None, Exception)),
    "500 of blueprint": (("inner", 500), (None, 500)),
    "404": ((None, 404),),
    "404 of blueprint": (("inner", 404), (None, 404)),
    "404 of blueprint alone": (("inner", 404),),
    "405 of blueprint": (("inner", 405), (None, 405)),
    "outer blueprint": (("outer", Derived), ("outer", 418), ("outer", 404), ("outer", 500)),
    "outer code, inner class": (("outer", 418), ("inner", Teapot), ("outer", Derived), ("inner", Base)),
}


@each(
    HANDLERS,
    "GET /out/in/derived", "GET /out/in/base", "GET /out/in/teapot", "GET /out/in/tea", "GET /out/in/key",
    "GET /out/in/abort", "GET /out/in/nowhere", "POST /out/in/tea", "GET /derived", "GET /tea",
)  # fmt: skip
def handlers(framework, app, log, rows):
    views = {
        "derived": raising(Derived("a")),
        "base": raising(Base("a")),
        "teapot": raising(Teapot()),
        "tea": raising(Tea()),
        "key": raising(KeyError("a")),
        "abort": lambda: framework.abort(404),
    }
    outer, inner = framework.Blueprint("outer", "app"), framework.Blueprint("inner", "app")
    for owner in (app, inner):
        for name, view in views.items():
            owner.get(f"/{name}")(log.on(f"view {name}", view))
    owners = {None: app, "outer": outer, "inner": inner}
    for number, (owner, wanted) in enumerate(rows):
        name = f"handler {number} of {owner or 'app'} for {getattr(wanted, '__name__', wanted)}"
        answer = (name, 290 + number)
        owners[owner].register_error_handler(wanted, log.on(name, lambda error, answer=answer: answer))
    outer.register_blueprint(inner, url_prefix="/in")
    app.register_blueprint(outer, url_prefix="/out")


@scenario("GET /out/nowhere", "GET /nowhere", "GET /out/view")
def app_errorhandler_of_a_blueprint(framework, app, log):
    blueprint = framework.Blueprint("out", "app", url_prefix="/out")
    blueprint.app_errorhandler(404)(log.on("handler", lambda error: ("handled", 404)))
    blueprint.get("/view")(log.on("view", lambda: framework.abort(404)))
    app.register_blueprint(blueprint)


HANDLED = {
    "text": lambda f, error: "handled",
    "tuple": lambda f, error: ("handled", 202, {"X-A": "1"}),
    "the error": lambda f, error: error,
    "its response": lambda f, error: error.get_response(),
    "a response": lambda f, error: f.Response("handled", 203),
    "json": lambda f, error: {"code": error.code},
    "another error": lambda f, error: NotFound(),
    "nothing": lambda f, error: None,
    "a redirect": lambda f, error: f.redirect("/"),
}


@each(HANDLED, "GET /")
def a_handler_returns(framework, app, log, make):
    app.get("/")(log.on("view", raising(Conflict())))
    app.register_error_handler(409, log.on("handler", lambda error: make(framework, error)))
    app.after_request(log.on("after", passing))
    app.teardown_request(log.on("teardown"))


@each(HANDLED, "GET /")
def a_handler_of_500_returns(framework, app, log, make):
    app.get("/")(log.on("view", raising(Boom("from the view"))))
    app.register_error_handler(500, log.on("handler", lambda error: make(framework, error)))
    app.after_request(log.on("after", passing))
    app.teardown_request(log.on("teardown"))


@scenario("GET /")
def a_handler_that_raises_another_http_exception(framework, app, log):
    app.get("/")(log.on("view", raising(Boom("a"))))
    app.register_error_handler(Boom, log.on("handler of Boom", lambda error: framework.abort(409)))
    app.register_error_handler(409, log.on("handler of 409", lambda error: "409"))


@scenario("GET /")
def a_handler_that_raises_its_error_again(framework, app, log):
    app.get("/")(log.on("view", raising(Boom("a"))))
    app.register_error_handler(Boom, log.on("handler", lambda error: raising(error)()))


@scenario("GET /")
def an_after_hook_that_fails_for_the_error_too(framework, app, log):
    app.get("/")(log.on("view", raising(Boom("from the view"))))
    app.after_request(log.on("after 1", passing))
    app.after_request(log.on("after 2", raising(Boom("from after 2"))))
    app.teardown_request(log.on("teardown"))


@scenario("GET /")
def view_and_teardown_fail(framework, app, log):
    app.get("/")(log.on("view", raising(Boom("from the view"))))
    app.teardown_request(log.on("teardown", raising(Boom("from the teardown"))))


@scenario("GET /")
def teardowns_of_request_and_appcontext_fail(framework, app, log):
    app.get("/")(log.on("view", lambda: "view"))
    for name in ("1", "2"):
        app.teardown_request(log.on(f"teardown request {name}", raising(Boom(f"request {name}"))))
        app.teardown_appcontext(log.on(f"teardown appcontext {name}", raising(Boom(f"appcontext {name}"))))


STATUS = {str(code): code for code in (400, 401, 403, 404, 405, 409, 410, 413, 418, 422, 429, 500, 501, 503)}


@each(STATUS, "GET /")
def abort(framework, app, log, code):
    app.get("/")(log.on("view", lambda: framework.abort(code)))
    app.register_error_handler(HTTPException, log.on("handler", lambda error: error))


ABORTS = {
    "description": lambda f: f.abort(404, "not here"),
    "keyword": lambda f: f.abort(400, description="not so"),
    "response": lambda f: f.abort(f.Response("aborted", 202)),
    "response made": lambda f: f.abort(f.make_response(({"a": 1}, 409))),
    "unknown code": lambda f: f.abort(299),
    "unauthorized with www-authenticate": lambda f: f.abort(401, "who?"),
    "redirect": lambda f: f.abort(f.redirect("/there")),
    "BadRequest": lambda f: raising(BadRequest("bad"))(),
    "exception with a response": lambda f: raising(NotFound(response=f.Response("mine", 404)))(),
}


@each(ABORTS, "GET /")
def aborts(framework, app, log, make):
    app.get("/")(log.on("view", lambda: make(framework)))
    app.after_request(log.on("after", passing))


@scenario("GET /", "GET /stop")
def exceptions_that_are_no_exceptions(framework, app, log):
    app.get("/stop")(log.on("stop", raising(StopAsyncIteration())))
    app.get("/")(log.on("view", raising(LookupError("a"))))
    app.register_error_handler(LookupError, log.on("handler", lambda error: "lookup"))


@scenario("GET /")
def stop_iteration_reaches_its_handler(framework, app, log):
    app.get("/")(log.on_def("view", raising(StopIteration())))
    app.register_error_handler(StopIteration, log.on_def("handler", lambda error: "stopped"))


@scenario("GET /")
def the_aborter_is_the_applications(framework, app, log):
    app.aborter.mapping[299] = Teapot
    app.get("/")(log.on("view", lambda: framework.abort(299)))


@scenario("GET /", "POST /")
def method_not_allowed_has_a_handler(framework, app, log):
    app.get("/")(log.on("view", lambda: "view"))
    app.register_error_handler(405, log.on("handler", lambda error: (str(sorted(error.valid_methods)), 405)))
