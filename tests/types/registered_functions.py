"""For type checkers only: which functions and values the aliases of `flaskctx.typing` admit."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypedDict

from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response as WerkzeugResponse

from flaskctx import typing as ft
from flaskctx.wrappers import Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Item(TypedDict):
    name: str


async def async_text() -> AsyncIterator[str]:
    yield "a"


async def async_mixed() -> AsyncGenerator[str | bytes, None]:
    yield "a"


def generator() -> Generator[bytes, None, None]:
    yield b"a"


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    return []


item: Item = {"name": "a"}
a_application: WSGIApplication = application

values: list[ft.ResponseReturnValue] = [
    "a",
    b"a",
    bytearray(b"a"),
    {"a": 1},
    item,
    [1, "a"],
    generator(),
    async_text(),
    async_mixed(),
    Response("a"),
    WerkzeugResponse("a"),
    application,
    a_application,
    NotFound(),
]
tuples: list[ft.ResponseReturnValue] = [
    ("a", 404),
    ("a", HTTPStatus.OK),
    ("a", "404 Own"),
    ("a", {"X-A": "1"}),
    ("a", {"X-A": ["1", "2"]}),
    ("a", 200, [("X-A", "1")]),
    (async_text(), 200, {"X-A": "1"}),
]


def view(name: str) -> str:
    return name


async def async_view(name: str) -> tuple[Item, int]:
    return item, 200


async def async_stream() -> AsyncIterator[str]:
    return async_text()


routes: list[ft.RouteCallable] = [view, async_view, async_stream, async_text]


def before() -> None: ...
async def async_before() -> ft.ResponseReturnValue | None: ...


befores: list[ft.BeforeRequestCallable] = [before, async_before]


async def async_nothing() -> None: ...


firsts: list[ft.BeforeFirstRequestCallable] = [before, async_nothing]


def after(response: Response) -> Response:
    return response


async def async_after(response: Response) -> Response:
    return response


afters: list[ft.AfterRequestCallable[Response]] = [after, async_after]


def teardown(error: BaseException | None) -> None: ...
async def async_teardown(error: BaseException | None) -> None: ...


teardowns: list[ft.TeardownCallable] = [teardown, async_teardown]


def handler(error: NotFound) -> str:
    return ""


async def async_handler(error: ValueError) -> tuple[str, int]:
    return "", 400


handlers: list[ft.ErrorHandlerCallable] = [handler, async_handler]


def defaults(endpoint: str, values: dict[str, Any]) -> None: ...
async def async_defaults(endpoint: str, values: dict[str, Any]) -> None: ...


all_defaults: list[ft.URLDefaultCallable] = [defaults, async_defaults]


def preprocess(endpoint: str | None, values: dict[str, Any] | None) -> None: ...
async def async_preprocess(endpoint: str | None, values: dict[str, Any] | None) -> None: ...


preprocessors: list[ft.URLValuePreprocessorCallable] = [preprocess, async_preprocess]


def context() -> dict[str, Any]:
    return {}


async def async_context() -> dict[str, Any]:
    return {}


processors: list[ft.TemplateContextProcessorCallable] = [context, async_context]

wrong: ft.ResponseReturnValue = 3  # type: ignore[assignment]
wrong_view: ft.RouteCallable = lambda: 3  # type: ignore  # noqa: E731
