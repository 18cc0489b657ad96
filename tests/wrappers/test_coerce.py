from __future__ import annotations

from collections import namedtuple
from http import HTTPStatus
from types import SimpleNamespace

import pytest
from markupsafe import Markup
from werkzeug.datastructures import Headers
from werkzeug.exceptions import MethodNotAllowed, NotFound, Unauthorized
from werkzeug.routing import RequestRedirect
from werkzeug.wrappers import Response as WerkzeugResponse

from flaskctx.wrappers import Response, make_response, needs_calling, response_start
from flaskctx.wrappers.coerce import _shown

from ..ids import shown


def wsgi(environ, start_response):
    start_response("202 Own", [("X-Path", environ["PATH_INFO"]), ("Content-Type", "text/own")])
    return [b"from ", b"wsgi"]


class CallableObject:
    def __call__(self, environ, start_response):
        return wsgi(environ, start_response)


Pair = namedtuple("Pair", "body status")

# Each entry makes what a view returns; a new one for each use. Flask must answer the same.
RETURNED = {
    "str": lambda: "text é",
    "empty str": lambda: "",
    "markup": lambda: Markup("<b>"),
    "bytes": lambda: b"\xff",
    "bytearray": lambda: bytearray(b"array"),
    "dict": lambda: {"a": 1},
    "empty dict": lambda: {},
    "dict subclass": lambda: type("D", (dict,), {})(a=1),
    "list": lambda: [1, {"b": 2}],
    "generator": lambda: (c for c in "abc"),
    "iterator": lambda: iter([b"a", b"b"]),
    "map": lambda: map(str, range(3)),
    "werkzeug response": lambda: WerkzeugResponse("plain", 201),
    "function": lambda: wsgi,
    "callable object": lambda: CallableObject(),
    "exception": lambda: NotFound(),
    "exception with headers": lambda: MethodNotAllowed(["GET", "PUT"]),
    "exception with authenticate": lambda: Unauthorized("who?"),
    "exception with response": lambda: NotFound(response=WerkzeugResponse("own", 418)),
    "exception and status": lambda: (NotFound(), 410),
    "redirect": lambda: RequestRedirect("http://localhost/new?é"),
    "body, int": lambda: ("a", 201),
    "body, HTTPStatus": lambda: ("a", HTTPStatus.CREATED),
    "body, line": lambda: ("a", "201 Made"),
    "body, digits": lambda: ("a", "404"),
    "body, words": lambda: ("a", "just words"),
    "body, unknown status": lambda: ("a", 299),
    "body, None": lambda: ("a", None),
    "body, dict": lambda: ("a", {"X-A": "1", "Content-Type": "text/own"}),
    "body, Headers": lambda: ("a", Headers([("X-A", "1"), ("X-A", "2")])),
    "body, pairs": lambda: ("a", [("X-A", "1"), ("X-A", "2")]),
    "body, tuple of pairs": lambda: ("a", (("X-A", "1"),)),
    "body, multiple values": lambda: ("a", {"X-A": ["1", "2"]}),
    "body, number as header": lambda: ("a", {"X-A": 3}),
    "body, no headers": lambda: ("a", {}),
    "body, status, headers": lambda: ("a", 404, {"X-A": "1"}),
    "body, status, None": lambda: ("a", 404, None),
    "body, None, headers": lambda: ("a", None, {"X-A": "1"}),
    "named tuple": lambda: Pair("a", 404),
    "dict, status, headers": lambda: ({"a": 1}, 201, {"X-A": "1", "Content-Type": "application/own"}),
    "list, line": lambda: ([1], "201 Made"),
    "generator, status, headers": lambda: ((c for c in "ab"), 206, {"X-A": "1"}),
    "response, status": lambda: (WerkzeugResponse("a"), 404),
    "response, headers": lambda: (WerkzeugResponse("a", headers={"X-A": "0"}), {"X-A": ["1", "2"]}),
    "response, pairs": lambda: (WerkzeugResponse("a", headers={"X-A": "0"}), [("X-A", "1"), ("X-A", "2")]),
    "response, status, headers": lambda: (WerkzeugResponse("a"), "404 Own", Headers({"X-A": "1"})),
    "function, status, headers": lambda: (wsgi, 203, {"X-A": "1"}),
    "no content": lambda: ("", 204),
    "not modified": lambda: ("body", 304, {"ETag": '"1"'}),
    "location": lambda: ("", 302, {"Location": "/é?a b"}),
}

REFUSED = {
    "None": lambda: None,
    "None, status": lambda: (None, 204),
    "int": lambda: 3,
    "float": lambda: 1.5,
    "object": lambda: object(),
    "set": lambda: {1},
    "range": lambda: range(3),
    "memoryview": lambda: memoryview(b"x"),
    "empty tuple": lambda: (),
    "tuple of one": lambda: ("a",),
    "tuple of four": lambda: ("a", 1, {}, 2),
    "class": lambda: int,
    "function that is no application": lambda: lambda: "a",
    "bytes as status": lambda: ("a", b"404"),
    "nested tuple": lambda: (("a", 404), 200),
}


def answer(app, rv, method, current):
    with current("/path", method=method) as request:
        status, _, headers, body = response_start(make_response(app, rv), request.environ)
        return status, sorted(headers), b"".join(body)


@pytest.fixture(scope="module")
def flask_client():
    flask = pytest.importorskip("flask", reason="the peer to compare with")
    peer = flask.Flask("peer")
    peer.testing = True
    for number, make in enumerate([*RETURNED.values(), *REFUSED.values()]):
        peer.add_url_rule(f"/{number}", f"e{number}", make)

    return peer.test_client()


class TestLikeFlask:
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    @pytest.mark.parametrize("name", RETURNED)
    def test_answers(self, name, method, app, current, flask_client):
        path = f"/{list(RETURNED).index(name)}"
        theirs = flask_client.open(path, method=method)
        ours = answer(app, RETURNED[name](), method, current)
        headers = [(key, "/path" if key == "X-Path" else value) for key, value in theirs.headers]
        assert ours == (theirs.status, sorted(headers), theirs.data)

    @pytest.mark.parametrize("name", REFUSED)
    def test_refuses(self, name, app, current, flask_client):
        path = f"/{len(RETURNED) + list(REFUSED).index(name)}"
        with pytest.raises(TypeError):
            flask_client.get(path)
        with pytest.raises(TypeError):
            answer(app, REFUSED[name](), "GET", current)


class TestResponses:
    def test_of_the_applications_class_stay_the_same_object(self, app):
        response = Response("a")
        assert make_response(app, response) is response
        assert make_response(app, (response, 404)) is response
        assert response.status_code == 404

    @pytest.mark.parametrize("rv", ["a", {"a": 1}, WerkzeugResponse("a"), NotFound(), iter("a")], ids=shown)
    def test_get_the_applications_class(self, rv, app, current):
        class Own(Response):
            pass

        app.response_class = Own
        with current():
            assert type(make_response(app, rv)) is Own

    def test_are_made_by_an_overridden_force_type(self, app, current):
        class Own(Response):
            @classmethod
            def force_type(cls, response, environ=None):
                return cls(type(response).__name__)

        app.response_class = Own
        with current():
            assert make_response(app, NotFound()).data == b"NotFound"

    def test_of_a_dict_come_from_the_applications_provider(self, app):
        app.json = SimpleNamespace(response=lambda rv: Response(f"own {rv}"))
        assert make_response(app, {"a": 1}).data == b"own {'a': 1}"

    @pytest.mark.parametrize("name", ["str", "dict", "generator", "werkzeug response", "body, status, headers"])
    def test_need_no_current_request(self, name, app):
        assert isinstance(make_response(app, RETURNED[name]()), Response)

    def test_share_no_headers_with_the_view(self, app):
        headers = {"X-A": "1"}
        make_response(app, ("a", headers)).headers["X-B"] = "2"
        assert headers == {"X-A": "1"}


class TestAsyncBodies:
    async def test_from_an_async_generator(self, app):
        async def body():
            yield "a"
            yield b"b"

        response = make_response(app, (body(), 206, {"X-A": "1"}))
        assert (response.status_code, response.headers["X-A"]) == (206, "1")
        assert [chunk async for chunk in response.aiter_encoded()] == [b"a", b"b"]

    async def test_from_any_async_iterable(self, app):
        class Rows:
            async def __aiter__(self):
                yield "row"

        assert [chunk async for chunk in make_response(app, Rows()).aiter_encoded()] == [b"row"]

    def test_are_not_taken_from_what_is_a_wsgi_callable(self, app, current):
        class Odd(CallableObject):
            async def __aiter__(self):
                yield "no"

        with current():
            assert make_response(app, Odd()).data == b"from wsgi"


class TestErrors:
    def message_of(self, app, rv, current, endpoint="shop.index"):
        with current(endpoint=endpoint), pytest.raises(TypeError) as caught:
            make_response(app, rv)
        return str(caught.value)

    @pytest.mark.parametrize("name", [name for name in REFUSED if name != "bytes as status"])
    def test_name_the_endpoint(self, name, app, current):
        assert "'shop.index'" in self.message_of(app, REFUSED[name](), current)

    def test_for_none_tell_the_likely_reason(self, app, current):
        assert "without a return" in self.message_of(app, None, current)

    def test_show_what_was_returned(self, app, current):
        assert "range(0, 3) (a range)" in self.message_of(app, range(3), current)

    def test_show_long_values_shortly(self):
        assert len(_shown(set(range(1000)))) < 120

    def test_for_a_tuple_tell_the_forms(self, app, current):
        message = self.message_of(app, ("a", 1, {}, 2), current)
        assert "4 items" in message
        assert "(body, status, headers)" in message

    def test_for_a_failed_call_keep_its_reason(self, app, current):
        def application(environ, start_response):
            raise TypeError("inner reason")

        with current(), pytest.raises(TypeError, match="inner reason") as caught:
            make_response(app, application)
        assert str(caught.value.__cause__) == "inner reason"

    def test_for_a_coroutine_say_that_it_was_not_awaited(self, app, current):
        async def view():
            return "a"

        coroutine = view()
        assert "await" in self.message_of(app, coroutine, current)
        coroutine.close()

    def test_without_a_request_are_errors_too(self, app):
        with pytest.raises(TypeError, match=r"^The function returned None"):
            make_response(app, None)

    def test_for_a_wsgi_callable_without_a_request_ask_for_an_environ(self, app):
        with pytest.raises(TypeError, match="environ"):
            make_response(app, wsgi)


class TestNeedsCalling:
    @pytest.mark.parametrize(
        "name", ["function", "callable object", "exception with response", "function, status, headers"]
    )
    def test_yes(self, name):
        assert needs_calling(RETURNED[name]())

    @pytest.mark.parametrize(
        "name",
        [
            "str",
            "dict",
            "list",
            "generator",
            "werkzeug response",
            "exception",
            "redirect",
            "response, status",
        ],
    )
    def test_no(self, name):
        assert not needs_calling(RETURNED[name]())

    @pytest.mark.parametrize("rv", [None, (), Response("a"), 3])
    def test_not_for_what_is_refused_or_finished(self, rv):
        assert not needs_calling(rv)
