from __future__ import annotations

import pickle
import warnings
from http import HTTPStatus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup
from werkzeug.datastructures import Headers
from werkzeug.exceptions import MethodNotAllowed, NotFound
from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.routing import RequestRedirect
from werkzeug.test import create_environ
from werkzeug.wrappers import Response as WerkzeugResponse

from flaskctx.wrappers import Response
from flaskctx.wrappers.response import makes_its_response

from ..ids import shown


class Theirs(WerkzeugResponse):
    """Werkzeug's response with our defaults."""

    default_mimetype = "text/html"


def state_of(make):
    try:
        response = make()
    except Exception as error:
        return type(error), str(error)
    return {**vars(response), "headers": list(response.headers)}


def assert_like_werkzeug(*args, **kwargs):
    assert state_of(lambda: Response(*args, **kwargs)) == state_of(lambda: Theirs(*args, **kwargs))


header_names = st.sampled_from(["X-A", "x-a", "Content-Type", "content-type", "CONTENT-LENGTH", "Location", "Vary"])
header_values = st.text("ab\n\r;é", max_size=4) | st.integers(0, 9) | st.lists(st.sampled_from("ab"), max_size=2)
headers = (
    st.none()
    | st.dictionaries(header_names, header_values, max_size=4)
    | st.lists(st.tuples(header_names, header_values), max_size=4)
    | st.lists(st.tuples(header_names, st.text("ab", max_size=3)), max_size=4).map(tuple)
)
statuses = (
    st.none()
    | st.integers(-1, 600)
    | st.sampled_from(list(HTTPStatus))
    | st.sampled_from(["404 Not Here", "404", "gone", "", " 200 fine ", True, b"200 x", 2.5])
)
mimetypes = st.none() | st.sampled_from(["text/html", "application/json", "text/x-own", "a/b", "", "a\nb"])
bodies = st.none() | st.text(max_size=5) | st.binary(max_size=5) | st.sampled_from([bytearray(b"x"), ["a", b"b"], ()])


class TestConstruction:
    @given(bodies, statuses, headers, mimetypes, mimetypes, st.booleans())
    def test_gives_what_werkzeug_gives(self, body, status, headers, mimetype, content_type, passthrough):
        assert_like_werkzeug(body, status, headers, mimetype, content_type, passthrough)

    @pytest.mark.parametrize(
        "headers",
        [
            {"X": ("a", "b")},
            {"X": None},
            {1: "a"},
            [("a", "b"), ["c", "d"]],
            [("a",)],
            [("a", "b", "c")],
            (("a", "b"),),
            iter([("a", "b")]),
            "",
            [],
            {},
            "ab",
        ],
        ids=shown,
    )
    def test_with_unusual_headers_gives_what_werkzeug_gives(self, headers):
        if hasattr(headers, "__next__"):
            pairs = list(headers)
            assert list(Response("", headers=iter(pairs)).headers) == list(Theirs("", headers=iter(pairs)).headers)
        else:
            assert_like_werkzeug("body", headers=headers)

    def test_is_html_by_default(self):
        assert Response().mimetype == "text/html"
        assert Response("x").headers["Content-Type"] == "text/html; charset=utf-8"

    def test_keeps_the_headers_object_it_is_given(self):
        headers = Headers({"X-A": "b"})
        assert Response("x", headers=headers).headers is headers

    def test_does_not_keep_a_list_of_headers_it_is_given(self):
        headers = [("X-A", "b")]
        Response("x", headers=headers).headers["X-B"] = "c"
        assert headers == [("X-A", "b")]

    def test_of_two_responses_shares_no_headers(self):
        Response("x").headers["X-A"] = "b"
        assert "X-A" not in Response("x").headers

    def test_takes_markup(self):
        assert Response(Markup("<b>")).data == b"<b>"

    def test_sees_a_status_text_that_was_changed(self, monkeypatch):
        monkeypatch.setitem(HTTP_STATUS_CODES, 200, "Fine")
        monkeypatch.setitem(HTTP_STATUS_CODES, 299, "Nearly Fine")
        assert Response("x").status == "200 FINE"
        assert Response("x", 299).status == "299 NEARLY FINE"

    def test_refuses_a_header_with_a_line_break(self):
        for headers in ({"X-A": "a\nSet-Cookie: b"}, [("X-A", "a\rb")]):
            with pytest.raises(ValueError, match="newline"):
                Response("x", headers=headers)
        with pytest.raises(ValueError, match="newline"):
            Response("x", content_type="a\nb")

    def test_survives_pickling(self):
        response = Response("x", 201, {"X-A": "b"})
        response.freeze()
        copy = pickle.loads(pickle.dumps(response))
        assert (copy.data, copy.status, copy.headers) == (response.data, response.status, response.headers)


class TestSubclasses:
    """The constructor calls what a subclass overrides, as werkzeug's does."""

    def made_of(self, **attributes):
        ours = type("Own", (Response,), attributes)
        theirs = type("Own", (Theirs,), attributes)
        return ours, theirs

    @pytest.mark.parametrize(
        "attributes",
        [
            {"default_status": 418},
            {"default_status": "418 Teapot"},
            {"default_mimetype": "application/json"},
            {"default_mimetype": "text/x-own"},
            {"default_mimetype": None},
            {"automatically_set_content_length": False},
            {"set_data": lambda self, value: setattr(self, "response", [b"own"])},
            {"_clean_status": lambda self, value: ("299 Own", 299)},
            {"status": property(lambda self: "own", lambda self, value: setattr(self, "_status", "own"))},
            {"_status": property(lambda self: self.__dict__["s"], lambda self, v: self.__dict__.update(s="own"))},
            {"default_mimetype": property(lambda self: "text/csv")},
            {"direct_passthrough": property(lambda self: True, lambda self, value: None)},
            {"response": property(lambda self: [b"own"], lambda self, value: None)},
        ],
        ids=lambda attributes: next(iter(attributes)),
    )
    @pytest.mark.parametrize("args", [("x",), (b"x", 404), ("x", 200, {"X-A": "b"}), ()])
    def test_are_constructed_as_in_werkzeug(self, attributes, args):
        ours, theirs = self.made_of(**attributes)
        assert state_of(lambda: ours(*args)) == state_of(lambda: theirs(*args))

    def test_with_a_headers_property_get_the_assignment(self):
        class Own(Response):
            @property
            def headers(self):
                return self.stored

            @headers.setter
            def headers(self, value):
                self.stored = Headers([("X-Own", "1")])

        assert list(Own("x").headers) == [
            ("X-Own", "1"),
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Length", "1"),
        ]

    def test_that_watch_assignments_see_all_of_them(self):
        class Watching(Response):
            def __setattr__(self, name, value):
                self.__dict__.setdefault("assigned", set()).add(name)
                super().__setattr__(name, value)

        assert {"status", "headers", "response"} <= Watching("x").assigned

    def test_mixed_with_another_werkzeug_class_call_its_constructor(self):
        class Tracing(WerkzeugResponse):
            def __init__(self, *args, **kwargs):
                super().__init__(*args, **kwargs)
                self.traced = True

        class Both(Response, Tracing):
            pass

        assert Both("x").traced

    def test_may_have_their_own_constructor(self):
        class Own(Response):
            def __init__(self, body):
                super().__init__(body, mimetype="application/json")

        assert Own("{}").mimetype == "application/json"

    def test_are_looked_at_even_if_a_mixin_swallows_init_subclass(self):
        class Swallowing:
            def __init_subclass__(cls):
                pass

        class Own(Swallowing, Response):
            def set_data(self, value):
                super().set_data(b"own")

        assert Own("x").data == b"own"

    def test_patched_later_are_honoured(self, monkeypatch):
        original = Response.set_data
        monkeypatch.setattr(Response, "set_data", lambda self, value: original(self, b"patched"))
        assert Response("x").get_data() == b"patched"


class TestMaxCookieSize:
    def test_without_an_application_is_werkzeugs(self):
        assert Response().max_cookie_size == WerkzeugResponse.max_cookie_size

    def test_comes_from_the_config(self, app_context):
        app_context.config["MAX_COOKIE_SIZE"] = 10
        with pytest.warns(UserWarning, match="too large"):
            Response().set_cookie("name", "v" * 20)

    def test_of_zero_never_warns(self, app_context):
        app_context.config["MAX_COOKIE_SIZE"] = 0
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            Response().set_cookie("name", "v" * 10_000)


class TestJSON:
    def test_is_read_by_the_applications_provider(self, app_context):
        app_context.json.loads = lambda data, **options: "own"
        assert Response("1", mimetype="application/json").json == "own"


ENVIRON = create_environ("/here", "http://localhost/")


class TestForceType:
    def test_gives_another_response_this_class(self):
        theirs = WerkzeugResponse("x")
        assert Response.force_type(theirs) is theirs
        assert type(theirs) is Response

    def test_calls_a_wsgi_application(self):
        def application(environ, start_response):
            start_response("202 Own", [("X-A", environ["PATH_INFO"])])
            return [b"x", b"y"]

        response = Response.force_type(application, ENVIRON)
        assert (response.status, response.headers["X-A"], response.data) == ("202 Own", "/here", b"xy")

    def test_needs_an_environ_to_call(self):
        with pytest.raises(TypeError, match="environ"):
            Response.force_type(NotFound())

    @pytest.mark.parametrize(
        "error", [NotFound(), MethodNotAllowed(["GET"]), RequestRedirect("http://localhost/è?a b")], ids=repr
    )
    def test_of_an_exception_sends_what_calling_it_sends(self, error):
        quick = Response.force_type(error, ENVIRON)
        called = WerkzeugResponse.force_type.__func__(Response, lambda *args: error(*args), ENVIRON)
        assert quick.status == called.status
        assert quick.data == called.data
        assert quick.get_wsgi_headers(ENVIRON).to_wsgi_list() == called.get_wsgi_headers(ENVIRON).to_wsgi_list()

    def test_of_an_exception_gives_a_body_that_can_be_read_again(self):
        assert Response.force_type(NotFound(), ENVIRON).is_sequence

    def test_of_a_shared_exception_gives_new_responses(self):
        error = NotFound()
        Response.force_type(error, ENVIRON).headers["X-A"] = "b"
        assert "X-A" not in Response.force_type(error, ENVIRON).headers

    def test_leaves_a_response_given_to_an_exception_alone(self):
        given = WerkzeugResponse("shared")
        made = Response.force_type(NotFound(response=given), ENVIRON)
        made.headers["X-A"] = "b"
        assert made.data == b"shared"
        assert type(given) is WerkzeugResponse
        assert "X-A" not in given.headers

    @pytest.mark.parametrize("name", ["get_response", "__call__"])
    def test_calls_an_exception_that_answers_in_its_own_way(self, name):
        def respond(self, environ=None, second=None):
            response = WerkzeugResponse("own")
            return response if name == "get_response" else response(environ, second)

        cls = type("Own", (NotFound,), {name: respond})
        assert not makes_its_response(cls())
        assert Response.force_type(cls(), ENVIRON).data == b"own"

    def test_needs_nothing_of_an_exception_that_answers_in_its_own_way(self):
        # it has no attribute `response`, and werkzeug doesn't ask for it
        own = type(
            "Own", (NotFound,), {"__init__": lambda self: None, "get_response": lambda *_: WerkzeugResponse("own")}
        )
        assert Response.force_type(own(), ENVIRON).data == b"own"
