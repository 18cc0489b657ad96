"""Registries are plain dicts and lists: a change between two requests counts at once."""

from __future__ import annotations

import pytest

from flaskctx import Blueprint, request


@pytest.fixture
def log():
    return []


@pytest.fixture(autouse=True)
def one_request_was_served(app, server, colour):
    blueprint = Blueprint("pages", "app")
    blueprint.get("/page", endpoint="page")(colour(lambda: "page"))
    app.get("/", endpoint="view")(colour(lambda: "before"))
    app.get("/failing", endpoint="failing")(colour(lambda: int("x")))
    app.register_blueprint(blueprint)
    assert server.get("/").text == "before"
    assert server.get("/page").text == "page"


@pytest.mark.parametrize("owner", [None, "pages"])
@pytest.mark.parametrize("registry", ["before_request_funcs", "after_request_funcs", "teardown_request_funcs"])
def test_a_hook_that_is_appended(app, server, colour, log, registry, owner):
    hook = colour(lambda *args: log.append(request.path) or (args[0] if args else None))
    getattr(app, registry).setdefault(owner, []).append(hook)
    server.get("/page")
    assert log == ["/page"]
    getattr(app, registry)[owner].remove(hook)
    server.get("/page")
    assert log == ["/page"]


def test_a_registry_that_is_replaced_by_a_plain_dict(app, server, colour, log):
    app.before_request_funcs = {None: [colour(lambda: log.append("before"))]}
    app.after_request_funcs = {}
    app.teardown_request_funcs = {}
    app.url_value_preprocessors = {}
    assert server.get("/").text == "before"
    assert log == ["before"]


def test_a_preprocessor_that_is_appended(app, server, colour, log):
    app.url_value_preprocessors.setdefault(None, []).append(colour(lambda endpoint, values: log.append(endpoint)))
    server.get("/page")
    assert log == ["pages.page"]


def test_a_teardown_of_the_application_context_that_is_appended(app, server, colour, log):
    app.teardown_appcontext_funcs.append(colour(lambda error: log.append(error)))
    server.get("/")
    assert log == [None]


def test_a_view_function_that_is_replaced(app, server, colour):
    app.view_functions["view"] = colour(lambda: "after")
    assert server.get("/").text == "after"


def test_a_view_function_that_is_replaced_by_one_of_the_other_kind(app, server, colour):
    async def async_view():
        return "async"

    app.view_functions["view"] = async_view
    assert server.get("/").text == "async"
    app.view_functions["view"] = lambda: "sync"
    assert server.get("/").text == "sync"


def test_an_error_handler_that_is_added(app, server, colour):
    app.error_handler_spec[None][None][ValueError] = colour(lambda error: ("handled", 400))
    assert server.get("/failing").text == "handled"
    del app.error_handler_spec[None][None][ValueError]
    assert server.get("/failing").status_code == 500


def test_a_session_interface_that_is_replaced(app, server, colour, log):
    class Sessions(type(app.session_interface)):
        open_session = colour(lambda self, app, request: log.append("opened"))

    app.session_interface = Sessions()
    server.get("/")
    assert log == ["opened"]


def test_a_method_that_is_patched_and_restored(app, server, colour, log, monkeypatch):
    monkeypatch.setattr(app, "dispatch_request", colour(lambda: "patched"))
    assert server.get("/").text == "patched"
    monkeypatch.undo()
    assert server.get("/").text == "before"


def test_a_setting_that_is_changed(app, server):
    app.config["PROPAGATE_EXCEPTIONS"] = True
    with pytest.raises(ValueError):
        server.get("/failing")
    app.config["PROPAGATE_EXCEPTIONS"] = False
    assert server.get("/failing").status_code == 500
