"""The table of routes."""

from __future__ import annotations

import pytest

from flaskctx.app import Flask
from flaskctx.cli import routes_command
from flaskctx.views import View


class AsyncView(View):
    async def dispatch_request(self):
        return ""


@pytest.fixture
def app():
    app = Flask(__name__, static_folder=None)

    @app.route("/z/<int:x>", methods=["POST", "GET"])
    def zed(x):
        return ""

    @app.get("/b")
    async def beta():
        return ""

    app.add_url_rule("/c", view_func=AsyncView.as_view("class_view"))
    app.add_url_rule("/a", "nothing")
    return app


def lines(result):
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


def test_routes_are_shown_with_endpoint_methods_kind_and_rule(app, invoke):
    assert lines(invoke(app, routes_command)) == [
        "Endpoint    Methods    Kind   Rule",
        "----------  ---------  -----  ----------",
        "beta        GET        async  /b",
        "class_view  GET        async  /c",
        "nothing     GET        -      /a",
        "zed         GET, POST  def    /z/<int:x>",
    ]


@pytest.mark.parametrize(
    ("column", "order"),
    [
        ("endpoint", ["beta", "class_view", "nothing", "zed"]),
        ("methods", ["beta", "class_view", "nothing", "zed"]),
        ("rule", ["nothing", "beta", "class_view", "zed"]),
        ("kind", ["nothing", "beta", "class_view", "zed"]),
        ("match", ["zed", "beta", "class_view", "nothing"]),
    ],
)
def test_the_table_is_sorted_by_a_column(app, invoke, column, order):
    rows = lines(invoke(app, routes_command, "--sort", column))[2:]
    assert [row.split()[0] for row in rows] == order


def test_methods_that_the_framework_answers_are_shown_on_request(app, invoke):
    shown = lines(invoke(app, routes_command, "--all-methods"))
    assert "beta        GET, HEAD, OPTIONS        async  /b" in shown


def test_subdomains_have_a_column_if_there_are_any(invoke):
    app = Flask(__name__, static_folder=None, subdomain_matching=True)
    app.add_url_rule("/a", "a", subdomain="sub")
    app.add_url_rule("/b", "b")
    shown = lines(invoke(app, routes_command))
    assert shown[0].split() == ["Endpoint", "Methods", "Kind", "Subdomain", "Rule"]
    assert shown[2].split() == ["a", "GET", "-", "sub", "/a"]
    assert lines(invoke(app, routes_command, "--sort", "domain"))[2].split() == ["b", "GET", "-", "/b"]


def test_hosts_have_a_column_with_host_matching(invoke):
    app = Flask(__name__, static_folder=None, host_matching=True)
    app.add_url_rule("/a", "a", host="example.com")
    shown = lines(invoke(app, routes_command))
    assert shown[0].split() == ["Endpoint", "Methods", "Kind", "Host", "Rule"]
    assert "example.com" in shown[2]


def test_an_application_without_routes_says_so(invoke):
    assert lines(invoke(Flask(__name__, static_folder=None), routes_command)) == ["The application has no routes."]
