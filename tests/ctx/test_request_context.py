"""The request context: what a push makes current, and what its pop ends."""

from __future__ import annotations

import pytest

from flaskctx import (
    Flask,
    current_app,
    flash,
    g,
    get_flashed_messages,
    has_app_context,
    has_request_context,
    request,
    session,
)
from flaskctx.ctx import RequestContext
from flaskctx.globals import _app_ctx_stack, _request_ctx_stack, request_ctx
from flaskctx.sessions import SecureCookieSessionInterface


@pytest.fixture
def torn_down(app):
    """What the teardown functions were told, in order."""
    told = []
    app.teardown_request(lambda error: told.append(("request", error)))
    app.teardown_appcontext(lambda error: told.append(("appcontext", error)))
    return told


class TestPush:
    def test_makes_request_session_application_and_g_current(self, app, torn_down):
        with app.test_request_context("/page?a=1") as context:
            assert request.path == "/page"
            assert session == {}
            assert current_app._get_current_object() is app
            g.value = 1
            assert request_ctx._get_current_object() is context is _request_ctx_stack.top
            assert has_request_context()
        assert not has_request_context()
        assert not has_app_context()
        assert torn_down == [("request", None), ("appcontext", None)]

    async def test_async_with_does_the_same(self, app, torn_down):
        async with app.test_request_context("/page"):
            assert request.path == "/page"
        assert not has_request_context()
        assert torn_down == [("request", None), ("appcontext", None)]

    def test_uses_the_application_context_that_is_there(self, app, torn_down):
        with app.app_context() as outer:
            g.value = "outer"
            with app.test_request_context() as context:
                assert g.value == "outer"
                assert _app_ctx_stack.top is outer
                assert context._implicit_app_ctx_stack == [None]
            assert torn_down == [("request", None)]
            assert g.value == "outer"
        assert torn_down == [("request", None), ("appcontext", None)]

    def test_makes_one_where_another_applications_is_on_top(self, app):
        other = Flask("other")
        with other.app_context() as outer:
            with app.test_request_context() as context:
                (implicit,) = context._implicit_app_ctx_stack
                assert _app_ctx_stack.top is implicit
                assert current_app.name == app.name
            assert _app_ctx_stack.top is outer

    def test_opens_the_session_once(self, app):
        opened = []

        class Sessions(SecureCookieSessionInterface):
            def open_session(self, app, request):
                opened.append(request.path)
                return super().open_session(app, request)

        app.session_interface = Sessions()
        context = app.test_request_context("/page")
        assert context.session is None
        with context, context:
            session["a"] = 1
        assert opened == ["/page"]

    def test_keeps_a_session_that_it_was_given(self, app):
        given = {"a": 1}
        environ = app.test_request_context().request.environ
        with RequestContext(app, environ, session=given):
            assert session["a"] == 1
            assert session._get_current_object() is given

    def test_without_a_secret_key_leaves_a_null_session(self, app):
        app.secret_key = None
        with app.test_request_context():
            assert session.get("a") is None
            with pytest.raises(RuntimeError, match="secret"):
                session["a"] = 1

    def test_matches_the_url(self, app):
        app.add_url_rule("/user/<int:number>", "user", lambda number: "")
        with app.test_request_context("/user/3"):
            assert request.endpoint == "user"
            assert request.view_args == {"number": 3}
        with app.test_request_context("/nowhere"):
            assert request.endpoint is None
            assert request.routing_exception.code == 404

    def test_puts_the_request_into_the_environ_until_the_pop(self, app):
        with app.test_request_context() as context:
            assert context.request.environ["werkzeug.request"] is context.request
        assert context.request.environ["werkzeug.request"] is None

    def test_more_than_once_ends_with_the_last_pop(self, app, torn_down):
        context = app.test_request_context()
        context.push()
        context.push()
        context.pop()
        assert torn_down == []
        assert has_request_context()
        context.pop()
        assert torn_down == [("request", None), ("appcontext", None)]

    def test_again_after_its_end_is_a_new_activation(self, app, torn_down):
        context = app.test_request_context()
        for _ in range(2):
            with context:
                pass
        assert torn_down == [("request", None), ("appcontext", None)] * 2

    def test_nests(self, app):
        with app.test_request_context("/outer"):
            with app.test_request_context("/inner"):
                assert request.path == "/inner"
            assert request.path == "/outer"


class TestAPushThatFails:
    @pytest.fixture
    def failing(self, app, torn_down):
        class Sessions(SecureCookieSessionInterface):
            def open_session(self, app, request):
                if request.path == "/failing":
                    raise LookupError("no session")
                return super().open_session(app, request)

        app.session_interface = Sessions()
        return app.test_request_context("/failing")

    def test_undoes_itself(self, failing, torn_down):
        with pytest.raises(LookupError):
            failing.push()
        assert not has_app_context()
        assert not has_request_context()
        assert [(name, type(error)) for name, error in torn_down] == [
            ("request", LookupError),
            ("appcontext", LookupError),
        ]

    def test_leaves_what_was_there(self, app, failing):
        with app.app_context() as outer, app.test_request_context("/outer"):
            with pytest.raises(LookupError):
                failing.push()
            assert request.path == "/outer"
            assert _app_ctx_stack.top is outer

    async def test_undoes_itself_in_async_with_too(self, failing, torn_down):
        with pytest.raises(LookupError):
            async with failing:
                pass
        assert not has_request_context()
        assert len(torn_down) == 2

    def test_shows_its_own_error_though_a_teardown_fails_as_well(self, app, failing, caplog):
        app.teardown_request_funcs[None].append(lambda error: 1 / 0)
        with pytest.raises(LookupError):
            failing.push()
        assert not has_app_context()
        assert "ZeroDivisionError" in caplog.text


class TestPop:
    def test_with_an_error_tells_the_teardowns(self, app, torn_down):
        with pytest.raises(LookupError), app.test_request_context():
            raise LookupError
        assert [(name, type(error)) for name, error in torn_down] == [
            ("request", LookupError),
            ("appcontext", LookupError),
        ]

    def test_takes_the_exception_that_is_being_handled(self, app, torn_down):
        context = app.test_request_context()
        context.push()
        try:
            raise LookupError
        except LookupError:
            context.pop()
        assert {type(error) for _, error in torn_down} == {LookupError}

    def test_with_a_failing_teardown_ends_everything(self, app, torn_down):
        app.teardown_request(lambda error: 1 / 0)
        with pytest.raises(ZeroDivisionError), app.test_request_context():
            pass
        assert torn_down == [("request", None), ("appcontext", None)]
        assert not has_app_context()

    def test_closes_files_of_the_request(self, app):
        closed = []

        class Request(app.request_class):
            def close(self):
                closed.append(self.path)
                super().close()

        app.request_class = Request
        with app.test_request_context("/page"):
            pass
        assert closed == ["/page"]

    def test_of_one_that_was_never_pushed_is_an_error(self, app):
        with pytest.raises(RuntimeError, match="new"):
            app.test_request_context().pop()

    def test_auto_pop_of_one_that_was_never_pushed_does_nothing(self, app, torn_down):
        app.test_request_context().auto_pop(None)
        assert torn_down == []


class TestCopy:
    def test_shares_request_and_session_and_has_its_own_g(self, app, torn_down):
        with app.test_request_context("/page") as context:
            g.value = 1
            session["a"] = 1
            copy = context.copy()
        torn_down.clear()
        with copy:
            assert request._get_current_object() is context.request
            assert session["a"] == 1
            assert "value" not in g
        assert torn_down == [("request", None), ("appcontext", None)]


def test_repr_shows_url_method_and_application(app):
    context = app.test_request_context("/page?a=1", method="POST")
    assert repr(context) == "<RequestContext 'http://localhost/page?a=1' [POST] of app>"


def test_flashes_are_for_this_request(app):
    with app.test_request_context() as context:
        flash("hello")
        assert context.flashes is None
        assert get_flashed_messages() == ["hello"]
        assert get_flashed_messages() == ["hello"]
        assert "_flashes" not in session


def test_outside_of_a_request_the_proxies_say_what_to_do():
    with pytest.raises(RuntimeError, match="test_request_context"):
        request.path
    with pytest.raises(RuntimeError, match="copy_current_request_context"):
        session["a"]
