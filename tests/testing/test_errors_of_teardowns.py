"""A teardown function that fails: its own error reaches the test."""

from __future__ import annotations

import pytest

from flaskctx import Response, stream_with_context


class Custom(Exception):
    pass


@pytest.fixture(params=["teardown_request", "teardown_appcontext"])
def app(app, colour, request):
    def fail(error):
        raise Custom("the teardown's")

    getattr(app, request.param)(colour(fail))
    app.get("/")(lambda: "hello")
    app.get("/stream", endpoint="stream")(lambda: Response(stream_with_context(iter(["a", "b"]))))
    app.get("/failing", endpoint="failing")(lambda: {}["missing"])
    return app


@pytest.mark.parametrize("path", ["/", "/stream", "/failing"])
def test_is_raised_where_exceptions_propagate(app, client, path):
    app.testing = True
    with pytest.raises(Custom, match="the teardown's"):
        client.get(path, buffered=True)


@pytest.mark.parametrize("path", ["/", "/failing"])
def test_is_raised_by_the_sync_client_in_any_case(app, path, caplog):
    with pytest.raises(Custom, match="the teardown's"):
        app.test_client().get(path)
    assert "Custom: the teardown's" in caplog.text


def test_is_raised_although_the_response_calls_start_response_itself(app):
    class Eager(Response):
        def __call__(self, environ, start_response):
            return super().__call__(environ, start_response)

    app.response_class = Eager
    with pytest.raises(Custom, match="the teardown's"):
        app.test_client().get("/")


@pytest.mark.parametrize("path", ["/", "/failing"])
def test_is_a_500_to_a_server_that_has_sent_nothing_yet(app, server, path, caplog):
    assert server.get(path).status_code == 500
    assert "Custom: the teardown's" in caplog.text


@pytest.mark.worlds("wsgi")
def test_is_handed_to_the_server_as_the_reason_for_another_start(app):
    starts = []
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": "/", "SERVER_NAME": "localhost", "SERVER_PORT": "80",
        "wsgi.url_scheme": "http", "wsgi.input": None,
    }  # fmt: skip
    app(environ, lambda status, headers, exc_info=None: starts.append((status, exc_info and exc_info[0])))
    assert starts == [("200 OK", None), ("500 INTERNAL SERVER ERROR", Custom)]


def test_of_a_stream_is_logged_when_exceptions_do_not_propagate(app, server, caplog):
    assert server.get("/stream").text == "ab"
    assert "Custom: the teardown's" in caplog.text
