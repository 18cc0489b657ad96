"""flaskctx.json: the current application's JSON, and plain JSON where there is none."""

import io
from datetime import date

import pytest

from flaskctx import json
from flaskctx.json.provider import JSONProvider


class Shouting(JSONProvider):
    """A provider of the user's own; it shows what it was called with."""

    def dumps(self, obj, **kwargs):
        return f"DUMPED {obj} {kwargs}"

    def loads(self, s, **kwargs):
        return f"LOADED {s} {kwargs}"


class TestWithoutAnApplication:
    def test_dumps_keeps_the_order_of_keys_and_converts(self):
        assert json.dumps({"b": date(2024, 1, 1), "a": 1}) == '{"b": "Mon, 01 Jan 2024 00:00:00 GMT", "a": 1}'

    def test_options_are_those_of_the_standard_library(self):
        assert json.dumps({"b": {1}, "a": 1}, sort_keys=True, default=list) == '{"a": 1, "b": [1]}'
        assert json.loads("1", parse_int=str) == "1"

    def test_dump_and_load_use_files(self):
        file = io.StringIO()
        json.dump(date(2024, 1, 1), file)
        file.seek(0)
        assert json.load(file) == "Mon, 01 Jan 2024 00:00:00 GMT"

    def test_loads_takes_bytes(self):
        assert json.loads(b"[1]") == [1]

    def test_jsonify_raises(self):
        with pytest.raises(RuntimeError, match="application context"):
            json.jsonify(1)


class TestWithAnApplication:
    def test_dumps_goes_through_its_provider(self, current):
        assert json.dumps({"b": 1, "a": 1}) == '{"a": 1, "b": 1}'

    def test_every_function_hands_over_with_its_options(self, current):
        current.json = Shouting(current)
        file = io.StringIO()
        json.dump(1, file, a=2)
        assert file.getvalue() == "DUMPED 1 {'a': 2}"
        assert json.dumps(1, a=2) == "DUMPED 1 {'a': 2}"
        assert json.loads("1", a=2) == "LOADED 1 {'a': 2}"
        assert json.load(io.StringIO("1"), a=2) == "LOADED 1 {'a': 2}"

    def test_jsonify_is_the_providers_response(self, current):
        assert json.jsonify(a=1).get_data() == b'{"a":1}\n'

    def test_jsonify_through_a_provider_of_ones_own(self, current):
        current.json = Shouting(current)
        response = json.jsonify(1, 2)
        assert response.get_data() == b"DUMPED (1, 2) {}"
        assert response.mimetype == "application/json"
