"""Blueprints: recorded once, registered on applications, nested; the same as Flask's, compared with Flask."""

from __future__ import annotations

import click
import pytest

from flaskctx.app import Flask
from flaskctx.blueprints import Blueprint, BlueprintSetupState
from flaskctx.templating import _default_template_ctx_processor, render_template_string

try:
    import flask
except ImportError:  # only the comparisons need it
    flask = None

HOOK_REGISTRIES = [
    "before_request_funcs",
    "after_request_funcs",
    "teardown_request_funcs",
    "template_context_processors",
    "url_value_preprocessors",
    "url_default_functions",
]


def view(**values):
    return ""


def rules(app):
    return [(rule.rule, rule.endpoint) for rule in app.url_map.iter_rules() if rule.endpoint != "static"]


@pytest.fixture
def app():
    return Flask(__name__, static_folder=None)


@pytest.fixture
def blueprint():
    return Blueprint("part", __name__)


class TestNames:
    @pytest.mark.parametrize("name", ["a.b", ".", ""])
    def test_a_name_without_dots_is_needed(self, name):
        with pytest.raises(ValueError, match="blueprint"):
            Blueprint(name, __name__)

    def test_endpoints_have_no_dots(self, blueprint):
        with pytest.raises(ValueError, match=r"endpoint 'a\.b' has a dot"):
            blueprint.add_url_rule("/", "a.b", view)

    def test_view_functions_whose_name_becomes_the_endpoint_have_no_dots(self, blueprint):
        def dotted():
            return ""

        dotted.__name__ = "a.b"
        with pytest.raises(ValueError, match="has a dot"):
            blueprint.add_url_rule("/", view_func=dotted)
        blueprint.add_url_rule("/", "plain", dotted)

    def test_a_rule_needs_an_endpoint_or_a_view(self, blueprint):
        with pytest.raises(AssertionError, match="endpoint"):
            blueprint.add_url_rule("/")

    def test_one_name_is_registered_once(self, app, blueprint):
        app.register_blueprint(blueprint)
        with pytest.raises(ValueError, match="This blueprint is already registered as 'part'"):
            app.register_blueprint(blueprint)
        with pytest.raises(ValueError, match=r"Another blueprint \(.*\) is already registered as 'part'"):
            app.register_blueprint(Blueprint("part", __name__))

    def test_a_refused_registration_changes_nothing(self, app, blueprint):
        app.register_blueprint(blueprint)
        other = Blueprint("part", __name__)
        other.add_url_rule("/x", "x", view)
        other.before_request(view)
        with pytest.raises(ValueError, match="already registered"):
            app.register_blueprint(other)
        assert rules(app) == []
        assert app.blueprints == {"part": blueprint}
        assert app.before_request_funcs.get("part") is None

    def test_a_blueprint_can_be_registered_again_under_another_name(self, app, blueprint):
        blueprint.add_url_rule("/x", "x", view)
        app.register_blueprint(blueprint)
        app.register_blueprint(blueprint, name="again", url_prefix="/again")
        assert rules(app) == [("/x", "part.x"), ("/again/x", "again.x")]
        assert app.blueprints == {"part": blueprint, "again": blueprint}

    def test_a_registration_needs_a_name(self, app, blueprint):
        with pytest.raises(ValueError, match="empty name"):
            app.register_blueprint(blueprint, name="")

    def test_a_name_can_be_taken_in_two_outer_blueprints(self, app, blueprint):
        for name in ("one", "two"):
            outer = Blueprint(name, __name__)
            outer.register_blueprint(blueprint)
            app.register_blueprint(outer)
        assert list(app.blueprints) == ["one", "one.part", "two", "two.part"]

    def test_two_nested_blueprints_of_one_name_collide(self, app, blueprint):
        outer = Blueprint("outer", __name__)
        outer.register_blueprint(blueprint)
        outer.register_blueprint(Blueprint("part", __name__))
        with pytest.raises(ValueError, match=r"already registered as 'outer\.part'"):
            app.register_blueprint(outer)


class TestNesting:
    def test_a_blueprint_does_not_contain_itself(self, blueprint):
        with pytest.raises(ValueError, match="would contain itself"):
            blueprint.register_blueprint(blueprint)

    def test_not_even_through_another(self, blueprint):
        inner, innermost = Blueprint("inner", __name__), Blueprint("innermost", __name__)
        blueprint.register_blueprint(inner)
        inner.register_blueprint(innermost)
        with pytest.raises(ValueError, match="would contain itself"):
            innermost.register_blueprint(blueprint)

    def test_an_empty_outer_subdomain_adds_no_dot(self):
        app = Flask(__name__, static_folder=None, subdomain_matching=True)
        outer, inner = (
            Blueprint("outer", __name__, subdomain=""),
            Blueprint("inner", __name__, subdomain="in"),
        )
        inner.add_url_rule("/", "x", view)
        outer.register_blueprint(inner)
        app.register_blueprint(outer)
        assert next(app.url_map.iter_rules()).subdomain == "in"


class TestRecording:
    def test_recorded_functions_run_at_each_registration(self, app, blueprint):
        states = []
        blueprint.record(states.append)
        app.register_blueprint(blueprint, url_prefix="/1", custom="value")
        app.register_blueprint(blueprint, name="again")
        Flask(__name__).register_blueprint(blueprint)
        assert [(s.name, s.url_prefix, s.first_registration) for s in states] == [
            ("part", "/1", True),
            ("again", None, False),
            ("part", None, True),
        ]
        assert states[0].app is app
        assert states[0].blueprint is blueprint
        assert states[0].options == {"url_prefix": "/1", "custom": "value"}

    def test_functions_recorded_once_run_once_for_each_application(self, app, blueprint):
        apps = []
        blueprint.record_once(lambda state: apps.append(state.app))
        app.register_blueprint(blueprint)
        app.register_blueprint(blueprint, name="again")
        other = Flask(__name__)
        other.register_blueprint(blueprint)
        assert apps == [app, other]

    def test_a_registered_blueprint_takes_nothing_more(self, app, blueprint):
        app.register_blueprint(blueprint)
        late = {
            "route": ["/"],
            "add_url_rule": ["/", "x", view],
            "before_request": [view],
            "app_errorhandler": [404],
            "record": [view],
            "register_blueprint": [Blueprint("inner", __name__)],
        }
        for name, args in late.items():
            with pytest.raises(AssertionError, match=rf"{name}\(\) was called on the blueprint 'part' after"):
                getattr(blueprint, name)(*args)

    def test_the_setup_state_can_be_replaced(self, app):
        class State(BlueprintSetupState):
            def add_url_rule(self, rule, endpoint=None, view_func=None, **options):
                super().add_url_rule(f"/state{rule}", endpoint, view_func, **options)

        class Custom(Blueprint):
            def make_setup_state(self, app, options, first_registration=False):
                return State(self, app, options, first_registration)

        custom = Custom("custom", __name__, static_folder="files")
        custom.add_url_rule("/x", "x", view)
        app.register_blueprint(custom)
        assert rules(app) == [("/state/files/<path:filename>", "custom.static"), ("/state/x", "custom.x")]

    def test_a_wrong_app_error_handler_is_refused_where_it_is_written(self, blueprint):
        with pytest.raises(ValueError, match="status code 999"):
            blueprint.app_errorhandler(999)

    def test_first_request_functions_are_the_applications(self, app, blueprint):
        def first():
            return None

        assert blueprint.before_app_first_request(first) is first
        app.register_blueprint(blueprint)
        app.register_blueprint(blueprint, name="again")
        assert app.before_first_request_funcs == [first]


class TestRoutes:
    def test_options_that_flask_does_not_know_reach_the_application(self, blueprint):
        given = {}

        class App(Flask):
            def add_url_rule(self, rule, endpoint=None, view_func=None, provide_automatic_options=None, **options):
                given[endpoint] = (provide_automatic_options, options)

        blueprint.post("/x", stream=True, provide_automatic_options=False)(view)
        App(__name__, static_folder=None).register_blueprint(blueprint)
        assert given == {
            "part.view": (
                False,
                {"methods": ["POST"], "stream": True, "subdomain": None, "defaults": {}},
            )
        }

    def test_async_views_are_registered_as_they_are(self, app, blueprint):
        @blueprint.get("/x")
        async def x():
            return ""

        app.register_blueprint(blueprint)
        assert app.view_functions["part.x"] is x


class TestStaticFiles:
    @pytest.fixture
    def folder(self, tmp_path):
        (tmp_path / "files").mkdir()
        (tmp_path / "files" / "x.css").write_text("body {}")
        return str(tmp_path)

    def test_a_blueprint_serves_its_own_files(self, app, folder):
        blueprint = Blueprint("part", __name__, root_path=folder, static_folder="files", url_prefix="/p")
        app.register_blueprint(blueprint)
        response = app.test_client().get("/p/files/x.css")
        assert response.data == b"body {}"
        response.close()

    def test_a_blueprint_says_how_long_its_files_stay(self, app, folder):
        class Cached(Blueprint):
            def get_send_file_max_age(self, filename):
                return 100

        app.register_blueprint(Cached("part", __name__, root_path=folder, static_folder="files"))
        response = app.test_client().get("/files/x.css")
        assert response.cache_control.max_age == 100
        response.close()


class TestTemplates:
    def test_the_decorators_may_stand_without_parentheses(self, app, blueprint):
        @blueprint.app_template_filter
        def twice(value):
            return value * 2

        app.register_blueprint(blueprint)
        assert app.jinja_env.from_string("{{ 1|twice }}").render() == "2"

    def test_filters_tests_and_globals_are_the_applications(self, app, blueprint):
        @blueprint.app_template_filter()
        def twice(value):
            return value * 2

        @blueprint.app_template_test("even_number")
        def is_even(value):
            return value % 2 == 0

        @blueprint.app_template_global("answer")
        def get_answer():
            return 42

        blueprint.add_app_template_filter(twice, "double")
        blueprint.add_app_template_test(is_even)
        blueprint.add_app_template_global(get_answer)
        app.register_blueprint(blueprint)
        template = app.jinja_env.from_string(
            "{{ 1|twice }} {{ 2|double }} {{ 2 is even_number }} {{ 3 is is_even }} {{ answer() }}"
        )
        assert template.render() == "2 4 True False 42"
        assert app.jinja_env.globals["get_answer"] is get_answer


class TestCommands:
    @pytest.mark.parametrize(
        ("own", "option", "expected"),
        [
            ({}, {}, {"part": ["hello"]}),
            ({"cli_group": "custom"}, {}, {"custom": ["hello"]}),
            ({"cli_group": None}, {}, {"hello": None}),
            ({}, {"cli_group": None}, {"hello": None}),
            ({"cli_group": "custom"}, {"cli_group": "option"}, {"option": ["hello"]}),
            ({"cli_group": None}, {"cli_group": "option"}, {"option": ["hello"]}),
            ({}, {"name": "again"}, {"again": ["hello"]}),
        ],
    )
    def test_commands_are_in_the_group_that_is_asked_for(self, app, own, option, expected):
        blueprint = Blueprint("part", __name__, **own)
        blueprint.cli.command("hello")(lambda: None)
        app.register_blueprint(blueprint, **option)
        found = {
            name: sorted(command.commands) if isinstance(command, click.Group) else None
            for name, command in app.cli.commands.items()
        }
        assert found == expected

    def test_a_blueprint_without_commands_adds_no_group(self, app, blueprint):
        app.register_blueprint(blueprint)
        assert app.cli.commands == {}

    def test_each_registration_has_a_group_of_its_own_name(self, app, blueprint):
        blueprint.cli.command("hello")(lambda: None)
        app.register_blueprint(blueprint, name="one")
        app.register_blueprint(blueprint, name="two")
        assert {name: group.name for name, group in app.cli.commands.items()} == {"one": "one", "two": "two"}
        assert blueprint.cli.name == "part"

    def test_the_group_of_a_nested_blueprint_has_its_full_name(self, app, blueprint):
        blueprint.cli.command("hello")(lambda: None)
        outer = Blueprint("outer", __name__)
        outer.register_blueprint(blueprint)
        app.register_blueprint(outer)
        assert list(app.cli.commands) == ["outer.part"]


# Compared with Flask


class Framework:
    """Flask or flaskctx, with names under which registered functions can be compared."""

    def __init__(self, app_class, blueprint_class):
        self.App = app_class
        self.Blueprint = blueprint_class
        self.called = []

    def hook(self, name, result=None):
        def hook(*args, **kwargs):
            self.called.append(name)
            return args[0] if result is ... else result

        hook.label = name
        return hook

    def view(self, name, render_template_string):
        def view(**values):
            self.called.append(name)
            return render_template_string("")

        return view


def fill(framework, part, render_template_string):
    """Register one of everything on an application or blueprint."""
    hook, name = framework.hook, part.name
    part.before_request(hook(f"{name} before"))
    part.after_request(hook(f"{name} after", ...))
    part.teardown_request(hook(f"{name} teardown"))
    part.context_processor(hook(f"{name} context", {}))
    part.url_value_preprocessor(hook(f"{name} values"))
    part.url_defaults(hook(f"{name} defaults"))
    part.register_error_handler(404, hook(f"{name} 404", "x"))
    part.register_error_handler(ValueError, hook(f"{name} ValueError", "x"))
    part.add_url_rule(f"/{name}", name, framework.view(name, render_template_string))
    if isinstance(part, framework.Blueprint):
        part.before_app_request(hook(f"{name} app before"))
        part.after_app_request(hook(f"{name} app after", ...))
        part.teardown_app_request(hook(f"{name} app teardown"))
        part.app_context_processor(hook(f"{name} app context", {}))
        part.app_url_value_preprocessor(hook(f"{name} app values"))
        part.app_url_defaults(hook(f"{name} app defaults"))
        part.app_errorhandler(405)(hook(f"{name} 405", "x"))


def nested_app(framework, render_template_string):
    app = framework.App("app", root_path="/", static_folder=None)
    parts = {
        name: framework.Blueprint(name, __name__, root_path="/", url_prefix=f"/{name}", static_folder=f"{name}_files")
        for name in ("outer", "inner", "innermost", "sibling")
    }
    for part in (app, *parts.values()):
        fill(framework, part, render_template_string)
    parts["inner"].register_blueprint(parts["innermost"])
    parts["outer"].register_blueprint(parts["inner"], url_prefix="/renamed", name="named")
    parts["outer"].register_blueprint(parts["sibling"])
    app.register_blueprint(parts["outer"])
    app.register_blueprint(parts["sibling"], name="alone", url_prefix=None)
    return app


@pytest.fixture
def ours():
    framework = Framework(Flask, Blueprint)
    return framework, nested_app(framework, render_template_string)


@pytest.fixture
def theirs():
    if flask is None:
        pytest.skip("flask is not installed")
    framework = Framework(flask.Flask, flask.Blueprint)
    return framework, nested_app(framework, flask.render_template_string)


def described(rule):
    return rule.rule, rule.endpoint, rule.subdomain, rule.methods, rule.defaults


class TestSameAsFlask:
    def test_url_map_endpoints_and_blueprints(self, ours, theirs):
        (_, app), (_, flask_app) = ours, theirs
        assert [described(r) for r in app.url_map.iter_rules()] == [
            described(r) for r in flask_app.url_map.iter_rules()
        ]
        assert list(app.view_functions) == list(flask_app.view_functions)
        assert list(app.blueprints) == list(flask_app.blueprints)

    @pytest.mark.parametrize("registry", HOOK_REGISTRIES)
    def test_the_registries_hold_the_same_functions_in_the_same_order(self, ours, theirs, registry):
        def labels(app):
            return {
                name: [f.label for f in functions if hasattr(f, "label")]
                for name, functions in getattr(app, registry).items()
            }

        assert labels(ours[1]) == labels(theirs[1])

    def test_error_handlers(self, ours, theirs):
        def labels(app):
            return {
                (name, code, error): handler.label
                for name, by_code in app.error_handler_spec.items()
                for code, by_class in by_code.items()
                for error, handler in by_class.items()
            }

        assert labels(ours[1]) == labels(theirs[1])

    @pytest.mark.parametrize("url", ["/app", "/outer/outer", "/outer/renamed/innermost/innermost", "/sibling/sibling"])
    def test_the_order_in_which_hooks_are_called(self, ours, theirs, url):
        for _, app in (ours, theirs):
            response = app.test_client().get(url)
            assert response.status_code == 200
            response.close()
        assert ours[0].called == theirs[0].called

    @pytest.mark.parametrize("url", ["/nothing", "/outer/nothing"])
    def test_the_hooks_and_handlers_of_requests_that_match_nothing(self, ours, theirs, url):
        for _, app in (ours, theirs):
            app.test_client().get(url).close()
        assert ours[0].called == theirs[0].called

    @pytest.mark.parametrize("outer_prefix", [None, "", "/", "/p", "/p/"])
    @pytest.mark.parametrize("inner_prefix", [None, "", "/", "/i", "/i/"])
    @pytest.mark.parametrize("option", [{}, {"url_prefix": "/o"}, {"url_prefix": ""}])
    def test_prefixes(self, theirs, outer_prefix, inner_prefix, option):
        def build(app_class, blueprint_class):
            app = app_class("app", root_path="/", static_folder=None)
            outer = blueprint_class("outer", __name__, url_prefix=outer_prefix)
            inner = blueprint_class("inner", __name__, url_prefix=inner_prefix)
            for part in (outer, inner):
                part.add_url_rule("/", "slash", view)
                part.add_url_rule("/x", "x", view)
                if outer_prefix is not None:
                    part.add_url_rule("", "empty", view)
            outer.register_blueprint(inner, **option)
            try:
                app.register_blueprint(outer)
            except ValueError:
                return "refused"
            return rules(app)

        assert build(Flask, Blueprint) == build(flask.Flask, flask.Blueprint)

    @pytest.mark.parametrize("outer_option", [{}, {"subdomain": "so"}])
    @pytest.mark.parametrize("inner_option", [{}, {"subdomain": "si"}])
    @pytest.mark.parametrize("outer_subdomain", [None, "o"])
    @pytest.mark.parametrize("inner_subdomain", [None, "i"])
    def test_subdomains(self, theirs, outer_option, inner_option, outer_subdomain, inner_subdomain):
        def build(app_class, blueprint_class):
            app = app_class("app", root_path="/", static_folder=None, subdomain_matching=True)
            outer = blueprint_class("outer", __name__, subdomain=outer_subdomain)
            inner = blueprint_class("inner", __name__, subdomain=inner_subdomain)
            for part in (outer, inner):
                part.add_url_rule("/x", "x", view)
                part.add_url_rule("/own", "own", view, subdomain="own")
            outer.register_blueprint(inner, **inner_option)
            app.register_blueprint(outer, **outer_option)
            return [described(rule) for rule in app.url_map.iter_rules()]

        assert build(Flask, Blueprint) == build(flask.Flask, flask.Blueprint)

    def test_url_defaults(self, theirs):
        def build(app_class, blueprint_class):
            app = app_class("app", root_path="/", static_folder=None)
            outer = blueprint_class("outer", __name__, url_defaults={"a": 1, "b": 1})
            inner = blueprint_class("inner", __name__, url_defaults={"c": 1})
            for part in (outer, inner):
                part.add_url_rule("/x", "x", view)
                part.add_url_rule("/own", "own", view, defaults={"a": 2, "d": 2})
            outer.register_blueprint(inner, url_defaults={"c": 3, "e": 3})
            app.register_blueprint(outer, url_defaults={"b": 4, "f": 4})
            return [described(rule) for rule in app.url_map.iter_rules()]

        assert build(Flask, Blueprint) == build(flask.Flask, flask.Blueprint)


def test_a_blueprints_templates_do_not_repeat_the_applications_defaults(app, blueprint):
    app.register_blueprint(blueprint)
    processors = [f for functions in app.template_context_processors.values() for f in functions]
    assert processors.count(_default_template_ctx_processor) == 1
