"""`json_encoder` and `json_decoder` of applications and blueprints, as in Flask up to version 2.2."""

from __future__ import annotations

import json as standard_json
from datetime import date

import pytest

from flaskctx import Blueprint, Flask, json, jsonify, request
from flaskctx.json.classic import CodecAttribute
from flaskctx.json.compiled import CompiledJSONProvider
from flaskctx.json.provider import DefaultJSONProvider


class SetEncoder(json.JSONEncoder):
    def default(self, o):
        return sorted(o) if isinstance(o, set) else super().default(o)


class LengthEncoder(json.JSONEncoder):
    def default(self, o):
        return len(o)


class SpacedEncoder(standard_json.JSONEncoder):
    """Converts nothing by itself; what it writes is marked."""

    def encode(self, o):
        return f" {super().encode(o)}"


class FloatDecoder(json.JSONDecoder):
    def __init__(self, **options):
        super().__init__(parse_int=float, **options)


@pytest.fixture(autouse=True)
def unused(monkeypatch):
    """Nothing in the process has set an encoder yet."""
    monkeypatch.setattr(CodecAttribute, "used", False)


def test_by_default_there_are_those_to_subclass(app):
    assert app.json_encoder is Flask.json_encoder is json.JSONEncoder
    assert app.json_decoder is Flask.json_decoder is json.JSONDecoder
    blueprint = Blueprint("name", __name__)
    assert blueprint.json_encoder is blueprint.json_decoder is None
    assert not CodecAttribute.used


def test_an_encoder_of_the_application(app, server, colour):
    app.json_encoder = SetEncoder
    app.get("/")(colour(lambda: jsonify({"a": {2, 1}, "b": date(2024, 2, 29)})))
    assert server.get("/").json == {"a": [1, 2], "b": "Thu, 29 Feb 2024 00:00:00 GMT"}


def test_a_decoder_of_the_application(app, server, colour):
    app.json_decoder = FloatDecoder
    app.post("/")(colour(lambda: repr(request.get_json())))
    assert server.request("POST", "/", json={"a": 1}).text == "{'a': 1.0}"


def test_a_blueprint_has_its_own(app, server, colour):
    app.json_encoder = SetEncoder
    outer, inner = Blueprint("outer", __name__), Blueprint("inner", __name__, url_prefix="/inner")
    for scaffold, rule in ((app, "/app"), (outer, "/outer"), (inner, "/")):
        scaffold.get(rule)(colour(lambda: jsonify({1, 2, 3})))
    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    outer.json_encoder = LengthEncoder
    assert [server.get(path).json for path in ("/app", "/outer", "/inner/")] == [[1, 2, 3], 3, [1, 2, 3]]


def test_one_in_the_class(app):
    class Classic(Flask):
        json_encoder = SetEncoder

    classic = Classic("classic")
    assert classic.json.dumps({2, 1}) == "[1, 2]"
    classic.json_encoder = LengthEncoder
    assert classic.json.dumps({2, 1}) == "2"


def test_one_application_does_not_change_another(app):
    Flask("other").json_encoder = SetEncoder
    app.json.default = lambda o: "the provider's"
    assert app.json.dumps({1}) == '"the provider\'s"'


def test_the_providers_options_hold(app):
    app.json_encoder = SetEncoder
    app.json.sort_keys = app.json.ensure_ascii = False
    assert app.json.dumps({"é": 1, "a": 2}) == '{"é": 1, "a": 2}'


def test_an_encoder_that_converts_nothing_leaves_it_to_the_provider(app):
    app.json_encoder = SpacedEncoder
    assert app.json.dumps([date(2024, 2, 29)]) == ' ["Thu, 29 Feb 2024 00:00:00 GMT"]'


def test_an_encoder_given_to_dumps_wins(app):
    app.json_encoder = SetEncoder
    with app.app_context():
        assert json.dumps({2, 1}, cls=LengthEncoder) == "2"
    assert json.dumps({2, 1}, cls=LengthEncoder) == "2"


def test_what_is_no_class_is_left_alone_as_in_todays_flask(app):
    app.json_encoder = app.json_decoder = standard_json.dumps
    assert app.json.loads(app.json.dumps({"a": 1})) == {"a": 1}


def test_a_provider_with_another_way_to_write_goes_first(app):
    class Provider(DefaultJSONProvider):
        def dumps(self, obj, **kwargs):
            return "provided"

    app.json_encoder = SetEncoder
    app.json = Provider(app)
    assert app.json.dumps({1}) == "provided"


def test_a_compiled_provider_does_not_use_them(app):
    class Provider(CompiledJSONProvider):
        def _encode(self, obj, indented):
            raise TypeError

        def _decode(self, s):
            raise ValueError

    app.json_encoder, app.json_decoder = SpacedEncoder, FloatDecoder
    app.json = Provider(app)
    assert app.json.dumps([1]) == "[1]"
    assert app.json.loads("[1]") == [1]
    assert type(app.json.loads("1")) is int


def test_text_for_a_script_tag(app, tmp_path):
    app.json_encoder = SetEncoder
    with app.app_context():
        assert json.htmlsafe_dumps({"</script>"}) == r'["\u003c/script\u003e"]'
        with open(tmp_path / "file", "w") as file:
            json.htmlsafe_dump("&'", file)
    assert (tmp_path / "file").read_text() == r'"\u0026\u0027"'
