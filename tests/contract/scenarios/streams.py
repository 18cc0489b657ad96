"""Bodies that are generated while they are sent, with and without the request."""

from __future__ import annotations

from ..recording import Boom, passing
from ..scenario import each, scenario


def hooks(app, log):
    app.after_request(log.on("after", passing))
    app.teardown_request(log.on("teardown request"))
    app.teardown_appcontext(log.on("teardown appcontext"))


@scenario("GET /", "HEAD /")
def a_generator(framework, app, log):
    hooks(app, log)
    app.get("/")(log.on("view", lambda: log.chunks("a", "b")))


@scenario("GET /", "HEAD /", "GET /")
def a_generator_with_the_request(framework, app, log):
    hooks(app, log)
    app.get("/")(log.on("view", lambda: framework.stream_with_context(log.chunks("a", "b"))))


@scenario("GET /")
def a_generator_function_with_the_request(framework, app, log):
    @framework.stream_with_context
    def generate(*chunks):
        yield from log.chunks(*chunks)

    hooks(app, log)
    app.get("/")(log.on("view", lambda: generate("a", framework.request.path)))


@scenario("GET /")
def a_generator_that_is_not_started_at_once(framework, app, log):
    def generate():
        log("started")
        yield framework.request.path

    hooks(app, log)
    app.get("/")(log.on("view", lambda: framework.stream_with_context(generate())))


@scenario("GET /")
def a_generator_that_wants_the_request_it_was_not_given(framework, app, log):
    def generate():
        yield "a"
        yield framework.request.path

    hooks(app, log)
    app.get("/")(log.on("view", generate))


FAILING = {"at once": (Boom("at once"),), "later": ("a", Boom("later"))}


@each(FAILING, "GET /", "GET /with")
def a_generator_fails(framework, app, log, chunks):
    hooks(app, log)
    app.get("/")(log.on("view", lambda: log.chunks(*chunks)))
    app.get("/with")(log.on("view with", lambda: framework.stream_with_context(log.chunks(*chunks))))


@scenario("GET /")
def a_generator_changes_g_and_session(framework, app, log):
    def generate():
        framework.g.a = 1
        yield "a"
        log("g", framework.g.a)
        framework.session["late"] = True
        yield "b"

    hooks(app, log)
    app.get("/")(log.on("view", lambda: framework.stream_with_context(generate())))
    app.teardown_appcontext(log.on("g at the end", lambda error: log("g", framework.g.get("a"))))


CLOSING = {
    "text": lambda f, log: f.Response("text"),
    "generator": lambda f, log: f.Response(log.chunks("a", "b")),
    "generator with the request": lambda f, log: f.Response(f.stream_with_context(log.chunks("a", "b"))),
    "direct passthrough": lambda f, log: f.Response(log.chunks(b"a", b"b"), direct_passthrough=True),
    "not modified": lambda f, log: f.Response(log.chunks("a"), 304),
    "no content": lambda f, log: f.Response(log.chunks("a"), 204),
}


@each(CLOSING, "GET /", "HEAD /")
def call_on_close(framework, app, log, make):
    def view():
        response = make(framework, log)
        response.call_on_close(lambda: log("closed 1"))
        response.call_on_close(lambda: log("closed 2"))
        return response

    hooks(app, log)
    app.get("/")(log.on("view", view))


@scenario("GET /")
def an_after_hook_reads_a_streamed_body(framework, app, log):
    def after(response):
        log("body", response.get_data())
        return response

    app.get("/")(log.on("view", lambda: log.chunks("a", "b")))
    app.after_request(log.on("after", after))
    app.teardown_request(log.on("teardown"))


@scenario("GET /")
def an_after_hook_drops_a_streamed_body(framework, app, log):
    app.get("/")(log.on("view", lambda: framework.Response(log.chunks("a", "b"))))
    app.after_request(log.on("after", lambda response: framework.Response("replaced")))
    app.teardown_request(log.on("teardown"))


@scenario("GET /")
def chunks_of_every_kind(framework, app, log):
    app.get("/")(log.on("view", lambda: log.chunks("ü", b"\xff", "", b"", "end")))


@scenario()
def stream_with_context_outside_of_a_request(framework, app, log):
    with app.app_context():
        try:
            framework.stream_with_context(log.chunks("a"))
        except RuntimeError as error:
            log("raised", error)


@scenario()
def a_client_that_closes_early(framework, app, log):
    hooks(app, log)
    app.get("/")(log.on_def("view", lambda: log.chunks("a", "b", "c")))
    response = app.test_client().get("/")
    log("first", next(iter(response.response)))
    response.close()
    log("closed")


@scenario()
def a_client_that_closes_early_a_stream_with_the_request(framework, app, log):
    hooks(app, log)
    app.get("/")(log.on_def("view", lambda: framework.stream_with_context(log.chunks("a", "b", "c"))))
    response = app.test_client().get("/")
    log("first", next(iter(response.response)))
    response.close()
    log("closed")
