from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import Headers
from werkzeug.test import create_environ
from werkzeug.wrappers import Response as WerkzeugResponse

from flaskctx.wrappers import Response, has_no_body, overrides_call, overrides_start, response_start

GET = create_environ("/here/", "http://localhost/")
HEAD = create_environ("/here/", "http://localhost/", method="HEAD")


def theirs(response, environ):
    """What werkzeug's own methods give, on werkzeug's own class."""
    app_iter, status, headers = WerkzeugResponse.get_wsgi_response(response, environ)
    return status, response.status_code, headers, list(app_iter)


def ours(response, environ):
    status, code, headers, body = response_start(response, environ)
    return status, code, headers, list(body)


header_names = st.sampled_from(
    [
        "Content-Type",
        "X-A",
        "Content-Length",
        "content-length",
        "Location",
        "LOCATION",
        "Content-Location",
        "Vary",
    ]
)
header_values = st.sampled_from(["1", "/é?a b", "x;y", "http://other/"])
bodies = st.none() | st.text(max_size=4) | st.lists(st.binary(max_size=3), max_size=3)
mixed = st.lists(st.binary(max_size=3) | st.text(max_size=2), max_size=3)


@st.composite
def responses(draw):
    response = Response(
        draw(bodies | mixed | mixed.map(tuple)),
        draw(st.integers(0, 600) | st.sampled_from(["200", "204 Own", "304 x", "hm"])),
        draw(st.lists(st.tuples(header_names, header_values), max_size=4)),
        direct_passthrough=draw(st.booleans()),
    )
    response.automatically_set_content_length = draw(st.booleans())
    response.autocorrect_location_header = draw(st.booleans())
    if draw(st.booleans()):
        response.call_on_close(lambda: None)
    return response


class TestTheStart:
    @given(responses(), st.sampled_from([GET, HEAD]))
    def test_is_what_werkzeug_gives(self, response, environ):
        assert ours(response, environ) == theirs(response, environ)

    @pytest.mark.parametrize("environ", [GET, HEAD])
    def test_of_a_generator_is_what_werkzeug_gives(self, environ):
        assert ours(Response(c for c in "ab"), environ) == theirs(Response(c for c in "ab"), environ)

    def test_leaves_the_responses_headers_alone(self):
        response = Response([b"ab"])
        assert response_start(response, GET)[2][-1] == ("Content-Length", "2")
        assert "Content-Length" not in response.headers

    def test_of_a_list_is_the_list(self):
        response = Response("ab")
        assert response_start(response, GET)[3] is response.response

    def test_closes_the_response_with_its_body(self):
        log = []
        response = Response("ab")
        response.call_on_close(lambda: log.append("closed"))
        response_start(response, GET)[3].close()
        assert log == ["closed"]

    def test_closes_the_response_with_the_empty_body_of_head(self):
        log = []
        response = Response(c for c in "ab")
        response.call_on_close(lambda: log.append("closed"))
        response_start(response, HEAD)[3].close()
        assert log == ["closed"]

    @pytest.mark.parametrize("environ", [GET, HEAD])
    def test_of_an_async_body_has_none(self, environ):
        async def body():
            yield "a"

        status, code, headers, stream = response_start(Response(body(), 202), environ)
        assert (status, code, stream) == ("202 ACCEPTED", 202, None)
        assert headers == [("Content-Type", "text/html; charset=utf-8")]

    def test_of_headers_of_another_kind_is_what_werkzeug_gives(self):
        class Own(Headers):
            def __iter__(self):
                return iter([("X-Own", "1")])

        assert ours(Response(["a"], headers=Own()), GET) == theirs(Response(["a"], headers=Own()), GET)


def prepend(name):
    """A method that puts something of its own before what the base class gives."""

    def get_wsgi_headers(self, environ):
        headers = Response.get_wsgi_headers(self, environ)
        headers["X-Own"] = "1"
        return headers

    def get_wsgi_response(self, environ):
        _, _, headers = Response.get_wsgi_response(self, environ)
        return [b"own"], "299 Own", [*headers, ("X-Own", "1")]

    def get_app_iter(self, environ):
        return [b"own"]

    def iter_encoded(self):
        return iter([b"own"])

    return locals()[name]


class TestOverrides:
    @pytest.mark.parametrize("name", ["get_wsgi_headers", "get_wsgi_response", "get_app_iter", "iter_encoded"])
    def test_of_a_method_are_honoured(self, name):
        cls = type("Own", (Response,), {name: prepend(name)})
        expected_body, status, headers = cls("x").get_wsgi_response(GET)
        start = response_start(cls("x"), GET)
        assert overrides_start(cls("x"))
        assert (start[0], start[2], list(start[3])) == (status, headers, list(expected_body))

    @pytest.mark.parametrize("name", ["get_wsgi_headers", "get_wsgi_response", "get_app_iter", "iter_encoded"])
    def test_patched_onto_the_class_later_are_honoured(self, name, monkeypatch):
        before = getattr(Response, name)
        calls = []

        def patched(self, *args):
            calls.append(name)
            return before(self, *args)

        monkeypatch.setattr(Response, name, patched)
        list(response_start(Response("x"), GET)[3])
        assert calls == [name]

    def test_of_the_status_are_honoured(self):
        class Own(Response):
            @property
            def status(self):
                return "299 Own"

            @status.setter
            def status(self, value):
                Response.status.fset(self, value)

        assert response_start(Own("x"), GET)[:2] == ("299 Own", 299)

    def test_of_the_whole_answer_decide_the_status_code(self):
        cls = type("Own", (Response,), {"get_wsgi_response": prepend("get_wsgi_response")})
        assert response_start(cls("x"), GET)[1] == 299

    def test_of_close_are_called_with_the_body(self):
        class Own(Response):
            closed = False

            def close(self):
                self.closed = True

        response = Own("x")
        response_start(response, GET)[3].close()
        assert response.closed

    def test_of_call_are_told(self):
        class Own(Response):
            def __call__(self, environ, start_response):
                return super().__call__(environ, start_response)

        assert overrides_call(Own("x"))
        assert not overrides_call(Response("x"))

    def test_of_unrelated_methods_change_nothing(self):
        class Own(Response):
            default_mimetype = "text/plain"

            def set_data(self, value):
                super().set_data(value)

        assert not overrides_start(Own("x"))


class TestHasNoBody:
    @pytest.mark.parametrize("status", [100, 103, 199, 204, 304])
    def test_by_status(self, status):
        assert has_no_body(GET, status)

    @pytest.mark.parametrize("status", [0, 200, 205, 404, 500])
    def test_other_statuses_have_one_except_for_head(self, status):
        assert not has_no_body(GET, status)
        assert has_no_body(HEAD, status)
