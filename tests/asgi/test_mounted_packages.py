"""Applications of other frameworks under a path: Starlette, Django, GraphQL; and this one in others' dispatchers."""

from __future__ import annotations

import contextlib
import sys
import types

import anyio
import pytest
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from flaskctx import Flask, request, url_for

ASYNCIO_WORLDS = ("wsgi", "asgi-asyncio")


# -- Starlette -------------------------------------------------------------------------------------------


@pytest.fixture
def starlette_app():
    """A Starlette application with a lifespan, a route for requests and one for websockets."""
    responses, routing = pytest.importorskip("starlette.responses"), pytest.importorskip("starlette.routing")
    applications = pytest.importorskip("starlette.applications")

    @contextlib.asynccontextmanager
    async def lifespan(app):
        async with anyio.create_task_group():
            yield {"pool": "a pool"}

    async def item(request):
        return responses.JSONResponse(
            {
                "url": str(request.url_for("item", number=request.path_params["number"])),
                "pool": getattr(request.state, "pool", None),
                "body": (await request.body()).decode(),
            }
        )

    async def echo(websocket):
        await websocket.accept()
        await websocket.send_text(f"{websocket.url_for('echo').path} {await websocket.receive_text()}")
        await websocket.close()

    routes = [
        routing.Route("/items/{number:int}", item, methods=["GET", "POST"], name="item"),
        routing.WebSocketRoute("/echo", echo, name="echo"),
    ]
    return applications.Starlette(routes=routes, lifespan=lifespan)


def test_starlette_builds_urls_below_the_path(app, server, starlette_app):
    app.mount_asgi("/star", starlette_app)
    told = server.request("POST", "/star/items/7", data="body").json
    assert (told["url"], told["body"]) == ("http://localhost/star/items/7", "body")


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_starlettes_lifespan_and_websockets_work(app, starlette_app, backend):
    app.mount_asgi("/star", starlette_app)
    scope = {
        "type": "websocket", "path": "/star/echo", "root_path": "", "scheme": "ws", "query_string": b"",
        "headers": [(b"host", b"localhost")], "subprotocols": [],
    }  # fmt: skip
    messages = [{"type": "websocket.connect"}, {"type": "websocket.receive", "text": "hello"}]
    sent = []

    async def receive():
        return messages.pop(0)

    async def send(message):
        sent.append(message)

    async def main():
        async with app.async_test_client() as client:
            assert (await client.get("/star/items/1")).json["pool"] == "a pool"
            await app.asgi(scope, receive, send)

    anyio.run(main, backend=backend)
    assert sent[1] == {"type": "websocket.send", "text": "/star/echo hello"}


# -- Django ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def django_app():
    """A Django project of one module: `django_app("wsgi")`, `django_app("asgi")`."""
    django = pytest.importorskip("django")
    from django.conf import settings
    from django.core.asgi import get_asgi_application
    from django.core.wsgi import get_wsgi_application
    from django.http import JsonResponse
    from django.urls import path, reverse

    def tell(request, number):
        return JsonResponse({"url": reverse("tell", args=[number + 1]), "form": request.POST.get("name")})

    async def tell_async(request, number):
        return JsonResponse({"url": reverse("tell_async", args=[number + 1]), "form": request.POST.get("name")})

    urls = types.ModuleType("django_urls_of_a_test")
    urls.urlpatterns = [
        path("def/<int:number>", tell, name="tell"),
        path("async/<int:number>", tell_async, name="tell_async"),
    ]
    sys.modules[urls.__name__] = urls
    settings.configure(ROOT_URLCONF=urls.__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="tests", LOGGING_CONFIG=None)
    django.setup()
    return {"wsgi": get_wsgi_application, "asgi": lambda: with_names_in_lower_case(get_asgi_application())}


def with_names_in_lower_case(asgi_app):
    """Django's header names have capitals, at which servers only shrug; those of these tests insist."""

    async def served(scope, receive, send):
        async def send_lower(message):
            headers = [(name.lower(), value) for name, value in message.get("headers", [])]
            await send({**message, "headers": headers} if headers else message)

        await asgi_app(scope, receive, send_lower)

    return served


@pytest.mark.worlds(*ASYNCIO_WORLDS)
@pytest.mark.parametrize("protocol", ["wsgi", "asgi"])
@pytest.mark.parametrize("view", ["def", "async"])
def test_a_django_project_is_served_and_knows_where_it_stands(app, server, django_app, protocol, view):
    if protocol == "wsgi":
        app.mount_wsgi("/django", django_app["wsgi"]())
    else:
        app.mount_asgi("/django", django_app["asgi"]())
    told = server.request("POST", f"/django/{view}/1", data={"name": "Peter"}).json
    assert told == {"url": f"/django/{view}/2", "form": "Peter"}


def test_a_django_project_has_no_lifespan_which_is_no_error(app, django_app):
    async def main():
        async with app.async_test_client() as client:
            return (await client.get("/django/async/1")).json["url"]

    app.mount_asgi("/django", django_app["asgi"]())
    assert anyio.run(main) == "/django/async/2"


# -- GraphQL ---------------------------------------------------------------------------------------------


@pytest.fixture
def schema():
    ariadne = pytest.importorskip("ariadne")
    query = ariadne.QueryType()
    query.set_field("hello", lambda *_: "from the schema")
    return ariadne.make_executable_schema("type Query { hello: String! }", query)


@pytest.mark.worlds(*ASYNCIO_WORLDS)
@pytest.mark.parametrize("protocol", ["wsgi", "asgi"])
def test_a_graphql_application_answers_queries(app, server, schema, protocol):
    if protocol == "wsgi":
        app.mount_wsgi("/graphql", pytest.importorskip("ariadne.wsgi").GraphQL(schema))
    else:
        app.mount_asgi("/graphql", pytest.importorskip("ariadne.asgi").GraphQL(schema))
    answer = server.request("POST", "/graphql", json={"query": "{ hello }"})
    assert answer.json == {"data": {"hello": "from the schema"}}
    assert server.get("/graphql", headers={"Accept": "text/html"}).status_code == 200


# -- this one in others ----------------------------------------------------------------------------------


def other_app(name, colour):
    app = Flask(name)
    app.get("/where", endpoint="where")(colour(lambda: f"{name} {request.script_root} {url_for('where')}"))
    return app


def test_werkzeugs_dispatcher_serves_several_of_ours(app, server, colour):
    """As WSGI middleware it works under ASGI too: the outer application finds its request's bridge inside."""
    app.get("/where", endpoint="where")(colour(lambda: f"outer {url_for('where')}"))
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/one": other_app("one", colour)})
    assert server.get("/where").text == "outer /where"
    assert server.get("/one/where").text == "one /one /one/where"


def test_nested_mounts_add_up(app, server, colour):
    one, two = other_app("one", colour), other_app("two", colour)
    app.mount_wsgi("/one", one)
    one.mount_asgi("/two", two)
    assert server.get("/one/where").text == "one /one /one/where"
    assert server.get("/one/two/where").text == "two /one/two /one/two/where"


@pytest.mark.worlds("asgi-asyncio", "asgi-trio")
def test_ours_is_mounted_in_starlette(server, colour):
    applications, routing = pytest.importorskip("starlette.applications"), pytest.importorskip("starlette.routing")
    outer = applications.Starlette(routes=[routing.Mount("/ours", app=other_app("ours", colour).asgi)])
    server.app = types.SimpleNamespace(asgi=outer)
    assert server.get("/ours/where").text == "ours /ours /ours/where"
