"""The host of a request: it chooses the view, is checked, and is known to `url_for`; in every world."""

from __future__ import annotations

import pytest

from flaskctx import Flask, url_for


def get(server, host, path="/"):
    answer = server.get(path, headers={"Host": host})
    return answer.text if answer.status_code == 200 else answer.status_code


def test_with_host_matching_it_chooses_the_view(server, colour, tmp_path):
    (tmp_path / "file.txt").write_text("static")
    app = server.app = Flask("app", host_matching=True, static_host="files.example", static_folder=tmp_path)
    app.add_url_rule("/", "fixed", colour(lambda: "fixed"), host="www.example")
    app.add_url_rule("/", "variable", colour(lambda who: who), host="<who>.variable.example")
    assert get(server, "www.example") == "fixed"
    assert get(server, "me.variable.example") == "me"
    assert get(server, "other.example") == 404
    path = f"/{tmp_path.name}/file.txt"
    assert get(server, "files.example", path) == "static"
    assert get(server, "www.example", path) == 404


def test_with_subdomain_matching_its_beginning_does(server, colour):
    app = server.app = Flask("app", subdomain_matching=True, static_folder=None)
    app.config["SERVER_NAME"] = "example.com"
    app.add_url_rule("/", "main", colour(lambda: url_for("variable", who="them")))
    app.add_url_rule("/", "variable", colour(lambda who: who), subdomain="<who>")
    assert get(server, "example.com") == "http://them.example.com/"
    assert get(server, "me.example.com") == "me"


@pytest.mark.parametrize("path", ["/", "/unknown"])
def test_one_that_is_not_trusted_is_a_400_that_handlers_may_answer(app, server, colour, path):
    app.config["TRUSTED_HOSTS"] = ["example.com", ".trusted.example"]
    app.add_url_rule("/", "view", colour(lambda: "served"))
    app.register_error_handler(400, colour(lambda error: (f"{type(error).__name__}", 400)))
    for host in ("example.com", "any.trusted.example"):
        assert get(server, host, path) == ("served" if path == "/" else 404)
    for host in ("evil.example", "example.com.evil.example", "example.com,evil.example", ""):
        answer = server.get(path, headers={"Host": host})
        assert (answer.status_code, answer.text) == (400, "SecurityError")
