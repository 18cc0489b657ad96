"""Blueprints: names, prefixes, subdomains, and what is theirs where no view matches."""

from __future__ import annotations

from ..recording import passing
from ..scenario import each, scenario

SITE = {"base_url": "http://example.com/"}
SUB = {"base_url": "http://sub.example.com/"}


def where(framework):
    """Tell which endpoint and which blueprints serve the request."""
    request = framework.request
    return {"endpoint": request.endpoint, "blueprint": request.blueprint, "blueprints": request.blueprints}


PREFIXES = {
    "none": ({}, {}),
    "of the blueprint": ({"url_prefix": "/own"}, {}),
    "at registration": ({}, {"url_prefix": "/given"}),
    "both": ({"url_prefix": "/own"}, {"url_prefix": "/given"}),
    "slash at the end": ({"url_prefix": "/own/"}, {}),
    "with a variable": ({"url_prefix": "/<own>"}, {}),
    "root": ({"url_prefix": "/"}, {}),
}


@each(PREFIXES, "GET /page", "GET /own/page", "GET /given/page", "GET /own", "GET /own/", "GET /own/nowhere")
def prefixes(framework, app, log, options):
    own, given = options
    blueprint = framework.Blueprint("inner", "app", **own)
    blueprint.get("/page")(log.on("page", lambda **values: {**where(framework), **values}))
    blueprint.get("/")(log.on("index", lambda **values: {**where(framework), **values}))
    app.register_blueprint(blueprint, **given)


@scenario("GET /a/b/c/page", "GET /a/b/page", "GET /a/page", "GET /x/c/page", "GET /a/b/nowhere")
def nested_prefixes_and_names(framework, app, log):
    a, b, c = (framework.Blueprint(name, "app", url_prefix=f"/{name}") for name in "abc")
    for owner, name in ((a, "a"), (b, "b"), (c, "c")):
        owner.get("/page")(log.on(f"page {name}", lambda: {**where(framework), "url": framework.url_for(".up")}))
        owner.get("/up", endpoint="up")(log.on(f"up {name}", lambda: "up"))
        owner.before_request(log.on(f"before {name}"))
        owner.teardown_request(log.on(f"teardown {name}"))
    b.register_blueprint(c)
    a.register_blueprint(b)
    app.register_blueprint(a)
    app.register_blueprint(c, name="x", url_prefix="/x/c")


@scenario("GET /parent/child/page", "GET /parent/other/page")
def one_child_in_a_parent_twice(framework, app, log):
    parent, child = framework.Blueprint("parent", "app"), framework.Blueprint("child", "app")
    child.get("/page")(log.on("page", lambda: where(framework)))
    child.before_request(log.on("before child"))
    parent.register_blueprint(child, url_prefix="/child")
    parent.register_blueprint(child, url_prefix="/other", name="other")
    app.register_blueprint(parent, url_prefix="/parent")


@scenario(
    ("GET /page", SITE), ("GET /page", SUB), ("GET /nowhere", SUB), ("GET /page", {"base_url": "http://x.example.com/"})
)
def subdomains(framework, app, log):
    app = framework.Flask("app", subdomain_matching=True)
    app.config["SERVER_NAME"] = "example.com"
    blueprint = framework.Blueprint("inner", "app", subdomain="sub")
    blueprint.get("/page")(log.on("inner page", lambda: {**where(framework), "url": framework.url_for("page")}))
    blueprint.before_request(log.on("before inner"))
    app.get("/page")(log.on("page", lambda: {**where(framework), "url": framework.url_for("inner.inner_page")}))
    app.register_blueprint(blueprint)
    return app


@scenario(("GET /page", SUB), ("GET /page", {"base_url": "http://a.sub.example.com/"}))
def nested_subdomains(framework, app, log):
    app = framework.Flask("app", subdomain_matching=True)
    app.config["SERVER_NAME"] = "example.com"
    outer, inner = framework.Blueprint("outer", "app", subdomain="sub"), framework.Blueprint("inner", "app")
    outer.get("/page")(log.on("outer page", lambda: where(framework)))
    inner.get("/page")(log.on("inner page", lambda: where(framework)))
    outer.register_blueprint(inner, subdomain="a")
    app.register_blueprint(outer)
    return app


@scenario(("GET /page", SITE), ("GET /page", SUB))
def server_name_without_subdomain_matching(framework, app, log):
    app.config["SERVER_NAME"] = "example.com"
    app.get("/page")(log.on("page", lambda: framework.url_for("page", _external=True)))


@scenario(("GET /", {"base_url": "http://a.com/"}), ("GET /", {"base_url": "http://b.com/"}), ("GET /", SITE))
def host_matching(framework, app, log):
    app = framework.Flask("app", host_matching=True, static_host="a.com")
    app.get("/", host="a.com", endpoint="a")(log.on("a", lambda: framework.url_for("b", name="x")))
    app.get("/", host="<name>.com", endpoint="b", defaults={})(log.on("b", lambda name: name))
    return app


@scenario("GET /in/nowhere", "GET /in/page", "POST /in/page", "GET /nowhere")
def errors_within_a_prefix_are_not_the_blueprints(framework, app, log):
    blueprint = framework.Blueprint("inner", "app", url_prefix="/in")
    blueprint.get("/page")(log.on("page", lambda: framework.abort(404)))
    blueprint.before_request(log.on("before inner"))
    blueprint.errorhandler(404)(log.on("inner 404", lambda error: ("inner", 404)))
    blueprint.errorhandler(405)(log.on("inner 405", lambda error: ("inner", 405)))
    app.register_blueprint(blueprint)


@scenario("GET /")
def endpoints_and_defaults(framework, app, log):
    blueprint = framework.Blueprint("inner", "app", url_defaults={"number": 1})
    blueprint.add_url_rule("/a", "a", log.on("a", lambda number: f"{number}"))
    blueprint.add_url_rule("/b/<int:number>", "b", log.on("b", lambda number: f"{number}"))
    blueprint.endpoint("c")(log.on("c", lambda: "c"))
    app.register_blueprint(blueprint, url_defaults={"number": 2})
    app.get("/")(log.on("view", lambda: sorted([rule.endpoint, rule.rule, rule.defaults] for rule in rules(app))))


def rules(app):
    return [rule for rule in app.url_map.iter_rules() if rule.defaults]


WRONG = {
    "same name twice": lambda f, app: [app.register_blueprint(f.Blueprint("a", "app")) for _ in range(2)],
    "dot in the name": lambda f, app: f.Blueprint("a.b", "app"),
    "no name": lambda f, app: f.Blueprint("", "app"),
    "in itself": lambda f, app: (lambda b: b.register_blueprint(b))(f.Blueprint("a", "app")),
    "dot in an endpoint": lambda f, app: f.Blueprint("a", "app").add_url_rule("/", endpoint="b.c"),
    "dot in the view's name": lambda f, app: f.Blueprint("a", "app").add_url_rule("/", view_func=dotted()),
    "endpoint taken": lambda f, app: [app.get("/a", endpoint="a")(lambda: "") for _ in range(2)],
    "no leading slash": lambda f, app: app.add_url_rule("a", "a", lambda: ""),
    "methods as text": lambda f, app: app.add_url_rule("/a", "a", lambda: "", methods="GET"),
    "methods for get": lambda f, app: app.get("/a", methods=["POST"]),
    "unknown converter": lambda f, app: app.add_url_rule("/<nothing:a>", "a", lambda a: ""),
    "handler for an instance": lambda f, app: app.register_error_handler(ValueError(), lambda error: ""),
    "handler for an unknown code": lambda f, app: app.register_error_handler(499, lambda error: ""),
    "handler for a text": lambda f, app: app.register_error_handler("404", lambda error: ""),
    "handler for any class": lambda f, app: app.register_error_handler(dict, lambda error: ""),
    "static host without host matching": lambda f, app: f.Flask("a", static_host="a.com"),
    "relative instance path": lambda f, app: f.Flask("a", instance_path="a"),
}


def dotted():
    def view():
        return ""

    view.__name__ = "a.b"
    return view


@each(WRONG)
def wrong_setup(framework, app, log, register):
    try:
        register(framework, app)
    except Exception as error:
        log("raised", error)


@scenario("GET /a/", "GET /b/")
def recorded_functions(framework, app, log):
    blueprint = framework.Blueprint("inner", "app")
    blueprint.record(lambda state: log("recorded", state.url_prefix, state.first_registration, state.options))
    blueprint.record_once(lambda state: log("recorded once", state.url_prefix))
    blueprint.get("/")(log.on("view", lambda: where(framework)))
    app.register_blueprint(blueprint, url_prefix="/a")
    app.register_blueprint(blueprint, url_prefix="/b", name="again")


@scenario("GET /")
def a_blueprint_changed_after_it_was_registered(framework, app, log):
    blueprint = framework.Blueprint("inner", "app")
    blueprint.get("/")(log.on("view", lambda: "view"))
    app.register_blueprint(blueprint)
    try:
        blueprint.before_request(log.on("before"))
    except Exception as error:
        log("raised", error)
    app.after_request(log.on("after", passing))
