"""The application itself as what a server calls: WSGI, ASGI, and the older ASGI that calls it twice."""

from __future__ import annotations

import pytest

from flaskctx import Flask

from ..conftest import Exchange, build_environ, build_scope


@pytest.fixture
def app(app):
    app.get("/")(lambda: "hello")
    return app


@pytest.fixture
def exchange():
    return Exchange()


@pytest.fixture
def scope():
    return build_scope(build_environ("GET", "/"))


def test_with_environ_and_start_response_it_is_wsgi(app):
    assert b"".join(app(build_environ("GET", "/"), lambda status, headers: None)) == b"hello"


async def test_with_three_arguments_it_is_asgi(app, scope, exchange):
    await app(scope, exchange.receive, exchange.send)
    assert exchange.answer.text == "hello"


async def test_with_a_scope_it_gives_what_takes_the_other_two(app, scope, exchange):
    await app(scope)(exchange.receive, exchange.send)
    assert exchange.answer.text == "hello"


async def test_its_adapter_serves_where_a_tool_has_left_wsgi_only(app, scope, exchange, monkeypatch):
    original = Flask.__call__

    def instrumented(self, environ, start_response):
        return original(self, environ, start_response)

    monkeypatch.setattr(Flask, "__call__", instrumented)
    assert b"".join(app(build_environ("GET", "/"), lambda status, headers: None)) == b"hello"
    await app.asgi(scope, exchange.receive, exchange.send)
    assert exchange.answer.text == "hello"
    with pytest.raises(TypeError):
        await app(scope, exchange.receive, exchange.send)


def test_what_is_neither_of_the_two_is_refused_with_what_to_do(app):
    with pytest.raises(TypeError, match=r"neither a WSGI environ nor an ASGI scope.*granian --interface asgi"):
        app(object(), object())
