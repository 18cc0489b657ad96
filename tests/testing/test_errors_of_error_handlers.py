"""An error handler that fails: its error reaches a test, and any WSGI server or middleware that wants to know."""

from __future__ import annotations

import pytest
from werkzeug.test import create_environ


@pytest.fixture
def app(app, colour):
    def fail(error):
        raise LookupError("the handler's")

    app.register_error_handler(500, colour(fail))
    app.get("/")(colour(lambda: {}["the view's"]))
    return app


def test_is_raised_by_the_sync_client(app, caplog):
    with pytest.raises(LookupError, match="the handler's"):
        app.test_client().get("/")
    assert 'KeyError: "the view\'s"' in caplog.text
    assert "LookupError: the handler's" in caplog.text


def test_is_named_to_the_server_that_sends_the_500(app):
    started = []
    body = app(create_environ(), lambda *arguments: started.append(arguments))
    [(status, _, (kind, error, _))] = started
    assert (status, kind, str(error)) == ("500 INTERNAL SERVER ERROR", LookupError, "the handler's")
    assert b"Internal Server Error" in b"".join(body)


def test_the_teardown_functions_hear_of_the_views(app, colour):
    heard = []

    @app.teardown_request
    @colour
    def teardown(error):
        heard.append(error)

    with pytest.raises(LookupError):
        app.test_client().get("/")
    [error] = heard
    assert isinstance(error, KeyError)
