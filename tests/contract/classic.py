"""What the classic Flask does with contexts, from 1.1 to 2.2: scripts, and the event logs that they leave there.

    @classic('''
        view () <1 app />
    ''')
    def a_case(framework, app, log): ...

The logs were taken from Flask 1.1.4, 2.1.3 and 2.2.5; `only` names those of the versions that leave this log.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import Any

from .recording import Boom, passing, raising, recording_sessions

VERSIONS = ("1.1.4", "2.1.3", "2.2.5")
CASES: dict[str, Case] = {}


@dataclass(frozen=True)
class Case:
    """A script, and the log that it leaves; `build` and `requests` are those of a `Scenario`."""

    name: str
    build: Any
    log: list[str]
    versions: tuple[str, ...]
    requests: tuple[Any, ...] = ()


def classic(log, only=VERSIONS):
    """Register a function as a case under its name, with the log that it leaves in these versions."""

    def register(build):
        lines = textwrap.dedent(log).strip().splitlines()
        CASES[build.__name__] = Case(build.__name__, build, lines, only)
        return build

    return register


def teardowns(app, log):
    app.teardown_request(log.on("teardown request"))
    app.teardown_appcontext(log.on("teardown appcontext"))


def get(log, client, path):
    """Send a request; note the status that came back, or what was raised."""
    try:
        log(f"got {client.get(path).status_code} for {path}")
    except Exception as error:
        log(f"raised for {path}", error)


@classic(
    """
    got first request False <>
    signal appcontext_pushed (app) <1 app>
    first 1 () <1 app />
    first 2 () <1 app />
    signal request_started (app) <1 app />
    before () <1 app />
    view () <1 app />
    signal request_finished (app, response=200 OK) <1 app />
    signal request_tearing_down (app, exc=None) <1 app />
    signal appcontext_tearing_down (app, exc=None) <1 app>
    signal appcontext_popped (app) <1>
    got 200 for / <>
    got first request True <>
    signal appcontext_pushed (app) <1 app>
    signal request_started (app) <1 app />
    before () <1 app />
    view () <1 app />
    signal request_finished (app, response=200 OK) <1 app />
    signal request_tearing_down (app, exc=None) <1 app />
    signal appcontext_tearing_down (app, exc=None) <1 app>
    signal appcontext_popped (app) <1>
    got 200 for / <>
    """
)
def before_first_request(framework, app, log):
    app.before_first_request(log.on("first 1"))
    app.before_first_request(log.on("first 2"))
    app.before_request(log.on("before"))
    app.route("/")(log.on("view", lambda: "view"))
    log("got first request", app.got_first_request)
    client = app.test_client()
    get(log, client, "/")
    log("got first request", app.got_first_request)
    get(log, client, "/")


@classic(
    """
    signal appcontext_pushed (app) <1 app>
    first () <1 app />
    signal request_started (app) <1 app />
    view () <1 app />
    signal request_finished (app, response=200 OK) <1 app />
    signal request_tearing_down (app, exc=None) <1 app />
    signal appcontext_tearing_down (app, exc=None) <1 app>
    signal appcontext_popped (app) <1>
    got 200 for / <>
    """
)
def before_first_request_of_a_blueprint(framework, app, log):
    blueprint = framework.Blueprint("inner", "app")
    blueprint.before_app_first_request(log.on("first"))
    blueprint.route("/")(log.on("view", lambda: "view"))
    app.register_blueprint(blueprint)
    get(log, app.test_client(), "/")


@classic(
    """
    signal appcontext_pushed (app) <1 app>
    first () <1 app /nowhere>
    signal request_started (app) <1 app /nowhere>
    signal request_finished (app, response=404 NOT FOUND) <1 app /nowhere>
    signal request_tearing_down (app, exc=None) <1 app /nowhere>
    signal appcontext_tearing_down (app, exc=None) <1 app>
    signal appcontext_popped (app) <1>
    got 404 for /nowhere <>
    """
)
def before_first_request_comes_before_a_404(framework, app, log):
    app.before_first_request(log.on("first"))
    get(log, app.test_client(), "/nowhere")


@classic(
    """
    signal appcontext_pushed (app) <1 app>
    first () <1 app />
    signal got_request_exception (app, exception=Boom(from first)) <1 app />
    logged ERROR Boom(from first) <1 app />
    after (500 INTERNAL SERVER ERROR) <1 app />
    signal request_finished (app, response=500 INTERNAL SERVER ERROR) <1 app />
    teardown request (Boom(from first)) <1 app />
    signal request_tearing_down (app, exc=Boom(from first)) <1 app />
    teardown appcontext (Boom(from first)) <1 app>
    signal appcontext_tearing_down (app, exc=Boom(from first)) <1 app>
    signal appcontext_popped (app) <1>
    got 500 for / <>
    got first request False <>
    """
)
def an_error_before_the_first_request(framework, app, log):
    app.before_first_request(log.on("first", raising(Boom("from first"))))
    app.register_error_handler(Boom, log.on("handler", lambda error: "handled"))
    app.route("/")(log.on("view", lambda: "view"))
    app.after_request(log.on("after", passing))
    teardowns(app, log)
    get(log, app.test_client(), "/")
    log("got first request", app.got_first_request)


@classic(
    """
    tops None None <>
    signal appcontext_pushed (app) <1 app>
    signal request_started (app) <1 app />
    view () <1 app />
    same request True <1 app />
    same session True <1 app />
    same application True <1 app />
    same g True <1 app />
    signal request_finished (app, response=200 OK) <1 app />
    signal request_tearing_down (app, exc=None) <1 app />
    signal appcontext_tearing_down (app, exc=None) <1 app>
    signal appcontext_popped (app) <1>
    got 200 for / <>
    tops None None <>
    """
)
def the_stacks(framework, app, log):
    requests, apps = framework._request_ctx_stack, framework._app_ctx_stack

    def view():
        context = requests.top
        log("same request", context.request is framework.request._get_current_object())
        log("same session", context.session is framework.session._get_current_object())
        log("same application", context.app is apps.top.app is app)
        log("same g", apps.top.g is framework.g._get_current_object())
        return "view"

    app.route("/")(log.on_def("view", view))
    log("tops", requests.top, apps.top)
    get(log, app.test_client(), "/")
    log("tops", requests.top, apps.top)


@classic(
    """
    signal appcontext_pushed (app) <1 app>
    kept 'kept' <1 app />
    signal request_tearing_down (app, exc=None) <1 app />
    signal appcontext_tearing_down (app, exc=None) <1 app>
    signal appcontext_popped (app) <1>
    signal appcontext_pushed (app) <1 app>
    kept False <1 app />
    signal request_tearing_down (app, exc=None) <1 app />
    signal appcontext_tearing_down (app, exc=None) <1 app>
    signal appcontext_popped (app) <1>
    """
)
def attributes_of_the_contexts_that_extensions_use(framework, app, log):
    with app.test_request_context("/"):
        top = framework._app_ctx_stack.top
        top.my_extension = "kept"
        log("kept", framework._app_ctx_stack.top.my_extension)
    with app.test_request_context("/"):
        log("kept", hasattr(framework._app_ctx_stack.top, "my_extension"))


@classic(
    """
    signal appcontext_pushed (app) <1 app>
    signal request_started (app) <1 app /first>
    view (name='first') <1 app /first>
    signal request_finished (app, response=200 OK) <1 app /first>
    got 200 for /first <1 app /first>
    kept 'first' <1 app /first>
    teardown request (None) <1 app /first>
    signal request_tearing_down (app, exc=None) <1 app /first>
    teardown appcontext (None) <1 app>
    signal appcontext_tearing_down (app, exc=None) <1 app>
    signal appcontext_popped (app) <1>
    signal appcontext_pushed (app) <1 app>
    signal request_started (app) <1 app /second>
    view (name='second') <1 app /second>
    signal request_finished (app, response=200 OK) <1 app /second>
    got 200 for /second <1 app /second>
    kept 'second' <1 app /second>
    teardown request (None) <1 app /second>
    signal request_tearing_down (app, exc=None) <1 app /second>
    teardown appcontext (None) <1 app>
    signal appcontext_tearing_down (app, exc=None) <1 app>
    signal appcontext_popped (app) <1>
    after <>
    """,
    only=("1.1.4", "2.1.3"),
)
def a_client_keeps_the_context(framework, app, log):
    app.route("/<name>")(log.on("view", lambda name: framework.session.update(name=name) or "view"))
    teardowns(app, log)
    with app.test_client() as client:
        get(log, client, "/first")
        log("kept", framework.session["name"])
        get(log, client, "/second")
        log("kept", framework.session["name"])
    log("after")


@classic(
    """
    signal appcontext_pushed (app) <1 app>
    signal request_started (app) <1 app />
    view () <1 app />
    signal request_finished (app, response=200 OK) <1 app />
    teardown request (None) <1 app />
    signal request_tearing_down (app, exc=None) <1 app />
    teardown appcontext (None) <1 app>
    signal appcontext_tearing_down (app, exc=None) <1 app>
    signal appcontext_popped (app) <1>
    got 200 for / <>
    signal appcontext_pushed (app) <1 app>
    signal request_started (app) <1 app />
    view () <1 app />
    signal request_finished (app, response=200 OK) <1 app />
    teardown request (None) <1 app />
    signal request_tearing_down (app, exc=None) <1 app />
    teardown appcontext (None) <1 app>
    signal appcontext_tearing_down (app, exc=None) <1 app>
    signal appcontext_popped (app) <1>
    got 200 for / <>
    """
)
def a_client_that_keeps_nothing(framework, app, log):
    app.route("/")(log.on("view", lambda: "view"))
    teardowns(app, log)
    client = app.test_client()
    get(log, client, "/")
    get(log, client, "/")


def failing(framework, app, log):
    """Let one view fail and another one work, without a `with` block."""
    app.route("/fail")(log.on("fail", raising(Boom("from the view"))))
    app.route("/")(log.on("view", lambda: "view"))
    teardowns(app, log)
    client = app.test_client()
    get(log, client, "/fail")
    log("between")
    get(log, client, "/")
    log("after")


@classic(
    """
    signal appcontext_pushed (app) <1 app>
    signal request_started (app) <1 app /fail>
    fail () <1 app /fail>
    signal got_request_exception (app, exception=Boom(from the view)) <1 app /fail>
    logged ERROR Boom(from the view) <1 app /fail>
    signal request_finished (app, response=500 INTERNAL SERVER ERROR) <1 app /fail>
    teardown request (Boom(from the view)) <1 app /fail>
    signal request_tearing_down (app, exc=Boom(from the view)) <1 app /fail>
    teardown appcontext (Boom(from the view)) <1 app>
    signal appcontext_tearing_down (app, exc=Boom(from the view)) <1 app>
    signal appcontext_popped (app) <1>
    got 500 for /fail <>
    between <>
    signal appcontext_pushed (app) <1 app>
    signal request_started (app) <1 app />
    view () <1 app />
    signal request_finished (app, response=200 OK) <1 app />
    teardown request (None) <1 app />
    signal request_tearing_down (app, exc=None) <1 app />
    teardown appcontext (None) <1 app>
    signal appcontext_tearing_down (app, exc=None) <1 app>
    signal appcontext_popped (app) <1>
    got 200 for / <>
    after <>
    """
)
def a_failing_view(framework, app, log):
    failing(framework, app, log)


@classic(
    """
    signal appcontext_pushed (app) <1 app>
    signal request_started (app) <1 app /fail>
    fail () <1 app /fail>
    signal got_request_exception (app, exception=Boom(from the view)) <1 app /fail>
    teardown request (Boom(from the view)) <1 app /fail>
    signal request_tearing_down (app, exc=Boom(from the view)) <1 app /fail>
    teardown appcontext (Boom(from the view)) <1 app>
    signal appcontext_tearing_down (app, exc=Boom(from the view)) <1 app>
    signal appcontext_popped (app) <1>
    raised for /fail Boom(from the view) <>
    between <>
    signal appcontext_pushed (app) <1 app>
    signal request_started (app) <1 app />
    view () <1 app />
    signal request_finished (app, response=200 OK) <1 app />
    teardown request (None) <1 app />
    signal request_tearing_down (app, exc=None) <1 app />
    teardown appcontext (None) <1 app>
    signal appcontext_tearing_down (app, exc=None) <1 app>
    signal appcontext_popped (app) <1>
    got 200 for / <>
    after <>
    """
)
def a_failing_view_in_a_test(framework, app, log):
    app.testing = True
    failing(framework, app, log)


@classic(
    """
    signal appcontext_pushed (app) <1 app>
    signal request_started (app) <1 app /fail>
    fail () <1 app /fail>
    signal got_request_exception (app, exception=Boom(from the view)) <1 app /fail>
    raised for /fail Boom(from the view) <1 app /fail>
    between <1 app /fail>
    teardown request (Boom(from the view)) <1 app /fail>
    signal request_tearing_down (app, exc=Boom(from the view)) <1 app /fail>
    teardown appcontext (Boom(from the view)) <1 app>
    signal appcontext_tearing_down (app, exc=Boom(from the view)) <1 app>
    signal appcontext_popped (app) <1>
    signal appcontext_pushed (app) <1 app>
    signal request_started (app) <1 app />
    view () <1 app />
    signal request_finished (app, response=200 OK) <1 app />
    teardown request (None) <1 app />
    signal request_tearing_down (app, exc=None) <1 app />
    teardown appcontext (None) <1 app>
    signal appcontext_tearing_down (app, exc=None) <1 app>
    signal appcontext_popped (app) <1>
    got 200 for / <>
    after <>
    """,
    only=("1.1.4", "2.1.3"),
)
def a_failing_view_while_debugging(framework, app, log):
    app.debug = True
    failing(framework, app, log)


@classic(
    """
    signal appcontext_pushed (app) <1 app>
    signal request_started (app) <1 app /fail>
    fail () <1 app /fail>
    signal got_request_exception (app, exception=Boom(from the view)) <1 app /fail>
    teardown request (Boom(from the view)) <1 app /fail>
    signal request_tearing_down (app, exc=Boom(from the view)) <1 app /fail>
    teardown appcontext (Boom(from the view)) <1 app>
    signal appcontext_tearing_down (app, exc=Boom(from the view)) <1 app>
    signal appcontext_popped (app) <1>
    raised for /fail Boom(from the view) <>
    between <>
    signal appcontext_pushed (app) <1 app>
    signal request_started (app) <1 app />
    view () <1 app />
    signal request_finished (app, response=200 OK) <1 app />
    teardown request (None) <1 app />
    signal request_tearing_down (app, exc=None) <1 app />
    teardown appcontext (None) <1 app>
    signal appcontext_tearing_down (app, exc=None) <1 app>
    signal appcontext_popped (app) <1>
    got 200 for / <>
    after <>
    """
)
def a_failing_view_while_debugging_that_preserves_nothing(framework, app, log):
    app.debug = True
    app.config["PRESERVE_CONTEXT_ON_EXCEPTION"] = False
    failing(framework, app, log)


@classic(
    """
    signal appcontext_pushed (app) <1 app>
    signal request_started (app) <1 app /fail>
    fail () <1 app /fail>
    signal got_request_exception (app, exception=Boom(from the view)) <1 app /fail>
    logged ERROR Boom(from the view) <1 app /fail>
    signal request_finished (app, response=500 INTERNAL SERVER ERROR) <1 app /fail>
    got 500 for /fail <1 app /fail>
    between <1 app /fail>
    teardown request (Boom(from the view)) <1 app /fail>
    signal request_tearing_down (app, exc=Boom(from the view)) <1 app /fail>
    teardown appcontext (Boom(from the view)) <1 app>
    signal appcontext_tearing_down (app, exc=Boom(from the view)) <1 app>
    signal appcontext_popped (app) <1>
    signal appcontext_pushed (app) <1 app>
    signal request_started (app) <1 app />
    view () <1 app />
    signal request_finished (app, response=200 OK) <1 app />
    teardown request (None) <1 app />
    signal request_tearing_down (app, exc=None) <1 app />
    teardown appcontext (None) <1 app>
    signal appcontext_tearing_down (app, exc=None) <1 app>
    signal appcontext_popped (app) <1>
    got 200 for / <>
    after <>
    """,
    only=("1.1.4", "2.1.3"),
)
def a_failing_view_that_is_to_be_preserved(framework, app, log):
    app.config["PRESERVE_CONTEXT_ON_EXCEPTION"] = True
    failing(framework, app, log)


@classic(
    """
    default False False <>
    debug True True <>
    configured False False <>
    """,
    only=("1.1.4", "2.1.3"),
)
def preserving_properties(framework, app, log):
    log("default", app.preserve_context_on_exception, app.propagate_exceptions)
    app.debug = True
    log("debug", app.preserve_context_on_exception, app.propagate_exceptions)
    app.config["PRESERVE_CONTEXT_ON_EXCEPTION"] = False
    app.config["PROPAGATE_EXCEPTIONS"] = False
    log("configured", app.preserve_context_on_exception, app.propagate_exceptions)


@classic(
    """
    signal appcontext_pushed (app) <1 app>
    signal request_started (app) <1 app />
    view () <1 app />
    signal request_finished (app, response=200 OK) <1 app />
    got 200 for / <1 app />
    preserved True <1 app />
    signal request_tearing_down (app, exc=None) <1 app />
    signal appcontext_tearing_down (app, exc=None) <1 app>
    signal appcontext_popped (app) <1>
    signal appcontext_pushed (app) <1 app>
    preserved False <1 app />
    signal request_tearing_down (app, exc=None) <1 app />
    signal appcontext_tearing_down (app, exc=None) <1 app>
    signal appcontext_popped (app) <1>
    """,
    only=("1.1.4", "2.1.3"),
)
def a_preserved_context_is_marked(framework, app, log):
    app.route("/")(log.on("view", lambda: "view"))
    with app.test_client() as client:
        get(log, client, "/")
        log("preserved", framework._request_ctx_stack.top.preserved)
    with app.test_request_context("/") as context:
        log("preserved", context.preserved)


@classic(
    """
    signal appcontext_pushed (app) <1 app>
    teardown request (None) <1 app />
    signal request_tearing_down (app, exc=None) <1 app />
    teardown appcontext (None) <1 app>
    signal appcontext_tearing_down (app, exc=None) <1 app>
    signal appcontext_popped (app) <1>
    popped <>
    signal appcontext_pushed (app) <1 app>
    preserved True <1 app />
    teardown request (None) <1 app />
    signal request_tearing_down (app, exc=None) <1 app />
    teardown appcontext (None) <1 app>
    signal appcontext_tearing_down (app, exc=None) <1 app>
    signal appcontext_popped (app) <1>
    """,
    only=("1.1.4", "2.1.3"),
)
def auto_pop(framework, app, log):
    teardowns(app, log)
    context = app.test_request_context("/")
    context.push()
    context.auto_pop(None)
    log("popped")
    context = app.test_request_context("/", environ_base={"flask._preserve_context": True})
    context.push()
    context.auto_pop(Boom("given"))
    log("preserved", context.preserved)
    context.pop()


@classic(
    """
    signal appcontext_pushed (app) <1 app>
    teardown request (Boom(handled)) <1 app />
    signal request_tearing_down (app, exc=Boom(handled)) <1 app />
    teardown appcontext (Boom(handled)) <1 app>
    signal appcontext_tearing_down (app, exc=Boom(handled)) <1 app>
    signal appcontext_popped (app) <1>
    """
)
def popped_while_an_error_is_handled(framework, app, log):
    teardowns(app, log)
    context = app.test_request_context("/")
    context.push()
    try:
        raise Boom("handled")
    except Boom:
        context.pop()


@classic(
    """
    signal appcontext_pushed (app) <1 app>
    teardown request (Boom(given)) <1 app />
    signal request_tearing_down (app, exc=Boom(given)) <1 app />
    teardown appcontext (Boom(given)) <1 app>
    signal appcontext_tearing_down (app, exc=Boom(given)) <1 app>
    signal appcontext_popped (app) <1>
    """
)
def popped_with_an_error(framework, app, log):
    teardowns(app, log)
    context = app.test_request_context("/")
    context.push()
    context.pop(Boom("given"))


@classic(
    """
    signal appcontext_pushed (app) <1 app>
    inside <1 app />
    still inside <1 app />
    teardown request (None) <1 app />
    signal request_tearing_down (app, exc=None) <1 app />
    teardown appcontext (None) <1 app>
    signal appcontext_tearing_down (app, exc=None) <1 app>
    signal appcontext_popped (app) <1>
    """
)
def pushed_twice(framework, app, log):
    teardowns(app, log)
    context = app.test_request_context("/")
    context.push()
    context.push()
    log("inside")
    context.pop()
    log("still inside")
    context.pop()


@classic(
    """
    signal appcontext_pushed (app) <1 app>
    signal appcontext_pushed (app) <2 app>
    signal appcontext_popped (app) <2 app>
    still inside <1 app>
    teardown appcontext (None) <1 app>
    signal appcontext_tearing_down (app, exc=None) <1 app>
    signal appcontext_popped (app) <1>
    """
)
def an_app_context_pushed_twice(framework, app, log):
    teardowns(app, log)
    context = app.app_context()
    context.push()
    context.push()
    context.pop()
    log("still inside")
    context.pop()


@classic(
    """
    signal appcontext_pushed (app) <1 app>
    signal appcontext_pushed (app) <2 app />
    inner None <2 app />
    teardown appcontext (None) <2 app />
    signal appcontext_tearing_down (app, exc=None) <2 app />
    signal appcontext_popped (app) <2 app />
    outer 'outer' <1 app />
    teardown request (None) <1 app />
    signal request_tearing_down (app, exc=None) <1 app />
    teardown appcontext (None) <1 app>
    signal appcontext_tearing_down (app, exc=None) <1 app>
    signal appcontext_popped (app) <1>
    """
)
def an_app_context_in_a_request(framework, app, log):
    teardowns(app, log)
    with app.test_request_context("/"):
        framework.g.name = "outer"
        with app.app_context():
            log("inner", framework.g.get("name"))
        log("outer", framework.g.get("name"))


@classic(
    """
    signal appcontext_pushed (app) <1 app>
    inner 'outer' <1 app />
    teardown request (None) <1 app />
    signal request_tearing_down (app, exc=None) <1 app />
    outer 'outer' <1 app>
    teardown appcontext (None) <1 app>
    signal appcontext_tearing_down (app, exc=None) <1 app>
    signal appcontext_popped (app) <1>
    """
)
def a_request_in_an_app_context(framework, app, log):
    teardowns(app, log)
    with app.app_context():
        framework.g.name = "outer"
        with app.test_request_context("/"):
            log("inner", framework.g.get("name"))
        log("outer", framework.g.get("name"))


@classic(
    """
    signal appcontext_pushed (app) <1 app>
    signal appcontext_pushed (other) <2 other /outer>
    inner <2 other /inner>
    teardown request (None) <2 other /inner>
    signal request_tearing_down (other, exc=None) <2 other /inner>
    teardown appcontext (None) <2 other /outer>
    signal appcontext_tearing_down (other, exc=None) <2 other /outer>
    signal appcontext_popped (other) <2 app /outer>
    outer <1 app /outer>
    teardown request (None) <1 app /outer>
    signal request_tearing_down (app, exc=None) <1 app /outer>
    teardown appcontext (None) <1 app>
    signal appcontext_tearing_down (app, exc=None) <1 app>
    signal appcontext_popped (app) <1>
    """
)
def a_request_in_a_request_of_another_application(framework, app, log):
    other = framework.Flask("other")
    teardowns(app, log)
    teardowns(other, log)
    with app.test_request_context("/outer"):
        with other.test_request_context("/inner"):
            log("inner")
        log("outer")


@classic(
    """
    signal appcontext_pushed (app) <1 app>
    open session <1 app />
    signal request_started (app) <1 app />
    values ('view', {}) <1 app />
    before () <1 app />
    view () <1 app />
    after (200 OK) <1 app />
    save session 200 OK <1 app />
    signal request_finished (app, response=200 OK) <1 app />
    teardown request (None) <1 app />
    signal request_tearing_down (app, exc=None) <1 app />
    teardown appcontext (None) <1 app>
    signal appcontext_tearing_down (app, exc=None) <1 app>
    signal appcontext_popped (app) <1>
    got 200 for / <>
    """
)
def the_session_is_opened_at_push(framework, app, log):
    app.session_interface = recording_sessions(framework, log)
    app.url_value_preprocessor(log.on_def("values"))
    app.before_request(log.on("before"))
    app.route("/")(log.on("view", lambda: "view"))
    app.after_request(log.on("after", passing))
    teardowns(app, log)
    get(log, app.test_client(), "/")


@classic(
    """
    signal appcontext_pushed (app) <1 app>
    session 1 <1 app />
    signal request_tearing_down (app, exc=None) <1 app />
    signal appcontext_tearing_down (app, exc=None) <1 app>
    signal appcontext_popped (app) <1>
    """
)
def a_session_that_was_given_is_not_opened(framework, app, log):
    app.session_interface = recording_sessions(framework, log)
    environ = framework.testing.EnvironBuilder(app, "/").get_environ()
    context = framework.ctx.RequestContext(app, environ, session={"a": 1})
    with context:
        log("session", framework.session["a"])


@classic(
    """
    signal appcontext_pushed (app) <1 app>
    same True True <1 app />
    teardown request (None) <1 app />
    signal request_tearing_down (app, exc=None) <1 app />
    teardown appcontext (None) <1 app>
    signal appcontext_tearing_down (app, exc=None) <1 app>
    signal appcontext_popped (app) <1>
    signal appcontext_pushed (app) <1 app>
    inside the copy 1 <1 app />
    teardown request (None) <1 app />
    signal request_tearing_down (app, exc=None) <1 app />
    teardown appcontext (None) <1 app>
    signal appcontext_tearing_down (app, exc=None) <1 app>
    signal appcontext_popped (app) <1>
    """
)
def a_copied_context(framework, app, log):
    teardowns(app, log)
    with app.test_request_context("/") as context:
        framework.session["a"] = 1
        copied = context.copy()
        log("same", copied.request is context.request, copied.session is context.session)
    with copied:
        log("inside the copy", framework.session["a"])


@classic(
    """
    signal appcontext_pushed (app) <1 app>
    inside True <1 app />
    signal request_tearing_down (app, exc=None) <1 app />
    signal appcontext_tearing_down (app, exc=None) <1 app>
    signal appcontext_popped (app) <1>
    after None <>
    """
)
def the_environ_lets_go_of_the_request(framework, app, log):
    context = app.test_request_context("/")
    environ = context.request.environ
    with context:
        log("inside", environ["werkzeug.request"] is context.request)
    log("after", environ["werkzeug.request"])


@classic(
    """
    signal appcontext_pushed (app) <1 app>
    first () <1 app />
    signal request_started (app) <1 app />
    before () <1 app />
    view () <1 app />
    after (200 OK) <1 app />
    signal request_finished (app, response=200 OK) <1 app />
    response 200 OK <1 app />
    teardown request (None) <1 app />
    signal request_tearing_down (app, exc=None) <1 app />
    teardown appcontext (None) <1 app>
    signal appcontext_tearing_down (app, exc=None) <1 app>
    signal appcontext_popped (app) <1>
    """
)
def full_dispatch_by_hand(framework, app, log):
    app.before_first_request(log.on("first"))
    app.before_request(log.on("before"))
    app.route("/")(log.on("view", lambda: "view"))
    app.after_request(log.on("after", passing))
    teardowns(app, log)
    with app.test_request_context("/"):
        log("response", app.full_dispatch_request())


@classic(
    """
    signal appcontext_pushed (app) <1 app>
    signal request_started (app) <1 app />
    view () <1 app />
    signal request_finished (app, response=200 OK) <1 app />
    chunk 'a' <1 app />
    chunk 'b' <1 app />
    generator closed <1 app />
    teardown request (None) <1 app />
    signal request_tearing_down (app, exc=None) <1 app />
    teardown appcontext (None) <1 app>
    signal appcontext_tearing_down (app, exc=None) <1 app>
    signal appcontext_popped (app) <1>
    body b'ab' <>
    """
)
def a_stream_with_the_request(framework, app, log):
    def view():
        return framework.Response(framework.stream_with_context(log.chunks("a", "b")))

    app.route("/")(log.on_def("view", view))
    teardowns(app, log)
    response = app.test_client().get("/")
    log("body", response.get_data())


@classic(
    """
    signal appcontext_pushed (app) <1 app>
    signal request_started (app) <1 app /outer>
    outer () <1 app /outer>
    signal request_started (app) <1 app /inner>
    inner () <1 app /inner>
    signal request_finished (app, response=200 OK) <1 app /inner>
    teardown request (None) <1 app /inner>
    signal request_tearing_down (app, exc=None) <1 app /inner>
    got 200 for /inner <1 app /outer>
    signal request_finished (app, response=200 OK) <1 app /outer>
    teardown request (None) <1 app /outer>
    signal request_tearing_down (app, exc=None) <1 app /outer>
    teardown appcontext (None) <1 app>
    signal appcontext_tearing_down (app, exc=None) <1 app>
    signal appcontext_popped (app) <1>
    got 200 for /outer <>
    """
)
def a_client_in_a_view(framework, app, log):
    app.route("/inner")(log.on_def("inner", lambda: "inner"))
    app.route("/outer")(log.on_def("outer", lambda: get(log, app.test_client(), "/inner") or framework.request.path))
    teardowns(app, log)
    get(log, app.test_client(), "/outer")


@classic(
    """
    signal appcontext_pushed (app) <1 app>
    signal request_started (app) <1 app />
    view () <1 app />
    signal got_request_exception (app, exception=Boom(from the view)) <1 app />
    logged ERROR Boom(from the view) <1 app />
    handler (500 Internal Server Error) <1 app />
    after (500 INTERNAL SERVER ERROR) <1 app />
    signal request_finished (app, response=500 INTERNAL SERVER ERROR) <1 app />
    teardown request (Boom(from the view)) <1 app />
    signal request_tearing_down (app, exc=Boom(from the view)) <1 app />
    teardown appcontext (Boom(from the view)) <1 app>
    signal appcontext_tearing_down (app, exc=Boom(from the view)) <1 app>
    signal appcontext_popped (app) <1>
    got 500 for / <>
    """
)
def errors_by_signal_handler_and_teardown(framework, app, log):
    app.route("/")(log.on("view", raising(Boom("from the view"))))
    app.register_error_handler(500, log.on("handler", lambda error: ("handled", 500)))
    app.after_request(log.on("after", passing))
    teardowns(app, log)
    get(log, app.test_client(), "/")


@classic(
    """
    <RequestContext 'http://localhost/page' [POST] of app> <>
    None <>
    """
)
def repr_of_the_contexts(framework, app, log):
    log(repr(app.test_request_context("/page", method="POST")))
    log(repr(framework._request_ctx_stack.top))


@classic(
    """
    values list('session', 'False', 'None', '31 days, 0:00:00') <>
    config 'other' True <>
    """,
    only=("2.1.3", "2.2.5"),
)
def settings_that_were_attributes(framework, app, log):
    names = ["session_cookie_name", "use_x_sendfile", "send_file_max_age_default", "permanent_session_lifetime"]
    log("values", [str(getattr(app, name)) for name in names])
    app.session_cookie_name = "other"
    app.use_x_sendfile = True
    log("config", app.config["SESSION_COOKIE_NAME"], app.config["USE_X_SENDFILE"])


@classic(
    """
    signal appcontext_pushed (app) <1 app>
    signal request_started (app) <1 app />
    view () <1 app />
    signal request_finished (app, response=200 OK) <1 app />
    got 200 for / <1 app />
    kept <1 app />
    teardown request (None) <1 app />
    signal request_tearing_down (app, exc=None) <1 app />
    teardown appcontext (None) <1 app>
    signal appcontext_tearing_down (app, exc=None) <1 app>
    signal appcontext_popped (app) <1>
    signal appcontext_pushed (app) <1 app>
    other <1 app /other>
    teardown request (None) <1 app /other>
    signal request_tearing_down (app, exc=None) <1 app /other>
    teardown appcontext (None) <1 app>
    signal appcontext_tearing_down (app, exc=None) <1 app>
    signal appcontext_popped (app) <1>
    none <>
    """,
    only=("1.1.4", "2.1.3"),
)
def a_preserved_context_ends_when_another_one_is_pushed(framework, app, log):
    app.route("/")(log.on("view", lambda: "view"))
    teardowns(app, log)
    with app.test_client() as client:
        get(log, client, "/")
        log("kept")
        with app.test_request_context("/other"):
            log("other")
        log("none")


@classic(
    """
    pushed True True <app />
    popped True True <>
    """
)
def contexts_pushed_on_the_stacks_by_tools(framework, app, log):
    requests, apps = framework._request_ctx_stack, framework._app_ctx_stack
    teardowns(app, log)
    context, app_context = app.test_request_context("/"), app.app_context()
    apps.push(app_context)
    requests.push(context)
    log("pushed", requests.top is context, apps.top is app_context)
    log("popped", requests.pop() is context, apps.pop() is app_context)


@classic(
    """
    signal appcontext_pushed (app) <1 app>
    signal request_started (app) <1 app /first>
    view (name='first') <1 app /first>
    signal request_finished (app, response=200 OK) <1 app /first>
    got 200 for /first <1 app /first>
    teardown request (None) <1 app /first>
    signal request_tearing_down (app, exc=None) <1 app /first>
    teardown appcontext (None) <1 app>
    signal appcontext_tearing_down (app, exc=None) <1 app>
    signal appcontext_popped (app) <1>
    signal appcontext_pushed (app) <1 app>
    signal request_started (app) <1 app /second>
    view (name='second') <1 app /second>
    signal request_finished (app, response=200 OK) <1 app /second>
    got 200 for /second <1 app /second>
    kept <1 app /second>
    teardown request (None) <1 app /second>
    signal request_tearing_down (app, exc=None) <1 app /second>
    teardown appcontext (None) <1 app>
    signal appcontext_tearing_down (app, exc=None) <1 app>
    signal appcontext_popped (app) <1>
    """,
    only=("1.1.4", "2.1.3"),
)
def one_preserved_context_for_two_clients(framework, app, log):
    app.route("/<name>")(log.on("view", lambda name: name))
    teardowns(app, log)
    with app.test_client() as first, app.test_client() as second:
        get(log, first, "/first")
        get(log, second, "/second")
        log("kept")


@classic(
    """
    signal appcontext_pushed (app) <1 app>
    open session <1 app /1>
    signal request_started (app) <1 app /1>
    view (number=1) <1 app /1>
    save session 200 OK <1 app /1>
    signal request_finished (app, response=200 OK) <1 app /1>
    signal request_tearing_down (app, exc=None) <1 app /1>
    signal appcontext_tearing_down (app, exc=None) <1 app>
    signal appcontext_popped (app) <1>
    got 200 for /1 <>
    signal appcontext_pushed (app) <1 app>
    open session <1 app /2>
    signal request_started (app) <1 app /2>
    view (number=2) <1 app /2>
    save session 200 OK <1 app /2>
    signal request_finished (app, response=200 OK) <1 app /2>
    signal request_tearing_down (app, exc=None) <1 app /2>
    signal appcontext_tearing_down (app, exc=None) <1 app>
    signal appcontext_popped (app) <1>
    got 200 for /2 <>
    signal appcontext_pushed (app) <1 app>
    open session <1 app /3>
    signal request_started (app) <1 app /3>
    view (number=3) <1 app /3>
    save session 200 OK <1 app /3>
    signal request_finished (app, response=200 OK) <1 app /3>
    number 1 <1 app /3>
    signal request_tearing_down (app, exc=None) <1 app /3>
    signal appcontext_tearing_down (app, exc=None) <1 app>
    signal appcontext_popped (app) <1>
    """,
    only=("1.1.4", "2.1.3"),
)
def the_session_of_a_client(framework, app, log):
    app.session_interface = recording_sessions(framework, log)
    app.route("/<int:number>")(log.on("view", lambda number: str(framework.session.setdefault("number", number))))
    client = app.test_client()
    get(log, client, "/1")
    get(log, client, "/2")
    with client:
        client.get("/3")
        log("number", framework.session["number"])
