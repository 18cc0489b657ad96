"""The table of routes."""

from __future__ import annotations

import pytest

from flaskctx import nonblocking
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


def test_routes_are_shown_with_endpoint_methods_kind_place_and_rule(app, invoke):
    assert lines(invoke(app, routes_command)) == [
        "Endpoint    Methods    Kind       ASGI    Rule",
        "----------  ---------  ---------  ------  ----------",
        "beta        GET        async def  loop    /b",
        "class_view  GET        async def  loop    /c",
        "nothing     GET        -          -       /a",
        "zed         GET, POST  def        worker  /z/<int:x>",
    ]


@pytest.mark.parametrize(
    ("column", "order"),
    [
        ("endpoint", ["beta", "class_view", "nothing", "zed"]),
        ("methods", ["beta", "class_view", "nothing", "zed"]),
        ("rule", ["nothing", "beta", "class_view", "zed"]),
        ("kind", ["nothing", "beta", "class_view", "zed"]),
        ("asgi", ["nothing", "beta", "class_view", "zed"]),
        ("match", ["zed", "beta", "class_view", "nothing"]),
    ],
)
def test_the_table_is_sorted_by_a_column(app, invoke, column, order):
    rows = lines(invoke(app, routes_command, "--sort", column))[2:]
    assert [row.split()[0] for row in rows] == order


def test_methods_that_the_framework_answers_are_shown_on_request(app, invoke):
    shown = lines(invoke(app, routes_command, "--all-methods"))
    assert "beta        GET, HEAD, OPTIONS        async def  loop    /b" in shown


def test_the_place_is_that_of_all_functions_that_a_request_calls(app, invoke):
    @app.before_request
    def hook():
        pass

    assert "beta        GET        async def  both (1 hop)     /b" in lines(invoke(app, routes_command))


def test_a_nonblocking_view_stays_on_the_loop(invoke):
    app = Flask(__name__, static_folder=None)
    app.add_url_rule("/", "quick", nonblocking(lambda: "hello"))
    assert "quick     GET      def @nonblocking  loop  /" in lines(invoke(app, routes_command))


def test_a_websocket_is_shown_as_one(invoke):
    app = Flask(__name__, static_folder=None)

    @app.websocket("/chat")
    async def chat():
        pass

    assert "chat      WEBSOCKET  async def  loop  /chat" in lines(invoke(app, routes_command))


def test_subdomains_have_a_column_if_there_are_any(invoke):
    app = Flask(__name__, static_folder=None, subdomain_matching=True)
    app.add_url_rule("/a", "a", subdomain="sub")
    app.add_url_rule("/b", "b")
    shown = lines(invoke(app, routes_command))
    assert shown[0].split() == ["Endpoint", "Methods", "Kind", "ASGI", "Subdomain", "Rule"]
    assert shown[2].split() == ["a", "GET", "-", "-", "sub", "/a"]
    assert lines(invoke(app, routes_command, "--sort", "domain"))[2].split() == ["b", "GET", "-", "-", "/b"]


def test_hosts_have_a_column_with_host_matching(invoke):
    app = Flask(__name__, static_folder=None, host_matching=True)
    app.add_url_rule("/a", "a", host="example.com")
    shown = lines(invoke(app, routes_command))
    assert shown[0].split() == ["Endpoint", "Methods", "Kind", "ASGI", "Host", "Rule"]
    assert "example.com" in shown[2]


def test_an_application_without_routes_says_so(invoke):
    assert lines(invoke(Flask(__name__, static_folder=None), routes_command)) == ["The application has no routes."]
