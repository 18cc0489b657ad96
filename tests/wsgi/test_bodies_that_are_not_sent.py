"""flaskctx/wsgi/entry.py: what was answered already is closed when an exception goes to the server instead."""

from __future__ import annotations

import anyio
import pytest

from flaskctx import Response

GET = {
    "REQUEST_METHOD": "GET", "PATH_INFO": "/", "SERVER_NAME": "localhost", "SERVER_PORT": "80",
    "wsgi.url_scheme": "http", "wsgi.input": None,
}  # fmt: skip


class GreenletExit(BaseException):
    """As gevent ends a greenlet."""


class Body:
    """A body that notes how often it is closed, of either kind."""

    def __init__(self):
        self.closed = 0

    def __iter__(self):
        return iter([b"never sent"])

    def close(self):
        self.closed += 1


class AsyncBody:
    def __init__(self):
        self.closed = 0

    def __aiter__(self):
        return self

    async def aclose(self):
        await anyio.sleep(0)
        self.closed += 1


@pytest.fixture(params=[Body, AsyncBody])
def body(request):
    return request.param()


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GreenletExit, LookupError])
@pytest.mark.parametrize("place", ["request", "appcontext"])
def test_one_from_a_teardown(app, body, error, place):
    app.testing = True
    log = []
    response = Response(body)
    response.call_on_close(lambda: log.append("closed"))

    def fail(exc):
        raise error

    (app.teardown_request if place == "request" else app.teardown_appcontext)(fail)
    app.get("/")(lambda: response)
    with pytest.raises(error):
        app(dict(GET), lambda *args: None)
    assert body.closed == 1
    assert log == ["closed"]


def test_one_that_start_response_raises(app, body):
    def start_response(status, headers, exc_info=None):
        raise KeyboardInterrupt

    app.get("/")(lambda: Response(body))
    with pytest.raises(KeyboardInterrupt):
        app(dict(GET), start_response)
    assert body.closed == 1


def test_a_failure_to_close_it_is_logged_and_doesnt_hide_the_exception(app, caplog):
    class Failing(Body):
        def close(self):
            raise LookupError("in close")

    def stop(error):
        raise KeyboardInterrupt

    app.teardown_request(stop)
    app.get("/")(lambda: Response(Failing()))
    with pytest.raises(KeyboardInterrupt):
        app(dict(GET), lambda *args: None)
    assert "in close" in caplog.text
