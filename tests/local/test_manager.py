"""LocalManager and release_local."""

from __future__ import annotations

import pytest

from flaskctx.local import Local, LocalManager, LocalStack, get_ident, release_local


@pytest.fixture
def local():
    local = Local()
    local.user = "Ada"
    return local


@pytest.fixture
def stack():
    stack = LocalStack()
    stack.push("a")
    return stack


def test_release_local_calls_the_release_method_of_anything():
    class Mine:
        released = False

        def __release_local__(self):
            self.released = True

    mine = Mine()
    release_local(mine)
    assert mine.released


def test_a_manager_without_locals_has_an_empty_list():
    manager = LocalManager()
    assert manager.locals == []
    manager.cleanup()


def test_a_manager_takes_one_local(local):
    assert LocalManager(local).locals == [local]


def test_a_manager_takes_one_stack(stack):
    assert LocalManager(stack).locals == [stack]


def test_a_manager_takes_several(local, stack):
    assert LocalManager(iter([local, stack])).locals == [local, stack]


def test_cleanup_releases_all(local, stack):
    LocalManager([local, stack]).cleanup()
    assert list(local) == []
    assert stack.top is None


def test_locals_can_be_added_later(local):
    manager = LocalManager()
    manager.locals.append(local)
    manager.cleanup()
    assert list(local) == []


def test_a_manager_hands_its_ident_function_to_its_locals(local, stack):
    manager = LocalManager([local, stack], ident_func=lambda: "me")
    assert manager.get_ident() == manager.ident_func() == "me"
    assert local.__storage__["me"] == {"user": "Ada"}
    assert stack._local.__storage__["me"] == {"stack": ["a"]}


def test_a_manager_without_ident_function_leaves_the_locals_as_they_are(local):
    local.__ident_func__ = lambda: "mine"
    manager = LocalManager([local])
    assert manager.get_ident() == get_ident()
    assert local.__ident_func__() == "mine"


def test_repr_counts_the_locals(local, stack):
    assert repr(LocalManager([local, stack])) == "<LocalManager locals: 2>"


# Middleware


class Body:
    def __init__(self, chunks, on_close=None):
        self.chunks, self.closed, self.on_close = chunks, 0, on_close

    def __iter__(self):
        return iter(self.chunks)

    def close(self):
        self.closed += 1
        if self.on_close is not None:
            raise self.on_close


def test_the_middleware_cleans_up_when_the_body_is_closed(local):
    body = Body([b"a", b"b"])
    calls = []

    def app(environ, start_response):
        calls.append((environ, start_response))
        return body

    result = LocalManager(local).make_middleware(app)({"k": 1}, print)
    assert calls == [({"k": 1}, print)]
    assert list(result) == [b"a", b"b"]
    assert local.user == "Ada"
    result.close()
    assert list(local) == []
    assert body.closed == 1


def test_the_middleware_accepts_a_body_without_close(local):
    result = LocalManager(local).make_middleware(lambda environ, start_response: [b"a"])({}, None)
    assert list(result) == [b"a"]
    result.close()
    assert list(local) == []


def test_closing_twice_cleans_up_once(local):
    body = Body([])
    result = LocalManager(local).make_middleware(lambda environ, start_response: body)({}, None)
    result.close()
    local.user = "Grace"
    result.close()
    assert local.user == "Grace"
    assert body.closed == 1


def test_the_middleware_cleans_up_when_closing_the_body_fails(local):
    body = Body([], on_close=ValueError("broken"))
    result = LocalManager(local).make_middleware(lambda environ, start_response: body)({}, None)
    with pytest.raises(ValueError, match="broken"):
        result.close()
    assert list(local) == []


def test_the_middleware_cleans_up_when_the_application_raises(local):
    def app(environ, start_response):
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        LocalManager(local).make_middleware(app)({}, None)
    assert list(local) == []


def test_the_decorator_keeps_the_name_of_the_application(local):
    @LocalManager(local).middleware
    def application(environ, start_response):
        """Say a."""
        return [b"a"]

    assert (application.__name__, application.__doc__) == ("application", "Say a.")
    application({}, None).close()
    assert list(local) == []
