"""flaskctx.json.provider: what app.json does, and that its options take effect at once."""

import dataclasses
import decimal
import gc
import io
import json
import uuid
import weakref
from datetime import UTC, date, datetime, time, timedelta, timezone

import flask
import pytest
from markupsafe import Markup

from flaskctx import Flask
from flaskctx.json.provider import DefaultJSONProvider, JSONProvider

from ..ids import shown


@dataclasses.dataclass
class Point:
    x: int
    y: object


class HasHtml:
    def __html__(self):
        return "<b>"


CONVERTED = [
    date(2024, 1, 2),
    datetime(2024, 1, 2, 3, 4, 5, 6),
    datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC),
    datetime(2024, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2))),
    decimal.Decimal("1.50"),
    uuid.UUID(int=5),
    Point(1, Point(2, uuid.UUID(int=1))),
    Markup("<b>"),
    HasHtml(),
]
LAID_OUT = [
    {"b": 1, "a": "é\u2028<"},
    [1, 2.5, None, True],
    "text",
    {},
    [],
    (1, (2,)),
    {2: 1, 1: 2},
    float("nan"),
]
REFUSED = [object(), {1}, b"bytes", time(1, 2), 1j, Point]


@pytest.fixture
def provider(app):
    return app.json


@pytest.fixture
def theirs():
    """Flask's provider, for comparison."""
    app = flask.Flask(__name__)
    with app.app_context():
        yield app.json


class TestDumps:
    @pytest.mark.parametrize("value", CONVERTED + LAID_OUT, ids=shown)
    @pytest.mark.parametrize(
        "options",
        [{}, {"indent": 2}, {"separators": (",", ":")}, {"sort_keys": False}, {"ensure_ascii": False}],
        ids=shown,
    )
    def test_the_text_is_flasks(self, provider, theirs, value, options):
        assert provider.dumps(value, **options) == theirs.dumps(value, **options)

    @pytest.mark.parametrize("value", REFUSED, ids=shown)
    def test_what_cannot_be_converted_is_named(self, provider, value):
        with pytest.raises(TypeError, match=f"Object of type {type(value).__name__} is not JSON"):
            provider.dumps(value)

    def test_keys_of_several_types_do_not_sort(self, provider):
        with pytest.raises(TypeError):
            provider.dumps({1: 1, "a": 1})

    def test_an_option_of_the_call_wins_over_the_attribute(self, provider):
        assert provider.dumps({"b": {1}, "a": "é"}, sort_keys=False, ensure_ascii=False, default=list) == (
            '{"b": [1], "a": "é"}'
        )

    def test_an_encoder_class_can_be_passed(self, provider):
        class Encoder(json.JSONEncoder):
            def encode(self, o):
                return f"encoded with {self.item_separator!r}"

        assert provider.dumps(1, cls=Encoder, separators=(";", ":")) == "encoded with ';'"

    def test_circular_data_raises_and_leaves_the_provider_usable(self, provider):
        circular = []
        circular.append(circular)
        for _ in range(2):
            with pytest.raises(ValueError, match="Circular"):
                provider.dumps(circular)
        assert provider.dumps([1]) == "[1]"

    def test_dump_writes_to_a_file(self, provider):
        file = io.StringIO()
        provider.dump({"b": 1, "a": 1}, file)
        assert file.getvalue() == '{"a": 1, "b": 1}'


class TestOptionsTakeEffectAtOnce:
    def test_sort_keys(self, provider):
        provider.dumps({"b": 1, "a": 1})
        provider.sort_keys = False
        assert provider.dumps({"b": 1, "a": 1}) == '{"b": 1, "a": 1}'

    def test_ensure_ascii(self, provider):
        assert provider.dumps("é") == '"\\u00e9"'
        provider.ensure_ascii = False
        assert provider.dumps("é") == '"é"'

    def test_default_on_the_instance(self, provider):
        with pytest.raises(TypeError):
            provider.dumps({1})
        provider.default = list
        assert provider.dumps({1}) == "[1]"

    def test_default_on_the_class(self, app):
        class Provider(DefaultJSONProvider):
            pass

        provider = Provider(app)
        provider.dumps(1)
        Provider.default = staticmethod(lambda o: "replaced")
        assert provider.dumps({1}) == '"replaced"'

    def test_default_as_a_method_of_a_subclass(self, app):
        class Provider(DefaultJSONProvider):
            def default(self, o):
                return type(self).__name__

        provider = Provider(app)
        assert provider.dumps([{1}, {2}]) == '["Provider", "Provider"]'

    def test_default_may_be_none(self, provider):
        provider.default = None
        with pytest.raises(TypeError, match="not JSON serializable"):
            provider.dumps(uuid.UUID(int=1))

    def test_default_may_be_an_object_that_has_no_hash(self, provider):
        class Default(dict):
            def __call__(self, o):
                return "called"

        provider.default = Default()
        assert provider.dumps({1}) == '"called"'

    def test_going_back_and_forth(self, provider):
        for sort_keys, text in [(True, '{"a":1,"b":1}'), (False, '{"b":1,"a":1}')] * 3:
            provider.sort_keys = sort_keys
            assert provider.dumps({"b": 1, "a": 1}, separators=(",", ":")) == text

    def test_an_encoder_is_made_once_for_the_same_options(self, app):
        class Provider(DefaultJSONProvider):
            def default(self, o):
                return str(o)

        provider = Provider(app)
        for _ in range(3):
            provider.dumps({1})
            provider.dumps({1}, indent=2)
        assert len(provider._encoders) == 2

    def test_few_encoders_are_kept(self, provider):
        for indent in range(50):
            assert provider.dumps([1], indent=indent) == json.dumps([1], indent=indent)
        assert len(provider._encoders) < 10


class TestLoads:
    @pytest.mark.parametrize("text", ['{"a": [1]}', b'{"a": [1]}', '{"a": [1]}'.encode("utf-16")])
    def test_takes_text_and_bytes(self, provider, text):
        assert provider.loads(text) == {"a": [1]}

    def test_options_are_those_of_the_standard_library(self, provider):
        assert provider.loads("1", parse_int=str) == "1"

    def test_what_is_nested_too_deeply_is_an_error_of_the_text(self, provider):
        with pytest.raises(ValueError, match="nested too deeply"):
            provider.loads("[" * 100_000)

    @pytest.mark.parametrize("file", [io.StringIO("[1]"), io.BytesIO(b"[1]")])
    def test_load_reads_text_and_binary_files(self, provider, file):
        assert provider.load(file) == [1]


class TestResponse:
    @pytest.mark.parametrize(
        ("args", "kwargs"),
        [((), {}), ((None,), {}), ((1,), {}), (([1],), {}), ((1, 2), {}), ((), {"b": 1, "a": [1, {"c": 2}]})],
    )
    @pytest.mark.parametrize("compact", [None, True, False])
    @pytest.mark.parametrize("debug", [True, False])
    def test_body_and_headers_are_flasks(self, app, theirs, args, kwargs, compact, debug):
        theirs._app.debug = app.debug = debug
        theirs.compact = app.json.compact = compact
        expected = theirs.response(*args, **kwargs)
        response = app.json.response(*args, **kwargs)
        assert response.get_data() == expected.get_data()
        assert response.headers == expected.headers

    def test_values_and_keywords_do_not_mix(self, provider):
        with pytest.raises(TypeError, match="either values or keyword arguments, not both"):
            provider.response(1, a=2)

    @pytest.mark.parametrize("mimetype", ["application/problem+json", "text/json", "application/json; v=1"])
    def test_the_mimetype_is_an_option(self, provider, theirs, mimetype):
        theirs.mimetype = provider.mimetype = mimetype
        assert provider.response(1).headers == theirs.response(1).headers

    def test_it_is_the_applications_response_class(self, app):
        class Response(app.response_class):
            pass

        app.response_class = Response
        assert type(app.json.response(1)) is Response

    def test_an_overridden_dumps_makes_the_body(self, app):
        class Provider(DefaultJSONProvider):
            def dumps(self, obj, **kwargs):
                return f"{obj} {kwargs}"

        assert Provider(app).response(1).get_data() == b"1 {'separators': (',', ':')}\n"


class TestAProviderOfOnesOwn:
    def test_it_has_to_define_dumps_and_loads(self, app):
        with pytest.raises(NotImplementedError, match="JSONProvider must define dumps"):
            JSONProvider(app).dumps(1)
        with pytest.raises(NotImplementedError, match="JSONProvider must define loads"):
            JSONProvider(app).loads("1")

    def test_the_rest_follows_from_these(self, app):
        class Provider(JSONProvider):
            def dumps(self, obj, **kwargs):
                return repr(obj)

            def loads(self, s, **kwargs):
                return s

        provider = Provider(app)
        file = io.StringIO()
        provider.dump([1], file)
        assert file.getvalue() == "[1]"
        assert provider.load(io.StringIO("x")) == "x"
        assert provider.response(a=1).get_data() == b"{'a': 1}"
        assert provider.response(a=1).mimetype == "application/json"

    def test_it_does_not_keep_the_application_alive(self, app):
        class Provider(JSONProvider):
            def dumps(self, obj, **kwargs):
                return ""

        class App(type(app)):
            pass

        short_lived = App()
        provider = Provider(short_lived)
        dead = weakref.ref(short_lived)
        del short_lived
        gc.collect()
        assert dead() is None
        with pytest.raises(ReferenceError):
            provider.response(1)


class TestDataThatViewsReturn:
    def test_dicts_and_lists_are_data(self):
        assert JSONProvider.data_types == (dict, list)

    def test_a_provider_may_add_to_them(self):
        class Provider(DefaultJSONProvider):
            data_types = (*DefaultJSONProvider.data_types, Point)

        app = Flask("no_module")
        app.json = Provider(app)
        app.get("/")(lambda: Point(1, 2))
        assert app.test_client().get("/").json == {"x": 1, "y": 2}
