"""The applications that are measured: the same few views for each library, one application a case."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route

DATA = {"message": "hello", "numbers": [1, 2, 3], "nested": {"yes": True, "no": None}}


def flask_like(library: ModuleType, case: str, asynchronous: bool) -> Any:
    """Return an application of flaskctx, Flask or Quart for a case.

    :param asynchronous: whether its functions are `async def`.
    """
    app_class = getattr(library, "Flask", None) or library.Quart
    app = app_class(__name__, static_folder=None)
    app.secret_key = "not a secret"
    kind = as_coroutine if asynchronous else (lambda function: function)
    if case == "hello":
        app.get("/")(kind(lambda: "hello"))
    elif case == "JSON":
        app.get("/")(kind(lambda: DATA))
    elif case == "path parameters":
        app.get("/user/<int:number>/<name>")(kind(lambda number, name: f"{number} {name}"))
    elif case == "session":
        app.get("/")(kind(lambda: count(library.session)))
    elif case == "7 hooks":
        app.get("/")(kind(lambda: "hello"))
        add_hooks(app, kind)
    elif case.endswith("routes"):
        for number in range(int(case.split()[0])):
            app.get(f"/route{number}/<name>", endpoint=str(number))(kind(lambda name: name))
    return app


def as_coroutine(function: Any) -> Any:
    """Return an `async def` function that does what `function` does."""

    async def coroutine(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return coroutine


def count(session: Any) -> str:
    """Read and write a session."""
    session["count"] = session.get("count", 0) + 1
    return "counted"


def add_hooks(app: Any, kind: Any) -> None:
    """Register seven hooks that do nothing."""
    for _ in range(2):
        app.before_request(kind(lambda: None))
        app.after_request(kind(lambda response: response))
        app.teardown_request(kind(lambda error: None))
    app.teardown_appcontext(kind(lambda error: None))


def starlette(case: str, asynchronous: bool) -> Any:
    """Return an application of Starlette for a case; None where it has nothing of the kind."""
    kind = as_coroutine if asynchronous else (lambda function: function)
    middleware = []
    if case == "hello":
        routes = [Route("/", kind(lambda request: HTMLResponse("hello")))]
    elif case == "JSON":
        routes = [Route("/", kind(lambda request: JSONResponse(DATA)))]
    elif case == "path parameters":
        routes = [
            Route(
                "/user/{number:int}/{name}",
                kind(lambda request: HTMLResponse("{number} {name}".format(**request.path_params))),
            )
        ]
    elif case == "session":
        middleware = [Middleware(SessionMiddleware, secret_key="not a secret")]
        routes = [Route("/", kind(lambda request: HTMLResponse(count(request.session))))]
    elif case.endswith("routes"):
        view = kind(lambda request: HTMLResponse(request.path_params["name"]))
        routes = [Route(f"/route{number}/{{name}}", view) for number in range(int(case.split()[0]))]
    else:
        return None
    return Starlette(routes=routes, middleware=middleware)
