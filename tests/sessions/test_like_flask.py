"""Sessions as seen from outside, side by side with Flask's: results, flags, headers and cookies."""

import copy
from datetime import timedelta

import flask
import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request, Response

from flaskctx.sessions import SecureCookieSessionInterface

UNWRITABLE = object()
COOKIES = {
    "no cookie": None,
    "cookie": {"a": 1, "b": [2]},
    "permanent cookie": {"_permanent": True, "a": 1},
    "cookie of one key": {"a": 1},
    "cookie marked not permanent": {"_permanent": False, "a": 1},
    "forged cookie": "eyJfcGVybWFuZW50Ijp0cnVlfQ.aaaaaa.bbbbbb",
}

STEPS = {
    "get": lambda s: s.get("a"),
    "get with default": lambda s: s.get("x", 5),
    "item": lambda s: s["a"],
    "in": lambda s: "a" in s,
    "len": lambda s: len(s),
    "bool": lambda s: bool(s),
    "list": lambda s: list(s),
    "reversed": lambda s: list(reversed(s)),
    "keys": lambda s: list(s.keys()),
    "values": lambda s: list(s.values()),
    "items": lambda s: list(s.items()),
    "eq": lambda s: s == {"a": 1},
    "ne": lambda s: s != {"a": 1},
    "repr": lambda s: repr(s),
    "dict": lambda s: dict(s),
    "or": lambda s: s | {"q": 1},
    "ror": lambda s: {"q": 1} | s,
    "copy": lambda s: s.copy(),
    "copy.copy": lambda s: copy.copy(s),
    "permanent": lambda s: s.permanent,
    "hash": lambda s: hash(s),
    "no such attribute": lambda s: s.foo,
    "set": lambda s: s.__setitem__("n", 1),
    "set the same": lambda s: s.__setitem__("a", 1),
    "del": lambda s: s.__delitem__("a"),
    "pop": lambda s: s.pop("a"),
    "pop with default": lambda s: s.pop("x", 3),
    "pop with a named default": lambda s: s.pop("x", default=3),
    "pop too much": lambda s: s.pop("a", 1, 2),
    "popitem": lambda s: s.popitem(),
    "clear": lambda s: s.clear(),
    "update": lambda s: s.update(n=1),
    "update from a dict": lambda s: s.update({"n": 1}, m=2),
    "update from pairs": lambda s: s.update([("n", 1)]),
    "update with nothing": lambda s: s.update(),
    "update with None": lambda s: s.update(None, n=1),
    "update with nonsense": lambda s: s.update(5),
    "setdefault": lambda s: s.setdefault("a", 5),
    "setdefault None": lambda s: s.setdefault("n"),
    "ior": lambda s: s.__ior__({"n": 1}) and None,
    "permanent = True": lambda s: setattr(s, "permanent", True),
    "permanent = 0": lambda s: setattr(s, "permanent", 0),
    "modified = True": lambda s: setattr(s, "modified", True),
    "modified = False": lambda s: setattr(s, "modified", False),
    "a tuple": lambda s: s.__setitem__("n", (1, {" t": b"2"})),
    "what JSON has no form for": lambda s: s.__setitem__("n", UNWRITABLE),
    "an attribute": lambda s: setattr(s, "extension", 1),
}


def outcome(step, session):
    """Run a step; tell what it returned, or how it failed."""
    try:
        result = step(session)
    except Exception as error:
        return type(error).__name__
    return type(result).__name__, result


def run(steps, session):
    """Return what a view sees of the session after each step."""
    return [(outcome(step, session), session.modified, session.new, session.permanent, dict(session)) for step in steps]


def headers_of(response, serializer):
    """Return what the session did to the headers, the cookie's data instead of its text."""
    described = [("Vary", value) for value in response.headers.getlist("Vary")]
    for header in response.headers.getlist("Set-Cookie"):
        pair, *attributes = header.split("; ")
        name, _, text = pair.partition("=")
        data = serializer.loads(text) if text else None
        # Expires has the time of day; whether there is one, and 1970, is what matters.
        kinds = [a[:24] if a.startswith("Expires=") and "1970" in a else a.partition("=")[0] for a in attributes]
        described.append((name, data, kinds))
    return described


def flask_request(app, cookie, steps):
    app.view_functions["view"] = lambda: seen.append(run(steps, flask.session) if steps else None) or ""
    seen = []
    headers = {} if cookie is None else {"Cookie": f"session={cookie}"}
    response = app.test_client(use_cookies=False).get("/", headers=headers)
    return seen, response


def our_request(app, cookie, steps):
    interface = SecureCookieSessionInterface()
    headers = {} if cookie is None else {"Cookie": f"session={cookie}"}
    session = interface.open_session(app, Request(EnvironBuilder(headers=headers).get_environ()))
    seen = [run(steps, session) if steps else None]
    response = Response()
    interface.save_session(app, session, response)
    return seen, response


@pytest.fixture
def app():
    app = flask.Flask(__name__)
    app.secret_key = "secret"
    app.add_url_rule("/", "view", lambda: "")
    return app


def compare(app, cookie, steps):
    serializer = app.session_interface.get_signing_serializer(app)
    text = serializer.dumps(cookie) if isinstance(cookie, dict) else cookie
    fails = False
    try:
        expected, flasks = flask_request(app, text, steps)
        fails = flasks.status_code == 500
    except TypeError:
        fails = True
    if fails:
        with pytest.raises(TypeError):
            our_request(app, text, steps)
        return
    seen, ours = our_request(app, text, steps)
    assert seen == expected
    assert headers_of(ours, serializer) == headers_of(flasks, serializer)


@pytest.mark.parametrize("refresh", [True, False], ids=["refresh", "no refresh"])
@pytest.mark.parametrize("cookie", COOKIES)
@pytest.mark.parametrize("step", STEPS)
def test_one_step(app, step, cookie, refresh):
    app.config["SESSION_REFRESH_EACH_REQUEST"] = refresh
    compare(app, COOKIES[cookie], [STEPS[step]])


@pytest.mark.parametrize("refresh", [True, False], ids=["refresh", "no refresh"])
@pytest.mark.parametrize("cookie", COOKIES)
def test_no_step(app, cookie, refresh):
    app.config["SESSION_REFRESH_EACH_REQUEST"] = refresh
    compare(app, COOKIES[cookie], [])


@given(st.lists(st.sampled_from(sorted(STEPS)), max_size=5), st.sampled_from(sorted(COOKIES)))
def test_several_steps(steps, cookie):
    app = flask.Flask(__name__)
    app.secret_key = "secret"
    app.add_url_rule("/", "view", lambda: "")
    compare(app, COOKIES[cookie], [STEPS[step] for step in steps])


@pytest.mark.parametrize(
    "config",
    [
        {"SESSION_COOKIE_SECURE": True, "SESSION_COOKIE_HTTPONLY": False},
        {
            "SESSION_COOKIE_SAMESITE": "Strict",
            "SESSION_COOKIE_PARTITIONED": True,
            "SESSION_COOKIE_SECURE": True,
        },
        {"SESSION_COOKIE_DOMAIN": "example.org", "SESSION_COOKIE_PATH": "/below"},
        {"APPLICATION_ROOT": "/root"},
        {"PERMANENT_SESSION_LIFETIME": timedelta(hours=1)},
        {"PERMANENT_SESSION_LIFETIME": 60},
    ],
    ids=str,
)
@pytest.mark.parametrize("step", ["set", "clear", "get"])
def test_every_setting_of_the_cookie(app, config, step):
    app.config.update(config)
    compare(app, {"_permanent": True, "a": 1}, [STEPS[step]])


@pytest.mark.parametrize("fallbacks", [None, [], ["old"], ["older", b"old"]], ids=str)
@pytest.mark.parametrize("signed_with", ["secret", "old", "older", "foreign"])
def test_keys_in_rotation(app, fallbacks, signed_with):
    cookie = {"a": 1}
    app.secret_key = signed_with
    text = app.session_interface.get_signing_serializer(app).dumps(cookie)
    app.secret_key = "secret"
    app.config["SECRET_KEY_FALLBACKS"] = fallbacks
    compare(app, text, [STEPS["dict"]])


def test_without_a_secret_key_neither_opens_a_session(app):
    app.secret_key = None
    request = flask.Request(EnvironBuilder().get_environ())
    assert app.session_interface.open_session(app, request) is None
    assert SecureCookieSessionInterface().open_session(app, request) is None


@pytest.mark.parametrize("size", [0, 10, 60, 100, 3000])
def test_each_reads_the_others_cookies(app, size):
    data = {"text": "ab" * size, "tuple": (1, b"2"), "_permanent": True}
    ours = SecureCookieSessionInterface().get_signing_serializer(app)
    theirs = app.session_interface.get_signing_serializer(app)
    assert theirs.loads(ours.dumps(data), max_age=60) == data
    assert ours.loads(theirs.dumps(data), max_age=60) == data
