"""The session in a signed cookie is opened when it is first used, wherever nobody can tell the difference."""

from __future__ import annotations

import threading

import pytest

from flaskctx import carry, session
from flaskctx.globals import request_ctx
from flaskctx.sessions import NullSession, SecureCookieSession, SecureCookieSessionInterface


def is_open():
    return request_ctx._session is not None


class TestIsNotOpened:
    def test_by_a_request_that_does_not_use_it(self, app, server, colour):
        opened = []
        app.get("/")(colour(lambda: opened.append(is_open()) or "hello"))
        answer = server.get("/")
        assert opened == [False]
        assert "Set-Cookie" not in answer.headers
        assert "Vary" not in answer.headers

    def test_by_hooks_that_do_not_use_it(self, app, server, colour):
        contexts = []
        app.get("/")(colour(lambda: contexts.append(request_ctx._get_current_object()) or "hello"))
        app.after_request(colour(lambda response: response))
        app.teardown_request(colour(lambda error: None))
        server.get("/")
        assert contexts[0]._session is None


class TestIsOpened:
    def test_by_its_first_use(self, app, server, colour):
        def view():
            before = is_open()
            session["user"] = 1
            return [before, is_open(), session["user"]]

        app.get("/")(colour(view))
        answer = server.get("/")
        assert answer.json == [False, True, 1]
        assert answer.headers["Set-Cookie"].startswith("session=")

    def test_once_for_threads_that_come_at_the_same_time(self, app, server):
        barrier = threading.Barrier(4)
        found = []

        def read():
            barrier.wait(5)
            found.append(request_ctx.session)

        def view():
            threads = [threading.Thread(target=carry(read)) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(5)
            return "done"

        app.get("/")(view)
        server.get("/")
        assert len(found) == 4
        assert all(one is found[0] for one in found)

    def test_without_a_key_as_a_null_session(self, app, server, colour):
        app.secret_key = None
        kinds = []
        app.get("/")(colour(lambda: kinds.append(type(request_ctx.session)) or "hello"))
        server.get("/")
        assert kinds == [NullSession]

    def test_after_the_request_too_but_cannot_be_changed_then(self, app, server, colour):
        contexts = []
        app.get("/")(colour(lambda: contexts.append(request_ctx._get_current_object()) or "hello"))
        server.get("/")
        late = contexts[0].session
        assert late.get("user") is None
        with pytest.raises(RuntimeError, match="session"):
            late["user"] = 1

    def test_where_a_permanent_one_has_to_be_refreshed(self, app, server, colour):
        def start():
            session.permanent = True
            session["user"] = 1
            return "started"

        app.get("/start")(colour(start))
        app.get("/")(colour(lambda: "hello"))
        cookie = server.get("/start").headers["Set-Cookie"].partition(";")[0]
        assert "Expires" in server.get("/", headers={"Cookie": cookie}).headers["Set-Cookie"]


def test_one_that_is_assigned_counts(app, server, colour):
    def view():
        request_ctx.session = SecureCookieSession({"user": 2})
        session.modified = True
        return [session["user"]]

    app.get("/")(colour(view))
    answer = server.get("/")
    assert answer.json == [2]
    assert "Set-Cookie" in answer.headers


def test_there_is_none_before_the_push(app):
    assert app.request_context(app.test_request_context("/").request.environ).session is None


class TestIsOpenedAtPush:
    """Where someone has something to add."""

    @pytest.fixture
    def opened(self, app, colour):
        opened = []
        app.before_request(colour(lambda: opened.append(is_open())))
        app.get("/")(colour(lambda: "hello"))
        return opened

    def test_by_a_subclass(self, app, server, opened):
        class Sessions(SecureCookieSessionInterface):
            def open_session(self, app, request):
                return super().open_session(app, request)

        app.session_interface = Sessions()
        server.get("/")
        assert opened == [True]

    def test_by_an_interface_with_a_function_of_its_own(self, app, server, opened):
        app.session_interface = interface = SecureCookieSessionInterface()
        interface.save_session = lambda app, session, response: None
        server.get("/")
        assert opened == [True]

    def test_by_a_patched_class(self, app, server, opened, monkeypatch):
        native = SecureCookieSessionInterface.open_session
        monkeypatch.setattr(
            SecureCookieSessionInterface, "open_session", lambda self, app, request: native(self, app, request)
        )
        server.get("/")
        assert opened == [True]

    def test_as_a_class_of_the_users(self, app, server, opened):
        app.session_interface = interface = SecureCookieSessionInterface()
        interface.session_class = type("Own", (SecureCookieSession,), {})
        server.get("/")
        assert opened == [True]

    def test_by_an_application_that_overrides_it(self, app, server, opened):
        native = app.open_session
        app.open_session = lambda request: native(request)
        server.get("/")
        assert opened == [True]
