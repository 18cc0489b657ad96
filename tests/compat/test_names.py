"""The names that published extensions import from Flask, beside those on its API page, and that classic code does.

The list was made by reading the import statements of 149 distributions: extensions, tracing tools, applications.
"""

from __future__ import annotations

import importlib

import pytest

import flaskctx
from flaskctx import Blueprint, Flask, g, has_app_context, has_request_context, session
from flaskctx.globals import _app_ctx_stack, _cv_app, _cv_request, _request_ctx_stack

IMPORTED = {
    "": "Markup __version__ _app_ctx_stack _request_ctx_stack cli escape json signals templating",
    "_compat": "PY2 StringIO integer_types iteritems iterkeys itervalues reraise string_types text_type",
    "app": "Flask setupmethod",
    "blueprints": "Blueprint BlueprintSetupState",
    "cli": "AppGroup FlaskGroup ScriptInfo click pass_script_info with_appcontext",
    "config": "Config ConfigAttribute",
    "ctx": "AppContext RequestContext _AppCtxGlobals _app_ctx_stack _request_ctx_stack has_request_context",
    "globals": "_app_ctx_stack _cv_app _cv_request _lookup_req_object _request_ctx_stack app_ctx request_ctx",
    "helpers": "_endpoint_from_view_func get_debug_flag get_env get_root_path locked_cached_property safe_join",
    "json": "JSONDecoder JSONEncoder _json htmlsafe_dump htmlsafe_dumps provider tag",
    "json.provider": "DefaultJSONProvider JSONProvider",
    "sansio.app": "App",
    "sansio.blueprints": "Blueprint BlueprintSetupState",
    "sansio.scaffold": "Scaffold T_route _endpoint_from_view_func setupmethod",
    "scaffold": "Scaffold T_route _endpoint_from_view_func find_package setupmethod",
    "sessions": "SecureCookieSessionInterface SessionInterface SessionMixin TaggedJSONSerializer",
    "signals": "Namespace signals_available",
    "templating": "DispatchingJinjaLoader Environment _default_template_ctx_processor _render",
    "testing": "EnvironBuilder FlaskClient FlaskCliRunner",
    "typing": "HeadersValue ResponseReturnValue ResponseValue RouteCallable",
    "views": "MethodView MethodViewType View http_method_funcs",
    "wrappers": "Request RequestBase Response ResponseBase",
}


@pytest.mark.parametrize("module", IMPORTED)
def test_they_are_there(module):
    found = importlib.import_module(f"flaskctx.{module}".rstrip("."))
    assert [name for name in IMPORTED[module].split() if not hasattr(found, name)] == []


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("flaskctx.sansio.app:App", Flask),
        ("flaskctx.sansio.blueprints:Blueprint", Blueprint),
        ("flaskctx.sansio.scaffold:Scaffold", flaskctx.app.Scaffold),
        ("flaskctx.ctx:_request_ctx_stack", _request_ctx_stack),
        ("flaskctx:_app_ctx_stack", _app_ctx_stack),
    ],
)
def test_they_are_no_copies(name, same):
    module, _, attribute = name.partition(":")
    assert getattr(importlib.import_module(module), attribute) is same


class TestCurrentContexts:
    """`_cv_app` and `_cv_request`, read as the `ContextVar`s that they are in Flask 2.2 to 3.1."""

    @pytest.mark.parametrize("variable", [_cv_app, _cv_request])
    def test_get_where_nothing_is_current(self, variable):
        assert variable.get(None) is None
        assert variable.get("default") == "default"
        with pytest.raises(LookupError, match=variable.name):
            variable.get()

    def test_get(self, app):
        with app.test_request_context() as context:
            assert _cv_request.get() is _cv_request.get(None) is context
            assert _cv_app.get() is _app_ctx_stack.top

    def test_set_and_reset(self, app):
        first, second = app.app_context(), app.app_context()
        with first:
            g.name = "first"
            second.g.name = "second"
            token = _cv_app.set(second)
            assert g.name == "second"
            _cv_app.reset(token)
            assert g.name == "first"
        assert not has_app_context()

    def test_nothing_can_be_set(self, app):
        with app.test_request_context():
            token = _cv_request.set(None)
            assert not has_request_context()
            with pytest.raises(RuntimeError, match="Working outside of request context"):
                session.get("name")
            _cv_request.reset(token)
            assert has_request_context()


class TestClassicSettings:
    def test_env_is_that_of_the_environment(self, monkeypatch):
        monkeypatch.setenv("FLASK_ENV", "staging")
        app = Flask("app")
        assert app.env == app.config["ENV"] == "staging"
        assert not app.debug

    def test_env_without_one(self, app, monkeypatch):
        monkeypatch.delenv("FLASK_ENV", raising=False)
        assert Flask("app").env == "production"
        app.env = "testing"
        assert app.config["ENV"] == "testing"

    def test_templates_auto_reload(self, app):
        assert not app.templates_auto_reload
        app.debug = True
        assert app.templates_auto_reload
        app.templates_auto_reload = False
        assert app.config["TEMPLATES_AUTO_RELOAD"] is app.jinja_env.auto_reload is False

    def test_templates_auto_reload_leaves_the_environment_to_be_made(self, app):
        app.templates_auto_reload = True
        assert "jinja_env" not in vars(app)
        assert app.jinja_env.auto_reload

    def test_config_from_json(self, app, tmp_path):
        (tmp_path / "config.json").write_text('{"NAME": "value", "ignored": 1}')
        assert app.config.from_json(tmp_path / "config.json")
        assert app.config["NAME"] == "value"
        assert "ignored" not in app.config
        assert not app.config.from_json("missing.json", silent=True)


def test_a_metaclass_can_derive_from_that_of_method_views():
    class Meta(flaskctx.views.MethodViewType):
        pass

    class View(flaskctx.views.MethodView, metaclass=Meta):
        def get(self):
            return "got"

    assert View.methods == {"GET"}


def test_what_differed_between_pythons():
    compat = importlib.import_module("flaskctx._compat")
    mapping = {"a": 1}
    assert not compat.PY2
    assert isinstance("text", compat.text_type)
    assert isinstance("text", compat.string_types)
    assert isinstance(1, compat.integer_types)
    assert next(compat.iteritems(mapping)) == ("a", 1)
    assert [*compat.iterkeys(mapping), *compat.itervalues(mapping)] == ["a", 1]
    with pytest.raises(KeyError, match="it"):
        compat.reraise(KeyError, KeyError("it"))
