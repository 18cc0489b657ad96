"""A stand-in for the application: what the JSON modules read of it."""

import pytest
from werkzeug.wrappers import Response

from flaskctx.globals import _app_ctx_stack
from flaskctx.json.provider import DefaultJSONProvider


class App:
    response_class = Response
    debug = False

    def __init__(self):
        self.json = DefaultJSONProvider(self)


class Context:
    def __init__(self, app):
        self.app = app


@pytest.fixture
def app():
    return App()


@pytest.fixture
def current(app):
    """The application, and it is the current one."""
    _app_ctx_stack.push(Context(app))
    yield app
    _app_ctx_stack.pop()
