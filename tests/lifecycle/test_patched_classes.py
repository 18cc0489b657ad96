"""Methods that a tool patches onto flaskctx's own classes: noticed by the next request, and when it's undone."""

from __future__ import annotations

import pytest

from flaskctx import Flask, Request, Response, jsonify
from flaskctx.ctx import AppContext, RequestContext
from flaskctx.sessions import SecureCookieSessionInterface

PATCHED = [
    (Flask, "create_url_adapter"),
    (Flask, "app_context"),
    (Flask, "request_context"),
    (Flask, "full_dispatch_request"),
    (Flask, "dispatch_request"),
    (Flask, "finalize_request"),
    (Flask, "do_teardown_appcontext"),
    (RequestContext, "push"),
    (RequestContext, "match_request"),
    (RequestContext, "pop"),
    (RequestContext, "auto_pop"),
    (AppContext, "push"),
    (AppContext, "pop"),
    (Request, "close"),
    (Response, "__init__"),
    (Response, "get_wsgi_response"),
    (Response, "get_wsgi_headers"),
    (SecureCookieSessionInterface, "open_session"),
]


class Wrapper:
    """A tool's way to wrap a method: it passes for what it wraps, also when it is compared and hashed."""

    def __init__(self, wrapped, calls):
        self.__wrapped__ = wrapped
        self.calls = calls

    def __eq__(self, other):
        return self.__wrapped__ == other

    def __hash__(self):
        return hash(self.__wrapped__)

    def __getattr__(self, name):
        return getattr(self.__wrapped__, name)

    def __get__(self, obj, owner):
        return Wrapper(self.__wrapped__.__get__(obj, owner), self.calls)

    def __call__(self, *args, **kwargs):
        self.calls.append(self.__wrapped__.__name__)
        return self.__wrapped__(*args, **kwargs)


@pytest.mark.parametrize(("owner", "name"), PATCHED, ids=lambda value: getattr(value, "__name__", value))
def test_a_wrapper_that_equals_what_it_wraps_is_called(app, server, monkeypatch, owner, name):
    app.get("/")(lambda: "hello")
    calls = []
    monkeypatch.setattr(owner, name, Wrapper(getattr(owner, name), calls))
    assert server.get("/").text == "hello"
    assert set(calls) == {name}


@pytest.mark.parametrize(("owner", "name"), PATCHED, ids=lambda value: getattr(value, "__name__", value))
def test_a_patch_holds_from_one_request_to_the_next(app, server, colour, monkeypatch, owner, name):
    app.get("/")(colour(lambda: "hello"))
    assert server.get("/").text == "hello"
    native, calls = getattr(owner, name), []

    def patched(self, *args, **kwargs):
        calls.append(name)
        return native(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, patched)
        assert server.get("/").text == "hello"
    assert set(calls) == {name}
    calls.clear()
    assert server.get("/").text == "hello"
    assert calls == []


def test_a_text_becomes_what_the_class_says_at_the_moment(app, server, monkeypatch):
    app.get("/")(lambda: "hello")
    assert server.get("/").headers["Content-Type"] == "text/html; charset=utf-8"
    monkeypatch.setattr(Response, "default_mimetype", "text/plain")
    monkeypatch.setattr(Response, "default_status", 202)
    response = server.get("/")
    assert (response.status_code, response.headers["Content-Type"]) == (202, "text/plain; charset=utf-8")


def test_data_become_what_the_class_and_the_provider_say_at_the_moment(app, server, monkeypatch):
    app.get("/")(lambda: {"b": 1, "a": [2]})
    response = server.get("/")
    assert (response.headers["Content-Type"], response.text) == ("application/json", '{"a":[2],"b":1}\n')
    app.json.sort_keys = False
    app.json.compact = False
    app.json.mimetype = "application/vnd.own+json"
    response = server.get("/")
    assert response.headers["Content-Type"] == "application/vnd.own+json"
    assert response.text == '{\n  "b": 1,\n  "a": [\n    2\n  ]\n}\n'
    monkeypatch.setattr(Response, "default_status", 202)
    assert server.get("/").status_code == 202


@pytest.mark.parametrize("on_class", [True, False])
def test_a_patched_response_method_of_the_provider_is_called(app, server, monkeypatch, on_class):
    app.get("/")(lambda: {"a": 1})
    assert server.get("/").json == {"a": 1}
    owner = type(app.json) if on_class else app.json
    monkeypatch.setattr(owner, "response", lambda *args: app.response_class("patched"))
    assert server.get("/").text == "patched"


@pytest.mark.parametrize("data", [{"a": 1}, [1, 2], {}, []])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_data_are_sent_as_the_response_that_jsonify_makes(app, server, data, method):
    app.get("/returned", endpoint="returned")(lambda: data)
    app.get("/made", endpoint="made")(lambda: jsonify(data))
    returned, made = server.request(method, "/returned"), server.request(method, "/made")
    assert (returned.status_code, returned.text) == (made.status_code, made.text)
    assert sorted(returned.headers.items()) == sorted(made.headers.items())


def test_data_that_are_no_json_are_a_500(app, server):
    app.get("/")(lambda: {"a": object()})
    assert server.get("/").status_code == 500
