"""Sessions and flashes: when the cookie is sent, what is in it, and what the response varies by."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from markupsafe import Markup

from ..recording import Boom, passing, raising, recording_sessions
from ..scenario import each, scenario

USES = {
    "nothing": lambda s: None,
    "get": lambda s: s.get("a"),
    "get item": lambda s: list(s) and s["a"],
    "in": lambda s: "a" in s,
    "len": len,
    "bool": bool,
    "list": sorted,
    "dict": dict,
    "set": lambda s: s.update(a=1),
    "set twice the same": lambda s: (s.update(a=1), s.update(a=1)),
    "setdefault": lambda s: s.setdefault("a", 1),
    "delete": lambda s: s.pop("a", None),
    "clear": lambda s: s.clear(),
    "change inside": lambda s: s.setdefault("list", []).append(1),
    "change inside, said so": lambda s: (s.setdefault("list", []).append(1), setattr(s, "modified", True)),
    "permanent": lambda s: setattr(s, "permanent", True),
    "permanent and set": lambda s: (setattr(s, "permanent", True), s.update(b=1)),
    "is permanent": lambda s: s.permanent,
    "is new": lambda s: s.new,
    "modified": lambda s: s.modified,
    "object": lambda s: s._get_current_object() and None,
}


@each(USES, "GET /", "GET /fill", "GET /", "GET /", "GET /fill-permanently", "GET /", "GET /read")
def a_view_uses_the_session(framework, app, log, use):
    session = framework.session
    app.get("/")(log.on("view", lambda: repr(use(session))))
    app.get("/fill")(log.on("fill", lambda: session.update(a=1, list=[0]) or "filled"))
    permanent = log.on("fill permanently", lambda: session.update(a=1, list=[0], _permanent=True) or "filled")
    app.get("/fill-permanently")(permanent)
    app.get("/read")(log.on("read", lambda: dict(session)))


SETTINGS = {
    "none": {},
    "domain": {"SESSION_COOKIE_DOMAIN": "localhost"},
    "path": {"SESSION_COOKIE_PATH": "/below"},
    "application root": {"APPLICATION_ROOT": "/root"},
    "secure": {"SESSION_COOKIE_SECURE": True},
    "readable by scripts": {"SESSION_COOKIE_HTTPONLY": False},
    "Lax": {"SESSION_COOKIE_SAMESITE": "Lax"},
    "Strict": {"SESSION_COOKIE_SAMESITE": "Strict"},
    "partitioned": {"SESSION_COOKIE_PARTITIONED": True, "SESSION_COOKIE_SECURE": True},
    "name": {"SESSION_COOKIE_NAME": "other"},
    "lifetime": {"PERMANENT_SESSION_LIFETIME": timedelta(hours=3)},
    "lifetime in seconds": {"PERMANENT_SESSION_LIFETIME": 7200},
    "no refresh": {"SESSION_REFRESH_EACH_REQUEST": False},
    "no key": {"SECRET_KEY": None},
    "bad SameSite": {"SESSION_COOKIE_SAMESITE": "Nonsense"},
}


@each(SETTINGS, "GET /set", "GET /read", "GET /plain", "GET /permanent", "GET /plain", "GET /clear", "GET /read")
def settings(framework, app, log, config):
    session = framework.session
    app.config.update(config)
    app.get("/set")(log.on("set", lambda: session.update(a=1) or "set"))
    app.get("/read")(log.on("read", lambda: {"a": session.get("a")}))
    app.get("/plain")(log.on("plain", lambda: "plain"))
    app.get("/permanent")(log.on("permanent", lambda: setattr(session, "permanent", True) or "permanent"))
    app.get("/clear")(log.on("clear", lambda: session.clear() or "clear"))


@scenario("GET /set", "GET /", "GET /nowhere", "GET /fail")
def opened_before_everything_and_saved_after_it(framework, app, log):
    app.session_interface = recording_sessions(framework, log)
    app.url_value_preprocessor(log.on_def("values"))
    app.before_request(log.on("before"))
    app.get("/")(log.on("view", lambda: "view"))
    app.get("/set")(log.on("set", lambda: framework.session.update(a=1) or "set"))
    app.get("/fail")(log.on("fail", raising(Boom("from the view"))))
    app.after_request(log.on("after", passing))
    app.teardown_request(log.on("teardown"))


@scenario("GET /", "GET /")
def an_after_hook_may_still_change_it(framework, app, log):
    def after(response):
        framework.session["count"] = framework.session.get("count", 0) + 1
        return response

    app.get("/")(log.on("view", lambda: str(framework.session.get("count"))))
    app.after_request(log.on("after", after))


@scenario("GET /", "GET /read")
def a_teardown_function_is_too_late_to_change_it(framework, app, log):
    app.get("/")(log.on("view", lambda: "view"))
    app.get("/read")(log.on("read", lambda: dict(framework.session)))
    app.teardown_request(log.on("teardown", lambda error: framework.session.update(late=True)))


@scenario("GET /set", "GET /fail", "GET /read")
def saved_although_the_view_fails(framework, app, log):
    session = framework.session
    app.get("/set")(log.on("set", lambda: session.update(a=1) or "set"))
    app.get("/fail")(log.on("fail", lambda: session.update(b=2) or raising(Boom("from the view"))()))
    app.get("/read")(log.on("read", lambda: dict(session)))


@scenario("GET /", "GET /read")
def saved_when_a_before_hook_answers(framework, app, log):
    def before():
        if framework.request.path == "/":
            framework.session["a"] = 1
            return "early"
        return None

    app.before_request(log.on("before", before))
    app.get("/read")(log.on("read", lambda: dict(framework.session)))


@scenario(("GET /", {"headers": {"Cookie": "session=forged"}}), ("GET /", {"headers": {"Cookie": "session="}}))
def a_forged_cookie_is_an_empty_session(framework, app, log):
    app.get("/")(log.on("view", lambda: dict(framework.session)))


@scenario("GET /", "GET /set")
def reading_without_a_key_is_allowed_and_changing_is_not(framework, app, log):
    app.secret_key = None
    app.get("/")(log.on("view", lambda: repr(framework.session.get("a"))))
    app.get("/set")(log.on("set", lambda: framework.session.update(a=1) or "set"))


class Stored(dict):
    """A session of an interface of one's own."""

    accessed = modified = permanent = new = False
    name = "Stored"


@each({"sends a cookie": True, "null": False}, "GET /", "GET /", "GET /nowhere")
def an_interface_of_ones_own(framework, app, log, opens):
    store = Stored(count=0)

    class Interface(framework.sessions.SessionInterface):
        null_session_class = Stored

        def open_session(self, app, request):
            log("open session", request.path)
            return store if opens else None

        def save_session(self, app, session, response):
            log("save session", sorted(session.items()))
            response.set_cookie("store", str(len(session)))

        def is_null_session(self, session):
            log("is null", session is not store)
            return session is not store

        def make_null_session(self, app):
            log("make null session")
            return Stored()

    def view():
        framework.session["count"] = framework.session.get("count", 0) + 1
        return str(framework.session["count"])

    app.session_interface = Interface()
    app.get("/")(log.on("view", view))


@scenario("GET /flash", "GET /plain", "GET /show", "GET /show", "GET /flash-and-show")
def flashes(framework, app, log):
    def show():
        messages = framework.get_flashed_messages(with_categories=True)
        return {"messages": messages, "again": framework.get_flashed_messages()}

    def flash():
        framework.flash("one")
        framework.flash("two", "error")
        return "flashed"

    app.get("/flash")(log.on("flash", flash))
    app.get("/plain")(log.on("plain", lambda: "plain"))
    app.get("/show")(log.on("show", show))
    app.get("/flash-and-show")(log.on("flash and show", lambda: flash() and show()))


FILTERS = {
    "none": {},
    "categories": {"with_categories": True},
    "one category": {"category_filter": ["error"]},
    "two, with categories": {"category_filter": ["error", "info"], "with_categories": True},
    "no such": {"category_filter": ["no such"]},
}


@each(FILTERS, "GET /flash", "GET /show")
def flashes_filtered(framework, app, log, options):
    def flash():
        for category in ("message", "error", "info", "error"):
            framework.flash(f"a {category}", category)
        return "flashed"

    app.get("/flash")(log.on("flash", flash))
    app.get("/show")(log.on("show", lambda: framework.get_flashed_messages(**options)))


@scenario("GET /flash", "GET /redirected")
def flashes_over_a_redirect(framework, app, log):
    app.get("/flash")(log.on("flash", lambda: framework.flash("hello") or framework.redirect("/redirected")))
    template = "{% for message in get_flashed_messages() %}{{ message }}{% endfor %}"
    app.get("/redirected")(log.on("redirected", lambda: framework.render_template_string(template)))


@scenario(("GET /flash", {"follow_redirects": True}))
def a_client_that_follows(framework, app, log):
    app.get("/flash")(log.on("flash", lambda: framework.flash("hello") or framework.redirect("/redirected", 303)))
    app.get("/redirected")(log.on("redirected", lambda: framework.get_flashed_messages()))


VALUES = {
    "tuple": (1, "a"),
    "bytes": b"\x00a",
    "date": datetime(2020, 1, 2, 3, 4, 5),
    "uuid": uuid.UUID(int=5),
    "nested": {"a": [{"b": (1, [2])}]},
    "tag-like": {" t": 1},
    "markup": Markup("<b>"),
    "text": "ü" * 300,
}


@each(VALUES, "GET /set", "GET /read")
def values_survive_the_cookie(framework, app, log, value):
    app.get("/set")(log.on("set", lambda: framework.session.update(a=value) or "set"))
    app.get("/read")(log.on("read", lambda: repr(framework.session["a"])))
