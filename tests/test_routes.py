"""The URL map: which rules are found by their path alone, and which are left to werkzeug's matching."""

from __future__ import annotations

import pytest

from flaskctx import Flask


@pytest.fixture
def app():
    return Flask("app", static_folder=None)


def get(app, path, **options):
    return app.test_client().get(path, **options)


def test_a_plain_rule_is_known_by_path_and_method(app):
    app.get("/page")(lambda: "got")
    app.post("/page", endpoint="post")(lambda: "posted")
    assert app.url_map.plain_rules["/page"].keys() == {"GET", "HEAD", "OPTIONS", "POST"}
    assert get(app, "/page").text == "got"
    assert app.test_client().post("/page").text == "posted"


@pytest.mark.parametrize("first", ["redirect", "plain"])
def test_a_redirect_of_the_same_path_is_left_to_match(app, first):
    app.get("/other")(lambda: "other")
    rules = {"redirect": {"redirect_to": "other"}, "plain": {}}
    for name in (first, *(rules.keys() - {first})):
        app.get("/page", endpoint=name, **rules[name])(lambda: "page")
    assert "/page" not in app.url_map.plain_rules
    assert get(app, "/page").status_code == (308 if first == "redirect" else 200)


def test_a_plain_rule_does_not_hide_a_host(app):
    app.get("/page")(lambda: "any")
    app.url_map.host_matching = True
    app.get("/page", endpoint="host", host="admin.localhost")(lambda: "admin")
    assert get(app, "/page", base_url="http://admin.localhost").text == "admin"


def test_defaults_redirect_to_the_shorter_url(app):
    app.get("/pages", defaults={"number": 1})(lambda number: str(number))
    app.add_url_rule("/pages/<int:number>", endpoint="<lambda>")
    assert get(app, "/pages").text == "1"
    assert get(app, "/pages/1").status_code == 308
    assert get(app, "/pages/2").text == "2"


def test_a_rule_that_is_added_later_is_found(app):
    assert get(app, "/late").status_code == 404
    app._got_first_request = False
    app.get("/late")(lambda: "late")
    assert get(app, "/late").text == "late"
