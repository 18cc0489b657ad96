"""Stand-ins for what lives above the wrappers: an application and a current request."""

from __future__ import annotations

import contextlib
from types import SimpleNamespace

import pytest
from werkzeug.test import create_environ

from flaskctx.globals import _app_ctx_stack, _request_ctx_stack
from flaskctx.json.provider import DefaultJSONProvider
from flaskctx.wrappers import Request, Response


class StandInApp:
    """What request, response and make_response ask of an application."""

    debug = False
    response_class = Response

    def __init__(self):
        self.config = {
            "MAX_CONTENT_LENGTH": None,
            "MAX_FORM_MEMORY_SIZE": 500_000,
            "MAX_FORM_PARTS": 1_000,
            "MAX_COOKIE_SIZE": 4093,
        }
        self.json = DefaultJSONProvider(self)


@pytest.fixture
def app():
    return StandInApp()


@pytest.fixture
def app_context(app):
    """Make `app` the current application."""
    _app_ctx_stack.push(SimpleNamespace(app=app))
    yield app
    _app_ctx_stack.pop()


@pytest.fixture
def current(app_context):
    """Give a context manager that makes a request current, `current("/path", endpoint="e", **environ)`."""

    @contextlib.contextmanager
    def push(path="/", endpoint="view", **options):
        request = Request(create_environ(path, **options))
        request.url_rule = SimpleNamespace(endpoint=endpoint)
        _request_ctx_stack.push(SimpleNamespace(request=request, app=app_context))
        try:
            yield request
        finally:
            _request_ctx_stack.pop()

    return push
