"""CookieSetter: the header that `response.set_cookie` writes, without making it each time."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.wrappers import Response

from flaskctx.sessions.set_cookie import CookieSetter

PLAIN = {
    "path": "/",
    "domain": None,
    "secure": False,
    "httponly": True,
    "samesite": None,
    "partitioned": False,
}

attributes = st.fixed_dictionaries(
    {
        "path": st.sampled_from(["/", "/below", "/with space", None]),
        "domain": st.sampled_from([None, "example.org", ".example.org"]),
        "secure": st.booleans(),
        "httponly": st.booleans(),
        "samesite": st.sampled_from([None, "Lax", "strict", "None"]),
        "partitioned": st.booleans(),
    }
)
expiries = st.none() | st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))


@pytest.fixture
def setter():
    return CookieSetter()


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["session", "other"]),
            st.text("ab.-_ ;é\"'", max_size=10),
            expiries,
            attributes,
        ),
        max_size=6,
    )
)
def test_the_headers_are_werkzeugs(cookies):
    setter, ours, theirs = CookieSetter(), Response(), Response()
    for name, value, expires, attributes in cookies:
        setter.set(ours, name, value, expires, attributes)
        theirs.set_cookie(name, value, expires=expires, **attributes)
    assert ours.headers == theirs.headers


def test_a_response_class_with_a_set_cookie_of_its_own_is_asked(setter):
    class OwnResponse(Response):
        def set_cookie(self, key, value="", **attributes):
            self.headers["X-Own"] = value

    response = OwnResponse()
    setter.set(response, "session", "text", None, PLAIN)
    assert response.headers["X-Own"] == "text"
    assert "Set-Cookie" not in response.headers


def test_a_set_cookie_that_is_patched_in_is_called(setter, monkeypatch):
    setter.set(Response(), "session", "text", None, PLAIN)
    called = []
    monkeypatch.setattr(Response, "set_cookie", lambda self, *args, **kwargs: called.append(args))
    setter.set(Response(), "session", "text", None, PLAIN)
    assert called == [("session", "text")]


@pytest.mark.parametrize("limit", [Response.max_cookie_size, 100])
def test_werkzeug_warns_of_a_cookie_that_browsers_drop(setter, limit):
    response = Response()
    response.max_cookie_size = limit
    with pytest.warns(UserWarning, match="too large"):
        setter.set(response, "session", "x" * limit, None, PLAIN)
    assert len(response.headers["Set-Cookie"]) > limit


def test_a_wrong_attribute_raises_each_time(setter):
    for _ in range(2):
        with pytest.raises(ValueError, match="SameSite"):
            setter.set(Response(), "session", "text", None, {**PLAIN, "samesite": "Sometimes"})
