"""flaskctx/testing/both.py: a request through both protocols, and what differs."""

from __future__ import annotations

import io
import re

import pytest

from flaskctx import Response, flash, get_flashed_messages, redirect, request, session
from flaskctx.testing import EnvironBuilder, FlaskAsyncClient, FlaskClient
from flaskctx.testing.both import Both


def protocol():
    return "asgi" if "asgi.scope" in request.environ else "wsgi"


@pytest.fixture(params=["asyncio", "trio"])
def both(app, request):
    with Both(app, request.param) as both:
        yield both


def test_the_answer_is_that_of_wsgi(app, both, colour):
    app.get("/")(colour(lambda: {"hello": "world"}))
    assert both.get("/").json == {"hello": "world"}


@pytest.mark.parametrize("method", ["get", "head", "post", "put", "patch", "delete", "options", "trace"])
def test_there_is_a_method_for_each_method(app, both, method):
    app.add_url_rule("/", "view", lambda: request.method, methods=["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"])
    assert getattr(both, method)("/").request.method == method.upper()


def test_two_requests_are_sent_that_of_wsgi_first(app, both):
    sent = []
    app.get("/")(lambda: sent.append(protocol()) or "hello")
    both.get("/")
    assert sent == ["wsgi", "asgi"]


def test_both_get_the_same_body(app, both):
    app.post("/")(lambda: request.files["file"].read() + request.form["name"].encode())
    sent = both.post("/", data={"name": "name", "file": (io.BytesIO(b"content "), "a.txt")})
    assert sent.data == b"content name"


def test_both_get_a_stream_that_can_be_read_once(app, both):
    app.post("/")(lambda: request.get_data())
    assert both.post("/", input_stream=io.BytesIO(b"content"), content_length=7).data == b"content"


def test_both_get_a_whole_request(app, both):
    app.post("/")(lambda: request.get_data())
    assert both.open(EnvironBuilder(app, "/", method="POST", data=b"content")).data == b"content"


def test_clients_of_ones_own_add_to_both_requests(app):
    class OwnClient(FlaskClient):
        def open(self, *args, **kwargs):
            return super().open(*args, headers={"X-Mine": "mine"}, **kwargs)

    class OwnAsyncClient(FlaskAsyncClient):
        async def open(self, *args, **kwargs):
            return await super().open(*args, headers={"X-Mine": "mine"}, **kwargs)

    app.test_client_class, app.async_test_client_class = OwnClient, OwnAsyncClient
    app.get("/")(lambda: request.headers["X-Mine"])
    with Both(app) as both:
        assert both.get("/").text == "mine"


def test_streams_and_redirects_are_followed_to_their_end(app, both):
    app.get("/")(lambda: redirect("/stream"))
    app.get("/stream", endpoint="stream")(lambda: Response(iter([b"a", b"b"])))
    assert both.get("/", follow_redirects=True).data == b"ab"


DIFFERENT = {
    "status": (lambda: ("", 201 if protocol() == "wsgi" else 202), ["-201 CREATED", "+202 ACCEPTED"]),
    "header": (lambda: ("", {"X-Mine": protocol()}), ["-x-mine: wsgi", "+x-mine: asgi"]),
    "body": (lambda: f"first\n{protocol()}\nlast", [" 'first\\n'", "-'wsgi\\n'", "+'asgi\\n'", " 'last'"]),
    "binary body": (lambda: b"\xff" + protocol().encode(), [r"-b'\xffwsgi'", r"+b'\xffasgi'"]),
    "cookie": (
        lambda: ("", {"Set-Cookie": f"name={protocol()}"}),
        ["-set-cookie: name=wsgi", "+set-cookie: name=asgi"],
    ),
    "session": (lambda: session.update(by=protocol()) or "", ["-session['by'] = 'wsgi'", "+session['by'] = 'asgi'"]),
    "error": (lambda: {}[protocol()], ["-raised KeyError('wsgi')", "+raised KeyError('asgi')"]),
    "one error": (
        lambda: "hello" if protocol() == "wsgi" else {}["missing"],
        ["-200 OK", "+raised KeyError('missing')"],
    ),
}


@pytest.mark.parametrize("name", DIFFERENT)
def test_a_difference_is_shown(app, both, name):
    view, lines = DIFFERENT[name]
    app.testing = True
    app.get("/path")(view)
    with pytest.raises(AssertionError) as caught:
        both.get("/path?x=1")
    shown = str(caught.value).splitlines()
    assert shown[0] == "WSGI (-) and ASGI (+) answer GET /path?x=1 differently:"
    assert set(lines) <= set(shown[1:])


def test_a_long_difference_is_cut(app, both):
    app.get("/")(lambda: "\n".join(f"{protocol()} {number}" for number in range(1000)))
    with pytest.raises(AssertionError, match=r"\.\.\. and \d+ lines more$"):
        both.get("/")


def test_the_same_error_is_raised(app, both, colour):
    app.testing = True
    app.get("/")(colour(lambda: {}["missing"]))
    with pytest.raises(KeyError, match="missing"):
        both.get("/")


def test_dates_and_times_of_expiry_may_differ(app, both):
    @app.get("/")
    def view():
        response = Response("")
        number = len(seen)
        seen.append(number)
        response.headers["Date"] = f"Thu, 01 Jan 2026 00:00:0{number} GMT"
        response.headers["Expires"] = f"Thu, 01 Jan 2026 00:00:0{number} GMT"
        response.headers["X-Mine"] = str(number)
        response.set_cookie("name", "value", expires=1_800_000_000 + number)
        session.permanent = True
        return response

    seen = []
    with pytest.raises(AssertionError) as caught:
        both.get("/")
    changed = [line for line in str(caught.value).splitlines()[1:] if line.startswith(("-", "+"))]
    assert changed == ["-x-mine: 0", "+x-mine: 1"]
    both.ignored_headers.add("x-mine")
    both.get("/")


def test_a_cookie_that_is_deleted_is_not_one_that_expires_later(app, both):
    expires = {"wsgi": 0, "asgi": 1_800_000_000}

    @app.get("/")
    def view():
        response = Response("")
        response.set_cookie("name", "", expires=expires[protocol()])
        return response

    with pytest.raises(AssertionError, match=re.escape("-set-cookie: name=; Expires=Thu, 01 Jan 1970")):
        both.get("/")


class TestState:
    @pytest.fixture
    def app(self, app):
        @app.get("/count")
        def count():
            session["count"] = session.get("count", 0) + 1
            return str(session["count"])

        return app

    def test_each_has_a_session_of_its_own(self, both):
        assert [both.get("/count").text for _ in range(3)] == ["1", "2", "3"]

    def test_a_session_transaction_is_for_both(self, both):
        both.get("/count")
        with both.session_transaction() as opened:
            assert opened["count"] == 1
            opened["count"] = 10
        assert both.get("/count").text == "11"

    def test_flashes_are_shown_to_both(self, app, both):
        app.get("/flash", endpoint="flash")(lambda: flash("message") or "")
        app.get("/show", endpoint="show")(lambda: get_flashed_messages())
        both.get("/flash")
        assert both.get("/show").json == ["message"]

    def test_cookies_are_set_and_deleted_for_both(self, app, both):
        app.get("/cookie", endpoint="cookie")(lambda: request.cookies.get("name", "none"))
        both.set_cookie("name", "value")
        assert both.get("/cookie").text == "value"
        both.delete_cookie("name")
        assert both.get("/cookie").text == "none"

    def test_the_environs_base_is_that_of_both(self, app, both):
        app.get("/address", endpoint="address")(lambda: request.remote_addr)
        both.environ_base["REMOTE_ADDR"] = "192.168.0.22"
        assert both.get("/address").text == "192.168.0.22"

    def test_other_state_is_changed_twice_unless_it_is_put_back_in_between(self, app, both):
        created = []
        app.post("/create", endpoint="create")(lambda: created.append(1) or str(len(created)))
        with pytest.raises(AssertionError):
            both.post("/create")
        created.clear()
        both.between = created.clear
        assert both.post("/create").text == "1"


async def test_it_works_where_a_loop_runs(app, colour):
    app.get("/")(colour(lambda: "hello"))
    with Both(app) as both:
        assert both.get("/").text == "hello"


def test_it_is_used_as_a_context_manager(app):
    app.get("/")(lambda: "hello")
    with pytest.raises(RuntimeError, match="with Both"):
        Both(app).get("/")
