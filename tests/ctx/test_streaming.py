"""`stream_with_context`: the request stays until the body is closed, and is torn down once, then."""

from __future__ import annotations

import gc

import anyio
import pytest
import werkzeug.test

from flaskctx import Response, g, has_app_context, has_request_context, request, session, stream_with_context
from flaskctx.globals import _app_ctx_stack, _request_ctx_stack


@pytest.fixture
def log():
    return []


@pytest.fixture(autouse=True)
def logged(app, log, colour):
    """The teardowns of the application go to the log."""
    app.teardown_request(colour(lambda error: log.append(("teardown request", error))))
    app.teardown_appcontext(colour(lambda error: log.append(("teardown appcontext", error))))


ENDED = [("teardown request", None), ("teardown appcontext", None)]


@pytest.fixture
def streams(app, log, colour):
    """Register a view that streams what a `def` generator function yields, in a generator of the test's colour."""

    def register(chunks, wrap=stream_with_context):
        async def async_chunks():
            inner = chunks()
            try:
                for chunk in inner:
                    await anyio.sleep(0)
                    yield chunk
            finally:
                inner.close()

        app.get("/page", endpoint="view")(lambda: wrap(async_chunks() if colour.is_async else chunks()))

    return register


class TestTheContext:
    def test_is_there_for_every_chunk(self, app, server, log, streams):
        def chunks():
            g.count = 0
            for _ in range(3):
                g.count += 1
                log.append(g.count)
                yield f"{request.path} {g.count}, "

        streams(chunks)
        assert server.get("/page").text == "/page 1, /page 2, /page 3, "
        assert log == [1, 2, 3, *ENDED]

    def test_is_not_there_without_it(self, app, server, log, streams):
        def chunks():
            log.append((has_request_context(), has_app_context()))
            yield "chunk"

        streams(chunks, wrap=lambda generator: generator)
        assert server.get("/page").text == "chunk"
        assert log == [*ENDED, (False, False)]

    def test_is_not_left_on_the_thread_between_the_chunks(self, app, log):
        app.get("/")(lambda: stream_with_context(str(has_request_context()) for _ in range(3)))
        body = app(environ("/"), lambda *args: None)
        for _ in range(3):
            assert next(body) == b"True"
            assert _app_ctx_stack.top_node is None
            assert _request_ctx_stack.top_node is None
            assert log == []
        with pytest.raises(StopIteration):
            next(body)
        body.close()
        assert log == ENDED

    def test_several_streams_on_one_thread_do_not_mix(self, app, log):
        app.get("/<name>")(lambda name: stream_with_context(f"{request.path}" for _ in range(3)))
        bodies = [app(environ(path), lambda *args: None) for path in ("/a", "/b", "/c")]
        for _ in range(3):
            assert [next(body) for body in bodies] == [b"/a", b"/b", b"/c"]
        for body in bodies:
            body.close()
        assert log == ENDED * 3

    def test_of_a_decorated_generator_function(self, app, server, colour):
        @stream_with_context
        def chunks(name):
            yield f"{name} {request.path}"

        @stream_with_context
        async def async_chunks(name):
            yield f"{name} {request.path}"

        app.get("/page", endpoint="view")(lambda: (async_chunks if colour.is_async else chunks)("stream"))
        assert server.get("/page").text == "stream /page"

    def test_of_a_decorated_view(self, app, server, log, colour):
        def chunks():
            yield request.path

        async def async_chunks():
            yield request.path

        app.get("/page", endpoint="view")(stream_with_context(async_chunks if colour.is_async else chunks))
        assert server.get("/page").text == "/page"
        assert log == ENDED

    def test_of_two_generators_in_one_response_ends_with_the_body(self, app, server, log):
        def chunks(name):
            yield f"{name} {request.path}, "

        def both():
            yield from stream_with_context(chunks("one"))
            yield from stream_with_context(chunks("two"))

        app.get("/page", endpoint="view")(lambda: stream_with_context(both()))
        assert server.get("/page").text == "one /page, two /page, "
        assert log == ENDED

    def test_lets_the_session_be_read(self, app, server, log, streams):
        def chunks():
            yield str(session.get("visits"))

        streams(chunks)
        assert server.get("/page").text == "None"

    def test_needs_a_request(self):
        with pytest.raises(RuntimeError, match="outside of request context"):
            stream_with_context(iter("abc"))


class TestTeardown:
    def test_comes_once_at_the_end(self, app, server, log, streams):
        def chunks():
            yield "one"
            log.append("between")
            yield "two"
            log.append("end")

        streams(chunks)
        assert server.get("/page").text == "onetwo"
        assert log == ["between", "end", *ENDED]

    def test_is_told_of_the_error_that_ended_the_stream(self, app, server, log, streams):
        error = LookupError("in the stream")

        def chunks():
            yield "one"
            raise error

        streams(chunks)
        with pytest.raises(LookupError):
            server.get("/page")
        assert log == [("teardown request", error), ("teardown appcontext", error)]

    def test_comes_after_the_generators_own_end(self, app, server, log, streams):
        def chunks():
            try:
                yield request.path
            finally:
                log.append(f"closed in {request.path}")

        streams(chunks)
        server.get("/page")
        assert log == ["closed in /page", *ENDED]

    def test_comes_for_a_stream_that_is_never_iterated(self, app, server, log, streams):
        def chunks():
            log.append("iterated")
            yield "never"

        streams(chunks)
        assert server.request("HEAD", "/page").text == ""
        assert log == ENDED

    def test_comes_when_the_view_fails_after_making_the_stream(self, app, server, log):
        app.after_request(lambda response: {}["missing"])
        app.get("/page", endpoint="view")(lambda: stream_with_context(iter("abc")))
        assert server.get("/page").status_code == 500
        assert [name for name, _ in log] == ["teardown request", "teardown appcontext"]

    def test_is_told_of_the_error_though_a_stream_was_left_behind(self, app, server, log):
        error = LookupError("after the stream was made")
        left = []

        def view():
            left.append(stream_with_context(iter("abc")))
            raise error

        app.get("/page", endpoint="view")(view)
        app.errorhandler(500)(lambda error: stream_with_context(iter(["sorry, ", request.path])))
        assert server.get("/page").text == "sorry, /page"
        assert log == [("teardown request", error), ("teardown appcontext", error)]

    def test_comes_when_the_stream_fails_even_if_nobody_closes_it(self, app, log, streams):
        error = LookupError("in the stream")

        def chunks():
            yield "one"
            raise error

        streams(chunks)
        environ = werkzeug.test.EnvironBuilder("/page").get_environ()
        body = app(environ, lambda status, headers: None)
        with pytest.raises(LookupError):
            list(body)
        assert log == [("teardown request", error), ("teardown appcontext", error)]

    def test_comes_when_an_after_hook_replaces_the_response(self, app, server, log):
        app.after_request(lambda response: Response("another"))
        app.get("/page", endpoint="view")(lambda: stream_with_context(iter("abc")))
        assert server.get("/page").text == "another"
        assert log == ENDED

    def test_that_fails_is_logged_and_keeps_none_from_running(self, app, server, log, streams, caplog):
        app.teardown_request_funcs[None].append(lambda error: {}["missing"])
        streams(lambda: (letter for letter in "abc"))
        answer = server.get("/page")
        assert answer.text == "abc"
        assert log == ENDED
        assert "KeyError: 'missing'" in caplog.text


class TestAbandoned:
    """The server stops iterating, and closes the body or just drops it."""

    @pytest.fixture
    def body(self, app, log, streams):
        def chunks():
            try:
                for number in range(100):
                    yield str(number)
            finally:
                log.append(f"closed in {request.path}")

        streams(chunks)
        body = app(environ("/page"), lambda *args: None)
        assert next(body) == b"0"
        return [body]

    def test_closed_it_is_torn_down_once(self, body, log):
        body[0].close()
        body[0].close()
        assert log == ["closed in /page", *ENDED]

    def test_dropped_it_is_torn_down_once(self, body, log):
        body.clear()
        gc.collect()
        assert log == ["closed in /page", *ENDED]

    def test_nothing_stays_on_the_stacks(self, body):
        assert not has_request_context()
        body.clear()
        gc.collect()
        assert not has_request_context()
        assert not has_app_context()


class TestUnderATestClient:
    def test_the_body_is_read_with_its_context(self, app, log, streams):
        def chunks():
            yield request.path

        streams(chunks)
        response = app.test_client().get("/page")
        assert response.text == "/page"
        response.close()
        assert log == ENDED

    async def test_the_async_client_too(self, app, log, streams):
        def chunks():
            yield request.path

        streams(chunks)
        async with app.async_test_client() as client:
            response = await client.get("/page")
        assert response.text == "/page"
        assert log == ENDED


def environ(path):
    return {
        "REQUEST_METHOD": "GET", "PATH_INFO": path, "SERVER_NAME": "localhost", "SERVER_PORT": "80",
        "wsgi.url_scheme": "http", "wsgi.input": None,
    }  # fmt: skip
