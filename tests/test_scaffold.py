"""Scaffold: what applications and blueprints register, and where it is found afterwards."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import pytest
from jinja2 import FileSystemLoader
from werkzeug.exceptions import HTTPException, NotFound

from flaskctx.app import Flask
from flaskctx.command_group import AppGroup
from flaskctx.scaffold import Scaffold, setupmethod


class Part(Scaffold):
    """The least that a subclass has to define; remembers the rules it is given."""

    name = "part"

    def __init__(self, **options):
        super().__init__(__name__, **options)
        self.rules = []
        self.finished = False

    def _check_setup_finished(self, f_name):
        if self.finished:
            raise AssertionError(f"{f_name} comes too late")

    def add_url_rule(self, rule, endpoint=None, view_func=None, provide_automatic_options=None, **options):
        self.rules.append((rule, endpoint, view_func, provide_automatic_options, options))


@pytest.fixture
def part():
    return Part()


def function(*args):
    return None


class TestHooks:
    @pytest.mark.parametrize(
        ("decorator", "registry"),
        [
            ("before_request", "before_request_funcs"),
            ("after_request", "after_request_funcs"),
            ("teardown_request", "teardown_request_funcs"),
            ("context_processor", "template_context_processors"),
            ("url_value_preprocessor", "url_value_preprocessors"),
            ("url_defaults", "url_default_functions"),
        ],
    )
    @pytest.mark.parametrize("kind", ["defaultdict", "plain dict"])
    def test_a_decorator_appends_to_its_registry_and_returns_the_function(self, part, decorator, registry, kind):
        if kind == "plain dict":
            setattr(part, registry, {})
        first, second = (lambda *args: None), (lambda *args: None)
        assert getattr(part, decorator)(first) is first
        getattr(part, decorator)(second)
        assert getattr(part, registry)[None][-2:] == [first, second]

    def test_unknown_keys_of_the_registries_are_empty_lists(self, part):
        part.before_request_funcs["a_blueprint"].append(function)
        assert part.before_request_funcs == {"a_blueprint": [function]}

    def test_instances_share_no_registry(self):
        first, second = Part(), Part()
        first.before_request(function)
        assert second.before_request_funcs == {}


class TestRoutes:
    def test_route_registers_the_view_and_returns_it(self, part):
        def view():
            return ""

        assert part.route("/")(view) is view
        assert part.rules == [("/", None, view, None, {})]

    def test_unknown_options_reach_add_url_rule(self, part):
        part.route("/", endpoint="e", provide_automatic_options=False, stream=True)(function)
        assert part.rules == [("/", "e", function, False, {"stream": True})]

    def test_a_route_decorator_can_be_used_twice(self, part):
        route = part.route("/", endpoint="e", stream=True)
        route(function)
        route(len)
        assert [rule[1] for rule in part.rules] == ["e", "e"]

    @pytest.mark.parametrize("method", ["get", "post", "put", "delete", "patch"])
    def test_the_short_forms_stand_for_one_method(self, part, method):
        getattr(part, method)("/", endpoint="e")(function)
        assert part.rules == [("/", "e", function, None, {"methods": [method.upper()]})]

    def test_a_short_form_refuses_methods_and_names_route(self, part):
        with pytest.raises(TypeError, match=r"use route\('/', methods=\[\.\.\.\]\)"):
            part.get("/", methods=["POST"])

    def test_endpoint_registers_a_view_without_rule(self, part):
        assert part.endpoint("e")(function) is function
        assert part.view_functions == {"e": function}

    def test_add_url_rule_is_for_subclasses(self):
        with pytest.raises(NotImplementedError):
            Scaffold.add_url_rule(Part(), "/")


class TestErrorHandlers:
    def test_a_code_stands_for_its_http_exception(self, part):
        assert part.errorhandler(404)(function) is function
        assert part.error_handler_spec == {None: {404: {NotFound: function}}}

    def test_an_http_exception_class_is_filed_under_its_code(self, part):
        class Teapot(HTTPException):
            code = 499

        part.register_error_handler(Teapot, function)
        assert part.error_handler_spec[None][499] == {Teapot: function}

    def test_other_exceptions_have_no_code(self, part):
        part.register_error_handler(ValueError, function)
        assert part.error_handler_spec == {None: {None: {ValueError: function}}}

    def test_looking_for_an_unknown_code_finds_an_empty_dict(self, part):
        assert part.error_handler_spec["a_blueprint"][404] == {}

    @pytest.mark.parametrize(
        ("wrong", "error", "message"),
        [
            (999, ValueError, "derive a class from HTTPException"),
            (200, ValueError, "status code 200"),
            (KeyboardInterrupt, ValueError, "not derived from Exception"),
            (int, ValueError, "not derived from Exception"),
            (ValueError("x"), TypeError, "not for ValueError"),
            ("404", TypeError, "not for '404'"),
        ],
    )
    def test_what_can_not_be_handled_is_refused(self, part, wrong, error, message):
        with pytest.raises(error, match=message):
            part.register_error_handler(wrong, function)


class TestSetupFinished:
    @pytest.mark.parametrize(
        ("method", "args"),
        [
            ("route", ["/"]),
            ("get", ["/"]),
            ("endpoint", ["e"]),
            ("before_request", [function]),
            ("after_request", [function]),
            ("teardown_request", [function]),
            ("context_processor", [function]),
            ("url_value_preprocessor", [function]),
            ("url_defaults", [function]),
            ("errorhandler", [404]),
            ("register_error_handler", [404, function]),
        ],
    )
    def test_registering_after_the_end_of_setup_is_an_error(self, part, method, args):
        part.finished = True
        with pytest.raises(AssertionError, match=f"{method} comes too late"):
            getattr(part, method)(*args)

    def test_setupmethod_keeps_the_name_and_documentation(self):
        def method(self):
            """What it does."""

        assert setupmethod(method).__name__ == "method"
        assert setupmethod(method).__doc__ == "What it does."

    def test_an_application_says_what_to_do(self):
        app = Flask(__name__)
        app.test_client().get("/")
        with pytest.raises(AssertionError, match="begun to handle requests"):
            app.before_request(function)


class TestFiles:
    def test_root_path_is_the_folder_of_the_module(self):
        app = Flask("tests_scaffold_no_such_module", root_path="/somewhere")
        assert app.root_path == "/somewhere"
        assert Part().root_path == str(Path(sys.modules[__name__].__file__).parent)

    def test_without_folders_there_are_no_static_files_and_no_templates(self, part):
        assert part.static_folder is None
        assert part.static_url_path is None
        assert not part.has_static_folder
        assert part.jinja_loader is None

    def test_the_static_url_path_is_the_name_of_the_folder(self):
        part = Part(root_path="/root", static_folder=Path("a/files/"))
        assert part.has_static_folder
        assert part.static_folder == "/root/a/files"
        assert part.static_url_path == "/files"

    def test_the_static_folder_and_its_url_path_can_be_set(self, part):
        part.static_folder = "/elsewhere/assets/"
        part.static_url_path = "/a/"
        assert (part.static_folder, part.static_url_path) == ("/elsewhere/assets", "/a")
        part.static_url_path = None
        assert part.static_url_path == "/assets"

    def test_a_static_folder_may_be_the_root_path(self):
        part = Part(root_path="/root", static_folder="")
        assert (part.static_folder, part.static_url_path) == ("/root/", "")

    def test_the_template_loader_looks_into_the_template_folder(self, tmp_path):
        part = Part(root_path=str(tmp_path), template_folder="pages")
        assert isinstance(part.jinja_loader, FileSystemLoader)
        assert part.jinja_loader.searchpath == [str(tmp_path / "pages")]
        assert part.jinja_loader is part.jinja_loader

    @pytest.mark.parametrize(("mode", "content"), [("rb", "ä".encode()), ("r", "ä"), ("rt", "ä")])
    def test_open_resource_reads_bytes_or_utf_8_text(self, tmp_path, mode, content):
        (tmp_path / "data.txt").write_text("ä", encoding="utf-8")
        with Part(root_path=str(tmp_path)).open_resource("data.txt", mode) as file:
            assert file.read() == content

    def test_open_resource_takes_an_encoding(self, tmp_path):
        (tmp_path / "data.txt").write_text("ä", encoding="latin-1")
        with Part(root_path=str(tmp_path)).open_resource("data.txt", "r", encoding="latin-1") as file:
            assert file.read() == "ä"

    def test_open_resource_only_reads(self, part):
        with pytest.raises(ValueError, match="opened for reading"):
            part.open_resource("data.txt", "w")

    def test_sending_a_static_file_needs_a_folder(self, part):
        with pytest.raises(RuntimeError, match="Set its static_folder"):
            part.send_static_file("x.css")

    @pytest.mark.parametrize(("configured", "age"), [(None, None), (60, 60), (timedelta(hours=1), 3600)])
    def test_the_age_of_files_comes_from_the_configuration(self, part, configured, age):
        app = Flask(__name__)
        app.config["SEND_FILE_MAX_AGE_DEFAULT"] = configured
        with app.app_context():
            assert part.get_send_file_max_age("x.css") == age

    def test_static_files_are_sent_with_the_age_that_an_override_says(self, tmp_path):
        class App(Flask):
            def get_send_file_max_age(self, filename):
                return 5 if filename == "x.css" else None

        (tmp_path / "static").mkdir()
        (tmp_path / "static" / "x.css").write_text("body")
        with App(__name__, root_path=str(tmp_path)).test_request_context():
            from_app = App(__name__, root_path=str(tmp_path)).send_static_file("x.css")
        assert from_app.cache_control.max_age == 5
        from_app.close()


class TestNames:
    def test_the_repr_names_class_and_name(self, part):
        assert repr(part) == "<Part 'part'>"

    def test_commands_are_registered_in_a_group_of_its_own(self, part):
        assert isinstance(part.cli, AppGroup)
        assert part.cli is not Part().cli


class TestWrittenWrong:
    @pytest.mark.parametrize("name", ["route", "get", "post", "websocket", "endpoint"])
    def test_a_decorator_without_its_parentheses_is_refused(self, part, name):
        with pytest.raises(TypeError, match=r"Write it with parentheses"):
            getattr(part, name)(function)

    def test_an_error_handlers_decorator_too(self, part):
        with pytest.raises(TypeError, match="An error handler is registered for an exception class"):
            part.errorhandler(function)

    @pytest.mark.parametrize("name", ["before_request", "after_request", "teardown_request", "context_processor"])
    def test_a_hook_that_is_no_function_is_refused(self, part, name):
        with pytest.raises(TypeError, match="takes a function, which it calls later, not None"):
            getattr(part, name)(function())
