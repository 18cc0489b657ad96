"""What a view may return, which methods it is called for, and classes as views."""

from __future__ import annotations

from ..scenario import each, scenario


def _wsgi_application(environ, start_response):
    start_response("418 I'M A TEAPOT", [("Content-Type", "text/plain")])
    return [b"wsgi"]


class Text(str):
    """A text of a class of its own."""


RETURNED = {
    "text": lambda f: "hello",
    "text of a subclass": lambda f: Text("hello"),
    "unicode": lambda f: "grüße",
    "empty text": lambda f: "",
    "bytes": lambda f: b"hello",
    "bytearray": lambda f: bytearray(b"hello"),
    "dict": lambda f: {"b": 1, "a": [1, None, "ü"]},
    "empty dict": lambda f: {},
    "list": lambda f: [1, {"a": 2}],
    "empty list": lambda f: [],
    "generator of text": lambda f: (part for part in ("a", "b")),
    "generator of bytes": lambda f: (part for part in (b"a", b"b")),
    "iterator": lambda f: iter(["a", "b"]),
    "text and status": lambda f: ("hello", 201),
    "text and status text": lambda f: ("hello", "404 Not Here"),
    "text and header dict": lambda f: ("hello", {"X-A": "1"}),
    "text and header list": lambda f: ("hello", [("X-A", "1"), ("X-A", "2")]),
    "text, status and headers": lambda f: ("hello", 202, {"X-A": "1", "Content-Type": "text/plain"}),
    "dict and status": lambda f: ({"a": 1}, 201),
    "list and status": lambda f: ([1], 201),
    "dict, status and headers": lambda f: ({"a": 1}, 201, {"X-A": "1"}),
    "no content": lambda f: ("", 204),
    "not modified": lambda f: ("", 304),
    "response": lambda f: f.Response("hello", 203, {"X-A": "1"}, "text/plain"),
    "response and status": lambda f: (f.Response("hello"), 201),
    "response and headers": lambda f: (f.Response("hello", headers={"X-A": "1"}), {"X-A": "2", "X-B": "3"}),
    "response, status and headers": lambda f: (f.Response("hello"), 201, {"X-B": "3"}),
    "make_response of nothing": lambda f: f.make_response(),
    "make_response of a tuple": lambda f: f.make_response("hello", 201, {"X-A": "1"}),
    "make_response of one value": lambda f: f.make_response({"a": 1}),
    "jsonify of keywords": lambda f: f.jsonify(b=1, a=2),
    "jsonify of values": lambda f: f.jsonify(1, "a", None),
    "jsonify of nothing": lambda f: f.jsonify(),
    "redirect": lambda f: f.redirect("/there"),
    "redirect with code": lambda f: f.redirect("/there?a=ü", 307),
    "redirect elsewhere": lambda f: f.redirect("https://example.com/a b"),
    "wsgi application": lambda f: _wsgi_application,
    "wsgi application and status": lambda f: (_wsgi_application, 200, {"X-A": "1"}),
    "http exception": lambda f: _exception_of(f),
    "nothing": lambda f: None,
    "a number": lambda f: 42,
    "a set": lambda f: {1},
    "an object": lambda f: object(),
    "nothing and status": lambda f: (None, 200),
    "tuple of one": lambda f: ("hello",),
    "tuple of four": lambda f: ("hello", 200, {}, "more"),
    "empty tuple": lambda f: (),
    "bad status": lambda f: ("hello", "nonsense"),
    "tuple in a tuple": lambda f: (("hello", 201), 202),
    "what json can't say": lambda f: {"a": object()},
}


def _exception_of(framework):
    try:
        framework.abort(410)
    except Exception as error:
        return error


@each(RETURNED, "GET /", "HEAD /")
def returned(framework, app, log, make):
    app.get("/")(log.on("view", lambda: make(framework)))
    app.after_request(log.on("after", lambda response: response))


METHODS = {
    "default": {},
    "GET and POST": {"methods": ["GET", "POST"]},
    "POST": {"methods": ["POST"]},
    "lower case": {"methods": ["put", "delete"]},
    "OPTIONS of its own": {"methods": ["GET", "OPTIONS"]},
    "no automatic OPTIONS": {"provide_automatic_options": False},
}


@each(METHODS, "GET /", "HEAD /", "POST /", "PUT /", "DELETE /", "OPTIONS /", "PATCH /")
def methods(framework, app, log, options):
    app.before_request(log.on("before"))
    app.route("/", **options)(log.on("view", lambda: framework.request.method))
    app.teardown_request(log.on("teardown"))


@scenario("GET /", "HEAD /", "POST /", "PUT /", "DELETE /", "OPTIONS /", "GET /plain", "POST /plain", "GET /empty")
def class_based_views(framework, app, log):
    views = framework.views

    def decorated(view):
        def wrapper(**values):
            log("decorator")
            return view(**values)

        return wrapper

    class Listed(views.MethodView):
        methods = ["GET", "POST", "DELETE"]
        decorators = [decorated]
        init_every_request = False

        def __init__(self, name):
            log("made", name)

        def get(self):
            return "get"

        def delete(self):
            return "deleted", 202

    class Plain(views.View):
        def __init__(self, title):
            log("made", title)

        def dispatch_request(self):
            return "plain"

    class Empty(views.View): ...

    app.add_url_rule("/", view_func=Listed.as_view("listed", "of the list"))
    app.add_url_rule("/plain", view_func=Plain.as_view("plain", title="plain one"))
    app.add_url_rule("/empty", view_func=Empty.as_view("empty"))
