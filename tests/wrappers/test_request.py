from __future__ import annotations

import io
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import EnvironHeaders
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType
from werkzeug.test import EnvironBuilder, create_environ
from werkzeug.wrappers import Request as WerkzeugRequest

from flaskctx.debughelpers import DebugFilesKeyError
from flaskctx.wrappers import Request

EAGER = ["method", "scheme", "root_path", "path", "query_string", "remote_addr", "shallow"]
ALL = [
    *EAGER,
    "server",
    "host",
    "url",
    "base_url",
    "full_path",
    "args",
    "cookies",
    "is_secure",
    "script_root",
]


def environ_of(path="/a/b?x=1&x=2", **changes):
    environ = create_environ(path, "http://localhost:8080/")
    environ["REMOTE_ADDR"] = "127.0.0.1"
    environ.update(changes)
    return {key: value for key, value in environ.items() if value is not ...}


def outcome(function, *args):
    try:
        return function(*args)
    except Exception as error:
        return type(error)


def assert_like_werkzeug(environ):
    theirs = outcome(lambda: WerkzeugRequest(dict(environ)))
    ours = outcome(lambda: Request(dict(environ)))
    if isinstance(theirs, type):
        assert ours is theirs
        return
    for name in ALL:
        if name == "args" and outcome(lambda: theirs.args) is UnicodeDecodeError:
            continue  # an error that a stranger can cause, see below
        assert outcome(ours.__getattribute__, name) == outcome(theirs.__getattribute__, name), name
    assert list(ours.headers) == list(theirs.headers)
    assert type(ours.headers) is EnvironHeaders


class TestSameAsWerkzeug:
    @pytest.mark.parametrize(
        "changes",
        [
            {},
            {"SCRIPT_NAME": "/app/"},
            {"SCRIPT_NAME": "/\xc3\xa9"},
            {"SCRIPT_NAME": None},
            {"SCRIPT_NAME": ...},
            {"PATH_INFO": ""},
            {"PATH_INFO": None},
            {"PATH_INFO": ...},
            {"PATH_INFO": "//double//slash"},
            {"PATH_INFO": "/caf\xc3\xa9"},
            {"PATH_INFO": "/bad\xff"},
            {"PATH_INFO": "/not latin \u2603"},
            {"QUERY_STRING": "q=%C3%A9"},
            {"QUERY_STRING": "q=\xc3\xa9"},
            {"QUERY_STRING": "\u2603"},
            {"QUERY_STRING": ...},
            {"REMOTE_ADDR": ...},
            {"REQUEST_METHOD": "post"},
            {"REQUEST_METHOD": ...},
            {"SERVER_NAME": None},
            {"SERVER_NAME": ...},
            {"SERVER_PORT": ""},
            {"SERVER_PORT": None},
            {"SERVER_PORT": ...},
            {"SERVER_PORT": "/run/socket"},
            {"wsgi.url_scheme": "https"},
            {"wsgi.url_scheme": ...},
            {"HTTP_HOST": ...},
            {"HTTP_COOKIE": "a=1; b=2"},
            {"CONTENT_TYPE": "", "CONTENT_LENGTH": ""},
        ],
        ids=repr,
    )
    def test_for_this_environ(self, changes):
        assert_like_werkzeug(environ_of(**changes))

    @given(
        st.fixed_dictionaries(
            {
                "PATH_INFO": st.text(st.characters(max_codepoint=300)),
                "SCRIPT_NAME": st.text(st.characters(max_codepoint=255)) | st.none(),
                "QUERY_STRING": st.text(st.characters(max_codepoint=300)),
                "REQUEST_METHOD": st.sampled_from(["GET", "get", "POST", "X-y"]),
                "SERVER_PORT": st.sampled_from(["80", "8080", "x", "", None]),
                "SERVER_NAME": st.sampled_from(["localhost", "", None]),
            }
        )
    )
    def test_for_any_environ(self, changes):
        assert_like_werkzeug(environ_of(**changes))

    def test_except_that_bytes_of_the_query_that_are_not_utf_8_are_no_error(self):
        request = Request(environ_of(QUERY_STRING="q=caf\xe9&q=\xc3\xa9&empty="))
        assert request.args.to_dict(flat=False) == {"q": ["caf\ufffd", "\xe9"], "empty": [""]}

    def test_for_an_environ_of_werkzeugs_builder(self):
        builder = EnvironBuilder("/p", "http://example.com/app", method="POST", data={"a": "1"})
        request = builder.get_request(Request)
        assert (request.root_path, request.path, request.form["a"]) == ("/app", "/p", "1")

    def test_for_from_values(self):
        assert Request.from_values("/x?y=1").args["y"] == "1"

    def test_for_an_empty_environ(self):
        assert Request({}).path == WerkzeugRequest({}).path == "/"

    def test_in_its_state(self):
        request = Request(environ_of())
        theirs = WerkzeugRequest(environ_of())
        for name in vars(theirs):
            getattr(request, name)
        assert vars(theirs).keys() <= vars(request).keys()


class TestWhatTheEnvironSaidAtConstruction:
    """A mounted application shifts paths in the environ, a middleware mends the scheme: later."""

    @pytest.mark.parametrize(
        ("key", "name"),
        [
            ("PATH_INFO", "path"),
            ("SCRIPT_NAME", "root_path"),
            ("REQUEST_METHOD", "method"),
            ("wsgi.url_scheme", "scheme"),
            ("SERVER_NAME", "server"),
            ("SERVER_PORT", "server"),
            ("REMOTE_ADDR", "remote_addr"),
            ("QUERY_STRING", "query_string"),
        ],
    )
    def test_counts(self, key, name):
        environ = environ_of()
        expected = getattr(WerkzeugRequest(dict(environ)), name)
        request = Request(environ)
        environ[key] = "9999"
        assert getattr(request, name) == expected

    def test_is_forgotten_for_headers_which_are_a_view(self):
        environ = environ_of()
        request = Request(environ)
        environ["HTTP_X_LATE"] = "1"
        assert request.headers["X-Late"] == "1"

    def test_headers_stay_with_the_first_environ(self):
        request = Request(environ_of(HTTP_X_A="1"))
        request.environ = {}
        assert request.headers["X-A"] == "1"


class TestAttributesCanBeAssigned:
    @pytest.mark.parametrize("name", [*EAGER, "server", "headers", "environ"])
    def test_before_they_were_read(self, name):
        request = Request(environ_of())
        marker = object()
        setattr(request, name, marker)
        assert getattr(request, name) is marker

    @pytest.mark.parametrize("name", ["server", "headers", "cookies", "args"])
    def test_after_they_were_read(self, name):
        request = Request(environ_of())
        getattr(request, name)
        marker = object()
        setattr(request, name, marker)
        assert getattr(request, name) is marker

    def test_headers_are_made_once(self):
        request = Request(environ_of())
        assert request.headers is request.headers


class TestTheEnvironsReference:
    def test_is_set(self):
        request = Request(environ_of())
        assert request.environ["werkzeug.request"] is request

    def test_is_not_set_if_unwanted(self):
        assert "werkzeug.request" not in Request(environ_of(), populate_request=False).environ

    def test_is_not_set_by_a_shallow_request(self):
        assert "werkzeug.request" not in Request(environ_of(), shallow=True).environ

    def test_shallow_requests_refuse_to_read_the_body(self):
        with pytest.raises(RuntimeError):
            Request(environ_of(), shallow=True).get_data()


class TestSubclasses:
    def test_with_their_own_constructor(self):
        class Own(Request):
            def __init__(self, environ, extra=1):
                super().__init__(environ)
                self.extra = extra

        request = Own(environ_of(), extra=2)
        assert (request.path, request.extra) == ("/a/b", 2)

    @pytest.mark.parametrize("name", [*EAGER, "headers", "server", "environ"])
    def test_with_a_property_that_has_a_setter(self, name):
        def set_it(self, value):
            self.__dict__.setdefault("seen", []).append(value)

        cls = type("Own", (Request,), {name: property(lambda self: "own", set_it)})
        theirs = type("Theirs", (WerkzeugRequest,), {name: property(lambda self: "own", set_it)})
        environ = environ_of()
        request = cls(environ, populate_request=False)  # populating would read `environ` and `shallow` back
        assert request.seen == theirs(environ, populate_request=False).seen
        assert getattr(request, name) == "own"

    @pytest.mark.parametrize("name", ["headers", "server", "path"])
    def test_with_a_property_that_has_none_fail_as_they_do_in_werkzeug(self, name):
        cls = type("Own", (Request,), {name: property(lambda self: "own")})
        with pytest.raises(AttributeError):
            cls(environ_of())

    @pytest.mark.parametrize("name", ["headers", "server", "path"])
    def test_with_a_class_attribute_that_the_constructor_covers(self, name):
        cls = type("Own", (Request,), {name: "own"})
        assert str(getattr(cls(environ_of()), name)) == str(getattr(WerkzeugRequest(environ_of()), name))

    def test_that_watch_assignments_see_all_of_them(self):
        class Watching(Request):
            def __setattr__(self, name, value):
                self.__dict__.setdefault("assigned", set()).add(name)
                super().__setattr__(name, value)

        assert Watching(environ_of()).assigned == vars(WerkzeugRequest({})).keys()

    def test_mixed_with_another_werkzeug_class_call_its_constructor(self):
        class Tracing(WerkzeugRequest):
            def __init__(self, *args):
                super().__init__(*args)
                self.traced = True

        class Both(Request, Tracing):
            pass

        assert Both(environ_of()).traced

    def test_are_looked_at_even_if_a_mixin_swallows_init_subclass(self):
        class Swallowing:
            def __init_subclass__(cls):
                pass

        class Own(Swallowing, Request):
            headers = "own"

        assert Own(environ_of()).headers["Host"] == "localhost:8080"

    def test_may_set_a_limit_for_the_class(self):
        class Small(Request):
            max_content_length = 3

        assert Small(environ_of()).max_content_length == 3


LIMITS = [
    ("max_content_length", "MAX_CONTENT_LENGTH"),
    ("max_form_memory_size", "MAX_FORM_MEMORY_SIZE"),
    ("max_form_parts", "MAX_FORM_PARTS"),
]


@pytest.mark.parametrize(("name", "key"), LIMITS)
class TestLimits:
    def test_without_an_application_are_werkzeugs(self, name, key):
        assert getattr(Request({}), name) == getattr(WerkzeugRequest, name)

    def test_come_from_the_config(self, name, key, app_context):
        app_context.config[key] = 7
        assert getattr(Request({}), name) == 7

    def test_can_be_set_for_one_request(self, name, key, app_context):
        app_context.config[key] = 7
        request = Request({})
        setattr(request, name, 5)
        assert getattr(request, name) == 5
        assert getattr(Request({}), name) == 7

    def test_of_zero_is_a_limit(self, name, key, app_context):
        app_context.config[key] = 7
        request = Request({})
        setattr(request, name, 0)
        assert getattr(request, name) == 0

    def test_set_to_none_go_back_to_the_config(self, name, key, app_context):
        app_context.config[key] = 7
        request = Request({})
        setattr(request, name, 5)
        setattr(request, name, None)
        assert getattr(request, name) == 7

    def test_are_enforced(self, name, key, app_context):
        app_context.config[key] = 1
        data = {"a": "xx", "b": "yy"}
        builder = EnvironBuilder(method="POST", data=data, content_type="multipart/form-data")
        request = builder.get_request(Request)
        with pytest.raises(RequestEntityTooLarge):
            request.form


class TestRouting:
    def request_to(self, endpoint):
        request = Request({})
        request.url_rule = None if endpoint is None else SimpleNamespace(endpoint=endpoint)
        return request

    def test_nothing_is_known_before_the_match(self):
        request = Request({})
        assert (request.url_rule, request.view_args, request.routing_exception) == (None, None, None)

    @pytest.mark.parametrize(
        ("endpoint", "blueprint", "blueprints"),
        [
            (None, None, []),
            ("index", None, []),
            ("bp.index", "bp", ["bp"]),
            ("a.b.c.index", "a.b.c", ["a.b.c", "a.b", "a"]),
        ],
    )
    def test_the_endpoint_tells_the_blueprints(self, endpoint, blueprint, blueprints):
        request = self.request_to(endpoint)
        assert (request.endpoint, request.blueprint, request.blueprints) == (endpoint, blueprint, blueprints)


def json_request(body=b'{"a": 1}', content_type="application/json"):
    return EnvironBuilder(method="POST", data=body, content_type=content_type).get_request(Request)


class TestJSON:
    def test_is_read_by_the_applications_provider(self, app_context):
        app_context.json = SimpleNamespace(loads=lambda data, **options: ["own", data])
        assert json_request(b"1").json == ["own", b"1"]

    def test_is_read_without_an_application(self):
        assert json_request().get_json() == {"a": 1}

    def test_that_is_broken_is_a_bad_request_without_details(self, app_context):
        with pytest.raises(BadRequest) as caught:
            json_request(b"{").json
        assert caught.value.description == BadRequest.description
        assert "JSON" in str(caught.value.__cause__)

    def test_that_is_broken_is_explained_in_debug_mode(self, app_context):
        app_context.debug = True
        with pytest.raises(BadRequest, match="Failed to decode JSON"):
            json_request(b"{").json

    def test_of_another_content_type_is_unsupported(self, app_context):
        with pytest.raises(UnsupportedMediaType):
            json_request(content_type="text/plain").json

    def test_can_be_asked_for_silently(self, app_context):
        assert json_request(b"{").get_json(silent=True) is None

    def test_of_an_overridden_handler(self):
        class Lenient(Request):
            def on_json_loading_failed(self, e):
                return {}

        request = EnvironBuilder(method="POST", data=b"{", content_type="application/json").get_request(Lenient)
        assert request.json == {}


def form_without_enctype():
    return EnvironBuilder(method="POST", data={"photo": "cat.png"}).get_request(Request)


class TestFilesOfAFormWithoutEnctype:
    def test_are_explained_in_debug_mode(self, app_context):
        app_context.debug = True
        with pytest.raises(DebugFilesKeyError, match="multipart/form-data") as caught:
            form_without_enctype().files["photo"]
        assert "cat.png" in str(caught.value)

    def test_are_just_missing_otherwise(self, app_context):
        request = form_without_enctype()
        with pytest.raises(BadRequest) as caught:
            request.files["photo"]
        assert not isinstance(caught.value, DebugFilesKeyError)

    def test_that_the_form_has_not_either_are_just_missing(self, app_context):
        app_context.debug = True
        request = form_without_enctype()
        with pytest.raises(BadRequest):
            request.files["other"]

    def test_can_still_be_asked_for_with_get(self, app_context):
        app_context.debug = True
        request = form_without_enctype()
        assert request.files.get("photo") is None
        assert request.files.getlist("photo") == []

    def test_are_explained_once_however_often_the_body_is_asked_for(self, app_context):
        app_context.debug = True
        request = form_without_enctype()
        kind = type(request.files)
        request.form, request.data, request.values
        assert type(request.files) is kind

    def test_of_the_right_enctype_are_there(self, app_context):
        app_context.debug = True
        builder = EnvironBuilder(method="POST", data={"photo": (io.BytesIO(b"meow"), "cat.png")})
        with builder.get_request(Request) as request:
            assert request.files["photo"].read() == b"meow"


class TestClose:
    def test_closes_uploaded_files(self):
        builder = EnvironBuilder(method="POST", data={"photo": (io.BytesIO(b"meow"), "cat.png")})
        request = builder.get_request(Request)
        upload = request.files["photo"]
        request.close()
        assert upload.stream.closed

    def test_does_not_parse_a_body_that_nobody_read(self):
        request = form_without_enctype()
        request.close()
        assert "files" not in vars(request)
