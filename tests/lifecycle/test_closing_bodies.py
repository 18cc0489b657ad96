"""The end of a streamed response: each step of it is taken, once, whatever becomes of the others."""

from __future__ import annotations

import anyio
import pytest
from werkzeug.test import create_environ

from flaskctx import Response, stream_with_context


class Body:
    """An iterable that fails where it is told to, and notes when it is closed."""

    def __init__(self, log, fails):
        self.log, self.fails = log, fails
        self.chunks = iter(["one, ", "two"])

    def note(self, event):
        self.log.append(event)
        if event in self.fails:
            raise LookupError(event)


class DefBody(Body):
    def __iter__(self):
        return self.chunks

    def close(self):
        self.note("body")


class AsyncBody(Body):
    def __aiter__(self):
        return self

    async def __anext__(self):
        await anyio.sleep(0)
        for chunk in self.chunks:
            return chunk
        raise StopAsyncIteration

    async def aclose(self):
        await anyio.sleep(0)
        self.note("body")


@pytest.fixture(params=[DefBody, AsyncBody])
def serve(request, app, server, colour):
    """Serve a stream with two functions of call_on_close and a teardown; return the log."""

    def serve(*fails):
        log = []

        def note(event):
            log.append(event)
            if event in fails:
                raise LookupError(event)

        @app.get("/")
        def view():
            response = Response(stream_with_context(request.param(log, fails)))
            response.call_on_close(lambda: note("first function"))
            response.call_on_close(colour(lambda: note("second function")))
            return response

        app.teardown_request(lambda error: log.append("teardown"))
        try:
            assert server.get("/").text == "one, two"
        except LookupError as error:
            assert str(error) in fails
        return log

    return serve


STEPS = ["body", "first function", "second function", "teardown"]


@pytest.mark.parametrize(
    "fails", [(), ("body",), ("first function",), ("second function",), ("body", "first function", "second function")]
)
def test_each_step_is_taken(serve, fails):
    assert serve(*fails) == STEPS


@pytest.mark.parametrize("chunk", [None, 1, ["x"]])
def test_a_chunk_that_is_none_is_no_end(app, server, chunk):
    """What the client gets must not look whole."""

    async def chunks():
        yield "one, "
        yield chunk
        yield "two"

    app.get("/")(lambda: chunks())
    with pytest.raises(TypeError, match="str or bytes"):
        server.get("/")


def test_under_wsgi_a_def_body_goes_on_after_it_to_where_the_server_refuses_it(app):
    app.get("/")(lambda: Response(iter(["one", None, "two"])))
    body = app(create_environ(), lambda *args: None)
    assert list(body) == [b"one", None, b"two"]
    body.close()
