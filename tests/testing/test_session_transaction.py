"""flaskctx/testing/session.py: a test reads and writes the session between requests."""

from __future__ import annotations

import anyio
import pytest

from flaskctx import current_app, has_app_context, has_request_context, request, session
from flaskctx.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionInterface


@pytest.fixture
def app(app):
    @app.get("/count")
    def count():
        session["count"] = session.get("count", 0) + 1
        return str(session["count"])

    return app


def test_shows_what_a_request_has_left_and_gives_the_next_one_what_it_is_given(client):
    client.get("/count")
    with client.session_transaction() as opened:
        assert opened["count"] == 1
        opened["count"] = 10
    assert client.get("/count").text == "11"


def test_is_opened_for_the_url_that_it_is_given(app, client):
    with client.session_transaction("/count", base_url="http://other.com") as opened:
        opened["count"] = 5
    assert client.get("/count").text == "1"
    assert client.get("/count", base_url="http://other.com").text == "6"


def test_is_not_saved_when_the_block_fails(client):
    with pytest.raises(LookupError), client.session_transaction() as opened:
        opened["count"] = 10
        raise LookupError
    assert client.get("/count").text == "1"


def test_without_a_secret_key_there_is_none_to_open(app, client):
    app.secret_key = None
    with pytest.raises(RuntimeError, match="Is SECRET_KEY set"), client.session_transaction():
        pass


def test_a_null_session_is_not_saved(app, client):
    class Interface(SessionInterface):
        def open_session(self, app, request):
            return self.make_null_session(app)

    app.session_interface = Interface()
    with client.session_transaction() as opened:
        assert dict(opened) == {}
    assert client.get_cookie("session") is None


def test_no_hook_and_no_teardown_runs_for_it(app, client):
    called = []
    app.before_request(lambda: called.append("before"))
    app.teardown_request(lambda error: called.append("request"))
    app.teardown_appcontext(lambda error: called.append("appcontext"))
    with client.session_transaction():
        pass
    assert called == []


class Interface(SecureCookieSessionInterface):
    """A session interface of either colour, which notes what was current."""

    def __init__(self, seen):
        self.seen = seen

    def open_session(self, app, request):
        self.seen.append(("open", current_app.name, request.path))
        return SecureCookieSession()

    def save_session(self, app, session, response):
        self.seen.append(("save", current_app.name, request.path))


class AsyncInterface(Interface):
    async def open_session(self, app, request):
        await anyio.sleep(0)
        return super().open_session(app, request)

    async def save_session(self, app, session, response):
        await anyio.sleep(0)
        super().save_session(app, session, response)


@pytest.mark.parametrize("interface", [Interface, AsyncInterface])
class TestOfAnyInterface:
    def test_its_methods_have_the_contexts_and_the_block_has_none(self, app, client, interface):
        app.session_interface = interface([])
        with client.session_transaction("/path"):
            assert not has_request_context()
            assert not has_app_context()
        assert app.session_interface.seen == [("open", "app", "/path"), ("save", "app", "/path")]

    @pytest.mark.parametrize("backend", ["asyncio", "trio"])
    def test_both_clients_have_the_async_form(self, app, interface, backend):
        app.session_interface = interface([])

        async def main():
            for client in (app.test_client(), app.async_test_client()):
                async with client.session_transaction("/path"):
                    assert not has_request_context()

        anyio.run(main, backend=backend)
        assert [what for what, *_ in app.session_interface.seen] == ["open", "save"] * 2


async def test_with_can_not_wait_for_an_async_interface_on_a_loop(app):
    app.session_interface = AsyncInterface([])
    with pytest.raises(RuntimeError, match=r"async with client\.session_transaction"):
        with app.async_test_client().session_transaction():
            pass


async def test_with_is_enough_for_a_def_interface_on_a_loop(app):
    client = app.async_test_client()
    with client.session_transaction() as opened:
        opened["count"] = 1
    assert (await client.get("/count")).text == "2"


def test_overridden_methods_of_the_application_are_used(app, client, monkeypatch):
    called = []
    monkeypatch.setattr(app, "open_session", lambda request: called.append("open") or SecureCookieSession())
    monkeypatch.setattr(app, "save_session", lambda session, response: called.append("save"))
    with client.session_transaction():
        pass
    assert called == ["open", "save"]


def test_within_a_block_of_the_client_the_kept_session_stays_as_it_was(app):
    with app.test_client() as client:
        client.get("/count")
        with client.session_transaction() as opened:
            opened["count"] = 20
            assert session["count"] == 1
        assert session["count"] == 1
        client.get("/count")
        assert session["count"] == 21
