"""The hooks of a request: their order, what they are given, and what they may change."""

from __future__ import annotations

from ..recording import passing, recording_sessions
from ..scenario import each, scenario


def register_all(owner, name, log):
    """Register two hooks of every kind on an application or a blueprint."""
    for number in (1, 2):
        owner.url_value_preprocessor(log.on_def(f"values {name} {number}"))
        owner.before_request(log.on(f"before {name} {number}"))
        owner.after_request(log.on(f"after {name} {number}", passing))
        owner.teardown_request(log.on(f"teardown {name} {number}"))


def nested_blueprints(framework, app, log):
    """Register `outer` in the application and `inner` in `outer`, all with hooks; return the blueprints."""
    outer, inner = framework.Blueprint("outer", "app"), framework.Blueprint("inner", "app")
    for owner, name in ((app, "app"), (outer, "outer"), (inner, "inner")):
        register_all(owner, name, log)
        owner.get(f"/{name}/<int:number>")(log.on(f"view {name}", lambda number: f"{number}"))
    outer.register_blueprint(inner, url_prefix="/in")
    app.register_blueprint(outer, url_prefix="/out")
    return outer, inner


@scenario("GET /app/1", "GET /out/outer/2", "GET /out/in/inner/3", "GET /out/in/nowhere", "POST /out/in/inner/4")
def order_with_nested_blueprints(framework, app, log):
    app.session_interface = recording_sessions(framework, log)
    app.teardown_appcontext(log.on("teardown appcontext 1"))
    app.teardown_appcontext(log.on("teardown appcontext 2"))
    nested_blueprints(framework, app, log)


@scenario("GET /", "GET /in/")
def hooks_that_a_blueprint_registers_for_the_application(framework, app, log):
    blueprint = framework.Blueprint("inner", "app", url_prefix="/in")
    blueprint.app_url_value_preprocessor(log.on_def("app values"))
    blueprint.before_app_request(log.on("before app"))
    blueprint.after_app_request(log.on("after app", passing))
    blueprint.teardown_app_request(log.on("teardown app"))
    blueprint.get("/")(log.on("inner view", lambda: "inner"))
    app.get("/")(log.on("view", lambda: "view"))
    app.register_blueprint(blueprint)


EARLY = {
    "text": lambda f: "early",
    "empty text": lambda f: "",
    "False": lambda f: False,
    "zero": lambda f: 0,
    "empty dict": lambda f: {},
    "empty list": lambda f: [],
    "response": lambda f: f.Response("early", 202),
    "tuple": lambda f: ("early", 201, {"X-Early": "1"}),
    "redirect": lambda f: f.redirect("/elsewhere"),
    "nothing": lambda f: None,
}


@each(EARLY, "GET /")
def a_before_hook_returns(framework, app, log, make):
    app.before_request(log.on("before 1"))
    app.before_request(log.on("before 2", lambda: make(framework)))
    app.before_request(log.on("before 3"))
    app.get("/")(log.on("view", lambda: "view"))
    app.after_request(log.on("after", passing))
    app.teardown_request(log.on("teardown"))


@scenario("GET /out/", "GET /out/in/")
def before_hooks_of_the_outer_blueprint_answer_first(framework, app, log):
    outer, inner = framework.Blueprint("outer", "app"), framework.Blueprint("inner", "app")
    for owner, name in ((outer, "outer"), (inner, "inner")):
        owner.before_request(log.on(f"before {name}", lambda name=name: f"from {name}"))
        owner.after_request(log.on(f"after {name}", passing))
        owner.get("/")(log.on(f"view {name}", lambda: "view"))
    outer.register_blueprint(inner, url_prefix="/in")
    app.register_blueprint(outer, url_prefix="/out")


@scenario("GET /nowhere", "POST /", "GET /slash", "GET /static/hello.txt", "GET /static/nowhere", "OPTIONS /")
def hooks_run_whatever_the_url_leads_to(framework, app, log):
    register_all(app, "app", log)
    app.get("/")(log.on("view", lambda: "view"))
    app.get("/slash/")(log.on("slash", lambda: "view"))


@scenario("GET /")
def an_after_hook_replaces_the_response(framework, app, log):
    app.get("/")(log.on("view", lambda: "view"))
    app.after_request(log.on("after 1", lambda response: framework.Response("from after 1", 202)))
    app.after_request(log.on("after 2", lambda response: framework.Response("from after 2", 201)))


@scenario("GET /")
def an_after_hook_changes_the_response(framework, app, log):
    def change(response):
        response.headers["X-Changed"] = "1"
        response.set_data(response.get_data() + b" changed")
        response.status_code = 202
        return response

    app.get("/")(log.on("view", lambda: "view"))
    app.after_request(log.on("after", change))


@scenario("GET /")
def an_after_hook_returns_nothing(framework, app, log):
    app.get("/")(log.on("view", lambda: "view"))
    app.after_request(log.on("after 1", passing))
    app.after_request(log.on("after 2", lambda response: None))
    app.teardown_request(log.on("teardown"))


@scenario("GET /", "GET /plain")
def after_this_request(framework, app, log):
    def view():
        framework.after_this_request(log.on("after this 1", passing))
        framework.after_this_request(log.on("after this 2", passing))
        return "view"

    app.get("/")(log.on("view", view))
    app.get("/plain")(log.on("plain", lambda: "plain"))
    app.after_request(log.on("after", passing))
    app.before_request(log.on("before", lambda: framework.after_this_request(log.on("from before", passing)) and None))


@scenario("GET /")
def after_this_request_in_an_after_hook_is_too_late(framework, app, log):
    def after(response):
        framework.after_this_request(log.on("after this", passing))
        return response

    app.get("/")(log.on("view", lambda: "view"))
    app.after_request(log.on("after", after))


@scenario("GET /")
def after_this_request_asked_for_by_another_one(framework, app, log):
    def again(response):
        framework.after_this_request(log.on("second", passing))
        return response

    app.get("/")(log.on("view", lambda: framework.after_this_request(log.on("first", again)) and "view"))


@scenario("GET /")
def after_this_request_replaces_the_response(framework, app, log):
    replace = log.on("after this", lambda response: framework.Response("replaced", 202))
    app.get("/")(log.on("view", lambda: framework.after_this_request(replace) and "view"))
    app.after_request(log.on("after", passing))


@scenario("GET /de/page", "GET /de/in/page", "GET /nowhere")
def url_values_are_preprocessed_and_filled_in(framework, app, log):
    def take(endpoint, values):
        if values is not None:
            framework.g.language = values.pop("language")

    def fill(endpoint, values):
        values.setdefault("language", framework.g.language)

    blueprint = framework.Blueprint("inner", "app", url_prefix="/<language>/in")
    blueprint.url_value_preprocessor(log.on_def("values inner"))
    blueprint.url_defaults(log.on_def("defaults inner"))
    blueprint.get("/page", endpoint="page")(log.on("page inner", lambda: framework.url_for(".page")))
    app.url_value_preprocessor(log.on_def("values app", take))
    app.url_defaults(log.on_def("defaults app", fill))
    app.get("/<language>/page", endpoint="page")(log.on("page", lambda: framework.url_for("page", language="fr")))
    app.register_blueprint(blueprint)


@scenario("GET /in/", "GET /")
def url_hooks_that_a_blueprint_registers_for_the_application(framework, app, log):
    blueprint = framework.Blueprint("inner", "app", url_prefix="/in")
    blueprint.app_url_defaults(log.on_def("app defaults", lambda endpoint, values: values.update(a=1)))
    blueprint.get("/")(log.on("inner view", lambda: framework.url_for(".inner_view")))
    app.get("/")(log.on("view", lambda: framework.url_for("view")))
    app.register_blueprint(blueprint)


@scenario("GET /1/a", "GET /x/a")
def hooks_see_endpoint_and_arguments(framework, app, log):
    def look(*args):
        request = framework.request
        log("sees", request.endpoint, request.view_args, request.blueprint, request.blueprints, str(request.url_rule))
        return args[-1] if args else None

    app.url_value_preprocessor(log.on_def("values", lambda endpoint, values: look() and None))
    app.before_request(log.on("before", look))
    app.get("/<int:number>/<name>")(log.on("view", lambda number, name: name))
    app.after_request(log.on("after", look))
    app.teardown_request(log.on("teardown", look))


@scenario("GET /")
def everything_shares_g(framework, app, log):
    def add(*args):
        framework.g.trail = [*framework.g.get("trail", []), len(framework.g.get("trail", []))]
        log("trail", framework.g.trail)
        return args[-1] if args else None

    app.before_request(log.on("before", add))
    app.get("/")(log.on("view", lambda: str(add())))
    app.after_request(log.on("after", add))
    app.teardown_request(log.on("teardown request", add))
    app.teardown_appcontext(log.on("teardown appcontext", add))


@scenario("GET /", "GET /")
def g_is_new_for_each_request(framework, app, log):
    def view():
        seen, framework.g.seen = framework.g.get("seen"), True
        return f"{seen} {'seen' in framework.g} {sorted(framework.g)}"

    app.get("/")(log.on("view", view))


@scenario("GET /", "GET /")
def what_teardown_functions_return_is_ignored(framework, app, log):
    app.get("/")(log.on("view", lambda: "view"))
    app.teardown_request(log.on("teardown request", lambda error: "ignored"))
    app.teardown_appcontext(log.on("teardown appcontext", lambda error: "ignored"))


@scenario("GET /", "GET /in/", "GET /")
def hooks_of_a_blueprint_registered_twice(framework, app, log):
    blueprint = framework.Blueprint("inner", "app")
    register_all(blueprint, "inner", log)
    blueprint.get("/")(log.on("view", lambda: framework.request.endpoint))
    app.register_blueprint(blueprint)
    app.register_blueprint(blueprint, name="again", url_prefix="/in")


@scenario("GET /")
def a_hook_registered_twice_runs_twice(framework, app, log):
    hook = log.on("before")
    app.before_request(hook)
    app.before_request(hook)
    app.get("/")(log.on("view", lambda: "view"))


@scenario("GET /", "GET /")
def hooks_can_be_removed_and_added_in_the_public_registries(framework, app, log):
    def view():
        app.after_request_funcs[None].clear()
        app.teardown_request_funcs.setdefault(None, []).append(log.on("teardown"))
        return "view"

    app.after_request(log.on("after", passing))
    app.get("/")(log.on("view", view))


@scenario("GET /")
def hooks_that_change_the_request(framework, app, log):
    def before():
        framework.request.view_args["number"] = 5

    app.before_request(log.on("before", before))
    app.get("/", defaults={"number": 1})(log.on("view", lambda number: f"{number}"))


LATE = ["before_request", "after_request", "teardown_request", "teardown_appcontext", "context_processor", "get"]


@each({name: name for name in LATE}, "GET /", "GET /")
def setup_after_the_first_request(framework, app, log, name):
    def view():
        argument = "/late" if name == "get" else log.on("late")
        try:
            getattr(app, name)(argument)
        except Exception as error:
            log("setup raises", error)
        return "view"

    app.get("/")(log.on("view", view))
