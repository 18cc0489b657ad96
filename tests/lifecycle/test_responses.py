"""What a view may return, through every world: the client gets the same everywhere."""

from __future__ import annotations

import io

import anyio
import pytest
from werkzeug.exceptions import Gone
from werkzeug.wrappers import Response as WerkzeugResponse

from flaskctx import Response, jsonify, request, session


def numbers():
    yield "1, "
    yield b"2"


async def async_numbers():
    yield "1, "
    await anyio.sleep(0)
    yield b"2"


class AsyncNumbers:
    """An async iterable that is no generator."""

    def __aiter__(self):
        return async_numbers()


def wsgi_application(environ, start_response):
    start_response("202 Accepted", [("Content-Type", "text/plain"), ("X-Method", environ["REQUEST_METHOD"])])
    return [b"1, ", b"2"]


RETURNED = {
    "str": (lambda: "1, 2", 200, "text/html; charset=utf-8", "1, 2"),
    "bytes": (lambda: b"1, 2", 200, "text/html; charset=utf-8", "1, 2"),
    "bytearray": (lambda: bytearray(b"1, 2"), 200, "text/html; charset=utf-8", "1, 2"),
    "dict": (lambda: {"a": 1}, 200, "application/json", '{"a":1}\n'),
    "list": (lambda: [1, 2], 200, "application/json", "[1,2]\n"),
    "jsonify": (lambda: jsonify(a=1), 200, "application/json", '{"a":1}\n'),
    "generator": (numbers, 200, "text/html; charset=utf-8", "1, 2"),
    "iterator": (lambda: iter(["1, ", "2"]), 200, "text/html; charset=utf-8", "1, 2"),
    "async generator": (lambda: async_numbers(), 200, "text/html; charset=utf-8", "1, 2"),
    "async iterable": (AsyncNumbers, 200, "text/html; charset=utf-8", "1, 2"),
    "response": (lambda: Response("1, 2", 201, mimetype="text/plain"), 201, "text/plain; charset=utf-8", "1, 2"),
    "streamed response": (lambda: Response(numbers()), 200, "text/html; charset=utf-8", "1, 2"),
    "async response": (lambda: Response(async_numbers()), 200, "text/html; charset=utf-8", "1, 2"),
    "werkzeug's response": (lambda: WerkzeugResponse("1, 2"), 200, "text/plain; charset=utf-8", "1, 2"),
    "exception": (lambda: Gone("1, 2"), 410, "text/html; charset=utf-8", None),
    "WSGI callable": (lambda: wsgi_application, 202, "text/plain", "1, 2"),
    "value and status": (lambda: ("1, 2", 201), 201, "text/html; charset=utf-8", "1, 2"),
    "value and line": (lambda: ("1, 2", "299 Fine"), 299, "text/html; charset=utf-8", "1, 2"),
    "value and headers": (lambda: ("1, 2", {"Content-Type": "text/x"}), 200, "text/x", "1, 2"),
    "all three": (lambda: ("1, 2", 201, [("Content-Type", "text/x")]), 201, "text/x", "1, 2"),
    "generator and status": (lambda: (numbers(), 201), 201, "text/html; charset=utf-8", "1, 2"),
    "async generator and status": (lambda: (async_numbers(), 201), 201, "text/html; charset=utf-8", "1, 2"),
}


@pytest.mark.parametrize("kind", RETURNED)
def test_a_view_may_return(app, server, colour, kind):
    make, status, content_type, text = RETURNED[kind]
    app.get("/", endpoint="view")(colour(lambda: make()))
    answer = server.get("/")
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == content_type
    assert text is None or answer.text == text
    length = answer.headers.get("Content-Length")
    assert length is None or int(length) == len(answer.data)


@pytest.mark.parametrize("kind", RETURNED)
def test_a_head_request_gets_no_body(app, server, colour, kind):
    make, status, _, _ = RETURNED[kind]
    app.get("/", endpoint="view")(colour(lambda: make()))
    answer = server.request("HEAD", "/")
    assert (answer.status_code, answer.data) == (status, b"")


@pytest.mark.parametrize("status", [204, 304])
@pytest.mark.parametrize("make", [lambda: "", numbers, async_numbers], ids=["str", "generator", "async generator"])
def test_some_statuses_have_no_body(app, server, colour, status, make):
    app.get("/", endpoint="view")(colour(lambda: (make(), status)))
    answer = server.get("/")
    assert (answer.status_code, answer.data) == (status, b"")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "returned None"),
        (1, "returned 1"),
        (object, "WSGI application"),
        (("a", 200, {}, 1), "a tuple of 4 items"),
    ],
)
def test_what_it_may_not_return_is_a_500_that_says_so(app, server, colour, value, message, caplog):
    app.get("/", endpoint="view")(colour(lambda: value))
    assert server.get("/").status_code == 500
    assert message in caplog.text
    assert "'view'" in caplog.text


def test_a_view_may_be_an_async_generator_itself(app, server):
    app.get("/")(async_numbers)
    assert server.get("/").text == "1, 2"


def test_a_generator_runs_after_its_request(app, server, colour):
    def body():
        yield str(bool(request))

    app.get("/", endpoint="view")(colour(lambda: body()))
    assert server.get("/").text == "False"


def test_a_hook_and_a_handler_may_return_all_that(app, server, colour):
    app.before_request(colour(lambda: (async_numbers(), 201) if request.path == "/hook" else None))
    app.register_error_handler(404, colour(lambda error: (numbers(), 404)))
    assert [server.get("/hook").status_code, server.get("/hook").text] == [201, "1, 2"]
    assert [server.get("/nowhere").status_code, server.get("/nowhere").text] == [404, "1, 2"]


def test_the_session_comes_back(app, server, colour):
    @app.get("/")
    @colour
    def view():
        session["visits"] = session.get("visits", 0) + 1
        return str(session["visits"])

    first = server.get("/")
    second = server.get("/", headers={"Cookie": first.cookies})
    assert [first.text, second.text] == ["1", "2"]


def test_an_options_request_is_answered_without_the_view(app, server, colour):
    app.route("/", methods=["GET", "PUT"], endpoint="view")(colour(lambda: "view"))
    answer = server.request("OPTIONS", "/")
    assert (answer.status_code, answer.data) == (200, b"")
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "PUT"}


def test_a_wrong_method_is_a_405(app, server, colour):
    app.get("/", endpoint="view")(colour(lambda: "view"))
    answer = server.request("POST", "/")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


class TestBodies:
    def test_a_form_is_read_by_the_view(self, app, server, colour):
        app.post("/", endpoint="view")(colour(lambda: f"{request.form['name']} {request.files['file'].read()!r}"))
        file = (io.BytesIO(b"content"), "file.txt")
        assert server.request("POST", "/", data={"name": "anna", "file": file}).text == "anna b'content'"

    def test_json_is_read_by_the_view(self, app, server, colour):
        app.post("/", endpoint="view")(colour(lambda: {"got": request.get_json()}))
        assert server.request("POST", "/", json={"a": 1}).json == {"got": {"a": 1}}

    def test_one_that_is_too_large_is_a_413_that_a_handler_may_answer(self, app, server, colour):
        app.config["MAX_CONTENT_LENGTH"] = 10
        app.register_error_handler(413, colour(lambda error: ("too much", 413)))
        app.post("/", endpoint="view")(colour(lambda: request.get_data()))
        answer = server.request("POST", "/", data=b"x" * 11)
        assert (answer.status_code, answer.text) == (413, "too much")

    def test_each_generator_is_closed_once(self, app, server, colour):
        closed = []

        class Body:
            def __iter__(self):
                return iter([b"body"])

            def close(self):
                closed.append("body")

        @app.get("/")
        @colour
        def view():
            response = Response(Body())
            response.call_on_close(lambda: closed.append("response"))
            return response

        assert server.get("/").text == "body"
        assert closed == ["body", "response"]

    def test_so_is_one_whose_after_hook_fails(self, app, server, colour):
        closed = []

        def fail(response):
            raise LookupError

        @app.get("/")
        @colour
        def view():
            response = Response("body")
            response.call_on_close(lambda: closed.append("response"))
            return response

        app.after_request(colour(fail))
        assert server.get("/").status_code == 500
        assert closed == ["response"]
