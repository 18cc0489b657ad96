"""The session cookie from one request to the next; in every world."""

from __future__ import annotations

import pytest

from flaskctx import session


@pytest.fixture
def visit(app, server, colour):
    """Count a visit in the session: `visit(cookie)` returns the count and the cookie that comes back."""

    def count():
        session["visits"] = session.get("visits", 0) + 1
        return str(session["visits"])

    app.add_url_rule("/", "count", colour(count))

    def visit(cookie=""):
        answer = server.get("/", headers={"Cookie": cookie} if cookie else {})
        assert answer.status_code == 200
        return int(answer.text), answer.cookies

    return visit


def test_keys_are_rotated(app, visit):
    app.secret_key = "old"
    _, signed_by_old = visit()
    app.secret_key, app.config["SECRET_KEY_FALLBACKS"] = "new", ["old"]
    count, signed_by_new = visit(signed_by_old)
    assert count == 2
    app.config["SECRET_KEY_FALLBACKS"] = None
    assert visit(signed_by_old)[0] == 1
    assert visit(signed_by_new)[0] == 3


def test_its_options_are_the_configured_ones(app, server, visit):
    app.config.update(
        SESSION_COOKIE_NAME="name",
        SESSION_COOKIE_DOMAIN="example.com",
        SESSION_COOKIE_PATH="/path",
        SESSION_COOKIE_SECURE=True,
        SESSION_COOKIE_HTTPONLY=False,
        SESSION_COOKIE_SAMESITE="None",
        SESSION_COOKIE_PARTITIONED=True,
    )
    cookie, *options = server.get("/").headers["Set-Cookie"].split("; ")
    assert cookie.startswith("name=")
    assert sorted(options) == ["Domain=example.com", "Partitioned", "Path=/path", "SameSite=None", "Secure"]
