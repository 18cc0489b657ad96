"""Methods of the application that are overridden, in a subclass or on the object."""

from __future__ import annotations

from ..recording import Boom, passing, raising, recording_sessions
from ..scenario import each, scenario

METHODS = [
    "full_dispatch_request", "preprocess_request", "dispatch_request", "make_response", "finalize_request",
    "process_response", "handle_user_exception", "handle_http_exception", "handle_exception", "log_exception",
    "do_teardown_request", "do_teardown_appcontext", "make_default_options_response", "create_url_adapter",
    "should_ignore_error", "raise_routing_exception", "inject_url_defaults", "trap_http_exception", "request_context",
    "app_context", "update_template_context", "get_send_file_max_age", "create_jinja_environment", "wsgi_app",
]  # fmt: skip
REQUESTS = ["GET /", "GET /fail", "GET /nowhere", "OPTIONS /", "GET /template", "GET /static/hello.txt"]


def views(framework, app, log):
    app.before_request(log.on("before"))
    app.get("/")(log.on("view", lambda: framework.url_for("view")))
    app.get("/fail")(log.on("fail", raising(Boom("from the view"))))
    app.get("/template")(log.on("template", lambda: framework.render_template_string("hello")))
    app.after_request(log.on("after", passing))
    app.teardown_request(log.on("teardown"))


@each({name: name for name in METHODS}, *REQUESTS)
def in_a_subclass(framework, app, log, name):
    def method(self, *args, **kwargs):
        log(f"{name} begins")
        try:
            return getattr(framework.Flask, name)(self, *args, **kwargs)
        finally:
            log(f"{name} ends")

    app = type("Own", (framework.Flask,), {name: method})("app", root_path=app.root_path)
    views(framework, app, log)
    return app


@each({name: name for name in METHODS}, *REQUESTS)
def on_the_application(framework, app, log, name):
    original = getattr(app, name)

    def method(*args, **kwargs):
        log(f"{name} begins")
        try:
            return original(*args, **kwargs)
        finally:
            log(f"{name} ends")

    setattr(app, name, method)
    views(framework, app, log)


ANSWERS = {
    "preprocess_request": lambda: "from preprocess_request",
    "dispatch_request": lambda: "from dispatch_request",
    "handle_user_exception": lambda error: "from handle_user_exception",
    "handle_http_exception": lambda error: ("from handle_http_exception", 202),
    "make_default_options_response": lambda: "from make_default_options_response",
}


@each({name: name for name in ANSWERS}, *REQUESTS)
def answering_instead(framework, app, log, name):
    setattr(app, name, log.on_def(name, ANSWERS[name]))
    views(framework, app, log)


@each({name: name for name in METHODS}, "GET /fail")
def failing(framework, app, log, name):
    app.secret_key = None
    setattr(app, name, log.on_def(name, raising(Boom(f"from {name}"))))
    views(framework, app, log)


@scenario("GET /", "GET /fail")
def errors_that_are_to_be_ignored(framework, app, log):
    app.should_ignore_error = log.on_def("should ignore", lambda error: isinstance(error, Boom))
    views(framework, app, log)


@scenario("GET /", "GET /fail")
def middleware(framework, app, log):
    wsgi_app = app.wsgi_app

    def around(environ, start_response):
        log("middleware begins")
        environ["HTTP_X_A"] = "1"
        body = wsgi_app(environ, start_response)
        log("middleware ends")
        return body

    app.wsgi_app = around
    app.get("/")(log.on_def("view", lambda: framework.request.headers["X-A"]))
    app.get("/fail")(log.on_def("fail", raising(Boom("from the view"))))
    app.teardown_request(log.on_def("teardown"))


@scenario("GET /")
def middleware_that_answers(framework, app, log):
    def answer(environ, start_response):
        log("middleware")
        start_response("202 ACCEPTED", [("Content-Type", "text/plain")])
        return [b"middle", b"ware"]

    app.wsgi_app = answer


@scenario("GET /", "GET /nowhere")
def sessions_opened_by_the_application(framework, app, log):
    app.session_interface = recording_sessions(framework, log)
    views(framework, app, log)


@scenario("GET /", "GET /nowhere")
def classes_of_contexts(framework, app, log):
    class Globals(framework.ctx._AppCtxGlobals):
        a = "own"

    app.app_ctx_globals_class = Globals
    app.get("/")(log.on("view", lambda: framework.g.a))


@scenario("GET /in/", "GET /")
def get_send_file_max_age_of_a_blueprint(framework, app, log):
    blueprint = framework.Blueprint("inner", "app")
    blueprint.get("/in/")(log.on("inner", lambda: str(framework.current_app.get_send_file_max_age(None))))
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 77
    app.get("/")(log.on("view", lambda: str(app.get_send_file_max_age("a"))))
    app.register_blueprint(blueprint)
