"""The application context: which application is current, its `g`, and its end."""

from __future__ import annotations

import pytest

from flaskctx import Flask, appcontext_popped, appcontext_pushed, current_app, g, has_app_context
from flaskctx.ctx import AppContext, _AppCtxGlobals
from flaskctx.globals import _app_ctx_stack, app_ctx


@pytest.fixture
def torn_down(app):
    """What the teardown function was told, at each call."""
    told = []
    app.teardown_appcontext(told.append)
    return told


class TestPushAndPop:
    def test_with_makes_the_application_current_for_the_block(self, app, torn_down):
        assert not has_app_context()
        with app.app_context() as context:
            assert current_app._get_current_object() is app
            assert app_ctx._get_current_object() is context
            assert torn_down == []
        assert not has_app_context()
        assert torn_down == [None]

    async def test_async_with_does_the_same_for_functions_of_both_kinds(self, app, torn_down):
        @app.teardown_appcontext
        async def teardown(error):
            torn_down.append("async")

        async with app.app_context():
            assert current_app.name == app.name
        assert not has_app_context()
        assert torn_down == ["async", None]

    def test_with_does_it_for_async_functions_where_no_loop_runs(self, app, torn_down):
        @app.teardown_appcontext
        async def teardown(error):
            torn_down.append(current_app.name)

        with app.app_context():
            pass
        assert torn_down == [app.name, None]

    def test_the_block_s_exception_is_told_and_raised(self, app, torn_down):
        with pytest.raises(LookupError), app.app_context():
            raise LookupError
        assert [type(error) for error in torn_down] == [LookupError]

    def test_pop_takes_the_exception_that_is_being_handled(self, app, torn_down):
        context = app.app_context()
        context.push()
        try:
            raise LookupError
        except LookupError:
            context.pop()
        assert [type(error) for error in torn_down] == [LookupError]

    def test_pop_takes_the_exception_it_is_given(self, app, torn_down):
        context = app.app_context()
        context.push()
        try:
            raise LookupError
        except LookupError:
            context.pop(None)
        assert torn_down == [None]

    def test_a_context_may_be_pushed_more_than_once_and_ends_with_the_last_pop(self, app, torn_down):
        context = app.app_context()
        with context:
            g.value = 1
            with context:
                assert context._refcnt == 2
                assert g.value == 1
            assert torn_down == []
        assert torn_down == [None]

    def test_each_activation_is_torn_down_once(self, app, torn_down):
        context = app.app_context()
        for _ in range(3):
            with context:
                pass
        assert torn_down == [None] * 3

    def test_contexts_of_several_applications_nest(self, app):
        other = Flask("other")
        with app.app_context():
            g.value = "outer"
            with other.app_context():
                assert current_app.name == "other"
                assert "value" not in g
            assert current_app.name == app.name
            assert g.value == "outer"

    def test_too_many_pops_are_an_error(self, app, torn_down):
        context = app.app_context()
        with context:
            pass
        with pytest.raises(RuntimeError, match="is closed"):
            context.pop()
        assert torn_down == [None]

    def test_the_stack_may_be_read(self, app):
        assert _app_ctx_stack.top is None
        with app.app_context() as context:
            assert _app_ctx_stack.top is context
            assert isinstance(context, AppContext)


class TestFailures:
    def test_a_raising_receiver_of_the_push_undoes_it(self, app, torn_down):
        def receiver(sender):
            raise LookupError("not now")

        context = app.app_context()
        with appcontext_pushed.connected_to(receiver, app):
            with pytest.raises(LookupError):
                context.push()
            assert not has_app_context()
        assert [type(error) for error in torn_down] == [LookupError]
        with context:
            assert current_app.name == app.name

    def test_a_raising_teardown_keeps_none_from_running_and_leaves_nothing(self, app, caplog):
        ran = []

        def failing(error):
            ran.append("failing")
            raise LookupError("in the teardown")

        popped = []

        def receiver(sender):
            popped.append(sender)

        app.teardown_appcontext(ran.append)
        app.teardown_appcontext(failing)
        app.teardown_appcontext(failing)
        with appcontext_popped.connected_to(receiver, app):
            with pytest.raises(LookupError), app.app_context():
                pass
        assert ran == ["failing", "failing", None]
        assert popped == [app]
        assert not has_app_context()
        assert len(caplog.records) == 1

    @pytest.mark.parametrize("errors", [(LookupError, KeyboardInterrupt), (KeyboardInterrupt, LookupError)])
    def test_what_is_more_than_an_error_is_raised_and_the_error_logged(self, app, caplog, errors):
        def failing_with(error_class):
            def failing(error):
                raise error_class("in the teardown")

            return failing

        for error_class in errors:
            app.teardown_appcontext(failing_with(error_class))
        with pytest.raises(KeyboardInterrupt), app.app_context():
            pass
        assert [record.exc_info[0] for record in caplog.records] == [LookupError]

    def test_signals_are_sent_for_each_push_and_pop(self, app):
        seen = []

        def pushed(sender):
            seen.append(("pushed", current_app.name))

        def popped(sender):
            seen.append(("popped", has_app_context()))

        with appcontext_pushed.connected_to(pushed, app), appcontext_popped.connected_to(popped, app):
            with app.app_context():
                pass
        assert seen == [("pushed", app.name), ("popped", False)]


class TestG:
    def test_is_new_in_each_context(self, app):
        with app.app_context():
            g.value = 1
        with app.app_context():
            assert not hasattr(g, "value")

    def test_is_a_namespace(self, app):
        with app.app_context():
            g.value = 1
            assert "value" in g
            assert list(g) == ["value"]
            assert g.get("value") == 1
            assert g.get("other", 2) == 2
            assert g.setdefault("other", 3) == 3
            assert g.pop("other") == 3
            assert g.pop("other", None) is None
            with pytest.raises(KeyError):
                g.pop("other")
            del g.value
            with pytest.raises(AttributeError, match="value"):
                g.value
            with pytest.raises(AttributeError):
                del g.value

    def test_names_its_application(self, app):
        with app.app_context():
            assert repr(g) == f"<flaskctx.g of {app.name!r}>"

    def test_is_made_by_the_applications_class(self, app):
        class Globals(_AppCtxGlobals):
            answer = 42

        app.app_ctx_globals_class = Globals
        with app.app_context():
            assert g.answer == 42

    def test_outside_of_a_context_says_what_to_do(self):
        with pytest.raises(RuntimeError, match=r"with app\.app_context\(\)"):
            g.value = 1
        with pytest.raises(RuntimeError, match=r"with app\.app_context\(\)"):
            current_app.name
