"""flaskctx/testing/: what either client sends, and what its responses are."""

from __future__ import annotations

import importlib.metadata
import io
import sys

import pytest
from werkzeug.test import ClientRedirectError, TestResponse

from flaskctx import Response, abort, redirect, request, stream_with_context
from flaskctx.json.provider import DefaultJSONProvider
from flaskctx.testing import EnvironBuilder

SHOWN = ("REMOTE_ADDR", "REMOTE_USER", "HTTP_USER_AGENT", "HTTP_X_MINE", "test.own", "HTTP_AUTHORIZATION")


@pytest.fixture
def app(app):
    @app.route("/echo", methods=["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE"])
    def echo():
        environ = {key: str(request.environ[key]) for key in SHOWN if key in request.environ}
        return {
            "method": request.method,
            "url": request.url,
            "environ": environ,
            "form": request.form.to_dict(),
            "files": {name: [file.filename, file.read().decode()] for name, file in request.files.items()},
            "json": request.get_json(silent=True),
        }

    return app


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "trace"])
def test_there_is_a_method_for_each_method(client, method):
    assert getattr(client, method)("/echo").json["method"] == method.upper()


def test_head_and_options(client):
    response = client.head("/echo")
    assert (response.status_code, response.data) == (200, b"")
    assert "POST" in client.options("/echo").headers["Allow"]


def test_a_response_is_werkzeugs_test_response_and_the_applications(client, app):
    class OwnResponse(Response):
        own = "own"

    app.response_class = OwnResponse
    response = client.get("/echo")
    assert isinstance(response, TestResponse)
    assert response.request.path == "/echo"
    assert response.history == ()


def test_a_response_class_of_the_application_is_the_clients_too(app, new_client):
    class OwnResponse(Response):
        own = "own"

    app.response_class = OwnResponse
    assert new_client().get("/echo").own == "own"


def test_json_is_written_and_read_by_the_applications_provider(app, client):
    class Provider(DefaultJSONProvider):
        def dumps(self, obj, **kwargs):
            return super().dumps(f"written {obj}", **kwargs)

        def loads(self, s, **kwargs):
            return f"read {super().loads(s, **kwargs)}"

    app.json = Provider(app)
    app.post("/back")(lambda: Response('"text"', mimetype="application/json"))
    app.post("/json", endpoint="read")(lambda: Response(request.get_json(), mimetype="text/plain"))
    assert client.post("/json", json=1).text == "read written 1"
    assert client.post("/back").json == "read text"


class TestSends:
    def test_forms_and_files(self, client):
        sent = client.post("/echo", data={"name": "value", "file": (io.BytesIO(b"content"), "a.txt")}).json
        assert (sent["form"], sent["files"]) == ({"name": "value"}, {"file": ["a.txt", "content"]})

    @pytest.mark.parametrize("size", [0, 65_535, 65_536, 65_537, 300_000])
    def test_bodies_of_any_size(self, app, client, size):
        app.post("/size")(lambda: str(len(request.get_data())))
        assert client.post("/size", data=b"x" * size).text == str(size)

    def test_query_strings_headers_and_authorization(self, client):
        sent = client.get("/echo", query_string={"ö": "ü"}, headers={"X-Mine": "1"}, auth=("user", "password")).json
        assert sent["url"] == "http://localhost/echo?ö=ü"
        assert sent["environ"]["HTTP_X_MINE"] == "1"
        assert sent["environ"]["HTTP_AUTHORIZATION"].startswith("Basic ")

    @pytest.mark.parametrize("path", ["/päth/✓", "/a b", "/per%25cent", "/a%2Fb", "/caf%E9"])
    def test_paths_of_any_characters(self, app, client, path):
        app.get("/<path:path>")(lambda path: ascii([path, request.environ["PATH_INFO"], request.url]))
        assert client.get(path).text == app.test_client().get(path).text

    def test_its_own_address_and_user_agent_unless_told_otherwise(self, client):
        version = importlib.metadata.version("werkzeug")
        assert client.get("/echo").json["environ"] == {
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_USER_AGENT": f"Werkzeug/{version}",
        }
        client.environ_base["REMOTE_ADDR"] = "192.168.0.22"
        client.environ_base["HTTP_USER_AGENT"] = "Mine"
        assert client.get("/echo").json["environ"] == {"REMOTE_ADDR": "192.168.0.22", "HTTP_USER_AGENT": "Mine"}

    def test_what_is_given_for_the_environ(self, client):
        given = client.get("/echo", environ_base={"test.own": 1}, environ_overrides={"REMOTE_USER": "me"}).json
        assert (given["environ"]["test.own"], given["environ"]["REMOTE_USER"]) == ("1", "me")

    def test_errors_where_the_test_wants_them(self, app, client):
        app.get("/print")(lambda: str(request.environ["wsgi.errors"].write("printed")))
        errors = io.StringIO()
        client.get("/print", errors_stream=errors)
        assert errors.getvalue() == "printed"
        assert sys.stderr is not errors


class TestUsesTheConfiguration:
    @pytest.fixture
    def app(self, app):
        app.config.update(SERVER_NAME="example.com:8000", APPLICATION_ROOT="/root", PREFERRED_URL_SCHEME="https")
        return app

    def test_for_the_host_the_prefix_and_the_scheme(self, client):
        assert client.get("/echo").json["url"] == "https://example.com:8000/root/echo"

    def test_for_what_is_not_given(self, client):
        assert client.get("/echo", url_scheme="http").json["url"] == "http://example.com:8000/root/echo"

    def test_but_not_for_a_whole_url(self, app, client):
        app.config["SERVER_NAME"] = None
        assert client.get("http://other.com/echo?x=1").json["url"] == "http://other.com/root/echo?x=1"

    def test_with_a_subdomain(self, client):
        sent = client.get("/echo", subdomain="sub")
        assert sent.request.url == "https://sub.example.com:8000/root/echo"


class TestSendsWholeRequests:
    @pytest.fixture
    def builder(self, app):
        return EnvironBuilder(app, "/echo", method="POST", json=[1], environ_base={"test.own": "1"})

    def is_sent(self, response, own="1"):
        assert (response.json["method"], response.json["json"]) == ("POST", [1])
        assert response.json["environ"].get("test.own") == own

    def test_a_builder(self, client, builder):
        self.is_sent(client.open(builder))

    def test_an_environ_of_which_only_the_headers_count(self, client, builder):
        environ = builder.get_environ()
        before = dict(environ)
        self.is_sent(client.open(environ), own=None)
        assert environ == before

    def test_a_request(self, client, builder):
        self.is_sent(client.open(builder.get_request()))

    def test_a_request_with_the_clients_cookies(self, app, client):
        app.get("/cookie", endpoint="cookie")(lambda: request.cookies.get("name", "none"))
        client.set_cookie("name", "value")
        assert client.open(EnvironBuilder(app, "/cookie").get_request()).text == "value"

    def test_whose_method_stays(self, client, builder):
        self.is_sent(client.get(builder))

    def test_whatever_else_is_given(self, client, builder):
        self.is_sent(client.open(builder, data=b"other"))


class TestRedirects:
    @pytest.fixture
    def app(self, app):
        app.add_url_rule("/<int:code>", "to_echo", lambda code: redirect("/echo?x=1", code), methods=["GET", "POST"])
        app.add_url_rule("/again", "again", lambda: redirect("/302"))
        app.add_url_rule("/loop", "loop", lambda: redirect("/loop"))
        app.add_url_rule("/away", "away", lambda: redirect("http://other.com/echo"))
        app.add_url_rule("/sub", "sub", lambda: redirect("http://sub.localhost/echo"))

        @app.post("/read")
        def read():
            request.get_data()
            return redirect("/echo", 307)

        return app

    def test_are_not_followed_unless_asked_for(self, client):
        assert client.get("/302").status_code == 302

    def test_are_followed_to_the_end(self, client):
        response = client.get("/again", follow_redirects=True)
        assert response.json["url"] == "http://localhost/echo?x=1"
        assert [earlier.request.path for earlier in response.history] == ["/again", "/302"]
        assert response.request.path == "/echo"

    @pytest.mark.parametrize(
        ("code", "method", "json"),
        [(301, "GET", None), (302, "GET", None), (303, "GET", None), (307, "POST", [1]), (308, "POST", [1])],
    )
    def test_keep_method_and_body_where_they_should(self, client, code, method, json):
        sent = client.post(f"/{code}", json=[1], follow_redirects=True).json
        assert (sent["method"], sent["json"]) == (method, json)

    def test_keep_the_method_head(self, client):
        assert client.head("/302", follow_redirects=True).request.method == "HEAD"

    def test_in_circles_are_an_error(self, client):
        with pytest.raises(ClientRedirectError):
            client.get("/loop", follow_redirects=True)

    @pytest.mark.parametrize("path", ["/away", "/sub"])
    def test_to_other_hosts_are_an_error(self, client, path):
        with pytest.raises(RuntimeError, match="redirects is not"):
            client.get(path, follow_redirects=True)

    def test_to_subdomains_can_be_allowed(self, new_client):
        response = new_client(allow_subdomain_redirects=True).get("/sub", follow_redirects=True)
        assert response.json["url"] == "http://sub.localhost/echo"

    def test_keep_the_prefix(self, app, client):
        app.config["APPLICATION_ROOT"] = "/root"
        app.add_url_rule("/in", "in_root", lambda: redirect("/root/echo"))
        response = client.get("/in", follow_redirects=True)
        assert response.json["url"] == "http://localhost/root/echo"


class TestCookies:
    @pytest.fixture
    def app(self, app):
        @app.get("/set")
        def set_cookie():
            response = Response("set")
            response.set_cookie("name", "välue")
            return response

        @app.get("/unset")
        def unset_cookie():
            response = Response("unset")
            response.delete_cookie("name")
            return response

        app.add_url_rule("/<path:path>", "show", lambda path: request.cookies.get("name", "none"))
        return app

    def test_come_back(self, client):
        client.get("/set")
        assert client.get("/show").text == "välue"
        assert client.get_cookie("name").decoded_value == "välue"
        client.get("/unset")
        assert client.get("/show").text == "none"

    def test_can_be_set_and_deleted(self, client):
        client.set_cookie("name", "mine", path="/below")
        assert (client.get("/show").text, client.get("/below/it").text) == ("none", "mine")
        client.delete_cookie("name", path="/below")
        assert client.get("/below/it").text == "none"

    def test_come_back_to_their_host_only(self, client):
        client.get("/set")
        assert client.get("/show", base_url="http://other.com").text == "none"

    def test_of_redirects_count(self, app, client):
        @app.get("/there")
        def there():
            response = redirect("/show")
            response.set_cookie("name", "on the way")
            return response

        assert client.get("/there", follow_redirects=True).text == "on the way"

    def test_can_be_switched_off(self, new_client):
        client = new_client(use_cookies=False)
        client.get("/set")
        assert client.get("/show").text == "none"
        with pytest.raises(TypeError, match="Cookies are disabled"):
            client.session_transaction()


def test_streams_are_read_to_their_end(app, client, colour):
    async def chunks():
        yield b"a"
        yield b"b"

    app.get("/")(colour(lambda: Response(chunks() if colour.is_async else iter([b"a", b"b"]))))
    assert client.get("/", buffered=True).data == b"ab"


def test_streams_with_context_are_read_to_their_end(app, client):
    @app.get("/")
    def view():
        return stream_with_context(iter([request.path, "!"]))

    assert client.get("/").text == "/!"


def test_errors_of_the_application_are_raised_in_tests(app, client, colour):
    app.testing = True
    app.get("/")(colour(lambda: {}["missing"]))
    app.get("/404", endpoint="404")(colour(lambda: abort(404)))
    with pytest.raises(KeyError, match="missing"):
        client.get("/")
    assert client.get("/404").status_code == 404


def test_errors_of_the_application_are_500s_otherwise(app, client, colour):
    app.get("/")(colour(lambda: {}["missing"]))
    assert client.get("/").status_code == 500


def test_a_class_of_ones_own_may_add_to_each_request(app):
    class OwnClient(app.test_client().__class__):
        def __init__(self, *args, token="none", **kwargs):
            super().__init__(*args, **kwargs)
            self.token = token

        def open(self, *args, **kwargs):
            kwargs.setdefault("headers", {})["X-Mine"] = self.token
            return super().open(*args, **kwargs)

    app.test_client_class = OwnClient
    app.add_url_rule("/", "to_echo", lambda: redirect("/echo"))
    client = app.test_client(token="given")
    assert client.get("/echo").json["environ"]["HTTP_X_MINE"] == "given"
    assert client.get("/", follow_redirects=True).json["environ"]["HTTP_X_MINE"] == "given"


async def test_a_class_of_ones_own_may_add_to_each_awaited_request(app):
    class OwnClient(type(app.async_test_client())):
        def __init__(self, *args, token="none", **kwargs):
            super().__init__(*args, **kwargs)
            self.token = token

        async def open(self, *args, **kwargs):
            kwargs.setdefault("headers", {})["X-Mine"] = self.token
            return await super().open(*args, **kwargs)

    app.async_test_client_class = OwnClient
    app.add_url_rule("/", "to_echo", lambda: redirect("/echo"))
    client = app.async_test_client(token="given")
    assert (await client.get("/echo")).json["environ"]["HTTP_X_MINE"] == "given"
    assert (await client.get("/", follow_redirects=True)).json["environ"]["HTTP_X_MINE"] == "given"


def test_extensions_make_the_request_of_a_client_under_flasks_name(app):
    request = app.test_client()._request_from_builder_args((), {"path": "/echo", "headers": {"X-Own": "1"}})
    assert (request.path, request.headers["X-Own"], request.remote_addr) == ("/echo", "1", "127.0.0.1")
