"""flaskctx/bridge/mirror.py: the ContextVars of `def` and `async def` functions are the same ones."""

from __future__ import annotations

from contextvars import ContextVar, copy_context

import pytest

from flaskctx.bridge.mirror import Mirror

var: ContextVar[str] = ContextVar("var")
other: ContextVar[str] = ContextVar("other")


class Sides:
    """A mirror, and doing things on its other side."""

    def __init__(self):
        self.mirror = Mirror()

    def there(self, function, *args):
        self.mirror.copy_in()
        try:
            return self.mirror.context.run(function, *args)
        finally:
            self.mirror.copy_out()


@pytest.fixture
def sides():
    return Sides()


def test_a_value_set_here_is_seen_there(sides):
    token = var.set("here")
    assert sides.there(var.get) == "here"
    var.reset(token)


def test_a_value_set_there_is_seen_here_until_it_is_reset_there(sides):
    token = sides.there(var.set, "there")
    assert var.get() == "there"
    sides.there(var.reset, token)
    assert var.get(None) is None


def test_a_value_that_is_reset_here_is_gone_there_and_does_not_come_back(sides):
    token = var.set("here")
    assert sides.there(var.get) == "here"
    var.reset(token)
    assert sides.there(var.get, None) is None
    assert var.get(None) is None


def test_it_can_be_set_and_reset_again(sides):
    for value in ("one", "two"):
        token = var.set(value)
        assert sides.there(var.get) == value
        var.reset(token)
        token = sides.there(var.set, value)
        assert var.get() == value
        sides.there(var.reset, token)
        assert var.get(None) is None


def test_a_value_that_is_reset_to_an_earlier_one(sides):
    outer = var.set("outer")
    token = sides.there(var.set, "inner")
    assert var.get() == "inner"
    sides.there(var.reset, token)
    assert var.get() == "outer"
    var.reset(outer)
    assert sides.there(var.get, None) is None


def test_of_a_context_that_ran_already_only_what_it_has_changed_is_copied_out():
    outer = var.set("outer")
    context = copy_context()
    token = context.run(other.set, "set there")
    mirror = Mirror(context)
    mirror.copy_out()
    assert other.get() == "set there"
    changed = var.set("changed here meanwhile")
    mirror.copy_out()
    assert var.get() == "changed here meanwhile"
    var.reset(changed)
    context.run(other.reset, token)
    mirror.copy_out()
    assert other.get(None) is None
    var.reset(outer)


class TestBetweenRequests:
    @pytest.mark.worlds("wsgi")
    def test_a_value_set_and_reset_in_def_functions_around_async_ones_is_gone(self, app, server):
        seen = []

        @app.before_request
        def set_it():
            seen.append(var.get(None))
            app.token = var.set("someone's")

        @app.teardown_request
        async def look_again(error):
            seen.append(var.get(None))

        @app.teardown_request
        def reset_it(error):
            var.reset(app.token)

        @app.get("/")
        async def view():
            return var.get()

        assert [server.get("/").text, server.get("/").text] == ["someone's"] * 2
        assert seen == [None] * 4
