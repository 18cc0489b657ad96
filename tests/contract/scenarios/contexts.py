"""Contexts pushed by hand and by the test client. Most of these are scripts: they drive the application themselves."""

from __future__ import annotations

import threading

from werkzeug.exceptions import Conflict

from ..recording import Boom, passing, raising, recording_sessions
from ..scenario import each, scenario


def teardowns(app, log):
    app.teardown_request(log.on("teardown request"))
    app.teardown_appcontext(log.on("teardown appcontext"))


def attempt(log, function):
    """Call a function; note what it returns or raises."""
    try:
        log("returned", function())
    except Exception as error:
        log("raised", error)


# The application context


@scenario()
def app_context(framework, app, log):
    teardowns(app, log)
    log("before")
    with app.app_context() as context:
        log("inside", context.app is app, framework.current_app._get_current_object() is app)
    log("after")


@scenario()
def app_context_with_an_error(framework, app, log):
    teardowns(app, log)
    with app.app_context():
        log("inside")
        raise Boom("inside")


@scenario()
def app_context_pushed_and_popped(framework, app, log):
    teardowns(app, log)
    context = app.app_context()
    context.push()
    log("inside")
    context.pop()
    log("after")


@scenario()
def app_context_popped_while_an_error_is_handled(framework, app, log):
    teardowns(app, log)
    context = app.app_context()
    context.push()
    try:
        raise Boom("handled")
    except Boom:
        context.pop()


@scenario()
def app_context_popped_with_an_error(framework, app, log):
    teardowns(app, log)
    context = app.app_context()
    context.push()
    context.pop(Boom("given"))


@scenario()
def app_context_pushed_twice(framework, app, log):
    teardowns(app, log)
    context = app.app_context()
    with context:
        log("outer")
        with context:
            log("inner")
        log("outer again")


@scenario()
def app_context_entered_again_after_its_end(framework, app, log):
    teardowns(app, log)
    context = app.app_context()
    for number in (1, 2):
        with context:
            log("g", framework.g.get("a"))
            framework.g.a = number


@scenario()
def app_contexts_nested(framework, app, log):
    teardowns(app, log)
    with app.app_context():
        framework.g.a = "outer"
        with app.app_context():
            log("inner", framework.g.get("a"))
        log("outer", framework.g.get("a"))


@scenario()
def app_contexts_of_two_applications(framework, app, log):
    other = framework.Flask("other")
    for owner in (app, other):
        teardowns(owner, log)
    with app.app_context(), other.app_context():
        log("inner", framework.current_app.name)


@scenario()
def no_context(framework, app, log):
    for name in ("current_app", "g", "request", "session"):
        proxy = getattr(framework, name)
        attempt(log, lambda proxy=proxy: proxy.anything)
        attempt(log, lambda proxy=proxy: bool(proxy))
        attempt(log, lambda proxy=proxy: "unbound" in repr(proxy))
        attempt(log, lambda proxy=proxy: setattr(proxy, "anything", 1))


@scenario()
def an_app_context_alone_has_no_request(framework, app, log):
    with app.app_context():
        attempt(log, lambda: framework.request.path)
        attempt(log, lambda: framework.session.get("a"))
        attempt(log, lambda: framework.after_this_request(passing))
        attempt(log, lambda: framework.copy_current_request_context(passing))
        attempt(log, lambda: framework.flash("a"))
        attempt(log, lambda: framework.g.get("a", "default"))


@scenario()
def g(framework, app, log):
    g = framework.g
    with app.app_context():
        attempt(log, lambda: g.missing)
        attempt(log, lambda: g.get("missing"))
        attempt(log, lambda: g.pop("missing"))
        attempt(log, lambda: g.pop("missing", 1))
        attempt(log, lambda: g.setdefault("a", 2))
        attempt(log, lambda: ("a" in g, list(g), g.a, g.pop("a"), list(g)))
        attempt(log, lambda: delattr(g, "a"))


# The request context


@scenario()
def request_context(framework, app, log):
    app.session_interface = recording_sessions(framework, log)
    teardowns(app, log)
    app.before_request(log.on("before"))
    app.get("/page/<int:number>")(log.on("view", lambda number: f"{number}"))
    with app.test_request_context("/page/5?a=1", method="GET") as context:
        request = framework.request
        log("inside", request.endpoint, request.view_args, request.args["a"], context.request.path)
    log("after")


@scenario()
def request_context_of_an_unknown_url(framework, app, log):
    with app.test_request_context("/nowhere"):
        log("inside", framework.request.routing_exception, framework.request.url_rule, framework.request.endpoint)


OPTIONS = {
    "default": {},
    "path": {"path": "/page?a=1"},
    "json": {"json": {"a": 1}},
    "data": {"data": {"a": "1"}},
    "query string": {"query_string": {"a": "1"}},
    "base url": {"base_url": "https://example.com:8080/root/"},
    "subdomain": {"subdomain": "sub"},
    "scheme": {"url_scheme": "https"},
    "headers": {"headers": {"X-A": "1"}},
    "environ": {"environ_base": {"REMOTE_ADDR": "1.2.3.4"}},
    "base url and subdomain": {"base_url": "http://a.com", "subdomain": "b"},
    "url": {"path": "http://example.com/page?a=1"},
}


SERVER_NAMES = {"": None, ", with SERVER_NAME": "server.com"}


@each({key + also: (options, name) for key, options in OPTIONS.items() for also, name in SERVER_NAMES.items()})
def test_request_context(framework, app, log, row):
    options, app.config["SERVER_NAME"] = row
    request = framework.request
    try:
        with app.test_request_context(**options):
            log("url", request.url, request.method, request.get_data(), request.headers.get("X-A"), request.remote_addr)
    except Exception as error:
        log("raised", error)


@scenario()
def request_context_with_an_error(framework, app, log):
    teardowns(app, log)
    with app.test_request_context("/"):
        raise Boom("inside")


@scenario()
def request_context_popped_while_an_error_is_handled(framework, app, log):
    teardowns(app, log)
    context = app.test_request_context("/")
    context.push()
    try:
        raise Boom("handled")
    except Boom:
        context.pop()


@scenario()
def request_context_popped_with_an_error(framework, app, log):
    teardowns(app, log)
    context = app.test_request_context("/")
    context.push()
    context.pop(Boom("given"))


@scenario()
def request_contexts_nested(framework, app, log):
    teardowns(app, log)
    with app.test_request_context("/outer"):
        framework.g.a = "outer"
        with app.test_request_context("/inner"):
            log("inner", framework.g.get("a"))
        log("outer", framework.g.get("a"))


@scenario()
def request_context_in_an_app_context(framework, app, log):
    teardowns(app, log)
    with app.app_context():
        framework.g.a = "outer"
        with app.test_request_context("/inner"):
            log("inner", framework.g.get("a"))
            framework.g.b = "inner"
        log("outer", framework.g.get("b"))


@scenario()
def request_context_in_an_app_context_of_another_application(framework, app, log):
    other = framework.Flask("other")
    for owner in (app, other):
        teardowns(owner, log)
    with other.app_context(), app.test_request_context("/inner"):
        log("inside", framework.current_app.name)


@scenario()
def app_context_in_a_request_context(framework, app, log):
    teardowns(app, log)
    with app.test_request_context("/outer"):
        framework.g.a = "outer"
        with app.app_context():
            log("inner", framework.request.path, framework.g.get("a"))
        log("outer", framework.g.get("a"))


@scenario()
def request_context_pushed_twice(framework, app, log):
    teardowns(app, log)
    context = app.test_request_context("/")
    with context:
        log("outer")
        with context:
            log("inner")
        log("outer again")


@scenario()
def request_context_entered_again_after_its_end(framework, app, log):
    teardowns(app, log)
    context = app.test_request_context("/")
    for number in (1, 2):
        with context:
            log("g", framework.g.get("a"))
            framework.g.a = number


@scenario()
def pushed_and_popped_in_the_wrong_order(framework, app, log):
    first, second = app.app_context(), app.app_context()
    first.push()
    second.push()
    for context in (first, second, first):
        attempt(log, context.pop)


@scenario()
def popped_without_a_push(framework, app, log):
    attempt(log, app.app_context().pop)
    attempt(log, app.test_request_context("/").pop)


@scenario()
def a_request_by_hand(framework, app, log):
    app.session_interface = recording_sessions(framework, log)
    teardowns(app, log)
    app.before_request(log.on("before"))
    app.get("/")(log.on("view", lambda: "view"))
    app.after_request(log.on("after", passing))
    with app.test_request_context("/"):
        log("dispatched", app.full_dispatch_request())


def while_handling(error, function):
    """Call a function with an error while the error is handled."""
    try:
        raise error
    except type(error):
        return function(error)


STEPS = {
    "preprocess": lambda app: app.preprocess_request(),
    "dispatch": lambda app: app.dispatch_request(),
    "process response": lambda app: app.process_response(app.response_class("a")),
    "make response": lambda app: app.make_response(("a", 201)),
    "finalize": lambda app: app.finalize_request("a"),
    "finalize an error": lambda app: app.finalize_request("a", from_error_handler=True),
    "user exception": lambda app: while_handling(Boom("by hand"), app.handle_user_exception),
    "http exception": lambda app: app.handle_http_exception(Conflict()),
    "exception": lambda app: while_handling(Boom("by hand"), app.handle_exception),
    "options": lambda app: app.make_default_options_response(),
    "teardown request": lambda app: app.do_teardown_request(Boom("by hand")),
    "teardown appcontext": lambda app: app.do_teardown_appcontext(Boom("by hand")),
    "full dispatch": lambda app: app.full_dispatch_request(),
    "create_url_adapter": lambda app: app.create_url_adapter(None),
    "ensure_sync": lambda app: app.ensure_sync(lambda: "sync")(),
    "url_for": lambda app: app.url_for("view", _external=True),
}


@each(STEPS)
def a_step_by_hand(framework, app, log, step):
    app.session_interface = recording_sessions(framework, log)
    teardowns(app, log)
    app.before_request(log.on("before 1"))
    app.before_request(log.on("before 2", lambda: None))
    app.get("/")(log.on("view", lambda: "view"))
    app.after_request(log.on("after", passing))
    with app.test_request_context("/"):
        attempt(log, lambda: step(app))


# The test client


@scenario()
def a_client_in_a_with_block(framework, app, log):
    teardowns(app, log)
    app.get("/<name>")(log.on("view", lambda name: f"{framework.session.setdefault('a', name)}"))
    with app.test_client() as client:
        log("first", client.get("/first"))
        log("kept", framework.request.path, framework.session["a"], framework.g.get("a"))
        log("second", client.get("/second"))
        log("kept", framework.request.path)
    log("after")


@scenario()
def a_client_in_a_with_block_without_a_request(framework, app, log):
    teardowns(app, log)
    with app.test_client():
        log("inside")
    log("after")


@scenario()
def a_client_in_a_with_block_and_a_failing_view(framework, app, log):
    teardowns(app, log)
    app.get("/")(log.on("view", raising(Boom("from the view"))))
    with app.test_client() as client:
        log("response", client.get("/"))
        log("kept")
    log("after")


@scenario()
def a_client_in_a_with_block_and_an_error_that_propagates(framework, app, log):
    app.testing = True
    teardowns(app, log)
    app.get("/")(log.on("view", raising(Boom("from the view"))))
    with app.test_client() as client:
        attempt(log, lambda: client.get("/"))
        log("kept")
    log("after")


@scenario()
def a_client_entered_twice(framework, app, log):
    with app.test_client() as client:
        attempt(log, client.__enter__)


@scenario()
def a_client_in_an_app_context(framework, app, log):
    teardowns(app, log)
    app.get("/")(log.on("view", lambda: f"{framework.g.get('a')}"))
    with app.app_context():
        framework.g.a = "outer"
        log("response", app.test_client().get("/").text)
        log("inside")


@scenario()
def a_client_in_an_app_context_of_another_application(framework, app, log):
    other = framework.Flask("other")
    teardowns(app, log)
    app.get("/")(log.on("view", lambda: framework.current_app.name))
    with other.app_context():
        log("response", app.test_client().get("/").text)


@scenario()
def a_client_in_a_request_context(framework, app, log):
    teardowns(app, log)
    app.get("/")(log.on("view", lambda: f"{framework.g.get('a')}"))
    with app.test_request_context("/outer"):
        framework.g.a = "outer"
        log("response", app.test_client().get("/").text)
        log("inside", framework.request.path)


@scenario("GET /outer")
def a_client_in_a_view(framework, app, log):
    def view():
        answer = app.test_client().get("/inner").text
        log("answered", answer)
        return f"{framework.request.path} {answer}"

    teardowns(app, log)
    app.get("/outer")(log.on_def("outer", view))
    app.get("/inner")(log.on_def("inner", lambda: framework.request.path))


@scenario("GET /outer")
def a_client_of_another_application_in_a_view(framework, app, log):
    other = framework.Flask("other")
    for owner in (app, other):
        teardowns(owner, log)
    other.get("/inner")(log.on_def("inner", lambda: framework.current_app.name))
    get = lambda: f"{other.test_client().get('/inner').text} {framework.current_app.name}"  # noqa: E731
    app.get("/outer")(log.on_def("outer", get))


@scenario("GET /")
def contexts_pushed_in_a_view(framework, app, log):
    def view():
        with app.app_context():
            log("app context", framework.request.path)
        with app.test_request_context("/other"):
            log("request context", framework.request.path)
        return framework.request.path

    teardowns(app, log)
    app.get("/")(log.on_def("view", view))


@scenario()
def a_session_transaction(framework, app, log):
    app.session_interface = recording_sessions(framework, log)
    teardowns(app, log)
    app.get("/")(log.on("view", lambda: {"a": framework.session.get("a")}))
    client = app.test_client()
    with client.session_transaction() as session:
        session["a"] = 1
        log("inside")
    log("response", client.get("/").json)


@scenario()
def session_transactions_that_can_not_be(framework, app, log):
    attempt(log, lambda: app.test_client(use_cookies=False).session_transaction().__enter__())
    app.secret_key = None
    attempt(log, lambda: app.test_client().session_transaction().__enter__())


@scenario()
def a_client_in_a_session_transaction(framework, app, log):
    app.get("/")(log.on("view", lambda: str(framework.session.setdefault("b", 1))))
    with app.test_client() as client:
        client.get("/")
        with client.session_transaction() as session:
            session["a"] = 1
        log("kept", framework.request.path)
        client.get("/")
        log("session", sorted(framework.session))


REQUESTED = {
    "path": lambda f, client: client.get("/echo"),
    "query": lambda f, client: client.get("/echo", query_string={"a": "ü"}),
    "json": lambda f, client: client.post("/echo", json={"a": 1}),
    "data": lambda f, client: client.post("/echo", data={"a": "1"}),
    "headers": lambda f, client: client.get("/echo", headers={"X-A": "1"}),
    "url": lambda f, client: client.get("https://example.com:8080/echo"),
    "base url": lambda f, client: client.get("/echo", base_url="http://example.com/root"),
    "builder": lambda f, client: client.open(f.testing.EnvironBuilder(client.application, "/echo", method="PUT")),
    "environ": lambda f, client: client.open(f.testing.EnvironBuilder(client.application, "/echo").get_environ()),
    "request": lambda f, client: client.open(f.testing.EnvironBuilder(client.application, "/echo").get_request()),
    "auth": lambda f, client: client.get("/echo", auth=("user", "password")),
    "environ_base": lambda f, client: client.get("/echo", environ_base={"REMOTE_ADDR": "1.2.3.4"}),
    "environ_overrides": lambda f, client: client.get("/echo", environ_overrides={"REMOTE_ADDR": "1.2.3.4"}),
    "subdomain": lambda f, client: client.get("/echo", subdomain="sub"),
}


@each(REQUESTED)
def what_a_client_sends(framework, app, log, send):
    def echo():
        request = framework.request
        agent = request.user_agent.string.partition("/")[0]
        sent = [request.method, request.url, request.get_data(as_text=True), request.remote_addr, agent]
        return [*sent, request.headers.get("X-A"), request.content_type, str(request.authorization)]

    app.route("/echo", methods=["GET", "POST", "PUT"])(log.on("echo", echo))
    response = send(framework, app.test_client())
    log("response", response.json, response.request.path)


# Threads and copies


@scenario("GET /")
def a_thread_has_no_context(framework, app, log):
    def view():
        thread = threading.Thread(target=log, args=("thread",))
        thread.start()
        thread.join()
        return "view"

    app.get("/")(log.on_def("view", view))


@scenario("GET /")
def a_thread_with_a_copied_context(framework, app, log):
    def view():
        framework.g.a = "view"
        copied = framework.copy_current_request_context(lambda: log("thread", framework.request.path))
        thread = threading.Thread(target=copied)
        thread.start()
        thread.join()
        return "view"

    teardowns(app, log)
    app.get("/")(log.on_def("view", view))


@scenario()
def signals_of_a_context_that_was_copied(framework, app, log):
    teardowns(app, log)
    with app.test_request_context("/") as context:
        with context.copy():
            log("copy", framework.request is context.request)
        log("original")


@scenario("GET /")
def preserved_while_debugging(framework, app, log):
    app.debug = True
    teardowns(app, log)
    app.get("/")(log.on("view", raising(Boom("from the view"))))


# The command line


@scenario()
def a_command(framework, app, log):
    teardowns(app, log)
    app.cli.command("hello")(log.on_def("command"))
    log("exit", app.test_cli_runner().invoke(args=["hello"]).exit_code)


@scenario()
def a_failing_command(framework, app, log):
    teardowns(app, log)
    app.cli.command("hello")(log.on_def("command", raising(Boom("from the command"))))
    result = app.test_cli_runner().invoke(args=["hello"])
    log("exit", result.exit_code, result.exception)


@scenario()
def a_command_of_a_blueprint(framework, app, log):
    blueprint = framework.Blueprint("inner", "app")
    blueprint.cli.command("hello")(log.on_def("command"))
    app.register_blueprint(blueprint)
    log("exit", app.test_cli_runner().invoke(args=["inner", "hello"]).exit_code)
