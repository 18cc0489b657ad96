"""flaskctx.json.orjson and flaskctx.json.msgspec: the default provider's results, written by a compiled library."""

from __future__ import annotations

import dataclasses
import decimal
import enum
import importlib
import json
import math
import subprocess
import sys
import uuid
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup
from werkzeug.datastructures import ImmutableMultiDict, MultiDict

from flaskctx import Flask, jsonify, request, session
from flaskctx.json.provider import DefaultJSONProvider

from ..ids import shown

PROVIDERS = {"orjson": "ORJSONProvider", "msgspec": "MsgspecJSONProvider"}


@pytest.fixture(params=PROVIDERS)
def library(request):
    """The library's name; without it the tests are skipped."""
    pytest.importorskip(request.param)
    return request.param


@pytest.fixture
def provider_class(library):
    return getattr(importlib.import_module(f"flaskctx.json.{library}"), PROVIDERS[library])


@pytest.fixture
def app(provider_class):
    app = Flask("no_module")
    app.secret_key = "tests"
    app.json = provider_class(app)
    return app


@pytest.fixture
def provider(app):
    return app.json


@pytest.fixture
def standard(app):
    """The default provider, for comparison."""
    return DefaultJSONProvider(app)


def compact(standard, value):
    return standard.dumps(value, separators=(",", ":"))


# What is written


class Color(enum.Enum):
    RED = "red"


class Size(enum.IntEnum):
    SMALL = 1


class Text(str):
    pass


class Number(int):
    pass


class Fraction(float):
    pass


class Items(list):
    pass


class HasHtml:
    def __html__(self):
        return "<b>"


@dataclasses.dataclass
class Point:
    y: object
    x: int
    _hidden: int = 0


SAME = [
    {"b": 1, "a": 'é\u2028\x7f\U0001f600\x00"\\'},
    [1, 2.5, None, True, -0.0, 2**63, -(2**63)],
    "text",
    {},
    [],
    [{}, [], ""],
    (1, (2,)),
    {"nested": {"b": [{"d": 1, "c": 2}], "a": {}}},
    # converted by the default provider's `default`
    date(2024, 1, 2),
    datetime(2024, 1, 2, 3, 4, 5, 6),
    datetime(2024, 1, 2, 3, tzinfo=timezone(timedelta(hours=2))),
    {"at": [datetime(2024, 1, 2, tzinfo=UTC)]},
    "2024-01-02",
    decimal.Decimal("1.50"),
    uuid.UUID(int=5),
    Point(Point(uuid.UUID(int=1), 2), 1),
    [Point(date(2024, 1, 2), 1)],
    Markup("<b>"),
    HasHtml(),
    # subclasses of JSON types
    Text("x"),
    {Text("key"): Size.SMALL},
    [Number(3), Fraction(1.5), Items([1]), Size.SMALL],
    MultiDict([("a", "1"), ("a", "2")]),
    ImmutableMultiDict([("a", "1"), ("a", "2")]),
    # what only the standard library writes
    2**70,
    {2: "b", 10: "a"},
    {None: 1},
    "\ud800",
]


@pytest.mark.parametrize("value", SAME, ids=shown)
@pytest.mark.parametrize("options", [{}, {"ensure_ascii": False}, {"sort_keys": False}], ids=str)
def test_the_text_is_the_default_providers(provider, standard, value, options):
    for name, option in options.items():
        setattr(provider, name, option)
        setattr(standard, name, option)
    assert provider.dumps(value) == compact(standard, value)
    assert provider.dumps(value, indent=2) == standard.dumps(value, indent=2)


@pytest.mark.parametrize(
    "layout", [{"indent": 4}, {"indent": "\t"}, {"separators": (", ", ": ")}, {"sort_keys": False}]
)
def test_any_option_of_json_dumps_can_be_used(provider, layout):
    value = {"b": [1], "a": {"c": 1}}
    expected = {"separators": (",", ":")} | layout if "indent" not in layout else layout
    assert provider.dumps(value, **layout) == json.dumps(value, **{"sort_keys": True, **expected})


def test_an_option_of_the_call_wins_over_the_attribute(provider):
    assert (
        provider.dumps({"b": {1}, "a": "é"}, sort_keys=False, ensure_ascii=False, default=list) == '{"b":[1],"a":"é"}'
    )


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(value=json_values)
@pytest.mark.parametrize("library", PROVIDERS)
def test_whatever_is_written_is_read_again_as_by_the_standard_library(library, value):
    pytest.importorskip(library)
    app = Flask("no_module")
    provider = getattr(importlib.import_module(f"flaskctx.json.{library}"), PROVIDERS[library])(app)
    assert json.loads(provider.dumps(value)) == value
    if library == "msgspec":  # orjson makes floats of large integers
        assert provider.loads(json.dumps(value)) == value


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_null(provider, value):
    assert provider.dumps([value]) == "[null]"


@pytest.mark.parametrize("value", [object(), 1j, Point], ids=shown)
def test_what_cannot_be_converted_is_named(provider, value):
    with pytest.raises(TypeError, match=f"Object of type {type(value).__name__} is not JSON"):
        provider.dumps([value])


def test_circular_data_raises(provider):
    circular = []
    circular.append(circular)
    with pytest.raises(ValueError, match="Circular"):
        provider.dumps(circular)


def test_deep_data_is_written(provider, standard):
    deep = []
    for _ in range(300):
        deep = [deep]
    assert provider.dumps(deep) == compact(standard, deep)


class TestDefault:
    def test_it_is_asked_for_what_the_library_does_not_know(self, provider):
        provider.default = lambda o: f"<{type(o).__name__}>"
        assert provider.dumps([object(), HasHtml()]) == '["<object>","<HasHtml>"]'

    def test_it_is_asked_for_dates(self, provider):
        provider.default = lambda o: f"<{type(o).__name__}>"
        assert provider.dumps([date(2024, 1, 2), datetime(2024, 1, 2)]) == '["<date>","<datetime>"]'

    def test_orjson_asks_it_for_dataclasses(self, library, provider):
        provider.default = lambda o: f"<{type(o).__name__}>"
        assert (provider.dumps(Point(1, 2)) == '"<Point>"') is (library == "orjson")

    def test_it_may_be_a_method_of_a_subclass(self, app, provider_class):
        class Provider(provider_class):
            def default(self, o):
                return [type(self).__name__]

        assert Provider(app).dumps(object()) == '["Provider"]'

    def test_it_may_be_none(self, provider):
        provider.default = None
        assert provider.dumps(Text("x")) == '"x"'
        with pytest.raises(TypeError, match="Object of type HasHtml is not JSON"):
            provider.dumps(HasHtml())

    def test_its_error_is_raised(self, provider):
        def fail(o):
            raise LookupError("of default")

        provider.default = fail
        with pytest.raises(LookupError, match="of default"):
            provider.dumps([object()])


@pytest.mark.parametrize("beside", [None, 2**70, date(2024, 1, 2)], ids=repr)
def test_members_of_an_enum_are_their_values_whoever_writes_the_rest(provider, standard, beside):
    assert provider.dumps([Color.RED, beside]) == compact(standard, ["red", beside])


# What is read


@pytest.mark.parametrize(
    "text",
    [
        '{"a": [1, 2.5, null, true, "é"]}',
        b'{"a": [1]}',
        '{"a": [1]}'.encode("utf-16"),
        b"\xef\xbb\xbf[1]",
        '"\\ud800"',
        "1e400",
        '{"a": 1, "a": 2}',
    ],
)
def test_texts_are_read_as_by_the_default_provider(provider, standard, text):
    assert provider.loads(text) == standard.loads(text)


@pytest.mark.parametrize("text", ["", "[1,]", "{", b"\xff", "[" * 100_000], ids=lambda text: ascii(text[:10]))
def test_what_is_no_json_is_refused_as_by_the_default_provider(provider, standard, text):
    with pytest.raises(ValueError) as expected:
        standard.loads(text)
    with pytest.raises(type(expected.value)) as caught:
        provider.loads(text)
    assert str(caught.value) == str(expected.value)


def test_options_of_json_loads_can_be_used(provider):
    assert provider.loads("1", parse_int=str) == "1"


# In an application


def test_a_request_and_a_response(app, server):
    server.app = app

    @app.post("/")
    def echo():
        data = app.json.loads(app.json.dumps({"b": 1, "a": "é"}))
        return {"sent": data, "at": date(2024, 1, 2)}

    answer = server.request("POST", "/")
    assert answer.text == '{"at":"Tue, 02 Jan 2024 00:00:00 GMT","sent":{"a":"\\u00e9","b":1}}\n'
    assert answer.headers["Content-Type"] == "application/json"


def test_json_in_a_request_that_cannot_be_read_is_a_400(app):
    app.post("/")(lambda: request.get_json())
    assert app.test_client().post("/", data="[1", content_type="application/json").status_code == 400


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("compact", [None, True, False])
def test_responses_are_laid_out_as_by_the_default_provider(app, standard, debug, compact):
    app.debug = debug
    app.json.compact = standard.compact = compact
    app.json.mimetype = standard.mimetype = "application/problem+json"
    ours, expected = (made.response({"b": [1, {}], "a": []}) for made in (app.json, standard))
    assert ours.get_data() == expected.get_data()
    assert ours.headers == expected.headers


def test_a_session_that_nobody_has_read_yet_can_be_sent(app):
    @app.get("/")
    def show():
        return jsonify(session)

    @app.post("/")
    def fill():
        session["cart"] = [1]
        return ""

    client = app.test_client()
    client.post("/")
    assert client.get("/").json == {"cart": [1]}


def test_tojson_in_templates_uses_it(app):
    with app.app_context():
        assert app.jinja_env.from_string("{{ value|tojson }}").render(value=["<é>"]) == '["\\u003c\\u00e9\\u003e"]'


# Without the library


@pytest.mark.parametrize("library", PROVIDERS)
def test_without_the_library_the_error_names_the_extra(library):
    program = f"import sys; sys.modules[{library!r}] = None; import flaskctx.json.{library}"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert f"pip install 'flaskctx[{library}]'" in ended.stderr
