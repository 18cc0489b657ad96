"""flaskctx/asgi/answer.py: responses that are WSGI applications of their own kind."""

from __future__ import annotations

import pytest

from flaskctx import Response
from flaskctx.bridge.loops import loop_is_running


class Generating(Response):
    """Its `__call__` is a generator: nothing is called, `start_response` neither, before the body is iterated."""

    def __call__(self, environ, start_response):
        body, status, headers = self.get_wsgi_response(environ)
        start_response(status, headers)
        yield from body


class Writing(Response):
    def __call__(self, environ, start_response):
        write = start_response("201 CREATED", [("X-Kind", "writing")])
        write(b"written, ")
        return [b"returned"]


class Replacing(Response):
    def __call__(self, environ, start_response):
        start_response("200 OK", [])
        try:
            raise ValueError("on second thoughts")
        except ValueError as error:
            start_response("409 CONFLICT", [], (ValueError, error, None))
        return [b"", b"replaced"]


@pytest.mark.parametrize(
    ("response_class", "status", "text"),
    [(Generating, 200, "hello"), (Writing, 201, "written, returned"), (Replacing, 409, "replaced")],
)
def test_a_class_with_its_own_call_is_served_as_the_wsgi_application_that_it_is(
    app, server, colour, response_class, status, text
):
    app.get("/")(colour(lambda: response_class("hello")))
    answer = server.get("/")
    assert (answer.status_code, answer.text) == (status, text)


def test_its_body_is_closed_once(app, server, colour):
    closed = []

    class Closing(Response):
        def __call__(self, environ, start_response):
            start_response("200 OK", [])
            return self

        def __iter__(self):
            return iter([b"x"])

        def close(self):
            closed.append(True)

    app.get("/")(colour(lambda: Closing()))
    assert server.get("/").text == "x"
    assert closed == [True]


@pytest.mark.worlds("asgi-asyncio")
def test_white_space_around_the_value_of_a_header_is_not_sent(app, server):
    # uvicorn with h11, and hypercorn, would close the connection without an answer
    app.get("/")(lambda: ("x", {"X-Policy": " a 'self'; b\t "}))
    assert server.get("/").headers["X-Policy"] == "a 'self'; b"


class Overriding(Response):
    """Notes for each of its functions whether it was called where an event loop runs."""

    called = ()

    def note(self, name):
        self.called = (*self.called, (name, loop_is_running()))

    def get_wsgi_headers(self, environ):
        self.note("headers")
        headers = super().get_wsgi_headers(environ)
        headers["X-Called"] = repr(self.called)
        return headers

    def get_wsgi_response(self, environ):
        self.note("response")
        return super().get_wsgi_response(environ)


class OverridingCall(Overriding):
    def __call__(self, environ, start_response):
        self.note("call")
        return super().__call__(environ, start_response)


@pytest.mark.parametrize(
    ("response_class", "names"),
    [(Overriding, ("response", "headers")), (OverridingCall, ("call", "response", "headers"))],
)
@pytest.mark.parametrize("raised", [False, True])
def test_a_class_with_functions_of_its_own_has_them_called_where_they_may_block(
    app, server, colour, response_class, names, raised
):
    app.response_class = response_class

    @app.get("/")
    @colour
    def view():
        if raised:
            raise LookupError
        return "hello"

    app.register_error_handler(500, colour(lambda error: "sorry"))
    answer = server.get("/")
    assert answer.text == ("sorry" if raised else "hello")
    assert answer.headers["X-Called"] == repr(tuple((name, False) for name in names))


def test_an_error_in_such_a_function_is_a_500(app, server, colour):
    class Failing(Response):
        def get_wsgi_headers(self, environ):
            raise LookupError("in the response")

    app.get("/")(colour(lambda: Failing("hello")))
    assert server.get("/").status_code == 500


@pytest.mark.worlds("asgi-asyncio", "asgi-trio")
def test_a_response_without_functions_of_its_own_needs_no_thread(app, server):
    @app.get("/")
    async def view():
        return Response("hello", headers={"Location": "/ü"})

    assert server.get("/").text == "hello"
    assert app.worker_pool.workers == []


def test_a_streamed_response_with_headers_of_its_own_may_have_an_async_body(app, server, colour):
    class Marked(Response):
        def get_wsgi_headers(self, environ):
            headers = super().get_wsgi_headers(environ)
            headers["X-Mark"] = "marked"
            return headers

    async def chunks():
        yield "one, "
        yield "two"

    app.response_class = Marked
    app.get("/")(colour(lambda: chunks()))
    answer = server.get("/")
    assert (answer.text, answer.headers["X-Mark"]) == ("one, two", "marked")
