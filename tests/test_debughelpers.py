from __future__ import annotations

import asyncio
import logging
import sqlite3
import sys
from contextvars import Context
from types import SimpleNamespace

import flask
import pytest
from jinja2 import ChoiceLoader, DictLoader, FileSystemLoader
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.routing import RequestRedirect
from werkzeug.test import EnvironBuilder

import flaskctx.globals
from flaskctx import g, request
from flaskctx.debughelpers import (
    DebugFilesKeyError,
    FormDataRoutingRedirect,
    UnexpectedUnicodeError,
    attach_enctype_error_multidict,
    explain,
    explain_template_loading_attempts,
)
from flaskctx.globals import _request_ctx_stack
from flaskctx.wrappers import Request


def posted(data, path="/", **options):
    return EnvironBuilder(path, method="POST", data=data, **options).get_request(Request)


class TestUnexpectedUnicodeError:
    def test_is_caught_as_either_kind(self):
        assert issubclass(UnexpectedUnicodeError, AssertionError)
        assert issubclass(UnexpectedUnicodeError, UnicodeError)


class TestDebugFilesKeyError:
    def test_is_caught_as_either_kind(self):
        assert issubclass(DebugFilesKeyError, KeyError)
        assert issubclass(DebugFilesKeyError, AssertionError)

    def test_names_the_type_the_field_and_the_cure(self):
        text = str(DebugFilesKeyError(posted({"photo": "cat.png"}), "photo"))
        assert "'photo'" in text
        assert "'application/x-www-form-urlencoded'" in text
        assert 'enctype="multipart/form-data"' in text

    def test_shows_what_was_sent_instead(self):
        text = str(DebugFilesKeyError(posted({"photo": ["cat.png", "dog.png"]}), "photo"))
        assert "'cat.png', 'dog.png'" in text

    def test_of_a_body_without_the_field_speaks_of_no_names(self):
        assert "the file's name" not in str(DebugFilesKeyError(posted({}), "photo"))


class TestAttachEnctypeErrorMultidict:
    def test_keeps_the_class_to_all_appearances(self):
        request = posted({"photo": "cat.png"})
        attach_enctype_error_multidict(request)
        assert isinstance(request.files, ImmutableMultiDict)
        assert type(request.files).__name__ == "ImmutableMultiDict"

    def test_explains_a_lookup(self):
        request = posted({"photo": "cat.png"})
        attach_enctype_error_multidict(request)
        with pytest.raises(DebugFilesKeyError):
            request.files["photo"]

    def test_leaves_other_requests_alone(self):
        attach_enctype_error_multidict(posted({"photo": "cat.png"}))
        with pytest.raises(KeyError) as caught:
            posted({"photo": "cat.png"}).files["photo"]
        assert not isinstance(caught.value, DebugFilesKeyError)


class TestFormDataRoutingRedirect:
    def redirected(self, path, new_url):
        request = posted({"a": "1"}, path)
        request.routing_exception = RequestRedirect(new_url)
        return str(FormDataRoutingRedirect(request))

    def test_names_the_method_and_both_urls(self):
        text = self.redirected("/a", "http://localhost/b")
        assert "POST" in text
        assert "'http://localhost/a'" in text
        assert "'http://localhost/b'" in text

    def test_points_to_a_missing_slash(self):
        assert "ends with a slash" in self.redirected("/a?x=1", "http://localhost/a/?x=1")
        assert "ends with a slash" not in self.redirected("/a", "http://localhost/b")

    def test_is_an_assertion(self):
        assert issubclass(FormDataRoutingRedirect, AssertionError)


APP = SimpleNamespace(import_name="shop", url_map=None, logger=logging.getLogger("explain"))
BLUEPRINT = SimpleNamespace(import_name="shop.admin", name="admin")
FOUND = ("<html>", "/templates/a.html", lambda: True)


@pytest.fixture
def explained(caplog):
    caplog.set_level(logging.INFO, "explain")

    def explain(*attempts):
        explain_template_loading_attempts(APP, "a.html", attempts)
        return caplog.messages[-1]

    return explain


class TestExplainTemplateLoadingAttempts:
    def test_names_each_loader_with_its_owner_and_settings(self, explained):
        text = explained((FileSystemLoader("/templates"), APP, FOUND), (DictLoader({}), BLUEPRINT, None))
        assert "'a.html'" in text
        assert "1. application 'shop', loader jinja2.loaders.FileSystemLoader" in text
        assert "searchpath:" in text
        assert "- /templates" in text
        assert "encoding: 'utf-8'" in text
        assert "2. blueprint 'admin' (shop.admin), loader jinja2.loaders.DictLoader" in text

    def test_says_what_each_answered(self, explained):
        text = explained((DictLoader({}), APP, None), (DictLoader({}), BLUEPRINT, ("x", None, None)))
        assert "-> not here" in text
        assert "-> (a source without a file)" in text

    def test_leaves_out_settings_that_do_not_read_well(self, explained):
        text = explained((ChoiceLoader([DictLoader({})]), APP, FOUND))
        assert "loaders:" not in text

    def test_tells_which_of_several_is_used(self, explained):
        text = explained((DictLoader({}), APP, FOUND), (DictLoader({}), BLUEPRINT, FOUND))
        assert "2 loaders have it" in text
        assert text.count("hidden by") == 1

    def test_tells_that_none_has_it(self, explained):
        assert "No loader has it" in explained((DictLoader({}), APP, None))

    def test_of_an_unknown_owner_shows_it(self, explained):
        assert "1. 'someone', loader" in explained((DictLoader({}), "someone", FOUND))

    def test_in_a_blueprints_request_hints_at_the_template_folder(self, explained):
        request = Request({})
        request.url_rule = SimpleNamespace(endpoint="admin.index")
        _request_ctx_stack.push(SimpleNamespace(request=request))
        try:
            assert "template_folder" in explained((DictLoader({}), APP, None))
            assert "template_folder" not in explained((DictLoader({}), APP, FOUND))
        finally:
            _request_ctx_stack.pop()

    def test_outside_a_request_has_no_such_hint(self, explained):
        assert "template_folder" not in explained((DictLoader({}), APP, None))


class TestAnotherFrameworksRequest:
    @pytest.mark.parametrize("raised", [False, True])
    def test_its_error_in_a_view_says_where_to_import_it_from(self, app, server, colour, raised, caplog):
        app.config["PROPAGATE_EXCEPTIONS"] = raised
        app.get("/")(colour(lambda: flask.request.path))
        error = RuntimeError()
        try:
            server.get("/")
        except RuntimeError as propagated:
            error = propagated
        seen = "".join(error.__notes__) if raised else caplog.text
        assert "is another framework's, Flask's own most likely. Import it from flaskctx." in seen

    def test_our_own_error_has_no_such_note(self, app, server, caplog):
        app.get("/")(lambda: Context().run(lambda: request.path))
        server.get("/")
        assert "Working outside of request context" in caplog.text
        assert "another framework" not in caplog.text


class TestFunctionsThatUseFlaskItself:
    EXTENSION = "from flask import session\n@app.after_request\ndef remember(response):\n    return response\n"

    def test_the_first_request_names_one_of_them(self, app, server, caplog):
        exec(self.EXTENSION, {"app": app, "__name__": "flask_extension"})
        app.get("/")(lambda: "")
        server.get("/")
        server.get("/")
        assert caplog.text.count("flask_extension.remember, which <Flask 'app'> calls, belongs to a module") == 1
        assert "start the server with FLASKCTX_AS_FLASK=1" in caplog.text

    def test_functions_that_use_ours_are_not_named(self, app, server, caplog):
        exec(self.EXTENSION.replace("from flask ", "from flaskctx "), {"app": app, "__name__": "flask_extension"})
        app.get("/")(lambda: "")
        server.get("/")
        assert "flask_extension" not in caplog.text

    def test_nor_are_any_where_flaskctx_stands_in_for_flask(self, app, server, caplog, monkeypatch):
        exec(self.EXTENSION, {"app": app, "__name__": "flask_extension"})
        monkeypatch.setitem(sys.modules, "flask.globals", flaskctx.globals)
        app.get("/")(lambda: "")
        server.get("/")
        assert "flask_extension" not in caplog.text


class TestAsyncioWithoutALoop:
    def test_in_a_def_view_it_says_what_calls_async_functions_there(self, app, server, caplog):
        app.get("/")(lambda: asyncio.get_running_loop())
        assert server.get("/").status_code == 500
        assert "asyncio has no loop here: this is a `def` function" in caplog.text

    @pytest.mark.worlds("asgi-trio")
    def test_on_trio_it_says_what_to_use(self, app, server, caplog):
        async def view():
            await asyncio.sleep(1)

        app.get("/")(view)
        assert server.get("/").status_code == 500
        assert "on trio use trio or anyio in asyncio's place" in caplog.text


class TestAConnectionOfAnotherThread:
    @pytest.mark.worlds("asgi-asyncio", "asgi-trio")
    def test_opened_on_the_loop_and_closed_by_a_teardown_function_it_says_where_to_use_it(self, app, server, caplog):
        connections = []
        app.teardown_request(lambda error: connections[0].close())

        async def view():
            connections.append(sqlite3.connect(":memory:"))
            return ""

        app.get("/")(view)
        assert server.get("/").status_code == 500
        connections[0].close()
        assert "Use the connection in `def` functions only" in caplog.text

    def test_used_in_def_functions_it_works_everywhere(self, app, server):
        def use():
            g.connection = sqlite3.connect(":memory:")
            return str(g.connection.execute("SELECT 7").fetchone()[0])

        async def view():
            return await app.ensure_async(use)()

        app.teardown_request(lambda error: g.connection.close())
        app.get("/")(view)
        assert server.get("/").text == "7"


def test_awaiting_a_value_as_in_quart_says_to_leave_out_the_await(app, server, caplog):
    async def view():
        return await request.form

    app.get("/")(view)
    assert server.get("/").status_code == 500
    assert "where Quart gives coroutines. Leave out the await." in caplog.text


def test_an_error_is_explained_once():
    error = RuntimeError("no running event loop")
    explain(error)
    explain(error)
    assert len(error.__notes__) == 1
