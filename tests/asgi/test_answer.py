"""flaskctx/asgi/answer.py: responses that are WSGI applications of their own kind."""

from __future__ import annotations

import pytest

from flaskctx import Response


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
