"""SecureCookieSessionInterface: when the cookie is read, set and deleted, and with which keys."""

import hashlib
import threading
import time
from datetime import timedelta

import flask.sessions
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from itsdangerous import URLSafeTimedSerializer
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request, Response

from flaskctx import sessions
from flaskctx.bridge.kinds import is_nonblocking
from flaskctx.json.tag import TaggedJSONSerializer
from flaskctx.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionInterface
from flaskctx.sessions.cookie import _cookie_text


class Counting:
    """A serializer of the user's own, which counts; its text doesn't show what is in it."""

    def __init__(self):
        self.read = 0
        self.wrote = 0

    def dumps(self, value):
        self.wrote += 1
        return TaggedJSONSerializer().dumps(value).encode().hex()

    def loads(self, text):
        self.read += 1
        return TaggedJSONSerializer().loads(bytes.fromhex(text).decode())


class TestOpening:
    def test_without_a_secret_key_there_is_no_session(self, client):
        client.app.secret_key = None
        assert client.open() is None

    def test_without_a_cookie_it_is_empty(self, client):
        assert client.open() == {}

    def test_a_cookie_is_not_decoded_when_the_session_is_opened(self, client, interface):
        interface.serializer = Counting()
        session = client.open(client.cookie(a=1))
        assert interface.serializer.read == 0
        assert session["a"] == 1
        assert interface.serializer.read == 1

    @pytest.mark.parametrize("cookie", ["nonsense", "a.b.c", ".", ""])
    def test_a_cookie_that_was_not_signed_here_is_an_empty_session(self, client, cookie):
        assert client.open(cookie) == {}

    def test_a_cookie_older_than_the_lifetime_is_an_empty_session(self, client, monkeypatch):
        cookie = client.cookie(a=1)
        client.app.config["PERMANENT_SESSION_LIFETIME"] = timedelta(seconds=100)
        now = time.time()
        monkeypatch.setattr("itsdangerous.timed.time.time", lambda: now + 99)
        assert client.open(cookie) == {"a": 1}
        monkeypatch.setattr("itsdangerous.timed.time.time", lambda: now + 102)
        assert client.open(cookie) == {}

    def test_the_cookie_has_the_configured_name(self, client):
        client.app.config["SESSION_COOKIE_NAME"] = "other"
        assert client.open(client.cookie(a=1)) == {"a": 1}
        assert client.open(header=f"session={client.cookie(a=1)}") == {}

    def test_a_class_of_ones_own_is_given_the_data(self, client, interface):
        class Session(SecureCookieSession):
            def __init__(self, initial=None):
                super().__init__(initial)
                self.at_first = dict.copy(self)

        interface.session_class = Session
        session = client.open(client.cookie(a=1))
        assert type(session) is Session
        assert session.at_first == {"a": 1}
        assert not session.modified


class TestTheCookieHeader:
    """The cookie is looked up without building `request.cookies`, with the same result."""

    @given(st.text('ab=;, \t"\\\x0b\x1fé.-_1', max_size=25))
    @example("session=")
    @example("a")
    @example("a=1 2; a=3")
    @example('b="x; a=1"; a=2')
    @example("\x0ba=1; a=2")
    @example("a; a=1")
    def test_any_header_gives_what_the_mapping_gives(self, header):
        environ = EnvironBuilder().get_environ() | {"HTTP_COOKIE": header.encode().decode("latin-1")}
        for name in ("a", "ab", "é"):
            assert (_cookie_text(Request(environ), name) or None) == (Request(environ).cookies.get(name) or None)

    def test_the_mapping_is_not_built(self):
        request = Request(EnvironBuilder(headers={"Cookie": "x=1; a=2; y=3"}).get_environ())
        assert _cookie_text(request, "a") == "2"
        assert _cookie_text(request, "z") is None
        assert "cookies" not in vars(request)

    def test_a_request_class_with_cookies_of_its_own_is_asked(self):
        class OwnRequest(Request):
            cookies = ImmutableMultiDict({"a": "own"})

        assert _cookie_text(OwnRequest(EnvironBuilder().get_environ()), "a") == "own"


class TestSaving:
    def test_an_untouched_session_leaves_the_response_alone(self, client):
        for session in (client.open(), client.open(client.cookie(a=1))):
            headers = client.save(session)
            assert "Set-Cookie" not in headers
            assert "Vary" not in headers

    @pytest.mark.parametrize("filler", ["", "0123456789abcdef" * 20], ids=["plain", "compressed"])
    def test_an_untouched_session_is_not_even_decoded(self, client, monkeypatch, filler):
        session = client.open(client.cookie(a=filler))
        monkeypatch.setattr(URLSafeTimedSerializer, "loads", None)
        monkeypatch.setattr(type(session._sealed.serializer), "loads", None)
        client.save(session)
        assert session._sealed is not None

    def test_a_session_that_was_read_makes_the_response_vary(self, client):
        session = client.open(client.cookie(a=1))
        session.get("a")
        headers = client.save(session)
        assert headers["Vary"] == "Cookie"
        assert "Set-Cookie" not in headers

    def test_a_changed_session_is_set(self, client):
        session = client.open(client.cookie(a=1))
        session["b"] = (2,)
        headers = client.save(session)
        assert client.kept(headers) == {"a": 1, "b": (2,)}
        assert headers["Vary"] == "Cookie"
        assert "Expires" not in headers["Set-Cookie"]

    def test_an_emptied_session_is_deleted(self, client):
        session = client.open(client.cookie(a=1))
        session.clear()
        headers = client.save(session)
        assert headers["Set-Cookie"].startswith("session=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0;")
        assert headers["Vary"] == "Cookie"

    def test_other_values_of_vary_stay(self, client, app, interface):
        session = client.open()
        session["a"] = 1
        response = Response(headers={"Vary": "Accept"})
        interface.save_session(app, session, response)
        assert list(response.vary) == ["Accept", "Cookie"]
        interface.save_session(app, session, response)
        assert list(response.vary) == ["Accept", "Cookie"]

    def test_the_attributes_are_the_configurations(self, client, app):
        app.config |= {
            "SESSION_COOKIE_NAME": "name",
            "SESSION_COOKIE_DOMAIN": "example.org",
            "SESSION_COOKIE_PATH": "/below",
            "SESSION_COOKIE_HTTPONLY": False,
            "SESSION_COOKIE_SECURE": True,
            "SESSION_COOKIE_SAMESITE": "Lax",
            "SESSION_COOKIE_PARTITIONED": True,
        }
        session = client.open()
        session["a"] = 1
        attributes = ["Domain=example.org", "Secure", "Path=/below", "SameSite=Lax", "Partitioned"]
        name_and_value, *when_set = client.save(session)["Set-Cookie"].split("; ")
        assert name_and_value.startswith("name=")
        assert when_set == attributes
        session.clear()
        when_deleted = client.save(session)["Set-Cookie"].split("; ")
        assert set(attributes) < set(when_deleted)

    def test_a_session_of_another_kind_can_be_saved(self, client):
        class Stored(dict, sessions.SessionMixin):
            pass

        assert client.kept(client.save(Stored(a=1))) == {"a": 1}

    def test_an_own_answer_to_should_set_cookie_counts(self, client, monkeypatch):
        monkeypatch.setattr(SessionInterface, "should_set_cookie", lambda self, app, session: True)
        assert client.kept(client.save(client.open(client.cookie(a=1)))) == {"a": 1}
        assert "Set-Cookie" not in client.save(client.open())
        monkeypatch.setattr(SessionInterface, "should_set_cookie", lambda self, app, session: False)
        session = client.open()
        session["a"] = 1
        assert "Set-Cookie" not in client.save(session)

    def test_a_key_that_went_away_meanwhile_is_reported(self, client):
        session = client.open()
        session["a"] = 1
        client.app.secret_key = None
        with pytest.raises(RuntimeError, match="secret key was removed during the request"):
            client.save(session)


class TestRefreshing:
    @pytest.mark.parametrize("filler", ["", "0123456789abcdef" * 20, "x" * 20_000])
    def test_a_permanent_session_is_set_again_untouched(self, client, filler):
        headers = client.save(client.open(client.cookie(_permanent=True, a=filler)))
        assert client.kept(headers) == {"_permanent": True, "a": filler}
        assert "Expires=" in headers["Set-Cookie"]
        assert headers["Vary"] == "Cookie"

    def test_a_large_session_that_is_not_permanent_is_not(self, client):
        assert "Set-Cookie" not in client.save(client.open(client.cookie(a="x" * 20_000)))

    def test_refreshing_can_be_switched_off(self, client, interface):
        interface.serializer = Counting()
        client.app.config["SESSION_REFRESH_EACH_REQUEST"] = False
        assert "Set-Cookie" not in client.save(client.open(client.cookie(_permanent=True)))
        assert interface.serializer.read == 0

    def test_a_text_that_does_not_show_its_keys_is_decoded_for_it(self, client, interface):
        interface.serializer = Counting()
        assert client.kept(client.save(client.open(client.cookie(_permanent=True)))) == {"_permanent": True}

    def test_a_signing_serializer_of_ones_own_is_decoded_for_it(self, app, client):
        class Reversed(URLSafeTimedSerializer):
            def dump_payload(self, obj):
                return super().dump_payload(obj)[::-1]

            def load_payload(self, payload, *args):
                return super().load_payload(payload[::-1], *args)

        class Interface(SecureCookieSessionInterface):
            def get_signing_serializer(self, app):
                return Reversed(app.secret_key, serializer=self.serializer)

        client.interface = Interface()
        assert client.kept(client.save(client.open(client.cookie(_permanent=True)))) == {"_permanent": True}

    @pytest.mark.parametrize("payload", ["X19wZXJtYW5lbnRf", "eyJfcGVybWFuZW50Ijp0cnVlfQ", ".eJxx", "%%%", ".", "..."])
    def test_a_forged_cookie_is_not_refreshed(self, client, payload):
        headers = client.save(client.open(f"{payload}.AAAA.AAAA"))
        assert "Set-Cookie" not in headers


class TestKeys:
    def test_the_signing_serializer_is_kept(self, client, interface, app):
        assert isinstance(interface.get_signing_serializer(app), URLSafeTimedSerializer)
        assert interface.get_signing_serializer(app) is interface.get_signing_serializer(app)

    @pytest.mark.parametrize(
        "change",
        [
            lambda app, interface: setattr(app, "secret_key", "changed"),
            lambda app, interface: app.config.update(SECRET_KEY=b"changed"),
            lambda app, interface: setattr(interface, "salt", "changed"),
            lambda app, interface: setattr(interface, "key_derivation", "concat"),
            lambda app, interface: setattr(interface, "digest_method", hashlib.sha256),
        ],
    )
    def test_a_change_of_what_signs_takes_effect_at_once(self, client, app, interface, change):
        cookie = client.cookie(a=1)
        assert client.open(cookie) == {"a": 1}
        change(app, interface)
        assert client.open(cookie) == {}
        assert client.open(client.cookie(a=2)) == {"a": 2}

    def test_another_serializer_takes_effect_at_once(self, client, interface):
        client.cookie(a=1)
        interface.serializer = Counting()
        client.cookie(a=1)
        assert interface.serializer.wrote > 0

    def test_a_fallback_key_still_opens_and_the_new_one_signs(self, client, app):
        cookie = client.cookie(a=1)
        app.config["SECRET_KEY_FALLBACKS"] = [app.secret_key]
        app.secret_key = "new"
        session = client.open(cookie)
        session["b"] = 2
        headers = client.save(session)
        app.config["SECRET_KEY_FALLBACKS"] = None
        assert client.open(cookie) == {}
        assert client.kept(headers) == {"a": 1, "b": 2}

    def test_a_fallback_key_added_in_place_takes_effect_at_once(self, client, app):
        cookie = client.cookie(a=1)
        app.secret_key = "new"
        app.config["SECRET_KEY_FALLBACKS"] = fallbacks = ["unrelated"]
        assert client.open(cookie) == {}
        fallbacks.append("the secret of the tests")
        assert client.open(cookie) == {"a": 1}

    def test_one_interface_serves_several_applications(self, make_app, client, interface):
        apps = [make_app(SECRET_KEY=f"key {number}") for number in range(20)]
        texts = [interface.get_signing_serializer(app).dumps(app.secret_key) for app in apps]
        for app, text in zip(apps, texts, strict=True):
            assert interface.get_signing_serializer(app).loads(text) == app.secret_key

    def test_threads_share_the_serializer(self, client):
        cookie = client.cookie(a=1)
        wrong = []

        def use(number):
            right = all(
                client.open(cookie) == {"a": 1} and client.open(client.cookie(n=number)) == {"n": number}
                for _ in range(200)
            )
            if not right:
                wrong.append(number)

        threads = [threading.Thread(target=use, args=[number]) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []


class TestTheMark:
    @pytest.mark.parametrize("name", ["open_session", "save_session"])
    def test_opening_and_saving_are_marked_as_never_blocking(self, name):
        assert is_nonblocking(getattr(SecureCookieSessionInterface(), name))

    @pytest.mark.parametrize("name", ["open_session", "save_session"])
    def test_an_override_is_not(self, name):
        override = type("Override", (SecureCookieSessionInterface,), {name: lambda self, *args: None})
        assert not is_nonblocking(getattr(override(), name))
        assert not is_nonblocking(getattr(SessionInterface(), name))


@pytest.mark.parametrize("name", sessions.__all__)
def test_the_package_has_flasks_names(name):
    assert hasattr(flask.sessions, name)
    assert hasattr(sessions, name)
