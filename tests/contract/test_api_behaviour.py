"""What stands behind Flask's documented names: each case is run with Flask and with flaskctx, to the same result.

A case is given the package and an application whose folder is the working directory, and yields what it sees. What
happens when in a request is in `scenarios`; this is the rest of the API.
"""

from __future__ import annotations

import dataclasses
import decimal
import importlib
import io
import json
import logging
import os
import sys
import tomllib
import types
import uuid
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from unittest import mock

import flask
import pytest
from markupsafe import Markup
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import Aborter, HTTPException
from werkzeug.routing import BaseConverter, Map, Rule
from werkzeug.test import EnvironBuilder, create_environ
from werkzeug.wrappers import Request as WerkzeugRequest
from werkzeug.wrappers import Response as WerkzeugResponse

import flaskctx

from .api_comparison import shown

CASES = {}


def case(function):
    """Register a case under its name."""
    CASES[function.__name__] = function
    return function


def attempt(function, *args, **kwargs):
    """Return what a call returns, or which exception it raises."""
    try:
        return function(*args, **kwargs)
    except HTTPException as error:
        return type(error).__name__, error.code
    except Exception as error:
        return [cls.__name__ for cls in type(error).__mro__[:-2]]


def read(file):
    """Return what is in an open file, and close it."""
    with file:
        return file.read()


def write(**files):
    """Write files below the working directory; the names are paths with `__` for `/` and the last `_` for a dot."""
    for name, text in files.items():
        stem, _, suffix = name.replace("__", "/").rpartition("_")
        path = Path(f"{stem}.{suffix}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("name", CASES)
def test_it_behaves_as_in_flask(name, tmp_path, monkeypatch):
    seen = []
    for framework in (flask, flaskctx):
        # the same folder for both, as paths are among what is compared
        folder = tmp_path / "app"
        folder.mkdir()
        # what a case sets in the environment is gone after it
        with monkeypatch.context() as patch, mock.patch.dict(os.environ):
            patch.chdir(folder)
            for variable in [name for name in os.environ if name.startswith("FLASK_")]:
                del os.environ[variable]
            app = framework.Flask("no_module", root_path=str(folder))
            seen.append([shown(value) for value in CASES[name](framework, app)])
        folder.rename(tmp_path / framework.__name__)
    assert seen[1] == seen[0]
    assert seen[0], "the case has seen nothing"


# Configuration

SETTINGS = """
import sys as SYSTEM
KEY = "file"
lower = "not taken"
Mixed = "not taken"
_PRIVATE = "not in capitals"
NAME = __name__
FILE = __file__
"""


def loaded(framework, load, *keys):
    config = framework.Config(os.getcwd(), {"KEPT": 1, "KEY": "default"})
    returned = attempt(load, config)
    return returned, sorted(config), [config.get(key) for key in ("KEY", *keys)]


@case
def config_from_pyfile(framework, app):
    write(settings_py=SETTINGS, bad_py="KEY = 1/0", worse_py="KEY =")
    yield loaded(framework, lambda config: config.from_pyfile("settings.py"), "NAME", "FILE")
    yield loaded(framework, lambda config: config.from_pyfile(Path("settings.py")), "FILE")
    yield loaded(framework, lambda config: config.from_pyfile(os.path.abspath("settings.py")))
    for name in ("bad.py", "worse.py", "missing.py", ".", "settings.py/inside.py"):
        yield loaded(framework, lambda config: config.from_pyfile(name))  # noqa: B023
        yield loaded(framework, lambda config: config.from_pyfile(name, silent=True))  # noqa: B023
    Path("latin.py").write_bytes("# coding: latin-1\nKEY = 'é'".encode("latin-1"))
    yield loaded(framework, lambda config: config.from_pyfile("latin.py"))


@case
def config_from_envvar(framework, app):
    write(settings_py=SETTINGS)
    for value in (None, "", "settings.py", "missing.py"):
        if value is not None:
            os.environ["SETTINGS"] = value
        yield loaded(framework, lambda config: config.from_envvar("SETTINGS"))
        yield loaded(framework, lambda config: config.from_envvar("SETTINGS", silent=True))
    del os.environ["SETTINGS"]


class Settings:
    KEY = "class"
    lower = 1

    @property
    def COMPUTED(self):
        return "computed"


class Derived(Settings):
    OTHER = 2


@case
def config_from_object(framework, app):
    for source in (Settings, Settings(), Derived, types.SimpleNamespace(KEY=1, a=2), json, __name__ + ".Derived"):
        yield loaded(framework, lambda config: config.from_object(source), "OTHER", "COMPUTED")[2]  # noqa: B023
    for name in ("no_such_module", "json.no_such_name", ""):
        yield loaded(framework, lambda config: config.from_object(name))  # noqa: B023


@case
def config_from_file(framework, app):
    write(
        a_json='{"KEY": "json", "lower": 1, "N": {"a": 1}}',
        a_toml='KEY = "é"\nlower = 1',
        bad_json="{",
        list_json="[1]",
    )
    yield loaded(framework, lambda config: config.from_file("a.json", load=json.load), "N")
    yield loaded(framework, lambda config: config.from_file("a.toml", tomllib.load, text=False))
    for name in ("a.toml", "bad.json", "list.json", "missing.json", "."):
        yield loaded(framework, lambda config: config.from_file(name, json.load))  # noqa: B023
        yield loaded(framework, lambda config: config.from_file(name, json.load, silent=True))  # noqa: B023


@case
def config_from_mapping(framework, app):
    for args, kwargs in [
        (({"KEY": 1, "lower": 2},), {}),
        (({"KEY": 1},), {"KEY": 2, "OTHER": 3}),
        ((), {"KEY": 1, "lower": 2}),
        ((), {}),
        ((None,), {}),
        (({"KEY": 1}, {"KEY": 2}), {}),
        (([("KEY", 1), ("OTHER", 2)],), {}),
        ((1,), {}),
    ]:
        yield loaded(framework, lambda config: config.from_mapping(*args, **kwargs), "OTHER")  # noqa: B023


@case
def config_from_prefixed_env(framework, app):
    variables = {
        "FLASK_KEY": "text",
        "FLASK_NUMBER": "1",
        "FLASK_FLAG": "true",
        "FLASK_LIST": "[1]",
        "FLASK_EMPTY": "",
        "FLASK_KEPT__INNER": "1",
        "FLASK_DB__HOST": "localhost",
        "FLASK_DB__PORTS__0": "1",
        "FLASK_DB__PORTS__1": '"2"',
        "FLASK_lower": "taken",
        "FLASK_": "nameless",
        "FLASK__X": "underscore",
        "FLASKY_NO": "other",
        "MY_APP_KEY": "prefixed",
    }
    os.environ.update(variables)
    try:
        yield loaded(framework, lambda config: config.from_prefixed_env())
        del os.environ["FLASK_KEPT__INNER"]
        yield loaded(
            framework, lambda config: config.from_prefixed_env(), "NUMBER", "FLAG", "LIST", "DB", "EMPTY", "", "_X"
        )
        yield loaded(framework, lambda config: config.from_prefixed_env("MY_APP"))
        yield loaded(framework, lambda config: config.from_prefixed_env(loads=str.upper), "NUMBER", "DB")
        yield loaded(framework, lambda config: config.from_prefixed_env("NONE"))
    finally:
        for name in variables:
            os.environ.pop(name, None)


@case
def config_get_namespace(framework, app):
    config = framework.Config("/", {"A_B": 1, "A_": 2, "A": 3, "a_b": 4, "OTHER": 5})
    for options in ({}, {"lowercase": False}, {"trim_namespace": False}, {"lowercase": False, "trim_namespace": False}):
        yield config.get_namespace("A_", **options)
    yield config, config.root_path


@case
def config_of_an_application(framework, app):
    yield {key: value for key, value in app.config.items() if key in framework.Flask.default_config}.keys() >= {"DEBUG"}
    yield app.config["DEBUG"], app.debug, app.testing, app.secret_key, app.permanent_session_lifetime
    os.environ["FLASK_DEBUG"] = "1"
    yield framework.Flask("no_module").config["DEBUG"]
    app.debug = 1
    app.testing = app.secret_key = "set"
    yield app.config["DEBUG"], app.config["TESTING"], app.config["SECRET_KEY"]
    for lifetime in (5, timedelta(hours=1)):
        app.config["PERMANENT_SESSION_LIFETIME"] = lifetime
        yield app.permanent_session_lifetime
    app.permanent_session_lifetime = timedelta(days=2)
    yield app.config["PERMANENT_SESSION_LIFETIME"]

    class Config(framework.Config):
        pass

    class App(framework.Flask):
        config_class = Config
        default_config = {**framework.Flask.default_config, "MINE": 1}

    yield type(App("no_module").config).__name__, App("no_module").config["MINE"]
    app = framework.Flask("no_module", instance_path=os.getcwd(), instance_relative_config=True)
    yield app.config.root_path, app.make_config(False).root_path, app.make_config(instance_relative=True).root_path
    yield type(framework.Flask.testing).__name__


# The application object


@case
def names_and_paths(framework, app):
    yield app.name, app.import_name, app.root_path, app.instance_path, app.static_folder, app.static_url_path
    yield app.has_static_folder, app.template_folder, app.subdomain_matching, app
    for options in (
        {"static_folder": None},
        {"static_folder": "files/"},
        {"static_folder": "a/b"},
        {"static_folder": Path("files")},
        {"static_folder": "/absolute"},
        {"static_folder": ""},
        {"static_folder": "files", "static_url_path": "/x/"},
        {"static_folder": "files", "static_url_path": ""},
        {"static_url_path": "/x"},
    ):
        made = framework.Flask("no_module", root_path=os.getcwd(), **options)
        yield made.static_folder, made.static_url_path, made.has_static_folder
        yield [(rule.rule, rule.endpoint) for rule in made.url_map.iter_rules()]
    for options in (
        {"static_folder": "s", "static_url_path": "x"},
        {"static_host": "a"},
        {"host_matching": True},
        {"instance_path": "relative"},
    ):
        yield attempt(framework.Flask, "no_module", **options) is None
    app.static_folder, app.static_url_path = "other", None
    yield app.static_folder, app.static_url_path
    yield attempt(framework.Flask), attempt(framework.Flask, "json").root_path, attempt(framework.Flask, "xml.dom").name


@case
def resources(framework, app):
    write(a_txt="é\n")
    for mode in ("r", "rt", "rb", "w", "a", "r+", "x", ""):
        yield attempt(lambda: read(app.open_resource("a.txt", mode, "utf-8")))  # noqa: B023
    yield attempt(app.open_resource, "missing")
    app.instance_path = os.getcwd()
    with app.open_instance_resource("b.txt", "w") as file:
        file.write("é")
    yield read(app.open_instance_resource("b.txt")), read(app.open_instance_resource("b.txt", "r"))
    yield Path("b.txt").read_bytes()


@case
def loggers(framework, app):
    handlers, logging.root.handlers = logging.root.handlers, []  # those of pytest
    yield (
        app.logger.name,
        app.logger is app.logger,
        app.logger.level,
        [type(handler) for handler in app.logger.handlers],
    )
    yield type(app.logger.handlers[0].formatter), app.logger.handlers[0].formatter._fmt
    debugged = framework.Flask("no_module_debugged")
    debugged.debug = True
    yield debugged.logger.level
    module = importlib.import_module(f"{framework.__name__}.logging")
    yield module.has_level_handler(app.logger), module.default_handler in app.logger.handlers
    with app.test_request_context(errors_stream=io.StringIO()):
        yield type(module.wsgi_errors_stream._get_current_object())
    yield module.wsgi_errors_stream._get_current_object() is sys.stderr
    logging.root.handlers = handlers
    for logger in (app.logger, debugged.logger):
        logger.handlers.clear()
        logger.setLevel(0)


@case
def aborters(framework, app):
    class Gone(HTTPException):
        code = 499

    class OurAborter(Aborter):
        pass

    yield type(app.aborter), attempt(app.aborter, 404), attempt(app.aborter, 999)
    yield attempt(framework.abort, 404), attempt(framework.abort, 499)
    app.aborter.mapping[499] = Gone
    app.aborter_class = OurAborter
    yield type(app.make_aborter())
    with app.app_context():
        yield attempt(framework.abort, 499), attempt(framework.abort, 404, "text"), attempt(framework.abort, 999)
        response = attempt(framework.abort, WerkzeugResponse("done", 299))
        yield response


@case
def redirects(framework, app):
    class Response(framework.Response):
        pass

    def seen(response):
        return type(response).__name__, response.status, response.location, response.get_data()

    yield seen(framework.redirect("/a")), seen(framework.redirect("/a", 308, Response))
    app.response_class = Response
    with app.app_context():
        yield seen(framework.redirect("/a?b=é&c")), seen(framework.redirect("/a", 301, WerkzeugResponse))
        yield attempt(framework.redirect, "/a", 200)
    app.redirect = lambda location, code: (location, code)
    with app.app_context():
        yield framework.redirect("/a", 303)


@case
def rules_and_converters(framework, app):
    class Doubled(BaseConverter):
        regex = r"\w\w"

        def to_python(self, value):
            return [*value]

        def to_url(self, values):
            return "".join(values)

    app.url_map.converters["doubled"] = Doubled

    @app.route("/<doubled:value>/<int(min=2):number>", defaults={"extra": 1}, strict_slashes=False)
    def shown_view(value, number, extra):
        return [value, number, extra]

    client = app.test_client()
    for path in ("/ab/2", "/ab/2/", "/ab/1", "/abc/2"):
        yield client.get(path).status, client.get(path).json
    with app.test_request_context():
        yield framework.url_for("shown_view", value=["x", "y"], number=3)

    class Rules(Rule):
        pass

    class Maps(Map):
        pass

    class App(framework.Flask):
        url_rule_class = Rules
        url_map_class = Maps

    made = App("no_module", static_folder=None)
    made.add_url_rule("/a", "a")
    yield type(made.url_map).__name__, [type(rule).__name__ for rule in made.url_map.iter_rules()]
    yield made.test_client().get("/a").status


@case
def add_url_rule(framework, app):
    def view():
        return framework.request.method

    view.methods = ["PUT"]
    view.required_methods = ["DELETE"]
    view.provide_automatic_options = False
    app.add_url_rule("/a", view_func=view)
    app.add_url_rule("/b", "b", lambda: "", provide_automatic_options=False)
    app.add_url_rule("/c", "c", view, methods=["POST"])
    app.add_url_rule("/d", endpoint="d")
    app.view_functions["d"] = view
    app.endpoint("e")(view)
    app.add_url_rule("/e", "e", methods=["get"])
    yield [
        (rule.rule, rule.endpoint, sorted(rule.methods), rule.provide_automatic_options)
        for rule in app.url_map.iter_rules()
    ]
    yield (
        attempt(app.add_url_rule, "no_slash", "x"),
        attempt(app.add_url_rule, "/x"),
        attempt(app.add_url_rule, "/x", methods="GET"),
    )
    yield attempt(app.add_url_rule, "/x", "b", lambda: "other"), attempt(app.get, "/x", methods=["POST"])
    yield attempt(app.route("/dotted", endpoint="a.b"), view)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.add_url_rule("/f", "f", lambda: "")
    client = app.test_client()
    for path in "abcdef":
        yield [
            client.open(f"/{path}", method=method).status_code for method in ("GET", "PUT", "DELETE", "OPTIONS", "POST")
        ]


@case
def shell_contexts(framework, app):
    app.shell_context_processor(lambda: {"mine": 1, "g": "own"})
    made = app.make_shell_context()
    yield sorted(made), made["mine"], made["g"], made["app"] is app


@case
def setup_that_is_too_late(framework, app):
    app.get("/")(lambda: "")
    app.test_client().get("/")
    for setup in (
        lambda: app.add_url_rule("/x", "x"),
        lambda: app.before_request(print),
        lambda: app.teardown_appcontext(print),
        lambda: app.context_processor(dict),
        lambda: app.template_filter()(print),
        lambda: app.register_blueprint(framework.Blueprint("b", "no_module")),
        lambda: app.errorhandler(404)(print),
        lambda: app.shell_context_processor(dict),
    ):
        yield isinstance(attempt(setup), list)


# Blueprints


@case
def blueprint_registration_methods(framework, app):
    blueprint = framework.Blueprint("b", "no_module", url_prefix="/b", root_path=os.getcwd())
    other = framework.Blueprint("o", "no_module", url_prefix="/o", root_path=os.getcwd())
    log = []

    def note(name, returned=None):
        def function(*args, **kwargs):
            log.append(name)
            return args[0] if name.startswith("after") else returned

        return function

    for scope in ("", "app_"):
        getattr(blueprint, f"before_{scope}request")(note(f"before_{scope}request"))
        getattr(blueprint, f"after_{scope}request")(note(f"after_{scope}request"))
        getattr(blueprint, f"teardown_{scope}request")(note(f"teardown_{scope}request"))
        getattr(blueprint, f"{scope}context_processor")(note(f"{scope}context_processor", {f"{scope}v": 1}))
        getattr(blueprint, f"{scope}url_value_preprocessor")(note(f"{scope}url_value_preprocessor"))
        getattr(blueprint, f"{scope}url_defaults")(note(f"{scope}url_defaults"))
    blueprint.errorhandler(404)(note("errorhandler", ("gone", 404)))
    blueprint.app_errorhandler(403)(note("app_errorhandler", ("no", 403)))
    blueprint.register_error_handler(ValueError, note("register_error_handler", "value"))

    @blueprint.get("/<path>")
    @other.get("/<path>")
    def view(path):
        log.append("view")
        if path == "error":
            raise ValueError
        if path.isdigit():
            framework.abort(int(path))
        framework.url_for("b.view", path="x")
        return framework.render_template_string("{{ v }}{{ app_v }}")

    app.register_blueprint(blueprint)
    app.register_blueprint(other)
    client = app.test_client()
    for path in ("/b/x", "/o/x", "/b/404", "/o/404", "/b/403", "/o/403", "/b/error", "/nowhere"):
        log.clear()
        yield path, client.get(path).status, client.get(path).text if "40" not in path else "", sorted(log), log


@case
def blueprint_templates(framework, app):
    blueprint = framework.Blueprint("b", "no_module", template_folder="inner", root_path=os.getcwd())
    write(
        templates__both_html="app", inner__both_html="blueprint", inner__own_html="{{ 1|twice }}{{ f() }}{{ 2 is two }}"
    )

    @blueprint.app_template_filter()
    def twice(value):
        return value * 2

    @blueprint.app_template_global("f")
    def function():
        return "global"

    @blueprint.app_template_test()
    def two(value):
        return value == 2

    blueprint.add_app_template_filter(str.upper, "loud")
    blueprint.add_app_template_global(len, "length_of")
    blueprint.add_app_template_test(callable, "function")
    app.register_blueprint(blueprint)
    with app.test_request_context():
        yield framework.render_template("both.html"), framework.render_template("own.html")
        yield framework.render_template_string("{{ 'a'|loud }}{{ length_of('ab') }}{{ f is function }}")
    yield blueprint.jinja_loader.searchpath, sorted(app.jinja_env.list_templates())


@case
def blueprint_options(framework, app):
    made = framework.Blueprint("b", "no_module", "s", "/sp", "t", "/p", "sub", {"a": 1}, os.getcwd(), "group")
    yield made.name, made.import_name, made.static_folder, made.static_url_path, made.template_folder, made.url_prefix
    yield made.subdomain, made.url_values_defaults, made.root_path, made.cli_group, made.cli.name, made
    for name in ("", "a.b"):
        yield attempt(framework.Blueprint, name, "no_module")
    blueprint = framework.Blueprint("b", "no_module", root_path=os.getcwd())
    states = []
    blueprint.record(lambda state: states.append(("always", state.first_registration)))
    blueprint.record_once(lambda state: states.append(("once", state.first_registration)))
    blueprint.add_url_rule("/v/<a>", "v", lambda a, d=0: f"{a} {d}", defaults={"d": 2})
    app.register_blueprint(blueprint)
    app.register_blueprint(blueprint, name="again", url_prefix="/again", url_defaults={"a": "x"})
    yield states, list(app.blueprints), [b.name for b in app.iter_blueprints()]
    yield attempt(app.register_blueprint, blueprint)
    yield sorted((rule.rule, rule.endpoint, str(rule.defaults)) for rule in app.url_map.iter_rules())
    state = blueprint.make_setup_state(app, {"url_prefix": "/q", "subdomain": "s", "url_defaults": {"k": 1}}, True)
    yield state.url_prefix, state.subdomain, state.url_defaults, state.name, state.name_prefix, state.first_registration
    state.add_url_rule("/r", "r", view, defaults={"m": 1})
    yield [(rule.rule, rule.endpoint, rule.defaults, rule.subdomain) for rule in app.url_map.iter_rules("b.r")]
    yield attempt(blueprint.add_url_rule, "/x", "a.b"), attempt(blueprint.register_blueprint, blueprint)
    yield app.test_client().get("/v/1").text


def view():
    return "view"


@case
def blueprints_nested(framework, app):
    outer, middle, inner = (framework.Blueprint(name, "no_module", url_prefix=f"/{name}") for name in "omi")
    log = []
    for blueprint in (outer, middle, inner):
        blueprint.before_request(lambda name=blueprint.name: log.append(f"before {name}"))
        blueprint.teardown_request(lambda error, name=blueprint.name: log.append(f"teardown {name}"))
        blueprint.get("/")(
            lambda: [framework.request.blueprint, framework.request.blueprints, framework.url_for(".<lambda>")]
        )
    middle.errorhandler(418)(lambda error: "handled in the middle")
    inner.get("/tea", endpoint="tea")(lambda: framework.abort(418))
    middle.register_blueprint(inner)
    middle.register_blueprint(inner, name="second", url_prefix="/second")
    outer.register_blueprint(middle, url_prefix="")
    app.register_blueprint(outer, url_prefix="/top")
    yield sorted((rule.rule, rule.endpoint) for rule in app.url_map.iter_rules()), list(app.blueprints)
    for path in ("/top/", "/top/m/", "/top/i/", "/top/second/", "/top/second/tea"):
        log.clear()
        response = app.test_client().get(path)
        yield path, response.status, response.get_data(), log


@case
def blueprint_files_and_commands(framework, app):
    write(files__a_txt="text", resource_txt="é")
    blueprint = framework.Blueprint("b", "no_module", static_folder="files", url_prefix="/p", root_path=os.getcwd())
    yield read(blueprint.open_resource("resource.txt")), read(blueprint.open_resource("resource.txt", "r"))
    yield attempt(blueprint.open_resource, "resource.txt", "w")
    groups = [("named", {"cli_group": "group"}), ("default", {}), ("merged", {"cli_group": None})]
    for name, options in groups:
        with_command = framework.Blueprint(name, "no_module", **options)
        with_command.cli.command(f"say-{name}")(lambda: print("said"))
        app.register_blueprint(with_command)
    app.register_blueprint(blueprint)
    client = app.test_client()
    for path in ("/p/files/a.txt", "/p/files/b.txt"):
        with client.get(path) as response:
            yield response.status, response.get_data(), response.headers.get("Cache-Control")
    with app.test_request_context():
        yield framework.url_for("b.static", filename="a.txt"), blueprint.get_send_file_max_age("a.txt")
        app.config["SEND_FILE_MAX_AGE_DEFAULT"] = timedelta(minutes=1)
        yield blueprint.get_send_file_max_age(None), app.get_send_file_max_age("x")
        app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 30
        yield blueprint.get_send_file_max_age("a.txt")
    yield sorted(app.cli.commands), attempt(framework.Blueprint("none", "no_module").send_static_file, "x")
    runner = app.test_cli_runner()
    for command in (["group", "say-named"], ["default", "say-default"], ["say-merged"], ["nothing"]):
        result = runner.invoke(args=command)
        yield command, result.exit_code, result.output if not result.exit_code else ""


# URLs


@case
def url_for(framework, app):
    blueprint = framework.Blueprint("b", "no_module", url_prefix="/b")
    for owner in (app, blueprint):
        owner.add_url_rule("/page/<int:n>", "page", view)
        owner.add_url_rule("/page/<int:n>/edit", "page", methods=["POST"])
        owner.add_url_rule("/", "index", lambda: "")
    app.register_blueprint(blueprint)
    calls = [
        (("index",), {}),
        (("page",), {"n": 1}),
        (("page",), {"n": 1, "_method": "POST"}),
        (("page",), {"n": "x"}),
        (("page",), {}),
        (("index",), {"q": "a b&é", "list": [1, 2], "none": None}),
        (("index",), {"_anchor": "x y&é", "_external": True}),
        (("index",), {"_scheme": "https"}),
        (("index",), {"_scheme": "https", "_external": True}),
        (("index",), {"_scheme": "https", "_external": False}),
        (("index",), {"_scheme": "", "_external": True}),
        (("index",), {"_external": False, "_anchor": ""}),
        ((".index",), {}),
        (("b.index",), {}),
        (("static",), {"filename": "a b/c.css"}),
        (("unknown",), {}),
        (("index",), {"endpoint": "x"}),
        (("index",), {"self": "x"}),
    ]

    def results():
        return [attempt(framework.url_for, *args, **kwargs) for args, kwargs in calls if "endpoint" not in kwargs]

    with app.test_request_context("/b/", base_url="http://example.com:8080/root"):
        yield results()
    with app.test_request_context("/missing", base_url="https://example.com"):
        yield results()
    with app.app_context():
        yield results()
    app.config.update(SERVER_NAME="configured.example", APPLICATION_ROOT="/under", PREFERRED_URL_SCHEME="https")
    with app.app_context():
        yield results()
    with app.test_request_context("/b/"):
        yield results(), framework.request.url
    yield attempt(framework.url_for, "index")


@case
def url_build_errors_and_defaults(framework, app):
    app.add_url_rule("/<lang>/<n>", "page", lambda lang, n: "")
    asked = []

    @app.url_defaults
    def add_language(endpoint, values):
        asked.append((endpoint, dict(values)))
        values.setdefault("lang", "en")

    with app.test_request_context():
        yield framework.url_for("page", n=1), framework.url_for("page", n=1, lang="de", _external=True), asked
        values = {}
        app.inject_url_defaults("page", values)
        yield values
        yield attempt(framework.url_for, "unknown")
        app.url_build_error_handlers.append(lambda error, endpoint, values: None)
        app.url_build_error_handlers.append(lambda error, endpoint, values: f"{endpoint} {sorted(values.items())}")
        yield framework.url_for("unknown", a=1, _anchor="x", _method="POST")
        app.url_build_error_handlers[:] = [lambda error, endpoint, values: 1 / 0]
        yield attempt(framework.url_for, "unknown")


# Flashed messages


@case
def flashed_messages(framework, app):
    app.secret_key = "key"
    got = framework.get_flashed_messages
    with app.test_request_context():
        yield got(), framework.session.modified
        framework.flash("one")
        framework.flash("two", "error")
        framework.flash(Markup("<b>"), "warning")
        yield list(framework.session), framework.session["_flashes"]
        yield got(category_filter=["error", "message"]), "_flashes" in framework.session
        yield got(), got(with_categories=True), got(True, ["warning"]), got(category_filter=("none",))
        framework.flash("late")
        yield got()
        yield framework.render_template_string(
            "{% for c, m in get_flashed_messages(true) %}{{ c }}={{ m }};{% endfor %}"
        )
    yield attempt(got), attempt(framework.flash, "x")


# JSON


@dataclasses.dataclass
class Point:
    y: int
    x: object = None


class HasHtml:
    def __html__(self):
        return "<i>"


VALUES = [
    {"b": 1, "a": [1.5, None, True, "é<>&'\""]},
    [
        date(2024, 1, 2),
        datetime(2024, 1, 2, 3, tzinfo=UTC),
        decimal.Decimal("1.10"),
        uuid.UUID(int=1),
        Point(1, Point(2)),
    ],
    (Markup("<b>"), HasHtml()),
    MultiDict([("a", "1"), ("a", "2")]),
    object(),
    {1: 2, "a": 3},
]


@case
def json_functions(framework, app):
    def results():
        for value in VALUES:
            yield attempt(framework.json.dumps, value)
            yield attempt(framework.json.dumps, value, indent=1, sort_keys=False)
            file = io.StringIO()
            yield attempt(framework.json.dump, value, file, separators=(",", ":")), file.getvalue()
        for text in ('{"a": [1]}', b"[1.5]", "{", "", b"\xff"):
            yield attempt(framework.json.loads, text), attempt(framework.json.loads, text, parse_float=str)
        yield framework.json.load(io.StringIO("[1]")), framework.json.load(io.BytesIO(b"[1]"))

    yield list(results())
    yield attempt(framework.jsonify, 1)
    with app.app_context():
        yield list(results())
        for args, kwargs in [((), {}), ((1,), {}), ((1, 2), {}), ((), {"b": 1, "a": 2}), ((1,), {"a": 1}), (([],), {})]:
            response = attempt(framework.jsonify, *args, **kwargs)
            yield response if isinstance(response, list) else (response.get_data(), response.headers)


@case
def json_options(framework, app):
    with app.app_context():
        for name, options in {
            "ensure_ascii": (True, False),
            "sort_keys": (True, False),
            "compact": (None, True, False),
            "mimetype": ("application/vnd.api+json",),
            "default": (repr,),
        }.items():
            before = getattr(app.json, name)
            for option in options:
                setattr(app.json, name, option)
                response = framework.jsonify(b="é", a=[1, {"d": HasHtml(), "c": 1}])
                yield name, option, response.get_data(), response.content_type
            setattr(app.json, name, before)
        app.debug = True
        yield framework.jsonify(a=[1]).get_data(), framework.jsonify([]).get_data()


@case
def json_providers(framework, app):
    class Provider(framework.json.provider.JSONProvider):
        def dumps(self, obj, **kwargs):
            return f"dumped {obj} {kwargs}"

        def loads(self, s, **kwargs):
            return f"loaded {s!r} {kwargs}"

    class App(framework.Flask):
        json_provider_class = Provider

    app = App("no_module")
    app.post("/")(lambda: {"got": framework.request.json})
    yield app.test_client().post("/", data="body", content_type="application/json").get_data()
    yield app.test_client().post("/", json={"a": 1}).get_data()
    with app.app_context():
        yield framework.json.dumps(1, a=2), framework.json.loads("x", b=3), framework.jsonify(1, 2).get_data()
        file = io.StringIO()
        framework.json.dump([1], file)
        yield file.getvalue(), framework.json.load(io.StringIO("[1]"), c=4)
        yield framework.render_template_string("{{ 1|tojson }}")
        yield app.response_class('{"a": 1}', mimetype="application/json").json


@case
def json_in_templates(framework, app):
    with app.test_request_context():
        for value in ("</script>&'\"", {"b": "é", "a": Point(1)}, [Markup("<b>")]):
            yield framework.render_template_string("{{ value|tojson }} {{ value|tojson(indent=2) }}", value=value)
        app.json.sort_keys = app.json.ensure_ascii = False
        yield framework.render_template_string("{{ value|tojson }}", value={"b": "é", "a": 1})


@case
def tagged_json(framework, app):
    serializer = framework.json.tag.TaggedJSONSerializer()
    value = {
        "t": (1, b"2", uuid.UUID(int=3)),
        "m": Markup("<b>"),
        "d": datetime(2024, 1, 2, tzinfo=UTC),
        "x": {" t": 1},
    }
    text = serializer.dumps(value)
    yield text, serializer.loads(text), list(serializer.tags), [type(tag).__name__ for tag in serializer.order]
    yield serializer.tag((1,)), serializer.untag({" t": [1]})
    yield attempt(serializer.register, type(serializer.order[1]))


# Helpers


@case
def root_paths(framework, app):
    helpers = importlib.import_module(f"{framework.__name__}.helpers")
    write(space__module_py="", package__module_py="", single_py="")
    Path("package/__init__.py").touch()
    sys.path.insert(0, os.getcwd())
    try:
        for name in ("json", "xml.dom", "single", "package", "no_such_module", "sys", "space.module"):
            yield name, attempt(helpers.get_root_path, name)
    finally:
        sys.path.pop(0)
        for name in ("space", "space.module", "package", "single"):
            sys.modules.pop(name, None)
        importlib.invalidate_caches()


@case
def template_attributes(framework, app):
    write(templates__macros_html="{% macro hello(name) %}Hello {{ name }}!{% endmacro %}{% set number = 42 %}")
    with app.app_context():
        yield framework.get_template_attribute("macros.html", "hello")("<World>")
        yield framework.get_template_attribute("macros.html", "number")
        yield attempt(framework.get_template_attribute, "macros.html", "missing")
        yield attempt(framework.get_template_attribute, "missing.html", "hello")
    yield attempt(framework.get_template_attribute, "macros.html", "hello")


@case
def make_response(framework, app):
    def seen(response):
        return type(response).__name__, response.status, sorted(response.headers), response.get_data()

    with app.test_request_context():
        for args in [
            (),
            ("text",),
            ("text", 201),
            ("text", 202, {"X-A": "1"}),
            (("text", 203),),
            ({"a": 1}, 201),
            (WerkzeugResponse("w", 299), 298),
            (b"bytes", [("X-A", "1")]),
            (framework.Response("own"),),
        ]:
            yield seen(framework.make_response(*args))
        yield (
            attempt(framework.make_response, None),
            attempt(framework.make_response, 1),
            attempt(framework.make_response, 1, 2, 3, 4),
        )
        yield seen(app.make_response("x")), seen(app.make_default_options_response())


@case
def flags_from_the_environment(framework, app):
    helpers = importlib.import_module(f"{framework.__name__}.helpers")
    for value in ("", "0", "false", "False", "no", "1", "true", "anything"):
        os.environ["FLASK_DEBUG"] = os.environ["FLASK_SKIP_DOTENV"] = value
        yield value, helpers.get_debug_flag(), helpers.get_load_dotenv(), helpers.get_load_dotenv(False)
    del os.environ["FLASK_DEBUG"], os.environ["FLASK_SKIP_DOTENV"]
    yield helpers.get_debug_flag(), helpers.get_load_dotenv(), helpers.get_load_dotenv(False)


@case
def g_is_a_namespace(framework, app):
    with app.app_context():
        g = framework.g
        g.a = 1
        yield g.get("a"), g.get("b"), g.get("b", 2), g.setdefault("c", 3), g.setdefault("c", 4), g.setdefault("d")
        yield (
            "a" in g,
            "x" in g,
            sorted(g),
            g.pop("a"),
            attempt(g.pop, "a"),
            g.pop("a", None),
            attempt(lambda: g.missing),
        )
        yield g, attempt(delattr, g, "missing"), attempt(delattr, g, "c"), sorted(g)
    yield attempt(lambda: framework.g.a), bool(framework.g), bool(framework.request), bool(framework.current_app)
    yield framework.ctx._AppCtxGlobals()


# Requests and responses

FORM = b"""--x\r
Content-Disposition: form-data; name="f"; filename="f.txt"\r
\r
file\r
--x\r
Content-Disposition: form-data; name="a"\r
\r
1\r
--x--\r
"""

REQUESTS = {
    "query": {
        "path": "/b/1?a=1&a=2&e=é",
        "headers": {"Accept": "text/html, */*;q=0.1", "Accept-Language": "de, en;q=0.5"},
    },
    "form": {"path": "/b/1", "method": "POST", "data": {"a": "1", "b": "é"}},
    "json": {"path": "/b/1", "method": "POST", "json": {"a": [1]}},
    "bad json": {"path": "/b/1", "method": "POST", "data": "{", "content_type": "application/json"},
    "files": {"path": "/b/1", "method": "PUT", "data": FORM, "content_type": "multipart/form-data; boundary=x"},
    "conditions": {
        "path": "/b/1",
        "headers": {
            "Range": "bytes=0-1",
            "If-None-Match": '"a"',
            "If-Modified-Since": "Mon, 01 Jan 2024 00:00:00 GMT",
            "Cache-Control": "no-cache",
            "Authorization": "Basic YTpi",
            "Cookie": "a=1; b=2",
            "Referer": "http://r/",
            "X-Forwarded-For": "1.2.3.4",
            "Origin": "http://o",
            "User-Agent": "agent/1",
            "Date": "Mon, 01 Jan 2024 00:00:00 GMT",
        },
    },
    "elsewhere": {"path": "/none", "base_url": "https://example.com:8443/root/", "query_string": "x=%ff"},
    "not allowed": {"path": "/b/1", "method": "DELETE"},
}


@case
def attributes_of_requests(framework, app):
    blueprint = framework.Blueprint("b", "no_module", url_prefix="/b")
    blueprint.route("/<int:n>", methods=["GET", "POST", "PUT"], endpoint="view")(lambda n: "")
    app.register_blueprint(blueprint)
    names = [name for name in dir(flask.Request) if not name.startswith("_")]
    left_out = {"application", "from_values", "environ", "stream", "input_stream"}
    for options in REQUESTS.values():
        environ = EnvironBuilder(**options).get_environ()
        with app.request_context(environ):
            request = framework.request._get_current_object()
            for name in names:
                if name not in left_out:
                    value = attempt(getattr, request, name)
                    yield name, getattr(value, "rule", value) if not callable(value) else ""
            yield request.get_data(), attempt(request.get_json, silent=True), attempt(request.get_json, force=True)
            yield request


@case
def attributes_of_responses(framework, app):
    names = [name for name in dir(flask.Response) if not name.startswith("_")]
    write(a_txt="text")
    with app.test_request_context():
        responses = [
            framework.Response(),
            framework.Response("é", 201, {"X-A": "1", "Cache-Control": "max-age=1"}, "text/plain"),
            framework.jsonify(a=1),
            framework.redirect("/a"),
            framework.Response(iter(["a"])),
            framework.send_file("a.txt", etag=False, last_modified=0),
        ]
        for response in responses:
            for name in names:
                value = attempt(getattr, response, name)
                if not callable(value) and name not in {"stream", "response"}:
                    yield name, value
            response.set_cookie("a", "b", max_age=1, httponly=True)
            response.delete_cookie("c")
            yield response.headers.getlist("Set-Cookie")[0].partition("Expires")[0], response.max_cookie_size
            response.close()
        app.config["MAX_COOKIE_SIZE"] = 10
        yield framework.Response().max_cookie_size
    yield framework.Response().max_cookie_size


@case
def limits_of_requests(framework, app):
    with app.app_context():
        app.config.update(MAX_CONTENT_LENGTH=1, MAX_FORM_MEMORY_SIZE=2, MAX_FORM_PARTS=3)
        request = framework.Request(create_environ())
        yield request.max_content_length, request.max_form_memory_size, request.max_form_parts
        request.max_content_length, request.max_form_memory_size, request.max_form_parts = 4, 5, 6
        yield request.max_content_length, request.max_form_memory_size, request.max_form_parts
    request = framework.Request(create_environ())
    yield request.max_content_length, request.max_form_memory_size, request.max_form_parts
    yield isinstance(request, WerkzeugRequest)


# Templates


@case
def template_names(framework, app):
    app.context_processor(lambda: {"processed": 1, "given": "processor"})
    environment = app.jinja_env
    yield sorted(environment.globals), sorted(environment.filters), sorted(environment.tests)
    yield sorted(environment.extensions), environment.autoescape("a.HTML"), environment.auto_reload
    yield [
        app.select_jinja_autoescape(name)
        for name in (None, "a.html", "a.htm", "a.xml", "a.xhtml", "a.svg", "a.txt", "a")
    ]
    text = "{{ given }} {{ processed }} {{ config.DEBUG }} {{ request.path }} {{ session|length }} {{ g.get('x', 0) }}"
    with app.test_request_context("/here"):
        yield framework.render_template_string(text, given="argument")
        context = {"given": 1}
        app.update_template_context(context)
        yield sorted(context), context["given"]
    with app.app_context():
        yield framework.render_template_string(
            "{{ processed }}{{ g is defined }}{{ request is defined }}{{ config.DEBUG }}"
        )
        yield (
            attempt(framework.render_template_string, "{{ session }}"),
            attempt(framework.render_template_string, "{{ request.path }}"),
        )
    yield attempt(framework.render_template_string, "x")


@case
def template_rendering(framework, app):
    write(
        templates__a_html="{{ x }}",
        templates__a_txt="{{ x }}",
        templates__list_html="{% for i in x %}{{ i }},{% endfor %}",
    )
    with app.test_request_context():
        yield framework.render_template("a.html", x="<"), framework.render_template("a.txt", x="<")
        yield (
            framework.render_template_string("{{ x }}", x="<"),
            framework.render_template_string("{% autoescape false %}{{ x }}{% endautoescape %}", x="<"),
        )
        yield framework.render_template(["missing.html", "a.html"], x=1), attempt(framework.render_template, ["b", "c"])
        yield attempt(framework.render_template, "missing.html"), attempt(framework.render_template_string, "{% bad %}")
        template = app.jinja_env.get_template("a.txt")
        yield framework.render_template(template, x=1), "".join(framework.stream_template(template, x=2))
        streamed = framework.stream_template("list.html", x=iter([1, 2]))
        yield hasattr(streamed, "__next__"), "".join(streamed)
        yield "".join(framework.stream_template_string("{{ request.path }}{{ y }}", y="<"))
    with app.app_context():
        yield "".join(framework.stream_template_string("{{ 1 }}"))
        yield app.jinja_loader.searchpath, sorted(app.jinja_env.loader.list_templates())
    yield attempt(framework.stream_template, "a.html")


@case
def template_registration(framework, app):
    @app.template_filter()
    def loud(value):
        return value.upper()

    @app.template_test("tiny")
    def is_small(value):
        return value < 2

    @app.template_global()
    def answer():
        return 42

    app.add_template_filter(len, "size")
    app.add_template_test(callable)
    app.add_template_global(max, "largest")
    with app.app_context():
        yield framework.render_template_string(
            "{{ 'a'|loud }}{{ 1 is tiny }}{{ answer() }}{{ 'ab'|size }}{{ largest(1, 2) }}{{ answer is callable }}"
        )
    yield loud("x"), is_small(1), answer()


@case
def jinja_environments(framework, app):
    class Environment(framework.templating.Environment):
        pass

    class App(framework.Flask):
        jinja_environment = Environment
        jinja_options = {"trim_blocks": True, "autoescape": False, "extensions": ["jinja2.ext.do"]}

        def create_global_jinja_loader(self):
            return super().create_global_jinja_loader()

        def select_jinja_autoescape(self, filename):
            return True

    made = App("no_module")
    yield (
        type(made.jinja_env).__name__,
        made.jinja_env.trim_blocks,
        made.jinja_env.autoescape,
        made.jinja_env is made.jinja_env,
    )
    yield (
        type(made.jinja_env.loader).__name__,
        made.jinja_env.app is made,
        made.jinja_env.policies["json.dumps_function"] is not None,
    )
    for value in (None, True, False):
        made = framework.Flask("no_module")
        made.config["TEMPLATES_AUTO_RELOAD"] = value
        made.debug = True
        yield made.jinja_env.auto_reload
    app.jinja_env.auto_reload = False
    app.debug = True
    yield app.jinja_env.auto_reload


# Signals

SIGNALS = """template_rendered before_render_template request_started request_finished got_request_exception
request_tearing_down appcontext_tearing_down appcontext_pushed appcontext_popped message_flashed""".split()  # noqa: SIM905


@case
def signals(framework, app):
    app.secret_key = "key"
    app.add_url_rule(
        "/", "index", lambda: framework.flash("hello", "cat") or framework.render_template_string("{{ x }}", x=1)
    )
    app.add_url_rule("/fail", "fail", lambda: 1 / 0)
    app.logger.disabled = True
    seen = []

    def receiver(name):
        def receive(sender, **arguments):
            types = {key: type(value).__name__.removeprefix("Quick") for key, value in arguments.items()}
            seen.append((name, sender is app, type(sender).__name__, types))

        return receive

    receivers = [receiver(name) for name in SIGNALS]
    for name, receive in zip(SIGNALS, receivers, strict=True):
        getattr(framework, name).connect(receive, app)
    yield [getattr(framework, name).name for name in SIGNALS]
    client = app.test_client()
    for path in ("/", "/fail", "/missing"):
        seen.clear()
        yield client.get(path).status, list(seen)
    seen.clear()
    with app.app_context():
        pass
    yield seen


# Typing


@case
def aliases_for_annotations(framework, app):
    typing = importlib.import_module(f"{framework.__name__}.typing")
    yield sorted(name for name in vars(flask.typing) if name[0].isupper() and hasattr(typing, name))
