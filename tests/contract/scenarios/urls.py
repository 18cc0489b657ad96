"""URLs: matching, slashes, redirects, and building them."""

from __future__ import annotations

from ..recording import Boom, passing, raising
from ..scenario import each, scenario

SLASHES = {
    "strict": {},
    "not strict": {"strict_slashes": False},
    "redirect": {"redirect_to": "/elsewhere"},
    "alias with defaults": {"defaults": {"page": 1}},
}


@each(
    SLASHES,
    "GET /with/", "GET /with", "GET /with?a=1&b=ü", "POST /with", "HEAD /with", "OPTIONS /with",
    "GET /without", "GET /without/", "GET //with/", "GET /with//",
)  # fmt: skip
def slashes(framework, app, log, options):
    app.before_request(log.on("before"))
    app.route("/with/", methods=["GET", "POST"], **options)(log.on("with", lambda **values: {**values}))
    app.route("/without", methods=["GET", "POST"], **options)(log.on("without", lambda **values: {**values}))
    app.after_request(log.on("after", passing))
    app.teardown_request(log.on("teardown"))


@scenario("POST /slash", "PUT /slash", "GET /slash")
def a_form_is_redirected_with_its_method_while_debugging(framework, app, log):
    app.debug = True
    app.config["PRESERVE_CONTEXT_ON_EXCEPTION"] = False
    app.route("/slash/", methods=["GET", "POST", "PUT"])(log.on("slash", lambda: "slash"))
    app.teardown_request(log.on("teardown"))


@scenario(
    "GET /int/5", "GET /int/-5", "GET /int/x", "GET /signed/-5", "GET /float/1.5", "GET /float/1", "GET /any/a",
    "GET /any/c", "GET /path/a/b/c", "GET /uuid/12345678-1234-5678-1234-567812345678", "GET /text/a%2Fb", "GET /text/ü",
    "GET /text/a%20b", "GET /length/abc", "GET /length/ab", "GET /own/a-b-c",
)  # fmt: skip
def converters(framework, app, log):
    from werkzeug.routing import BaseConverter

    class Listed(BaseConverter):
        def to_python(self, value):
            return value.split("-")

        def to_url(self, value):
            return "-".join(value)

    app.url_map.converters["listed"] = Listed
    rules = [
        "/int/<int:value>", "/signed/<int(signed=True):value>", "/float/<float:value>", "/any/<any(a, b):value>",
        "/path/<path:value>", "/uuid/<uuid:value>", "/text/<value>", "/length/<string(length=3):value>",
        "/own/<listed:value>",
    ]  # fmt: skip
    for rule in rules:
        name = rule.split("/")[1]
        app.get(rule, endpoint=name)(log.on(name, lambda value: repr(value)))


@scenario("GET /a", "GET /b", "GET /", "GET /page/1", "GET /page/2", "GET /page/")
def which_rule_wins(framework, app, log):
    app.get("/<name>")(log.on("variable", lambda name: name))
    app.get("/a")(log.on("fixed", lambda: "a"))
    app.get("/", defaults={"name": "default"}, endpoint="variable_default")(log.on("default", lambda name: name))
    app.get("/page/", defaults={"number": 1}, endpoint="page")(log.on("page", lambda number: f"{number}"))
    app.add_url_rule("/page/<int:number>", endpoint="page")


@scenario("GET /", "POST /", "PUT /")
def one_url_for_several_views(framework, app, log):
    app.get("/")(log.on("get", lambda: "get"))
    app.post("/")(log.on("post", lambda: "post"))
    app.put("/")(log.on("put", lambda: "put"))


@scenario("GET /nowhere", "OPTIONS /nowhere", "GET /rule-without-view")
def no_view(framework, app, log):
    app.add_url_rule("/rule-without-view", endpoint="missing")
    app.teardown_request(log.on("teardown"))


@scenario("GET /%FF", "GET /a%00b", "GET /?a=%FF", "GET /;a=1", "GET /a%3Fb")
def odd_urls(framework, app, log):
    request = framework.request
    app.get("/")(log.on("view", lambda: {"path": request.path, "args": request.args.to_dict()}))
    app.get("/<path:path>")(log.on("path", lambda path: {"path": path, "full": request.full_path}))


@scenario(("GET /page?a=1", {"base_url": "https://example.com:8443/root/"}), "GET /page?a=1&a=2&b=%C3%BC")
def what_the_request_says_about_its_url(framework, app, log):
    names = (
        "url", "base_url", "url_root", "host_url", "host", "path", "full_path", "script_root", "root_path", "scheme",
        "method", "query_string", "remote_addr",
    )  # fmt: skip

    def view():
        return {name: repr(getattr(framework.request, name)) for name in names}

    app.get("/page")(log.on("view", view))


BUILT = {
    "endpoint": lambda f: f.url_for("page", number=1),
    "query": lambda f: f.url_for("page", number=1, a="ü b", b=[1, 2]),
    "query of None": lambda f: f.url_for("page", number=1, a=None),
    "anchor": lambda f: f.url_for("page", number=1, _anchor="x y"),
    "external": lambda f: f.url_for("page", number=1, _external=True),
    "scheme": lambda f: f.url_for("page", number=1, _external=True, _scheme="https"),
    "scheme alone": lambda f: f.url_for("page", number=1, _scheme="https"),
    "scheme, not external": lambda f: f.url_for("page", number=1, _scheme="https", _external=False),
    "method": lambda f: f.url_for("page", number=1, _method="POST"),
    "static": lambda f: f.url_for("static", filename="a b.css"),
    "in the blueprint": lambda f: f.url_for("inner.page"),
    "relative to the blueprint": lambda f: f.url_for(".page"),
    "redirecting": lambda f: f.url_for("slash"),
    "unknown": lambda f: f.url_for("nowhere"),
    "value missing": lambda f: f.url_for("page"),
    "value of a wrong type": lambda f: f.url_for("page", number="x"),
    "no leading slash": lambda f: f.redirect(f.url_for("page", number=2)),
    "app's method": lambda f: f.current_app.url_for("page", number=1, _external=True),
}


@each(BUILT, "GET /", ("GET /", {"base_url": "https://example.com:8443/root/"}))
def url_for(framework, app, log, build):
    blueprint = framework.Blueprint("inner", "app", url_prefix="/in")
    blueprint.get("/page", endpoint="page")(log.on("page inner", lambda: "page"))
    app.register_blueprint(blueprint)
    page = log.on("page", lambda number: "page")
    app.get("/page/<int:number>", endpoint="page")(page)
    app.post("/posted/<int:number>", endpoint="page")(page)
    app.get("/slash/")(log.on("slash", lambda: "slash"))
    app.get("/")(log.on("view", lambda: build(framework)))


CONFIGS = {
    "nothing": {},
    "server name": {"SERVER_NAME": "example.com"},
    "server name with port": {"SERVER_NAME": "example.com:8080", "PREFERRED_URL_SCHEME": "https"},
    "application root": {"SERVER_NAME": "example.com", "APPLICATION_ROOT": "/root"},
}


@each(CONFIGS)
def url_for_without_a_request(framework, app, log, config):
    app.config.update(config)
    app.get("/page")(log.on("page", lambda: "page"))
    with app.app_context():
        for options in ({}, {"_external": False}, {"_scheme": "https"}, {"_anchor": "a"}):
            try:
                log("url", framework.url_for("page", **options))
            except RuntimeError as error:
                log("raised", error)


@scenario()
def url_for_without_any_context(framework, app, log):
    try:
        framework.url_for("page")
    except RuntimeError as error:
        log("raised", error)


@scenario("GET /", "GET /fail")
def build_errors_are_handled(framework, app, log):
    app.url_build_error_handlers.append(log.on_def("handler 1", lambda error, endpoint, values: None))
    handle = log.on_def("handler 2", lambda error, endpoint, values: raising(Boom("no"))() if endpoint == "x" else "/y")
    app.url_build_error_handlers.append(handle)
    app.get("/")(log.on("view", lambda: framework.url_for("nowhere", a=1)))
    app.get("/fail")(log.on("fail", lambda: framework.url_for("x")))


REDIRECTS = {
    "path": ("/there", {}),
    "relative": ("there", {}),
    "with query": ("/there?a=1&b=2", {}),
    "unicode": ("/ü", {}),
    "absolute": ("https://example.com/there", {}),
    "301": ("/there", {"code": 301}),
    "308": ("/there", {"code": 308}),
    "what is no redirect": ("/there", {"code": 200}),
    "other class": ("/there", {"Response": None}),
}


@each(REDIRECTS, "GET /", ("GET /", {"base_url": "http://example.com/root/"}))
def redirects(framework, app, log, row):
    location, options = row
    if "Response" in options:
        options = {"Response": framework.Response}
    app.get("/")(log.on("view", lambda: framework.redirect(location, **options)))


@scenario(("GET /a", {"follow_redirects": True}), ("POST /post", {"follow_redirects": True, "data": {"a": "1"}}))
def a_client_that_follows(framework, app, log):
    request = framework.request
    app.get("/a")(log.on("a", lambda: framework.redirect("/b")))
    app.get("/b")(log.on("b", lambda: framework.redirect("/c?x=1", 301)))
    app.get("/c")(log.on("c", lambda: request.query_string))
    app.post("/post")(log.on("post", lambda: framework.redirect("/posted", 307)))
    app.route("/posted", methods=["GET", "POST"])(log.on("posted", lambda: [request.method, request.form.to_dict()]))
    app.teardown_request(log.on("teardown"))


@scenario("GET /")
def redirect_of_the_applications_own(framework, app, log):
    app.redirect = log.on_def("own redirect", lambda location, code=302: app.response_class(location, 299))
    app.get("/")(log.on("view", lambda: framework.redirect("/there")))
