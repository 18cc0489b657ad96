"""Flask's API, name by name: what the installed Flask has, flaskctx has too, to be used in the same way.

Three sources: the names that Flask's API page documents, all public names that its modules define, and those of the
classic API, Flask 1.1 to 2.2, that later versions dropped. Where flaskctx differs, the tables below say so, and why.
"""

from __future__ import annotations

import functools
import importlib

import flask
import flask.cli
import flask.testing
import flask.views
import pytest
from werkzeug.test import create_environ

import flaskctx
import flaskctx.testing
import flaskctx.views

from .api_comparison import (
    MISSING,
    counterpart,
    defined_names,
    differences,
    modules,
    resolve,
    same_value,
    shortcuts,
    shown,
)

_REFUSES = "refuses changes in methods that have a dict's parameters, not any"
_DECODED_LATE = "the cookie is decoded at the first use, which a CallbackDict can't do; changes are noted all the same"

DIFFERENCES = {
    "flask.app.Flask.__call__": "takes the arguments of ASGI too",
    "flask.app.Flask.open_resource": "text is UTF-8, as in blueprints; Flask goes by the locale here",
    "flask.cli.FlaskGroup.get_command": "click's name for the parameter; click passes it by position",
    "flask.cli.version_option": "made for each FlaskGroup, so that groups don't share an option",
    "flask.sessions.SecureCookieSession.__bases__": _DECODED_LATE,
    "flask.sessions.SecureCookieSession.on_update": _DECODED_LATE,
    "flask.sessions.NullSession.__bases__": _DECODED_LATE,
    "flask.sessions.NullSession.on_update": _DECODED_LATE,
    "flask.sessions.NullSession.__delitem__": _REFUSES,
    "flask.sessions.NullSession.__setitem__": _REFUSES,
    "flask.sessions.NullSession.clear": _REFUSES,
    "flask.sessions.NullSession.pop": _REFUSES,
    "flask.sessions.NullSession.popitem": _REFUSES,
    "flask.sessions.NullSession.setdefault": _REFUSES,
    "flask.sessions.NullSession.update": _REFUSES,
}
"""Where flaskctx is not what the installed Flask is: the name, and the reason. A row no longer needed fails."""

DOCUMENTED = """
    Flask Blueprint Request request Response
    session session.new session.modified session.permanent
    sessions.SessionInterface sessions.SecureCookieSessionInterface sessions.SecureCookieSession sessions.NullSession
    sessions.SessionMixin testing.FlaskClient testing.FlaskCliRunner g ctx._AppCtxGlobals
    current_app has_request_context copy_current_request_context has_app_context url_for abort redirect make_response
    after_this_request send_file send_from_directory flash get_flashed_messages
    json json.jsonify json.dumps json.dump json.loads json.load json.provider.JSONProvider
    json.provider.DefaultJSONProvider json.tag json.tag.TaggedJSONSerializer json.tag.JSONTag
    render_template render_template_string stream_template stream_template_string get_template_attribute
    Config stream_with_context ctx.RequestContext globals.request_ctx ctx.AppContext globals.app_ctx
    blueprints.BlueprintSetupState
    template_rendered before_render_template request_started request_finished got_request_exception
    request_tearing_down appcontext_tearing_down appcontext_pushed appcontext_popped message_flashed
    views.View views.MethodView
    cli.FlaskGroup cli.AppGroup cli.ScriptInfo cli.load_dotenv cli.with_appcontext cli.pass_script_info
    cli.run_command cli.shell_command
""".split()  # noqa: SIM905
"""The names on Flask's API page, in its order."""

CLASSIC = """
    _app_ctx_stack _request_ctx_stack Markup escape safe_join signals_available signals.signals_available
    Flask.before_first_request Flask.try_trigger_before_first_request_functions Flask.got_first_request
    Flask.preserve_context_on_exception Flask.propagate_exceptions Flask.open_session Flask.save_session
    Flask.make_null_session Flask.send_file_max_age_default Flask.session_cookie_name Flask.use_x_sendfile
    Blueprint.before_app_first_request app.setupmethod scaffold.Scaffold scaffold.setupmethod
    ctx.RequestContext.auto_pop ctx.RequestContext.preserved
    globals._find_app globals._lookup_req_object globals._lookup_app_object
    globals._request_ctx_err_msg globals._app_ctx_err_msg
    helpers.locked_cached_property helpers.safe_join helpers.find_package helpers.total_seconds helpers.get_env
    Flask.env Flask.templates_auto_reload Config.from_json views.MethodViewType
    Flask.json_encoder Flask.json_decoder Blueprint.json_encoder Blueprint.json_decoder
    json.JSONEncoder json.JSONDecoder json.htmlsafe_dumps json.htmlsafe_dump
""".split()  # noqa: SIM905
"""Names of Flask 1.1 and 2.2 that today's Flask lacks and flaskctx has: all of contexts and lifecycle, JSON, a few."""

_WERKZEUG = "since Werkzeug 3 text is UTF-8"

GONE = {
    "Blueprint.warn_on_modifications": "a late change of a blueprint raises",
    "json.detect_encoding": "json.loads takes bytes",
    "json.tojson_filter": "since 2.0 the filter is Jinja's",
    "json_available": "always",
    "Request.charset": _WERKZEUG,
    "Request.encoding_errors": _WERKZEUG,
    "Request.url_charset": _WERKZEUG,
    "Request.disable_data_descriptor": "gone from Werkzeug 2",
    "Response.charset": _WERKZEUG,
    "Response.on_json_loading_failed": "a response raises what the parser raises",
    "ctx.RequestContext.g": "since 2.0 it is the application context's alone",
    "cli.DispatchingApp": "since 2.2 the reloader loads the application again at once",
    "cli.call_factory": "since 2.0 factories are called by locate_app alone",
    "cli.AppGroup.resultcallback": "since click 8.1: result_callback",
    "debughelpers.explain_ignored_app_run": "since 2.2 app.run() says so by itself",
    "helpers.is_ip": "since 2.3 cookies need no domain of their own",
    "testing.make_test_environ_builder": "since 1.1: flask.testing.EnvironBuilder",
    "wrappers.JSONMixin": "since 2.0 it is Werkzeug's Request and Response",
}
"""Names of Flask 1.1 and 2.2 that are gone here as well, and what takes their place."""

MADE = {
    "Flask": lambda package: package.Flask("no_module"),
    "Blueprint": lambda package: package.Blueprint("name", "no_module"),
    "blueprints.BlueprintSetupState": lambda package: package.Blueprint("name", "no_module").make_setup_state(
        package.Flask("no_module"), {}
    ),
    "Config": lambda package: package.Config("/"),
    "Request": lambda package: package.Request(create_environ("/")),
    "Response": lambda package: package.Response("text"),
    "ctx.AppContext": lambda package: package.Flask("no_module").app_context(),
    "ctx.RequestContext": lambda package: package.Flask("no_module").test_request_context(),
    "sessions.SecureCookieSession": lambda package: package.sessions.SecureCookieSession(),
    "json.provider.DefaultJSONProvider": lambda package: package.Flask("no_module").json,
    "json.tag.TaggedJSONSerializer": lambda package: package.json.tag.TaggedJSONSerializer(),
    "testing.FlaskClient": lambda package: package.Flask("no_module").test_client(),
    "testing.FlaskCliRunner": lambda package: package.Flask("no_module").test_cli_runner(),
    "testing.EnvironBuilder": lambda package: package.testing.EnvironBuilder(package.Flask("no_module")),
    "templating.Environment": lambda package: package.Flask("no_module").jinja_env,
    "cli.AppGroup": lambda package: package.cli.AppGroup(),
    "cli.FlaskGroup": lambda package: package.cli.FlaskGroup(),
    "cli.ScriptInfo": lambda package: package.cli.ScriptInfo(),
}
"""How to make objects, whose attributes are compared beside those of their classes."""


def _is_listed(name):
    return any(name == row or name.startswith(f"{row}.") for row in DIFFERENCES)


MODULES = [name for name in modules() if not _is_listed(name)]
NAMES = [name for module in MODULES for name in defined_names(module)]


@functools.cache
def found_differences(name):
    """All differences at a name of Flask's and below it, as text by name; those in DIFFERENCES are among them."""
    return dict(differences(name, resolve(name), counterpart(name)))


@pytest.mark.parametrize("name", DOCUMENTED)
def test_a_documented_name_is_there(name):
    if name.startswith("session."):
        name = f"sessions.SecureCookieSession.{name.removeprefix('session.')}"
    assert resolve(f"flask.{name}") is not MISSING, "Flask has it no more: take it out of DOCUMENTED"
    assert counterpart(f"flask.{name}") is not MISSING


@pytest.mark.parametrize("name", MODULES)
def test_a_module_is_there(name):
    assert counterpart(name) is not MISSING


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_what_it_is_in_flask(name):
    unlisted = {name: text for name, text in found_differences(name).items() if not _is_listed(name)}
    assert unlisted == {}


@pytest.mark.parametrize(("short", "full"), shortcuts())
def test_a_name_of_the_package_is_that_of_its_module(short, full):
    assert counterpart(short) is counterpart(full)
    assert counterpart(short) is not MISSING


@pytest.mark.parametrize("name", MADE)
def test_an_object_has_the_attributes_that_flasks_has(name):
    theirs, ours = MADE[name](flask), MADE[name](flaskctx)
    for attribute, value in list(getattr(theirs, "__dict__", {}).items()):
        if not attribute.startswith("_") and not _is_listed(f"flask.{name}.{attribute}"):
            own = getattr(ours, attribute, MISSING)
            assert own is not MISSING, attribute
            if value is None or isinstance(value, (bool, int, str)):
                assert same_value(value, own), f"{attribute} is {shown(value)}, not {shown(own)}"


def test_the_modules_that_flask_imports_by_itself_are_attributes_of_the_package():
    imported = [name.partition(".")[2] for name in MODULES if name.count(".") == 1]
    theirs = {name for name in imported if hasattr(importlib.import_module("flask"), name)}
    assert [name for name in theirs if not hasattr(flaskctx, name)] == []


def test_every_difference_that_is_listed_is_one():
    found = {name for names in map(found_differences, NAMES) for name in names}
    found.update(name for name in modules() if counterpart(name) is MISSING)
    assert [
        row for row in DIFFERENCES if row not in found and not any(name.startswith(f"{row}.") for name in found)
    ] == []


@pytest.mark.parametrize("name", CLASSIC)
def test_a_classic_name_is_there(name):
    assert counterpart(f"flask.{name}") is not MISSING
    assert resolve(f"flask.{name}") is MISSING, "today's Flask has it: take it out of CLASSIC"


@pytest.mark.parametrize("name", GONE)
def test_a_classic_name_that_is_gone_is_gone(name):
    assert counterpart(f"flask.{name}") is MISSING, "it is there: take it out of GONE"


def test_a_classic_client_says_whether_it_keeps_the_context():
    assert flaskctx.Flask("no_module").test_client().preserve_context is False
