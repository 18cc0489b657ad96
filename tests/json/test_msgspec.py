"""flaskctx.json.msgspec: structs, and what else msgspec writes its own way."""

from __future__ import annotations

import json
from datetime import date, time, timedelta

import pytest
from werkzeug.datastructures import MultiDict

from flaskctx import Flask

msgspec = pytest.importorskip("msgspec")


class User(msgspec.Struct):
    name: str
    joined: date | None = None


@pytest.fixture
def app():
    from flaskctx.json.msgspec import MsgspecJSONProvider

    app = Flask("no_module")
    app.json = MsgspecJSONProvider(app)
    return app


@pytest.mark.parametrize("beside", [1, 2**70, {1: 2}], ids=str)
@pytest.mark.parametrize(
    ("user", "text"),
    [
        (User("Ada"), '{"joined":null,"name":"Ada"}'),
        (User("Ada", date(2024, 1, 2)), '{"joined":"Tue, 02 Jan 2024 00:00:00 GMT","name":"Ada"}'),
    ],
)
def test_structs_can_be_anywhere_in_the_data(app, user, text, beside):
    rest = json.dumps(beside, separators=(",", ":"))
    assert app.json.dumps({"users": [user], "z": beside}) == f'{{"users":[{text}],"z":{rest}}}'


def test_views_return_structs(app, server, colour):
    app.add_url_rule("/", "shown", colour(lambda: User("Ada")))
    app.add_url_rule("/made", "made", colour(lambda: (User("Ada"), 201, {"X-Made": "yes"})))
    shown, made = server.get("/"), server.get("/made")
    assert (shown.text, shown.headers["Content-Type"]) == ('{"joined":null,"name":"Ada"}\n', "application/json")
    assert (made.status_code, made.headers["X-Made"], made.json["name"]) == (201, "yes", "Ada")


def test_what_msgspec_knows_of_itself_is_written_whoever_writes_the_rest(app):
    values = [{1}, b"x", timedelta(1), time(1, 2)]
    texts = '[1],"eA==","P1D","01:02:00"'
    assert app.json.dumps(values) == f"[{texts}]"
    assert app.json.dumps([*values, date(2024, 1, 2)]) == f'[{texts},"Tue, 02 Jan 2024 00:00:00 GMT"]'


def test_a_multidict_is_written_with_lists_where_it_is_inside_of_other_data(app):
    form = MultiDict([("a", "1"), ("a", "2")])
    assert app.json.dumps(form) == '{"a":"1"}'
    assert app.json.dumps([form]) == '[{"a":["1","2"]}]'


def test_keys_are_written_msgspecs_way_where_they_are_not_sorted(app):
    app.json.sort_keys = False
    assert app.json.dumps({2: "b", True: "a"}) == '{"2":"b","1":"a"}'
