"""flaskctx/templating.py: the Jinja environment, its loader, template contexts and rendering."""

from __future__ import annotations

import logging

import pytest
from jinja2 import DictLoader, Template, TemplateNotFound, UndefinedError

from flaskctx.app import Flask
from flaskctx.blueprints import Blueprint
from flaskctx.globals import current_app, g, request, session
from flaskctx.helpers import flash
from flaskctx.signals import before_render_template, template_rendered
from flaskctx.templating import (
    DispatchingJinjaLoader,
    Environment,
    render_template,
    render_template_async,
    render_template_string,
    render_template_string_async,
    stream_template,
    stream_template_string,
)

TEMPLATES = {
    "hello.html": "Hello {{ name }}!",
    "hello.txt": "Hello {{ name }}!",
    "parts.html": "{% macro path() %}{{ request.path }}{% endmacro %}",
    "import.html": "{% import 'parts.html' as parts %}{{ parts.path() }}",
    "await.html": "{{ fetch() }}",
}


def make_app(kind=Flask, **options):
    app = kind("templating", **options)
    app.config["SECRET_KEY"] = "secret"
    app.jinja_loader = DictLoader(TEMPLATES)
    return app


@pytest.fixture
def app():
    return make_app()


@pytest.fixture
def async_app():
    """An application whose Jinja environment was made with `enable_async`."""
    app = make_app()
    app.jinja_options = {**app.jinja_options, "enable_async": True}

    async def fetch():
        return "fetched"

    app.jinja_env.globals["fetch"] = fetch
    return app


# Rendering


def test_a_template_is_rendered_with_the_given_variables(app):
    with app.app_context():
        assert render_template("hello.html", name="World") == "Hello World!"


def test_of_several_templates_the_first_that_exists_is_rendered(app):
    with app.app_context():
        assert render_template(["missing.html", "hello.txt"], name="List") == "Hello List!"


def test_a_template_object_is_rendered_as_it_is(app):
    with app.app_context():
        template = app.jinja_env.get_template("hello.html")
        assert render_template(template, name="object") == "Hello object!"


def test_a_missing_template_is_an_error(app):
    with app.app_context(), pytest.raises(TemplateNotFound, match="missing"):
        render_template("missing.html")


def test_text_is_rendered_as_a_template(app):
    with app.app_context():
        assert render_template_string("{{ a }} + {{ b }}", a=1, b=2) == "1 + 2"


@pytest.mark.parametrize("render", [render_template, render_template_string, stream_template])
def test_rendering_needs_an_application(render):
    with pytest.raises(RuntimeError, match="application context"):
        render("hello.html")


def test_a_streamed_template_comes_in_pieces(app):
    with app.app_context():
        pieces = stream_template("hello.html", name="stream")
        assert list(pieces) == ["Hello ", "stream", "!"]


def test_streamed_text_comes_in_pieces(app):
    with app.app_context():
        assert list(stream_template_string("a{{ b }}c", b="-")) == ["a", "-", "c"]


def test_a_streamed_template_keeps_the_request_until_its_last_piece(app):
    def stream():
        return stream_template_string("{% for n in numbers %}{{ n }}{{ request.args.a }}{% endfor %}", numbers=[1, 2])

    app.add_url_rule("/", "stream", stream)
    assert app.test_client().get("/?a=x").text == "1x2x"


# What templates see


def test_templates_see_request_session_and_g(app):
    with app.test_request_context("/?x=1"):
        session["s"] = 2
        g.y = 3
        assert render_template_string("{{ request.args.x }} {{ session.s }} {{ g.y }}") == "1 2 3"


def test_without_a_request_templates_see_g_only(app):
    with app.app_context():
        g.y = 3
        assert render_template_string("{{ g.y }}") == "3"
        with pytest.raises((RuntimeError, UndefinedError)):
            render_template_string("{{ request.path }}")


def test_templates_see_the_objects_themselves_and_not_their_proxies(app):
    seen = {}
    app.jinja_env.globals["look"] = lambda **names: seen.update(names) or ""
    with app.test_request_context():
        render_template_string("{{ look(request=request, g=g) }}")
        assert seen["request"] is request._get_current_object()
        assert seen["g"] is g._get_current_object()


def test_templates_see_the_session_which_is_opened_if_they_use_it(app):
    with app.test_request_context() as context:
        assert render_template_string("{{ session is defined }}") == "True"
        assert "session" not in vars(context)
        session["user"] = "ada"
        assert render_template_string("{{ session.user }}") == "ada"


def test_templates_imported_without_context_see_the_request(app):
    with app.test_request_context("/here"):
        assert render_template("import.html") == "/here"


def test_templates_have_url_for_config_and_flashed_messages(app):
    app.add_url_rule("/there", "there")
    with app.test_request_context():
        flash("note")
        source = "{{ url_for('there') }} {{ config.SECRET_KEY }} {{ get_flashed_messages() }}"
        assert render_template_string(source) == "/there secret [&#39;note&#39;]"


def test_tojson_uses_the_applications_json_also_when_it_is_replaced_later(app):
    class Shouting(app.json_provider_class):
        def dumps(self, obj, **kwargs):
            return super().dumps(obj, **kwargs).upper()

    with app.app_context():
        assert render_template_string("{{ {'a': 'b'}|tojson }}") == '{"a": "b"}'
        app.json = Shouting(app)
        assert render_template_string("{{ {'a': 'b'}|tojson }}") == '{"A": "B"}'


# Context processors


def test_context_processors_add_variables(app):
    app.context_processor(lambda: {"name": "processor"})
    with app.app_context():
        assert render_template("hello.html") == "Hello processor!"


def test_given_variables_win_over_context_processors(app):
    app.context_processor(lambda: {"name": "processor"})
    with app.app_context():
        assert render_template("hello.html", name="given") == "Hello given!"


def test_a_later_context_processor_wins_over_an_earlier_one(app):
    app.context_processor(lambda: {"name": "first"})
    app.context_processor(lambda: {"name": "second"})
    with app.app_context():
        assert render_template("hello.html") == "Hello second!"


async def test_async_context_processors_need_an_awaited_rendering_on_a_loop(app):
    @app.context_processor
    async def processor():
        return {"name": "processor"}

    async with app.app_context():
        assert await render_template_async("hello.html") == "Hello processor!"
        with pytest.raises(RuntimeError, match=r"processor is async def.* Use render_template_async"):
            render_template("hello.html")


def test_context_processors_of_blueprints_run_for_their_requests_innermost_last(app):
    outer, inner, other = (Blueprint(name, "templating") for name in ("outer", "inner", "other"))
    app.context_processor(lambda: {"order": ["app"], "name": "app"})
    for blueprint in (outer, inner, other):
        blueprint.context_processor(lambda name=blueprint.name: {"name": name, name: True})
    inner.add_url_rule("/inner", "view", lambda: render_template_string("{{ name }} {{ outer }} {{ other }}"))
    outer.register_blueprint(inner)
    app.register_blueprint(outer)
    app.register_blueprint(other)
    app.add_url_rule("/", "view", lambda: render_template_string("{{ name }}"))
    assert app.test_client().get("/inner").text == "inner True "
    assert app.test_client().get("/").text == "app"


def test_an_async_context_processor_is_awaited_in_a_def_view(app):
    @app.context_processor
    async def name():
        return {"name": request.path}

    app.add_url_rule("/here", "view", lambda: render_template("hello.html"))
    assert app.test_client().get("/here").text == "Hello /here!"


def test_an_overridden_update_template_context_is_used():
    class Custom(Flask):
        def update_template_context(self, context):
            super().update_template_context(context)
            context["name"] = "custom"

    with make_app(Custom).app_context():
        assert render_template("hello.html", name="given") == "Hello custom!"
        assert "".join(stream_template("hello.html")) == "Hello custom!"


# Signals


def test_rendering_is_announced_before_and_after(app):
    seen = []

    def before(sender, template, context):
        context["name"] = "changed"
        seen.append(("before", sender, template.name))

    def after(sender, template, context):
        seen.append(("after", sender, context["name"]))

    with before_render_template.connected_to(before, app), template_rendered.connected_to(after, app):
        with app.app_context():
            assert render_template("hello.html", name="x") == "Hello changed!"
    assert seen == [("before", app, "hello.html"), ("after", app, "changed")]


def test_the_end_of_a_stream_is_announced_after_its_last_piece(app):
    seen = []

    def after(sender, template, context):
        seen.append(template.name)

    with template_rendered.connected_to(after, app), app.app_context():
        pieces = stream_template("hello.html", name="x")
        next(pieces)
        assert seen == []
        list(pieces)
        assert seen == ["hello.html"]


def test_async_receivers_hear_of_a_rendering(app):
    seen = []

    async def after(sender, template, context):
        seen.append(template.name)

    with template_rendered.connected_to(after, app), app.app_context():
        render_template("hello.html", name="x")
    assert seen == ["hello.html"]


# Awaitable forms


async def test_a_template_is_rendered_in_a_coroutine(app):
    with app.app_context():
        assert await render_template_async("hello.html", name="coroutine") == "Hello coroutine!"
        assert await render_template_string_async("{{ a }}", a=1) == "1"


async def test_the_sync_form_works_in_a_coroutine_where_nothing_is_async(app):
    app.context_processor(lambda: {"name": "processor"})
    with app.app_context():
        assert render_template("hello.html") == "Hello processor!"


async def test_context_processors_of_both_kinds_are_run_in_a_coroutine(app):
    @app.context_processor
    async def awaited():
        return {"a": request.path, "b": 1}

    @app.context_processor
    def called():
        return {"b": request.path}

    with app.test_request_context("/x"):
        assert await render_template_string_async("{{ a }} {{ b }} {{ request.path }}") == "/x /x /x"
        assert await render_template_string_async("{{ a }} {{ b }}", b="given") == "/x given"


async def test_receivers_of_both_kinds_hear_of_a_rendering_in_a_coroutine(app):
    seen = []

    async def before(sender, template, context):
        seen.append("before")

    def after(sender, template, context):
        seen.append("after")

    with before_render_template.connected_to(before, app), template_rendered.connected_to(after, app):
        with app.app_context():
            await render_template_async("hello.html", name="x")
    assert seen == ["before", "after"]


async def test_an_overridden_update_template_context_is_used_in_a_coroutine():
    class Custom(Flask):
        def update_template_context(self, context):
            super().update_template_context(context)
            context["name"] = "custom"

    with make_app(Custom).app_context():
        assert await render_template_async("hello.html", name="given") == "Hello custom!"


async def test_an_async_override_of_update_template_context_is_awaited():
    class Custom(Flask):
        async def update_template_context(self, context):
            context["name"] = current_app.name

    with make_app(Custom).app_context():
        assert await render_template_async("hello.html") == "Hello templating!"


# enable_async


async def test_an_async_environment_is_awaited(async_app):
    with async_app.app_context():
        assert await render_template_async("await.html") == "fetched"


def test_an_async_environment_renders_without_a_running_loop(async_app):
    with async_app.app_context():
        assert render_template("await.html") == "fetched"


def test_an_async_environment_streams_without_a_running_loop(async_app):
    with async_app.app_context():
        assert "".join(stream_template("await.html")) == "fetched"


async def test_an_async_environment_refuses_to_render_where_a_loop_runs(async_app):
    with async_app.app_context(), pytest.raises(RuntimeError):
        render_template("await.html")


# The environment


def test_the_environment_knows_its_application(app):
    assert type(app.jinja_env) is Environment
    assert app.jinja_env.app is app


def test_the_environment_takes_the_loader_it_is_given(app):
    loader = DictLoader({})
    assert Environment(app, loader=loader).loader is loader
    assert type(Environment(app).loader) is DispatchingJinjaLoader


@pytest.mark.parametrize(
    ("name", "escaped"),
    [
        ("a.html", True),
        ("a.htm", True),
        ("a.xml", True),
        ("a.xhtml", True),
        ("a.svg", True),
        ("a.txt", False),
    ],
)
def test_values_are_escaped_by_the_suffix_of_the_template(app, name, escaped):
    app.jinja_loader = DictLoader({name: "{{ value }}"})
    with app.app_context():
        assert render_template(name, value="<b>") == ("&lt;b&gt;" if escaped else "<b>")


def test_values_are_escaped_in_templates_given_as_text(app):
    with app.app_context():
        assert render_template_string("{{ value }}", value="<b>") == "&lt;b&gt;"


def test_an_overridden_select_jinja_autoescape_decides():
    class Custom(Flask):
        def select_jinja_autoescape(self, filename):
            return False

    with make_app(Custom).app_context():
        assert render_template("hello.html", name="<b>") == "Hello <b>!"


@pytest.mark.parametrize(
    ("configured", "debug", "reload"),
    [(None, False, False), (None, True, True), (True, False, True), (False, True, False)],
)
def test_templates_are_reloaded_as_configured_or_in_debug_mode(app, configured, debug, reload):
    app.config["TEMPLATES_AUTO_RELOAD"] = configured
    app.debug = debug
    assert app.jinja_env.auto_reload is reload


def test_jinja_options_are_used_and_left_as_they_are(app):
    app.jinja_options = {"variable_start_string": "[[", "variable_end_string": "]]", "auto_reload": True}
    with app.app_context():
        assert render_template_string("[[ a ]]{{ a }}", a=1) == "1{{ a }}"
    assert app.jinja_env.auto_reload is True
    assert len(app.jinja_options) == 3


def test_an_environment_class_of_ones_own_is_used():
    class Custom(Environment):
        pass

    class CustomApp(Flask):
        jinja_environment = Custom

    assert type(make_app(CustomApp).jinja_env) is Custom


# Globals of templates: those that Jinja's own template class gives

JINJA_TEMPLATES = {
    "layout.html": (
        "{% set local = 1 %}{% include 'part.html' %}{% block title %}t{% endblock %}{% block body %}{% endblock %}"
    ),
    "macros.html": ("{% set exported = shared %}{% macro show(a) %}{{ a }} {{ shared }} {{ given }}{% endmacro %}"),
    "page.html": (
        "{% extends 'layout.html' %}{% from 'macros.html' import show %}"
        "{% block body %}{{ own }} {{ shared }} {{ show('x') }} {{ self.title() }}{% endblock %}"
    ),
    "part.html": (
        "{% import 'macros.html' as m with context %}{{ local }} {{ given }} {{ m.show(own) }} {{ m.exported }}"
    ),
}


@pytest.mark.parametrize("name", JINJA_TEMPLATES)
@pytest.mark.parametrize("given", [{}, {"given": 1}, {"given": 1, "shared": "given", "own": "given"}])
@pytest.mark.parametrize("own", [{}, {"own": "own"}, {"own": "own", "shared": "own"}])
def test_templates_render_as_with_jinjas_own_template_class(app, name, given, own):
    def rendered(template_class):
        environment = Environment(app, loader=DictLoader(JINJA_TEMPLATES))
        environment.template_class = template_class
        environment.globals["shared"] = "environment"
        template = environment.get_template(name, globals=own)
        module = template.make_module(dict(given))
        return template.render(given), sorted(vars(module)), getattr(module, "exported", None)

    assert rendered(Environment.template_class) == rendered(Template)


def test_globals_may_change_after_a_template_was_loaded(app):
    template = app.jinja_env.from_string("{{ a }} {{ b }}", globals={"a": 1})
    app.jinja_env.globals["b"] = 2
    assert template.render() == "1 2"
    template.globals["b"] = 3
    assert template.render() == "1 3"
    assert app.jinja_env.globals["b"] == 2


def test_an_environment_may_make_its_globals_another_way(app):
    class Custom(Environment):
        def make_globals(self, d):
            return {**self.globals, "a": "custom"}

    assert Custom(app).from_string("{{ a }}").render() == "custom"


# Filters, tests and globals


@pytest.mark.parametrize(
    ("kind", "source"),
    [("filter", "{{ 'a'|shout }}"), ("test", "{{ 'a' is shout }}"), ("global", "{{ shout('a') }}")],
)
def test_filters_tests_and_globals_are_registered_by_decorators(app, kind, source):
    def shout(text):
        return text.upper() + "!"

    decorator = getattr(app, f"template_{kind}")
    assert decorator()(shout) is shout
    decorator("loud")(shout)
    with app.app_context():
        assert render_template_string(source) == render_template_string(source.replace("shout", "loud")) == "A!"


def test_a_decorator_without_parentheses_registers_too(app):
    @app.template_filter
    def shout(text):
        return text.upper()

    with app.app_context():
        assert render_template_string("{{ 'a'|shout }}") == shout("a") == "A"


# The loader


def with_blueprints(app):
    for name in ("one", "two"):
        blueprint = Blueprint(name, "templating")
        blueprint.jinja_loader = DictLoader({"both.html": name, f"{name}.html": name, "hello.html": name})
        app.register_blueprint(blueprint)
    return app


def test_blueprints_are_searched_after_the_application_in_their_order(app):
    with with_blueprints(app).app_context():
        assert render_template("hello.html", name="app") == "Hello app!"
        assert render_template("both.html") == "one"
        assert render_template("two.html") == "two"


def test_all_templates_are_listed_once(app):
    names = with_blueprints(app).jinja_env.list_templates()
    assert sorted(names) == sorted([*TEMPLATES, "both.html", "one.html", "two.html"])


def test_an_application_without_a_template_folder_has_no_loader():
    app = Flask("templating", template_folder=None)
    assert app.jinja_env.list_templates() == []
    with app.app_context(), pytest.raises(TemplateNotFound):
        render_template("hello.html")


def test_the_search_is_explained_on_request(app, caplog):
    app.config["EXPLAIN_TEMPLATE_LOADING"] = True
    with_blueprints(app)
    with app.app_context(), caplog.at_level(logging.INFO):
        assert render_template("both.html") == "one"
    [record] = caplog.records
    assert all(word in record.getMessage() for word in ("both.html", "'one'", "'two'", "templating"))


def test_a_search_in_vain_is_explained_too(app, caplog):
    app.config["EXPLAIN_TEMPLATE_LOADING"] = True
    with app.app_context(), caplog.at_level(logging.INFO), pytest.raises(TemplateNotFound):
        render_template("missing.html")
    assert "missing.html" in caplog.text


# The same as Flask

SOURCES = [
    "{{ a }} {{ b|safe }} {{ c|tojson }}",
    "{{ request.args.x }} {{ session.get('s') }} {{ g.get('y') }}",
    "{{ url_for('page', n=1, q='ä&') }} {{ url_for('page', n=1, _external=True) }}",
    "{{ config['SECRET_KEY'] }} {{ get_flashed_messages() }}",
    "{% include 'hello.html' %}{% import 'parts.html' as p %}{{ p.path() }}",
    "{{ processed }} {{ a }} {{ missing }}",
]


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("name", ["page.html", "page.txt", None])
@pytest.mark.parametrize("streamed", [False, True])
def test_templates_are_rendered_as_flask_renders_them(source, name, streamed):
    flask = pytest.importorskip("flask")

    def answer(kind, render, render_string, stream):
        app = make_app(kind)
        app.jinja_loader = DictLoader({**TEMPLATES, "page.html": source, "page.txt": source})
        app.add_url_rule("/page/<int:n>", "page")
        app.context_processor(lambda: {"processed": "<p>", "a": "processed"})
        values = {"a": "<a>", "b": "<b>", "c": {"d": "<'&>"}, "name": "<n>"}
        with app.test_request_context("/?x=<1>"):
            if name is None:
                return render_string(source, **values)
            return "".join(stream(name, **values)) if streamed else render(name, **values)

    theirs = (flask.Flask, flask.render_template, flask.render_template_string, flask.stream_template)
    ours = (Flask, render_template, render_template_string, stream_template)
    assert answer(*ours) == answer(*theirs)
