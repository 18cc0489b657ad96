"""Contexts that outlive their request, for a test client or a debugger."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest

from flaskctx import current_app, g, has_app_context, has_request_context, request, session
from flaskctx.globals import _request_ctx_stack


@pytest.fixture
def torn_down(app):
    """The paths of the requests that were torn down, and what the teardown was told."""
    told = []
    app.teardown_request(lambda error: told.append((request.path, error)))
    return told


@pytest.fixture
def app(app, colour):
    def view():
        g.value = request.path
        session["value"] = request.path
        return "hello"

    app.get("/one", endpoint="one")(colour(view))
    app.get("/two", endpoint="two")(colour(view))
    app.get("/failing", endpoint="failing")(colour(lambda: {}["missing"]))
    return app


class TestWithClient:
    def test_keeps_the_last_request_until_the_next_one_and_the_blocks_end(self, app, torn_down):
        with app.test_client() as client:
            client.get("/one")
            assert (request.path, g.value, session["value"]) == ("/one", "/one", "/one")
            assert torn_down == []
            client.get("/two")
            assert (request.path, g.value, session["value"]) == ("/two", "/two", "/two")
            assert torn_down == [("/one", None)]
        assert torn_down == [("/one", None), ("/two", None)]
        assert not has_request_context()
        assert not has_app_context()

    def test_without_the_block_nothing_is_kept(self, app, torn_down):
        app.test_client().get("/one")
        assert not has_request_context()
        assert torn_down == [("/one", None)]

    def test_a_failing_request_is_kept_too_and_torn_down_with_its_error(self, app, torn_down):
        with app.test_client() as client:
            assert client.get("/failing").status_code == 500
            assert request.path == "/failing"
            client.get("/one")
            assert [(path, type(error)) for path, error in torn_down] == [("/failing", KeyError)]

    async def test_works_on_a_running_loop(self, app, torn_down):
        with app.test_client() as client:
            client.get("/one")
            assert (request.path, g.value) == ("/one", "/one")
            await asyncio.sleep(0)
            client.get("/two")
            assert request.path == "/two"
        assert not has_request_context()
        assert [path for path, _ in torn_down] == ["/one", "/two"]

    def test_a_block_left_by_an_exception_leaves_nothing(self, app, torn_down):
        with pytest.raises(LookupError), app.test_client() as client:
            client.get("/one")
            raise LookupError
        assert not has_request_context()
        assert torn_down == [("/one", None)]

    def test_blocks_of_two_clients_nest(self, app, torn_down):
        with app.test_client() as outer:
            outer.get("/one")
            with app.test_client() as inner:
                inner.get("/two")
                assert request.path == "/two"
        assert not has_request_context()
        assert [path for path, _ in torn_down] == ["/one", "/two"]

    def test_can_not_be_entered_twice(self, app):
        with app.test_client() as client, pytest.raises(RuntimeError, match="twice"), client:
            pass


@pytest.mark.worlds("wsgi")
class TestOnException:
    """`PRESERVE_CONTEXT_ON_EXCEPTION`: for the debugger, where the same thread serves the next request."""

    @pytest.fixture(autouse=True)
    def nothing_preserved_stays(self):
        yield
        top = _request_ctx_stack.top
        if top is not None:
            top.pop(None)

    def serve(self, app, path, **environ):
        """Serve a request on this thread, as a server with one thread does."""
        given = {
            "REQUEST_METHOD": "GET", "PATH_INFO": path, "SERVER_NAME": "localhost", "SERVER_PORT": "80",
            "wsgi.url_scheme": "http", "wsgi.multithread": False, "wsgi.input": None,
        }  # fmt: skip
        return b"".join(app({**given, **environ}, lambda status, headers, exc_info=None: None))

    @pytest.mark.parametrize("settings", [{"DEBUG": True}, {"PRESERVE_CONTEXT_ON_EXCEPTION": True}])
    def test_the_context_of_a_failed_request_is_kept_until_the_next_push(self, app, torn_down, settings):
        app.config.update(settings, PROPAGATE_EXCEPTIONS=True)
        with pytest.raises(KeyError):
            self.serve(app, "/failing")
        assert request.path == "/failing"
        context = _request_ctx_stack.top
        assert context.preserved
        assert type(context._preserved_exc) is KeyError
        assert torn_down == []
        assert self.serve(app, "/one") == b"hello"
        assert [(path, type(error)) for path, error in torn_down] == [("/failing", KeyError), ("/one", type(None))]
        assert not has_request_context()

    def test_a_request_without_error_is_not_kept(self, app, torn_down):
        app.config["PRESERVE_CONTEXT_ON_EXCEPTION"] = True
        self.serve(app, "/one")
        assert not has_request_context()

    @pytest.mark.parametrize(
        ("settings", "environ"),
        [
            ({}, {}),
            ({"DEBUG": True, "PRESERVE_CONTEXT_ON_EXCEPTION": False}, {}),
            ({"DEBUG": True}, {"wsgi.multithread": True}),
        ],
    )
    def test_is_off_in_production_when_switched_off_and_with_threads(self, app, torn_down, settings, environ):
        app.config.update(settings, PROPAGATE_EXCEPTIONS=True)
        with pytest.raises(KeyError):
            self.serve(app, "/failing", **environ)
        assert not has_request_context()
        assert len(torn_down) == 1

    def test_a_context_pushed_by_hand_is_not_kept_by_with(self, app, torn_down):
        with pytest.raises(LookupError), app.test_request_context("/one"):
            raise LookupError
        assert not has_request_context()

    def test_the_environ_key_keeps_it(self, app, torn_down):
        self.serve(app, "/one", **{"flask._preserve_context": True})
        assert request.path == "/one"
        assert torn_down == []
        _request_ctx_stack.top.pop(None)
        assert torn_down == [("/one", None)]


@pytest.mark.worlds("asgi-asyncio", "asgi-trio")
def test_nothing_is_kept_under_asgi(app, server, torn_down):
    app.config.update(DEBUG=True, PROPAGATE_EXCEPTIONS=True, PRESERVE_CONTEXT_ON_EXCEPTION=True)
    with pytest.raises(KeyError):
        server.get("/failing")
    assert [(path, type(error)) for path, error in torn_down] == [("/failing", KeyError)]


@pytest.mark.worlds("wsgi")
class TestDebugger:
    """werkzeug's debugger hands in `werkzeug.debug.preserve_context` and enters what it gets in its console."""

    def test_borrows_the_finished_contexts(self, app, server, torn_down):
        app.config.update(PROPAGATE_EXCEPTIONS=True)
        kept = []
        with pytest.raises(KeyError):
            server.get("/failing", environ_base={"werkzeug.debug.preserve_context": kept.append})
        assert len(torn_down) == 1
        for _ in range(2):
            for context in kept:
                context.__enter__()
            assert (request.path, current_app.name) == ("/failing", app.name)
            for context in reversed(kept):
                context.__exit__(None, None, None)
            assert not has_request_context()
            assert not has_app_context()
        assert len(torn_down) == 1


def test_a_finished_request_is_freed(app, server):
    requests = []
    app.before_request(lambda: requests.append(weakref.ref(request._get_current_object())))
    server.get("/one")
    server.get("/two")
    gc.collect()
    assert [reference() for reference in requests] == [None, None]
