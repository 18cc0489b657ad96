"""A stand-in for the application: what the session modules read of it."""

from datetime import timedelta

import pytest
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request, Response

from flaskctx.config import ConfigAttribute
from flaskctx.sessions import SecureCookieSessionInterface

CONFIG = {
    "SECRET_KEY": "the secret of the tests",
    "SECRET_KEY_FALLBACKS": None,
    "SESSION_COOKIE_NAME": "session",
    "SESSION_COOKIE_DOMAIN": None,
    "SESSION_COOKIE_PATH": None,
    "SESSION_COOKIE_HTTPONLY": True,
    "SESSION_COOKIE_SECURE": False,
    "SESSION_COOKIE_SAMESITE": None,
    "SESSION_COOKIE_PARTITIONED": False,
    "SESSION_REFRESH_EACH_REQUEST": True,
    "PERMANENT_SESSION_LIFETIME": timedelta(days=31),
    "APPLICATION_ROOT": "/",
}


class App:
    secret_key = ConfigAttribute("SECRET_KEY")
    permanent_session_lifetime = ConfigAttribute("PERMANENT_SESSION_LIFETIME")

    def __init__(self, **config):
        self.config = {**CONFIG, **config}


class Client:
    """Opens and saves sessions as a browser with one cookie would have it done."""

    def __init__(self, app, interface):
        self.app = app
        self.interface = interface

    def cookie(self, **data):
        """Return the signed text of a session."""
        return self.interface.get_signing_serializer(self.app).dumps(data)

    def open(self, cookie=None, *, header=None):
        """Open the session of a request with this cookie, or with this whole `Cookie` header."""
        if cookie is not None:
            header = f"{self.interface.get_cookie_name(self.app)}={cookie}"
        builder = EnvironBuilder(headers={} if header is None else {"Cookie": header})
        return self.interface.open_session(self.app, Request(builder.get_environ()))

    def save(self, session):
        """Save a session and return the response's headers."""
        response = Response()
        self.interface.save_session(self.app, session, response)
        return response.headers

    def kept(self, headers):
        """Return the data in the cookie that the headers set."""
        text = headers["Set-Cookie"].partition(";")[0].partition("=")[2]
        return self.interface.get_signing_serializer(self.app).loads(text)


@pytest.fixture
def make_app():
    return App


@pytest.fixture
def app():
    return App()


@pytest.fixture
def interface():
    return SecureCookieSessionInterface()


@pytest.fixture
def client(app, interface):
    return Client(app, interface)
