"""One request through WSGI and through ASGI, and what differs between the two answers."""

from __future__ import annotations

import difflib
import io
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial, partialmethod
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from anyio.from_thread import start_blocking_portal
from werkzeug.wrappers import Request

if TYPE_CHECKING:
    from anyio.from_thread import BlockingPortal
    from werkzeug.test import Cookie, TestResponse

    from ..app import Flask
    from ..sessions import SessionMixin
    from .base import ApplicationClient

T = TypeVar("T")

MOST_LINES = 60
"""Lines of a difference that are shown."""

_MOMENT = re.compile(r"\w{3}, \d\d[ -]\w{3}[ -](?!1970)\d{4} \d\d:\d\d:\d\d GMT")
"""A date as HTTP writes it; not the one that deletes a cookie."""


class Both:
    """A client that sends each request twice, through WSGI and through ASGI, and compares the answers.

        with Both(app) as both:
            assert both.get("/").status_code == 200

    Its methods take what those of `FlaskClient` take and return the response that came through WSGI. Where
    status, headers, body or session differ, or only one of the two raises, an AssertionError shows the
    difference. Two requests really are sent, WSGI's first, each by a client with cookies and a session of its own:
    what the application keeps elsewhere is changed twice. Give `between` a function that undoes what the first
    request has changed.

    Left out of the comparison are the headers in `ignored_headers`, the moments in `Expires`, and of a session
    cookie its value: what is in the session is compared instead.

    :param app: the application.
    :param backend: the loop for ASGI, `"asyncio"` or `"trio"`; it runs on a thread of its own, with the
        application's lifespan around the block.
    """

    def __init__(self, app: Flask, backend: str = "asyncio") -> None:
        self.app = app
        self.wsgi = app.test_client()
        self.asgi = app.async_test_client()
        self.environ_base = self.asgi.environ_base = self.wsgi.environ_base
        self.ignored_headers = {"date", "server"}
        """Names of headers, in lower case."""
        self.between: Callable[[], object] | None = None
        """Called between the two requests."""
        self._backend = backend
        self._open = ExitStack()
        self._portal: BlockingPortal | None = None

    def __enter__(self) -> Both:
        with ExitStack() as opened:
            self._portal = opened.enter_context(start_blocking_portal(self._backend))
            opened.enter_context(self._portal.wrap_async_context_manager(self.asgi.lifespan()))
            self._open = opened.pop_all()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._portal = None
        self._open.__exit__(exc_type, exc_value, tb)

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Send a request both ways, compare, and return the response."""
        __tracebackhide__ = True
        if self._portal is None:
            raise RuntimeError('The loop for ASGI doesn\'t run. Use "with Both(app) as both:".')
        options = {"buffered": True, "follow_redirects": kwargs.pop("follow_redirects", False)}
        kwargs.pop("buffered", None)
        request = self.wsgi._request_from_builder_args(args, {**kwargs})
        body = request.environ["wsgi.input"].read()
        answers: list[TestResponse | Exception] = []
        for send in (self.wsgi.open, partial(self._await, self.asgi.open)):
            if answers and self.between is not None:
                self.between()
            again = _again(request, body, args, kwargs)
            try:
                answers.append(send(*again[0], **again[1], **options))
            except Exception as error:
                answers.append(error)
        lines = [self._lines(client, answer) for client, answer in zip(self._clients, answers, strict=True)]
        if lines[0] != lines[1]:
            what = f"{request.method} {request.full_path.rstrip('?')}"
            raise AssertionError("\n".join([f"WSGI (-) and ASGI (+) answer {what} differently:", *_difference(*lines)]))
        if isinstance(answers[0], Exception):
            raise answers[0]
        return answers[0]

    get = partialmethod(open, method="GET")
    head = partialmethod(open, method="HEAD")
    post = partialmethod(open, method="POST")
    put = partialmethod(open, method="PUT")
    patch = partialmethod(open, method="PATCH")
    delete = partialmethod(open, method="DELETE")
    options = partialmethod(open, method="OPTIONS")
    trace = partialmethod(open, method="TRACE")

    def set_cookie(self, *args: Any, **kwargs: Any) -> None:
        """Set a cookie for both; see werkzeug's `Client.set_cookie`."""
        for client in self._clients:
            client.set_cookie(*args, **kwargs)

    def get_cookie(self, *args: Any, **kwargs: Any) -> Cookie | None:
        """Return a cookie, as it came through WSGI."""
        return self.wsgi.get_cookie(*args, **kwargs)

    def delete_cookie(self, *args: Any, **kwargs: Any) -> None:
        """Delete a cookie of both."""
        for client in self._clients:
            client.delete_cookie(*args, **kwargs)

    @contextmanager
    def session_transaction(self, *args: Any, **kwargs: Any) -> Iterator[SessionMixin]:
        """Open a session, which at the end of the block is saved for both."""
        with self.wsgi.session_transaction(*args, **kwargs) as session:
            yield session
        with self.asgi.session_transaction(*args, **kwargs) as other:
            other.clear()
            other.update(session)

    @property
    def _clients(self) -> tuple[ApplicationClient, ApplicationClient]:
        return self.wsgi, self.asgi

    def _await(self, function: Callable[..., Awaitable[T]], *args: Any, **kwargs: Any) -> T:
        """Call an `async def` function on the loop for ASGI, and wait for it."""
        assert self._portal is not None
        return self._portal.call(partial(function, *args, **kwargs))

    def _lines(self, client: ApplicationClient, answer: TestResponse | Exception) -> list[str]:
        """Return what is compared, as text."""
        if isinstance(answer, Exception):
            return [f"raised {answer!r}"]
        session_cookie = self.app.session_interface.get_cookie_name(self.app) + "="
        headers = []
        for name, value in answer.headers.to_wsgi_list():
            name = name.lower()
            if name in self.ignored_headers:
                continue
            if name == "set-cookie" and value.startswith(session_cookie):
                value = session_cookie + "..." + value[value.find(";") :]
            if name in ("set-cookie", "expires"):
                value = _MOMENT.sub("...", value)
            headers.append(f"{name}: {value}")
        return [
            *(f"by way of {earlier.request.path}: {earlier.status}" for earlier in answer.history),
            answer.status,
            *sorted(headers),
            *self._session_lines(client, answer),
            *_body_lines(answer.data),
        ]

    def _session_lines(self, client: ApplicationClient, answer: TestResponse) -> list[str]:
        name = self.app.session_interface.get_cookie_name(self.app)
        if not any(cookie.decoded_key == name for cookie in (client._cookies or {}).values()):
            return []
        # opened, and not saved again
        transaction = client.session_transaction(answer.request.path, base_url=answer.request.root_url)
        session = self._await(transaction.__aenter__)
        return [f"session[{key!r}] = {session[key]!r}" for key in sorted(session)]


def _again(request: Request, body: bytes, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Return the arguments for sending a request once more; files and streams can be read a single time."""
    if args and not isinstance(args[0], str):
        return (Request({**request.environ, "wsgi.input": io.BytesIO(body)}),), {}
    if "data" not in kwargs and "input_stream" not in kwargs:
        return args, kwargs
    kwargs = {name: value for name, value in kwargs.items() if name != "input_stream"}
    return args, {**kwargs, "data": body, "content_type": request.content_type}


def _body_lines(body: bytes) -> list[str]:
    try:
        return [repr(line) for line in body.decode().splitlines(keepends=True)]
    except UnicodeDecodeError:
        return [repr(body[start : start + 64]) for start in range(0, len(body), 64)]


def _difference(wsgi: list[str], asgi: list[str]) -> list[str]:
    """Return the lines that differ, and their neighbours."""
    lines = [line for line in difflib.unified_diff(wsgi, asgi, lineterm="", n=1) if not line.startswith("@@")][2:]
    return lines if len(lines) <= MOST_LINES else [*lines[:MOST_LINES], f"... and {len(lines) - MOST_LINES} lines more"]
