"""The command `lifecycle`: the plan of an endpoint as text; what the plan says is tested in lifecycle/test_plan.py."""

from __future__ import annotations

from functools import partial

import pytest

from flaskctx import Blueprint, nonblocking
from flaskctx.app import Flask
from flaskctx.cli import lifecycle_command
from flaskctx.views import View


@pytest.fixture
def app():
    return Flask(__name__, static_folder=None)


@pytest.fixture
def shown(app, invoke):
    """Run the command; return its lines without the columns' padding."""

    def shown(endpoint, app=app):
        result = invoke(app, lifecycle_command, endpoint)
        assert result.exit_code == 0, result.output
        return [" ".join(line.split()) for line in result.output.splitlines()]

    return shown


def line_of(function):
    return f"test_lifecycle_command.py:{function.__code__.co_firstlineno}"


def test_each_function_is_shown_with_its_kind_its_places_and_its_line(app, shown, monkeypatch, request):
    monkeypatch.chdir(request.path.parent)
    shop = Blueprint("shop", __name__)

    @app.before_request
    def load_user():
        pass

    @shop.post("/items")
    async def add():
        return ""

    @app.after_request
    @nonblocking
    def header(response):
        return response

    @shop.teardown_request
    def close(error):
        pass

    app.register_blueprint(shop)
    name = "test_each_function_is_shown_with_its_kind_its_places_and_its_line.<locals>"
    lines = shown("shop.add")
    assert lines[:2] == ["shop.add: OPTIONS, POST /items", "Under ASGI: both (2 hops)"]
    assert lines[3].split() == ["Step", "Function", "Kind", "WSGI", "ASGI", "Only", "Defined", "at"]
    assert [line for line in lines[5:] if "session" not in line] == [
        f"before_request {name}.load_user def thread -> worker {line_of(load_user)}",
        "receive the body thread -> loop request with a body",
        f"view {name}.add async def background loop loop {line_of(add)}",
        f"after_request {name}.header def @nonblocking thread loop {line_of(header)}",
        f"teardown_request of shop {name}.close def thread -> worker {line_of(close)}",
    ]


def test_overrides_are_marked_and_what_they_lead_to_is_indented(invoke):
    class Application(Flask):
        def dispatch_request(self):
            return super().dispatch_request()

    app = Application(__name__, static_folder=None)

    @app.get("/")
    async def index():
        return ""

    output = invoke(app, lifecycle_command, "index").output
    assert "\ndispatch_request (override)  " in output
    assert "\n  view  " in output
    assert "-> loop, thread waits" in output


def test_error_handlers_follow(app, shown):
    app.add_url_rule("/", "index", lambda: "")

    @app.errorhandler(404)
    async def not_found(error):
        return ""

    lines = shown("index")
    begin = lines.index("If something fails:")
    assert lines[begin + 4].startswith("errorhandler 404 test_error_handlers_follow")
    assert "async def background loop loop" in lines[begin + 4]


class ClassView(View):
    def dispatch_request(self):
        return ""


class Callable:
    def __call__(self):
        return ""


def function(value):
    return value


@pytest.mark.parametrize(
    ("view", "name", "line"),
    [
        (ClassView.as_view("view"), "ClassView", True),
        (Callable(), "Callable", True),
        (partial(function, ""), "function", True),
        (dict, "dict", False),
    ],
)
def test_of_anything_that_can_be_called_the_name_and_place_are_found(app, shown, view, name, line):
    app.add_url_rule("/", "view", view)
    row = next(row for row in shown("view") if row.startswith("view "))
    assert row.startswith(f"view {name} def ")
    assert ("test_lifecycle_command.py:" in row) is line


def test_an_endpoint_with_several_rules_is_shown_once(app, shown):
    app.add_url_rule("/a", "view", lambda: "")
    app.add_url_rule("/b", "view", methods=["PUT"])
    lines = shown("view")
    assert lines[:2] == ["view: GET, HEAD, OPTIONS /a", "view: OPTIONS, PUT /b"]
    assert any(line.startswith("receive the body") for line in lines)


def test_a_websocket_has_its_after_hooks_when_it_is_accepted(app, shown):
    @app.websocket("/chat")
    async def chat():
        pass

    @app.after_request
    def header(response):
        return response

    lines = shown("chat")
    assert lines[0] == "chat: WEBSOCKET /chat"
    assert "WSGI" not in lines[3]
    assert [" ".join(line.split()[:1]) for line in lines[5:]] == [
        "open_session",
        "view",
        "after_request",
        "save_session",
    ]
    assert all("when it is accepted" in line for line in lines[7:])


class TestUnknownEndpoints:
    @pytest.fixture
    def error(self, app, invoke):
        blueprint = Blueprint("shop", __name__)
        blueprint.add_url_rule("/items", "items", lambda: "")
        app.register_blueprint(blueprint)
        app.add_url_rule("/", "index", lambda: "")

        def error(endpoint):
            result = invoke(app, lifecycle_command, endpoint)
            assert result.exit_code == 2
            return " ".join(result.stderr.split())

        return error

    @pytest.mark.parametrize(
        ("endpoint", "near"),
        [
            ("indx", "Did you mean 'index'?"),
            ("items", "Did you mean 'shop.items'?"),
            ("store.items", "Did you mean 'shop.items'?"),
            ("/items", "Did you mean 'shop.items'?"),
            ("zzz", "'routes' lists the endpoints."),
        ],
    )
    def test_what_is_near_is_named(self, error, endpoint, near):
        assert f"There is no endpoint {endpoint!r}. {near}" in error(endpoint)
