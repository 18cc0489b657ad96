"""A streamed body runs with the ContextVars as they are when its response is ready: teardowns don't change them."""

from __future__ import annotations

import gc
from contextvars import ContextVar

import anyio
import pytest

from flaskctx import Response, after_this_request, g, has_app_context, stream_with_context

word: ContextVar[str] = ContextVar("word", default="default")


@pytest.fixture(autouse=True)
def nothing_is_set():
    """Under WSGI an application's functions run in the context of whoever calls it, here that of the tests."""
    word.set("default")


@pytest.fixture(params=[False, True], ids=["plain", "stream_with_context"])
def wrap(request):
    """Make a body keep its request's context, or not."""
    return stream_with_context if request.param else lambda generator: generator


@pytest.fixture(params=["def body", "async body"])
def body(request, wrap):
    """Make a body, of each kind, of a `def` generator function."""

    async def async_chunks(chunks):
        inner = chunks()
        try:
            for chunk in inner:
                await anyio.sleep(0)
                yield chunk
        finally:
            inner.close()

    return lambda chunks: wrap(chunks() if request.param == "def body" else async_chunks(chunks))


def words():
    yield word.get()
    yield f" {word.get()}"


def test_it_sees_what_a_teardown_resets(app, server, colour, body):
    @app.before_request
    @colour
    def set_it():
        g.token = word.set("set")

    @app.teardown_request
    @colour
    def reset_it(error):
        word.reset(g.token)

    app.get("/")(lambda: body(words))
    assert server.get("/").text == "set set"


def test_it_does_not_see_what_a_teardown_sets(app, server, colour, body):
    @app.teardown_appcontext
    @colour
    def set_it(error):
        word.set("set by a teardown")

    app.get("/")(lambda: body(words))
    assert server.get("/").text == "default default"


def test_it_sees_what_the_last_after_hook_has_set(app, server, colour, body):
    @app.get("/")
    def view():
        @after_this_request
        @colour
        def set_it(response):
            word.set("set")
            return response

        return body(words)

    assert server.get("/").text == "set set"


def test_it_is_closed_with_them(app, server, colour, body):
    seen = []

    def chunks():
        try:
            yield "chunk"
        finally:
            seen.append(word.get())

    @app.teardown_request
    @colour
    def set_it(error):
        word.set("set by a teardown")

    @app.get("/")
    def view():
        word.set("set")
        return body(chunks)

    assert server.get("/").text == "chunk"
    assert seen == ["set"]


def test_what_it_sets_itself_it_finds_at_the_next_chunk(app, server, body):
    def chunks():
        word.set("one, ")
        yield word.get()
        token = word.set("two, ")
        yield word.get()
        word.reset(token)
        yield word.get()

    app.get("/")(lambda: body(chunks))
    assert server.get("/").text == "one, two, one, "


def test_what_it_sets_is_found_by_teardowns_that_come_after_it(app, server, colour):
    seen = []
    app.teardown_request(colour(lambda error: seen.append(word.get())))

    def chunks():
        word.set("set by the body")
        yield "chunk"

    app.get("/")(lambda: stream_with_context(chunks()))
    assert server.get("/").text == "chunk"
    assert seen == ["set by the body"]


def test_what_an_abandoned_one_has_set_does_not_get_to_who_collects_it(app):
    def chunks():
        word.set("set by the body")
        yield "chunk"

    app.get("/")(lambda: stream_with_context(chunks()))
    body = app(environ(), lambda *args: None)
    assert next(body) == b"chunk"
    word.set("the collector's")
    del body
    gc.collect()
    assert word.get() == "the collector's"


def test_nor_does_what_its_end_sets(app):
    """The collector may have come in the midst of a ContextVar.set: the Context there has to stay as it is."""

    @app.get("/")
    def view():
        response = Response(iter(["a", "b"]))
        response.call_on_close(lambda: word.set("set by the end"))
        return response

    body = app(environ(), lambda *args: None)
    word.set("the collector's")
    del body
    gc.collect()
    assert word.get() == "the collector's"


@pytest.mark.parametrize("by", ["view", "hook"])
def test_a_function_of_call_on_close_may_reset_what_was_set_before(app, server, body, by):
    """A token belongs to the Context in which it was made, and the body's is another one."""
    seen = []

    def set_it():
        g.token = word.set("set")

    app.before_request(set_it if by == "hook" else lambda: None)

    @app.get("/")
    def view():
        if by == "view":
            set_it()
        token = g.token
        response = Response(body(words))

        @response.call_on_close
        def reset_it():
            word.reset(token)
            seen.append(word.get())

        return response

    assert server.get("/").text == "set set"
    assert seen == ["default"]


def test_so_does_the_body_of_a_response_that_is_called(app, server, colour):
    class Called(Response):
        def __call__(self, environ, start_response):
            start_response("200 OK", [])
            yield word.get().encode()

    @app.teardown_request
    @colour
    def set_it(error):
        word.set("set by a teardown")

    app.get("/")(lambda: Called())
    assert server.get("/").text == "default"


class TestContextsOfTheServersThread:
    """Somebody has pushed a context and left it there: it is not the request's."""

    @pytest.fixture
    def closing(self, body):
        """A body that tells at its chunks and at its end whether a context is current; and what it told."""
        seen = []

        def chunks():
            try:
                while True:
                    seen.append(has_app_context() and "secret" in g)
                    yield "chunk"
            finally:
                seen.append(has_app_context() and "secret" in g)

        return lambda: body(chunks), seen

    def test_are_hidden_from_a_body(self, app, closing, caplog):
        make, seen = closing
        app.get("/")(make)
        with app.app_context():
            g.secret = "foreign"
            iterable = app(environ(), lambda *args: None)
            chunks = iter(iterable)
            assert [next(chunks), next(chunks)] == [b"chunk", b"chunk"]
            iterable.close()
            assert g.secret == "foreign"
        assert seen == [False, False, False]
        assert "never popped" in caplog.text

    def test_that_are_a_test_clients_own_stay_visible(self, app, closing):
        make, seen = closing
        app.get("/")(make)
        with app.app_context():
            g.secret = "the test's own"
            response = app.test_client().get("/")
            next(response.iter_encoded())
            response.close()
        assert set(seen) == {True}


def environ():
    return {
        "REQUEST_METHOD": "GET", "PATH_INFO": "/", "SERVER_NAME": "localhost", "SERVER_PORT": "80",
        "wsgi.url_scheme": "http", "wsgi.input": None,
    }  # fmt: skip
