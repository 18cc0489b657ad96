"""Templates: what they see, and the signals around them."""

from __future__ import annotations

from ..recording import Boom, raising
from ..scenario import each, scenario


@scenario("GET /", "GET /in/")
def context_processors(framework, app, log):
    blueprint = framework.Blueprint("inner", "app", url_prefix="/in")
    app.context_processor(log.on_def("processor app 1", lambda: {"a": 1, "b": 1, "c": 1}))
    app.context_processor(log.on_def("processor app 2", lambda: {"b": 2}))
    blueprint.context_processor(log.on_def("processor inner", lambda: {"c": "inner"}))
    blueprint.app_context_processor(log.on_def("processor app of inner", lambda: {"d": "app"}))
    for owner, name in ((app, "view"), (blueprint, "inner")):
        render = log.on(name, lambda: framework.render_template_string("{{ a }} {{ b }} {{ c }} {{ d }}", a="given"))
        owner.get("/")(render)
    app.register_blueprint(blueprint)


TEMPLATES = {
    "file": lambda f: f.render_template("hello.html", name="you"),
    "escaping": lambda f: f.render_template("hello.html", name="<b>"),
    "of text, escaping": lambda f: f.render_template_string("{{ name }}", name="<b>"),
    "text file": lambda f: f.render_template("plain.txt", name="<b>"),
    "first that is there": lambda f: f.render_template(["nowhere.html", "hello.html"], name="you"),
    "not there": lambda f: f.render_template("nowhere.html"),
    "inherited": lambda f: f.render_template("child.html"),
    "broken": lambda f: f.render_template_string("{% if %}"),
    "globals": lambda f: f.render_template_string("{{ request.path }} {{ g.name }} {{ config.TESTING }}"),
    "session": lambda f: f.render_template_string("{{ session.get('a') }}"),
    "session changed": lambda f: f.session.update(a=1) or f.render_template_string("{{ session['a'] }}"),
    "session unused": lambda f: f.render_template_string("{{ 1 + 1 }}"),
    "session in a condition": lambda f: f.render_template_string("{% if session %}yes{% else %}no{% endif %}"),
    "url_for": lambda f: f.render_template_string("{{ url_for('view') }} {{ url_for('static', filename='a.css') }}"),
    "tojson": lambda f: f.render_template_string("{{ {'a': '<b>'}|tojson }}"),
    "undefined": lambda f: f.render_template_string("[{{ nothing }}]"),
    "attribute of undefined": lambda f: f.render_template_string("{{ nothing.more }}"),
    "macro": lambda f: f.get_template_attribute("macros.html", "hello")("you"),
    "twice": lambda f: f.render_template_string("a") + f.render_template_string("b"),
    "streamed": lambda f: f.stream_template("hello.html", name="you"),
    "text streamed": lambda f: f.stream_template_string("{{ request.path }} {{ name }}", name="you"),
}


@each(TEMPLATES, "GET /")
def rendered(framework, app, log, render):
    app.get("/")(log.on("view", lambda: render(framework)))
    app.context_processor(log.on_def("processor", lambda: {"extra": 1}))


@scenario("GET /", "GET /in/", "GET /in/own")
def templates_of_a_blueprint(framework, app, log):
    blueprint = framework.Blueprint("inner", "app", url_prefix="/in", template_folder="inner_templates")
    blueprint.get("/")(log.on("inner", lambda: framework.render_template("hello.html", name="you")))
    blueprint.get("/own")(log.on("own", lambda: framework.render_template("own.html")))
    app.get("/")(log.on("view", lambda: framework.render_template("own.html")))
    blueprint.root_path = app.root_path
    app.register_blueprint(blueprint)


@scenario("GET /")
def filters_tests_and_globals(framework, app, log):
    app.template_filter("double")(lambda value: value * 2)
    app.template_test("tiny")(lambda value: value < 3)
    app.template_global("answer")(lambda: 42)
    app.add_template_filter(lambda value: f"<{value}>", "bracket")
    blueprint = framework.Blueprint("inner", "app")
    blueprint.app_template_filter("triple")(lambda value: value * 3)
    blueprint.app_template_test("huge")(lambda value: value > 100)
    blueprint.app_template_global("question")(lambda: "why")
    app.register_blueprint(blueprint)
    source = "{{ 2|double|triple|bracket }} {{ 2 is tiny }} {{ 2 is huge }} {{ answer() }} {{ question() }}"
    app.get("/")(log.on("view", lambda: framework.render_template_string(source)))


@scenario("GET /")
def a_failing_template_sends_no_second_signal(framework, app, log):
    app.jinja_env.globals["fail"] = log.on_def("fail", raising(Boom("from the template")))
    app.get("/")(log.on("view", lambda: framework.render_template_string("a{{ fail() }}b")))


@scenario("GET /")
def a_streamed_template_that_fails(framework, app, log):
    app.jinja_env.globals["fail"] = log.on_def("fail", raising(Boom("from the template")))
    app.get("/")(log.on("view", lambda: framework.stream_template_string("{% for _ in [1] %}{{ fail() }}{% endfor %}")))


@scenario()
def rendered_without_a_request(framework, app, log):
    app.context_processor(log.on_def("processor", lambda: {"a": 1}))
    with app.app_context():
        log(
            framework.render_template_string(
                "{{ a }} {{ g.get('b') }} {{ request is defined }} {{ session is defined }}"
            )
        )


@scenario()
def rendered_without_any_context(framework, app, log):
    try:
        framework.render_template_string("a")
    except RuntimeError as error:
        log("raised", error)


@scenario("GET /")
def a_handler_that_renders(framework, app, log):
    app.get("/")(log.on("view", raising(Boom("from the view"))))
    render = log.on("handler", lambda error: (framework.render_template("hello.html", name=error), 500))
    app.register_error_handler(Boom, render)
    app.context_processor(log.on_def("processor", dict))
