"""flaskctx/views.py: views as classes."""

from __future__ import annotations

import asyncio
import inspect
import threading
from functools import wraps

import anyio
import httpx
import pytest
import sniffio

from flaskctx import Flask, nonblocking
from flaskctx.bridge.kinds import is_async, is_nonblocking
from flaskctx.globals import current_app, g, request
from flaskctx.views import MethodView, View


@pytest.fixture
def app():
    return Flask("views")


def serve(app, view_class, *args, **kwargs):
    app.add_url_rule("/", view_func=view_class.as_view("view", *args, **kwargs))
    return app.test_client()


def fetch(app, protocol, method="GET", path="/"):
    """The text and status of a response, through WSGI or ASGI."""
    if protocol == "wsgi":
        response = app.test_client().open(path, method=method)
        return response.text, response.status_code

    async def fetch_asgi():
        transport = httpx.ASGITransport(app=app.asgi)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            response = await client.request(method, path)
            return response.text, response.status_code

    return asyncio.run(fetch_asgi())


both_protocols = pytest.mark.parametrize("protocol", ["wsgi", "asgi"])


# View


@both_protocols
def test_dispatch_request_handles_the_request(app, protocol):
    class Show(View):
        def dispatch_request(self, name):
            return f"{request.method} {name}"

    app.add_url_rule("/<name>", view_func=Show.as_view("show"))
    assert fetch(app, protocol, path="/x") == ("GET x", 200)


@both_protocols
def test_dispatch_request_may_be_async(app, protocol):
    class Show(View):
        async def dispatch_request(self):
            await anyio.sleep(0)
            return request.method

    serve(app, Show)
    assert fetch(app, protocol) == ("GET", 200)


def test_the_view_function_is_of_the_kind_that_dispatch_request_is():
    class Called(View):
        def dispatch_request(self): ...

    class Awaited(View):
        async def dispatch_request(self): ...

    assert not inspect.iscoroutinefunction(Called.as_view("called"))
    assert inspect.iscoroutinefunction(Awaited.as_view("awaited"))


def test_a_view_without_dispatch_request_says_what_to_define(app):
    app.testing = True
    client = serve(app, type("Empty", (View,), {}))
    with pytest.raises(NotImplementedError, match="Empty has no dispatch_request"):
        client.get("/")


def test_the_view_function_tells_of_its_class():
    class Documented(View):
        """What it shows."""

        methods = ["POST"]
        provide_automatic_options = False

        def dispatch_request(self): ...

    view = Documented.as_view("documented")
    assert view.view_class is Documented
    assert (view.__name__, view.__doc__, view.__module__) == ("documented", "What it shows.", __name__)
    assert view.methods == ["POST"]
    assert view.provide_automatic_options is False


@pytest.mark.parametrize("kind", ["def", "async def"])
def test_another_class_can_be_put_in_place_of_the_views(app, kind):
    class Real(View):
        answer = "real"

        if kind == "def":

            def dispatch_request(self):
                return self.answer
        else:

            async def dispatch_request(self):
                return self.answer

    class Double(Real):
        answer = "double"

    view = Real.as_view("view")
    app.add_url_rule("/", view_func=view)
    view.view_class = Double
    assert app.test_client().get("/").text == "double"


def test_methods_of_the_class_are_those_of_the_rule(app):
    class Post(View):
        methods = ["POST"]

        def dispatch_request(self):
            return "posted"

    client = serve(app, Post)
    assert client.post("/").text == "posted"
    assert client.get("/").status_code == 405


def test_automatic_options_can_be_switched_off(app):
    class Plain(View):
        provide_automatic_options = False

        def dispatch_request(self): ...

    assert serve(app, Plain).options("/").status_code == 405


def test_arguments_of_as_view_are_the_constructors(app):
    class Greeting(View):
        def __init__(self, greeting, mark):
            self.greeting = greeting + mark

        def dispatch_request(self):
            return self.greeting

    assert serve(app, Greeting, "Hi", mark="!").get("/").text == "Hi!"


class Counting(View):
    def __init__(self):
        self.requests = 0

    def dispatch_request(self):
        self.requests += 1
        return str(self.requests)


def test_each_request_has_an_instance_of_its_own(app):
    client = serve(app, Counting)
    assert [client.get("/").text for _ in range(2)] == ["1", "1"]


def test_one_instance_can_serve_all_requests(app):
    class Kept(Counting):
        init_every_request = False

    client = serve(app, Kept)
    assert [client.get("/").text for _ in range(2)] == ["1", "2"]


def adding(text):
    def decorate(function):
        @wraps(function)
        def wrapper(**values):
            return current_app.ensure_sync(function)(**values) + text

        return wrapper

    return decorate


def test_decorators_are_applied_the_first_one_first(app):
    class Decorated(View):
        decorators = [adding("1"), adding("2")]

        def dispatch_request(self):
            return "0"

    client = serve(app, Decorated)
    assert client.get("/").text == "012"
    assert app.view_functions["view"].view_class is Decorated


# MethodView


class Item(MethodView):
    def get(self):
        return "got"

    def post(self):
        return "posted"


@both_protocols
def test_each_method_of_the_class_serves_its_http_method(app, protocol):
    serve(app, Item)
    assert fetch(app, protocol) == ("got", 200)
    assert fetch(app, protocol, "POST") == ("posted", 200)
    assert fetch(app, protocol, "PUT")[1] == 405


def test_the_methods_of_the_rule_are_those_that_the_class_has():
    assert Item.methods == {"GET", "POST"}
    assert type("Empty", (MethodView,), {}).methods is None


def test_methods_of_all_bases_count():
    class Deleting(MethodView):
        def delete(self): ...

    class Listed(View):
        methods = ["PROPFIND"]

    class Both(Item, Deleting, Listed):
        pass

    assert Both.methods == {"GET", "POST", "DELETE", "PROPFIND"}


def test_methods_of_a_plain_mixin_count():
    class Putting:
        def put(self): ...

    assert type("Mixed", (Putting, MethodView), {}).methods == {"PUT"}


def test_methods_set_on_the_class_are_left_alone():
    class Chosen(Item):
        methods = ["GET"]

    assert Chosen.methods == ["GET"]


def test_other_http_methods_can_be_listed(app):
    class Propfind(MethodView):
        methods = ["PROPFIND"]

        async def propfind(self):
            return "found"

    assert inspect.iscoroutinefunction(Propfind.as_view("propfind"))
    serve(app, Propfind)
    assert fetch(app, "wsgi", "PROPFIND") == ("found", 200)


@both_protocols
def test_head_is_served_by_get(app, protocol):
    seen = []

    class Show(MethodView):
        def get(self):
            seen.append(request.method)
            return "body", {"X": "y"}

    serve(app, Show)
    assert fetch(app, protocol, "HEAD") == ("", 200)
    assert seen == ["HEAD"]


def test_a_head_of_ones_own_serves_head(app):
    class Show(MethodView):
        def get(self):
            return "get"

        def head(self):
            return "", 204

    assert serve(app, Show).head("/").status_code == 204


def test_options_of_ones_own_serves_options(app):
    class Show(MethodView):
        def options(self):
            return "mine"

    assert serve(app, Show).options("/").text == "mine"


def test_a_listed_method_that_the_class_has_not_is_an_error_that_names_it(app):
    app.testing = True

    class Forgotten(MethodView):
        methods = ["GET", "PUT"]

        def get(self): ...

    with pytest.raises(AssertionError, match="Forgotten accepts PUT"):
        serve(app, Forgotten).put("/")


# MethodView, def and async def


class Awaited(MethodView):
    async def get(self):
        await anyio.sleep(0)
        return "got"

    async def post(self):
        return "posted"


class Mixed(MethodView):
    def get(self):
        return "got"

    async def post(self):
        await anyio.sleep(0)
        return "posted"


@both_protocols
@pytest.mark.parametrize("view_class", [Item, Awaited, Mixed])
def test_methods_of_both_kinds_serve_requests(app, protocol, view_class):
    serve(app, view_class)
    assert fetch(app, protocol) == ("got", 200)
    assert fetch(app, protocol, "POST") == ("posted", 200)


def test_the_view_function_is_of_the_kind_that_the_methods_are(app):
    assert not inspect.iscoroutinefunction(Item.as_view("x"))
    assert inspect.iscoroutinefunction(Awaited.as_view("x"))


class Where(MethodView):
    """Tells which thread its methods run on, and whether the server's loop runs there."""

    def get(self):
        return where()

    async def post(self):
        await anyio.sleep(0)
        return where()

    @nonblocking
    def put(self):
        return where()


def where():
    try:
        sniffio.current_async_library()
    except sniffio.AsyncLibraryNotFoundError:
        runs_loop = False
    else:
        runs_loop = True
    return {"runs_loop": runs_loop, "thread": threading.get_ident()}


def test_each_method_of_a_mixed_class_runs_where_its_kind_belongs(app, server):
    app.add_url_rule("/", view_func=Where.as_view("where"))
    got, posted, put = (server.request(method, "/").json for method in ("GET", "POST", "PUT"))
    assert [got["runs_loop"], posted["runs_loop"], put["runs_loop"]] == [False, True, server.is_asgi]
    if not server.is_asgi:
        assert got["thread"] == put["thread"] == threading.get_ident() != posted["thread"]


def test_a_def_method_of_a_mixed_class_shares_the_thread_of_its_request(app, server):
    @app.before_request
    def remember():
        g.hook = threading.get_ident()

    @app.after_request
    def tell(response):
        response.headers["X-Neighbour"] = str(g.hook == response.json["thread"])
        return response

    app.add_url_rule("/", view_func=Where.as_view("where"))
    assert server.get("/").headers["X-Neighbour"] == "True"


def test_head_of_a_mixed_class_runs_where_get_does(app, server):
    kinds = []

    class Show(MethodView):
        def get(self):
            kinds.append(where()["runs_loop"])
            return "body"

        async def post(self): ...

    app.add_url_rule("/", view_func=Show.as_view("show"))
    assert server.request("HEAD", "/").status_code == 200
    assert kinds == [False]


def test_the_kind_of_a_mixed_view_is_that_of_the_requests_method(app):
    view = Where.as_view("where")
    for method, kind in [("GET", False), ("HEAD", False), ("POST", True), ("PUT", False)]:
        with app.test_request_context(method=method):
            assert is_async(view) is kind
    assert is_async(view)  # without a request: it may be
    with app.test_request_context(method="PUT"):
        assert is_nonblocking(view)
    with app.test_request_context(method="GET"):
        assert not is_nonblocking(view)


def test_a_mixed_view_tells_of_its_class():
    view = Where.as_view("where")
    assert (view.__name__, view.__doc__, view.__module__) == ("where", Where.__doc__, __name__)
    assert view.view_class is Where
    assert view.methods == {"GET", "POST", "PUT"}


def test_another_class_can_be_put_in_place_of_a_mixed_one(app, server):
    class Swapped(MethodView):
        async def get(self):
            return {"swapped": await self.kind()}

        def post(self):
            return {"swapped": "def"}

        async def kind(self):
            return "async def"

    view = Where.as_view("where")
    app.add_url_rule("/", view_func=view)
    view.view_class = Swapped
    assert server.get("/").json == {"swapped": "async def"}
    assert server.request("POST", "/").json == {"swapped": "def"}


def test_one_instance_of_a_mixed_class_can_serve_all_requests(app, server):
    class Counted(MethodView):
        init_every_request = False

        def __init__(self):
            self.requests = 0

        def get(self):
            self.requests += 1
            return str(self.requests)

        async def post(self):
            return self.get()

    app.add_url_rule("/", view_func=Counted.as_view("counted"))
    assert [server.request(method, "/").text for method in ("GET", "POST", "GET")] == ["1", "2", "3"]


def test_a_method_that_a_mixed_class_lacks_is_an_error_that_names_it(app):
    app.testing = True

    class Forgotten(Where):
        methods = ["GET", "POST", "DELETE"]

    with pytest.raises(AssertionError, match="Forgotten accepts DELETE"):
        serve(app, Forgotten).delete("/")


def by_kind(function):
    """A decorator as careful ones are: its wrapper is of the function's kind."""

    @wraps(function)
    def wrapper(**values):
        return {"def": function(**values)}

    @wraps(function)
    async def async_wrapper(**values):
        return {"async def": await function(**values)}

    return async_wrapper if inspect.iscoroutinefunction(function) else wrapper


def awaiting(function):
    """A decorator whose wrapper is always `async def`."""

    @wraps(function)
    async def wrapper(**values):
        return {"awaited": await current_app.ensure_async(function)(**values)}

    return wrapper


def waiting(function):
    """A decorator whose wrapper is always `def`."""

    @wraps(function)
    def wrapper(**values):
        return {"waited": current_app.ensure_sync(function)(**values)}

    return wrapper


@pytest.mark.parametrize(
    ("decorator", "got", "posted"),
    [(by_kind, "def", "async def"), (awaiting, "awaited", "awaited"), (waiting, "waited", "waited")],
)
def test_decorators_are_applied_to_a_function_of_each_kind(app, server, decorator, got, posted):
    class Decorated(Mixed):
        decorators = [decorator]

    app.add_url_rule("/", view_func=Decorated.as_view("decorated"))
    assert server.get("/").json == {got: "got"}
    assert server.request("POST", "/").json == {posted: "posted"}


@pytest.mark.parametrize(("decorator", "wrapped"), [(by_kind, "async def"), (awaiting, "awaited"), (waiting, "waited")])
def test_decorators_may_wrap_an_async_dispatch_request(app, server, decorator, wrapped):
    class Decorated(View):
        decorators = [decorator]

        async def dispatch_request(self):
            await anyio.sleep(0)
            return "shown"

    app.add_url_rule("/", view_func=Decorated.as_view("decorated"))
    assert server.get("/").json == {wrapped: "shown"}


@pytest.mark.worlds("asgi-asyncio", "asgi-trio")
def test_a_dispatch_request_that_does_not_block_runs_on_the_loop(app, server):
    class Quick(View):
        @nonblocking
        def dispatch_request(self):
            return where()

    app.add_url_rule("/", view_func=Quick.as_view("quick"))
    assert server.get("/").json["runs_loop"] is True


@both_protocols
@pytest.mark.parametrize("view_class", [Item, Awaited, Mixed])
def test_a_def_override_of_dispatch_request_may_call_methods_of_both_kinds(app, protocol, view_class):
    class Logged(view_class):
        def dispatch_request(self, **values):
            return super().dispatch_request(**values) + " logged"

    serve(app, Logged)
    assert fetch(app, protocol) == ("got logged", 200)
    assert fetch(app, protocol, "POST") == ("posted logged", 200)


@both_protocols
@pytest.mark.parametrize("view_class", [Item, Awaited, Mixed])
def test_an_async_override_of_dispatch_request_may_await_methods_of_both_kinds(app, protocol, view_class):
    class Logged(view_class):
        async def dispatch_request(self, **values):
            dispatch = current_app.ensure_async(super().dispatch_request)
            return await dispatch(**values) + " logged"

    serve(app, Logged)
    assert fetch(app, protocol) == ("got logged", 200)
    assert fetch(app, protocol, "POST") == ("posted logged", 200)


def test_a_dispatch_request_patched_by_a_tool_is_used(app, monkeypatch):
    calls = []
    original = MethodView.dispatch_request

    def traced(self, **values):
        calls.append(request.method)
        return original(self, **values)

    monkeypatch.setattr(MethodView, "dispatch_request", traced)
    serve(app, Awaited)
    assert fetch(app, "wsgi") == ("got", 200)
    assert calls == ["GET"]


@both_protocols
def test_variables_of_the_url_are_given_to_methods_of_both_kinds(app, protocol):
    class Show(MethodView):
        def get(self, number):
            return repr(number)

        async def post(self, number):
            return repr(-number)

    app.add_url_rule("/<int:number>", view_func=Show.as_view("show"))
    assert fetch(app, protocol, "GET", "/7") == ("7", 200)
    assert fetch(app, protocol, "POST", "/7") == ("-7", 200)


# The same as Flask


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "OPTIONS", "DELETE"])
def test_methods_are_served_as_flask_serves_them(method):
    flask = pytest.importorskip("flask")
    views = pytest.importorskip("flask.views")

    def answer(kind, method_view):
        class Base(method_view):
            def get(self):
                return "got"

        class Derived(Base):
            decorators = [lambda view: lambda **values: ("decorated", 201, {"X": "y"})]

            def put(self): ...

        app = kind("views")
        app.add_url_rule("/base", view_func=Base.as_view("base"))
        app.add_url_rule("/derived", view_func=Derived.as_view("derived"))
        answers = [app.test_client().open(path, method=method) for path in ("/base", "/derived")]
        return [(a.status, a.data, a.headers.get("X"), sorted(a.allow)) for a in answers]

    assert answer(Flask, MethodView) == answer(flask.Flask, views.MethodView)
