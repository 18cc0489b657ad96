"""flaskctx.logging: whose logger, which handler, and where the handler writes."""

import io
import logging
import sys
import uuid
from types import SimpleNamespace

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from flaskctx.globals import _request_ctx_stack
from flaskctx.logging import create_logger, default_handler, has_level_handler, wsgi_errors_stream


@pytest.fixture
def app():
    """The two attributes that create_logger reads. The name is new each time, as loggers are global."""
    return SimpleNamespace(name=f"{uuid.uuid4()}.app", debug=False)


def cut_off(app):
    """Return the logger above the application's, with nothing beyond it.

    Called by the test itself: before it starts pytest puts handlers on all loggers at the top.
    """
    logger = logging.getLogger(app.name.removesuffix(".app"))
    logger.propagate = False
    return logger


@pytest.fixture
def request_errors():
    """The error stream of a request that is current during the test."""
    environ = EnvironBuilder().get_environ()
    environ["wsgi.errors"] = io.StringIO()
    _request_ctx_stack.push(SimpleNamespace(request=Request(environ)))
    yield environ["wsgi.errors"]
    _request_ctx_stack.pop()


def test_the_logger_has_the_applications_name(app):
    assert create_logger(app) is logging.getLogger(app.name)


def test_without_logging_configuration_the_default_handler_is_added(app):
    cut_off(app)
    assert create_logger(app).handlers == [default_handler]


def test_the_default_handler_is_added_once(app):
    cut_off(app)
    create_logger(app)
    assert create_logger(app).handlers == [default_handler]


def test_a_handler_further_up_is_enough(app):
    cut_off(app).addHandler(logging.NullHandler())
    assert create_logger(app).handlers == []


def test_a_handler_that_shows_only_worse_is_not_enough(app):
    cut_off(app).addHandler(logging.NullHandler(logging.CRITICAL))
    assert create_logger(app).handlers == [default_handler]


def test_a_handler_beyond_a_logger_that_does_not_propagate_is_not_enough(app):
    cut_off(app).addHandler(logging.NullHandler())
    logger = logging.getLogger(app.name)
    logger.propagate = False
    assert not has_level_handler(logger)


def test_in_debug_mode_everything_is_logged(app):
    app.debug = True
    assert create_logger(app).level == logging.DEBUG


def test_debug_mode_leaves_a_level_that_was_set(app):
    app.debug = True
    logging.getLogger(app.name).setLevel(logging.ERROR)
    assert create_logger(app).level == logging.ERROR


def test_without_debug_mode_the_level_stays_unset(app):
    assert create_logger(app).level == logging.NOTSET


def test_outside_a_request_the_stream_is_stderr(monkeypatch):
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    wsgi_errors_stream.write("outside")
    assert stderr.getvalue() == "outside"


def test_in_a_request_the_stream_is_the_servers(request_errors):
    wsgi_errors_stream.write("inside")
    assert request_errors.getvalue() == "inside"


def test_a_server_without_an_error_stream_means_stderr(request_errors, monkeypatch):
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    del _request_ctx_stack.top.request.environ["wsgi.errors"]
    wsgi_errors_stream.write("inside")
    assert stderr.getvalue() == "inside"


def test_a_record_says_when_how_bad_and_where(app, request_errors):
    cut_off(app)
    create_logger(app).warning("careful")
    text = request_errors.getvalue()
    assert text.startswith("[")
    assert text.endswith("] WARNING in test_logging: careful\n")
