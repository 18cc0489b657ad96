"""SessionInterface: the questions that savers of sessions ask the configuration."""

from datetime import UTC, datetime, timedelta

import pytest

from flaskctx.sessions import NullSession, SecureCookieSession, SessionInterface


@pytest.fixture
def interface():
    return SessionInterface()


@pytest.mark.parametrize(
    ("method", "key", "value"),
    [
        ("get_cookie_name", "SESSION_COOKIE_NAME", "name"),
        ("get_cookie_domain", "SESSION_COOKIE_DOMAIN", "example.org"),
        ("get_cookie_path", "SESSION_COOKIE_PATH", "/below"),
        ("get_cookie_httponly", "SESSION_COOKIE_HTTPONLY", False),
        ("get_cookie_secure", "SESSION_COOKIE_SECURE", True),
        ("get_cookie_samesite", "SESSION_COOKIE_SAMESITE", "Lax"),
        ("get_cookie_partitioned", "SESSION_COOKIE_PARTITIONED", True),
    ],
)
def test_each_cookie_attribute_has_its_key(interface, app, method, key, value):
    assert getattr(interface, method)(app) != value
    app.config[key] = value
    assert getattr(interface, method)(app) == value


def test_without_a_path_the_cookie_has_the_applications(interface, app):
    app.config["APPLICATION_ROOT"] = "/app"
    assert interface.get_cookie_path(app) == "/app"


def test_a_permanent_session_expires_after_its_lifetime(interface, app):
    app.config["PERMANENT_SESSION_LIFETIME"] = timedelta(hours=1)
    expires = interface.get_expiration_time(app, SecureCookieSession({"_permanent": True}))
    assert timedelta(minutes=59) < expires - datetime.now(UTC) <= timedelta(hours=1)


def test_another_session_ends_with_the_browser(interface, app):
    assert interface.get_expiration_time(app, SecureCookieSession()) is None


@pytest.mark.parametrize("modified", [True, False])
@pytest.mark.parametrize("permanent", [True, False])
@pytest.mark.parametrize("refresh", [True, False])
def test_the_cookie_is_set_for_a_change_or_to_refresh(interface, app, modified, permanent, refresh):
    app.config["SESSION_REFRESH_EACH_REQUEST"] = refresh
    session = SecureCookieSession({"_permanent": permanent})
    session.modified = modified
    assert interface.should_set_cookie(app, session) is (modified or (permanent and refresh))


def test_null_sessions_are_made_and_told_apart(interface, app):
    assert type(interface.make_null_session(app)) is NullSession
    assert interface.is_null_session(interface.make_null_session(app))
    assert not interface.is_null_session(SecureCookieSession())
    assert not interface.is_null_session(None)


def test_the_class_of_null_sessions_can_be_set(app):
    class OwnNull(NullSession):
        pass

    class Interface(SessionInterface):
        null_session_class = OwnNull

    assert type(Interface().make_null_session(app)) is OwnNull


def test_nothing_is_pickled_by_default(interface):
    assert interface.pickle_based is False


def test_opening_and_saving_have_to_be_defined(interface, app):
    with pytest.raises(NotImplementedError, match="SessionInterface must define open_session"):
        interface.open_session(app, None)
    with pytest.raises(NotImplementedError, match="SessionInterface must define save_session"):
        interface.save_session(app, SecureCookieSession(), None)
