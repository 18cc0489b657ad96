"""examples/hello."""

import pytest


@pytest.fixture
def app(load):
    return load("examples.hello.app").app


def test_the_def_view_greets(server):
    assert server.get("/").text == "Hello, world!"
    assert server.get("/?name=you").text == "Hello, you!"


@pytest.mark.worlds("wsgi", "asgi-asyncio")
def test_the_async_view_greets_later(server):
    assert server.get("/later?name=you").json == {"hello": "you"}


def test_both_are_served_by_real_servers(serve):
    hello = serve("examples.hello.app")
    assert hello.get("/", name="you").text == "Hello, you!"
    assert hello.get("/later").json == {"hello": "world"}
