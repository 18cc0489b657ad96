"""Class-based views, and functions of both kinds side by side."""

from __future__ import annotations

import contextvars

import anyio

from ..recording import Boom, passing, raising
from ..scenario import each, scenario


@scenario("GET /", "POST /", "GET /5")
def view_class(framework, app, log):
    class Hello(framework.views.View):
        methods = ["GET", "POST"]
        init_every_request = True

        def __init__(self, given):
            log("made", given)

        def dispatch_request(self, number=0):
            log("dispatch", number)
            return framework.request.method

    app.add_url_rule("/", view_func=Hello.as_view("hello", "given"))
    app.add_url_rule("/<int:number>", view_func=Hello.as_view("again", given="keyword"))


@scenario("GET /", "HEAD /", "POST /", "PUT /", "DELETE /", "OPTIONS /")
def method_view(framework, app, log):
    class Base(framework.views.MethodView):
        def get(self):
            return "base get"

        def delete(self):
            return "base delete"

    class Hello(Base):
        def get(self):
            log("get")
            return "get"

        def post(self):
            log("post")
            return "post", 201

    log("methods", sorted(Hello.methods))
    app.add_url_rule("/", view_func=Hello.as_view("hello"))


@scenario("GET /", "HEAD /")
def method_view_with_head(framework, app, log):
    class Hello(framework.views.MethodView):
        def get(self):
            log("get")
            return "get"

        def head(self):
            log("head")
            return "", 202

    app.add_url_rule("/", view_func=Hello.as_view("hello"))


@scenario("GET /", "GET /")
def one_object_for_all_requests(framework, app, log):
    class Hello(framework.views.View):
        init_every_request = False
        count = 0

        def dispatch_request(self):
            self.count += 1
            return str(self.count)

    app.add_url_rule("/", view_func=Hello.as_view("hello"))


@scenario("GET /")
def decorated_view_class(framework, app, log):
    def decorate(name):
        def decorator(view):
            def wrapper(*args, **kwargs):
                log(f"decorator {name}")
                return view(*args, **kwargs)

            return wrapper

        return decorator

    class Hello(framework.views.View):
        decorators = [decorate("first"), decorate("second")]

        def dispatch_request(self):
            return "hello"

    app.add_url_rule("/", view_func=Hello.as_view("hello"))


@scenario("GET /", "POST /")
def async_methods(framework, app, log):
    class Hello(framework.views.MethodView):
        async def get(self):
            log("get")
            return "get"

        def post(self):
            log("post")
            return "post"

    class Plain(framework.views.View):
        async def dispatch_request(self):
            log("dispatch")
            return "plain"

    app.add_url_rule("/", view_func=Hello.as_view("hello"))
    app.add_url_rule("/plain", view_func=Plain.as_view("plain"))


KINDS = {"even async": 0, "odd async": 1}


@each(KINDS, "GET /", "GET /fail", "GET /nowhere")
def kinds_in_turns(framework, app, log, first):
    numbers = iter(range(first, 1000))

    def on(*args):
        return (log.on_def if next(numbers) % 2 else log.on_async)(*args)

    for number in range(3):
        app.before_request(on(f"before {number}"))
        app.after_request(on(f"after {number}", passing))
        app.teardown_request(on(f"teardown request {number}"))
        app.teardown_appcontext(on(f"teardown appcontext {number}"))
    app.get("/")(on("view", lambda: framework.after_this_request(on("after this", passing)) and "view"))
    app.get("/fail")(on("fail", raising(Boom("from the view"))))
    app.register_error_handler(Boom, on("handler", lambda error: "handled"))
    app.register_error_handler(404, on("not found", lambda error: ("not found", 404)))


@scenario("GET /")
def values_set_in_async_functions_are_seen_later(framework, app, log):
    app.before_request(log.on_async("before", lambda: setattr(framework.g, "a", "before")))
    app.get("/")(log.on_async("view", lambda: framework.session.update(a=framework.g.a) or "view"))
    app.after_request(log.on_def("after", lambda response: log("session", framework.session["a"]) or response))
    app.teardown_request(log.on_async("teardown", lambda error: log("g", framework.g.a)))


@scenario("GET /")
def context_variables(framework, app, log):
    variable = contextvars.ContextVar("variable", default="nothing")

    def look(*args):
        log("variable", variable.get())
        return args[-1] if args else None

    app.before_request(log.on("before", lambda: variable.set("before") and None))
    app.get("/")(log.on("view", lambda: look() or (variable.set("view") and "view")))
    app.after_request(log.on("after", look))
    app.teardown_request(log.on("teardown", look))


@scenario("GET /")
def a_task_sees_the_request(framework, app, log):
    async def view():
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(task)
        return "view"

    async def task():
        await anyio.sleep(0)
        log("task", framework.request.path)

    app.get("/")(view)


@scenario("GET /")
def async_errors(framework, app, log):
    app.get("/")(log.on_async("view", raising(Boom("from the view"))))
    app.register_error_handler(Boom, log.on_async("handler", raising(ValueError("from the handler"))))
    app.register_error_handler(500, log.on_async("handler of 500", lambda error: ("500", 500)))
    app.teardown_request(log.on_async("teardown"))


@scenario("GET /")
def async_receivers(framework, app, log):
    log.keep = log.on_async("receiver")
    framework.request_started.connect(log.keep, app)
    framework.request_tearing_down.connect(log.keep, app)
    app.get("/")(log.on_def("view", lambda: "view"))


@scenario("GET /")
def a_callable_object_as_a_view(framework, app, log):
    class View:
        def __call__(self):
            log("called")
            return "called"

    app.add_url_rule("/", "view", View())
