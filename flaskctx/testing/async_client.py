"""The async test client: the same requests, awaited, through ASGI."""

from __future__ import annotations

import asyncio
import sys
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import anyio
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder, TestResponse

from ..bridge.loops import asyncio_is_running
from .client import FlaskClient

if TYPE_CHECKING:
    from werkzeug.wrappers import Request as BaseRequest

    from ..app import Flask


class FlaskAsyncClient:
    """Sends requests to `app.asgi` on the running loop, asyncio's or trio's.

        async with app.async_test_client() as client:
            response = await client.get("/")

    Requests take what those of the sync client take and give the same responses; cookies and
    `session_transaction` work alike. `async with` runs the application's lifespan around the block.
    """

    def __init__(self, app: Flask, **kwargs: Any) -> None:
        self.application = app
        client_class = app.test_client_class or FlaskClient
        self._client = client_class(app, app.response_class, **kwargs)
        self._lifespan: _Lifespan | None = None

    @property
    def environ_base(self) -> dict[str, Any]:
        """What every request's environ starts with."""
        return self._client.environ_base

    def __getattr__(self, name: str) -> Any:
        # cookies and session_transaction: what doesn't send a request is the sync client's
        return getattr(self._client, name)

    async def open(self, *args: Any, follow_redirects: bool = False, **kwargs: Any) -> TestResponse:
        """Send a request and return its response, body included."""
        request = self._client._request(args, kwargs)
        response = await self._send(request)
        history: list[TestResponse] = []
        while follow_redirects and response.status_code in (301, 302, 303, 305, 307, 308):
            if len(history) > 30:
                raise RuntimeError(f"Too many redirects, the last one to {response.location!r}.")
            history.append(response)
            response = await self._send(_redirected(request, response))
            request = response.request
        response.history = tuple(history)
        return response

    async def get(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Send a GET request."""
        return await self.open(*args, method="GET", **kwargs)

    async def head(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Send a HEAD request."""
        return await self.open(*args, method="HEAD", **kwargs)

    async def post(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Send a POST request."""
        return await self.open(*args, method="POST", **kwargs)

    async def put(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Send a PUT request."""
        return await self.open(*args, method="PUT", **kwargs)

    async def patch(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Send a PATCH request."""
        return await self.open(*args, method="PATCH", **kwargs)

    async def delete(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Send a DELETE request."""
        return await self.open(*args, method="DELETE", **kwargs)

    async def options(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Send an OPTIONS request."""
        return await self.open(*args, method="OPTIONS", **kwargs)

    async def _send(self, request: BaseRequest) -> TestResponse:
        client = self._client
        client._add_cookies_to_wsgi(request.environ)
        exchange = _Exchange(request.environ["wsgi.input"].read())
        await self.application.asgi(_scope(request), exchange.receive, exchange.send)
        response = client.response_wrapper(exchange.body, f"{exchange.status}", exchange.headers, request=request)
        client._take_cookies(request, response.headers.getlist("Set-Cookie"))
        return response

    async def __aenter__(self) -> FlaskAsyncClient:
        self._lifespan = _Lifespan(self.application)
        await self._lifespan.start()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: TracebackType | None
    ) -> None:
        lifespan, self._lifespan = self._lifespan, None
        if lifespan is not None:
            await lifespan.stop()


class _Exchange:
    """The server's side of one request: hands the body over, collects the response."""

    def __init__(self, request_body: bytes) -> None:
        self._request_body: bytes | None = request_body
        self._chunks: list[bytes] = []
        self._ended = anyio.Event()
        self.status = 0
        self.headers = Headers()

    @property
    def body(self) -> list[bytes]:
        return [b"".join(self._chunks)]

    async def receive(self) -> dict[str, Any]:
        body, self._request_body = self._request_body, None
        if body is not None:
            return {"type": "http.request", "body": body, "more_body": False}
        await self._ended.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = Headers(
                [(name.decode("latin-1"), value.decode("latin-1")) for name, value in message["headers"]]
            )
            return
        self._chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            self._ended.set()


class _Lifespan:
    """Runs the lifespan protocol in a task of its own.

    Not in a task group: of an async fixture the beginning and the end run in different tasks.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._task: Any = None
        self._error: Exception | None = None
        self._ended = anyio.Event()
        self._to_app, self._from_server = anyio.create_memory_object_stream[dict[str, Any]](2)
        self._to_server, self._from_app = anyio.create_memory_object_stream[Any](2)

    async def start(self) -> None:
        if asyncio_is_running():
            self._task = asyncio.get_running_loop().create_task(self._serve())
        else:
            self._task = sys.modules["trio"].lowlevel.spawn_system_task(self._serve)
        await self._exchange("startup")

    async def stop(self) -> None:
        await self._exchange("shutdown")
        await self._ended.wait()
        self._close()

    def _close(self) -> None:
        for stream in (self._to_app, self._from_server, self._to_server, self._from_app):
            stream.close()

    async def _serve(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0"}}
        try:
            await self._app.asgi(scope, self._from_server.receive, self._to_server.send)
        except Exception as error:
            self._error = error
        finally:
            self._to_server.close()
            self._ended.set()

    async def _exchange(self, event: str) -> None:
        await self._to_app.send({"type": f"lifespan.{event}"})
        try:
            answer = await self._from_app.receive()
        except anyio.EndOfStream:
            answer = {"type": "the end", "message": repr(self._error)}
        if answer["type"] != f"lifespan.{event}.complete":
            self._close()
            raise RuntimeError(f"The application's {event} failed: {answer.get('message', '')}") from self._error


def _scope(request: BaseRequest) -> dict[str, Any]:
    """Return the ASGI scope of a made-up request."""
    environ = request.environ
    path = environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace")
    root_path = environ.get("SCRIPT_NAME", "").encode("latin-1").decode("utf-8", "replace")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": environ["SERVER_PROTOCOL"].partition("/")[2],
        "method": environ["REQUEST_METHOD"],
        "scheme": environ["wsgi.url_scheme"],
        "path": root_path + path,
        "raw_path": (root_path + path).encode("utf-8"),
        "query_string": environ["QUERY_STRING"].encode("latin-1"),
        "root_path": root_path,
        "headers": [(n.lower().encode("latin-1"), v.encode("latin-1")) for n, v in request.headers],
        "client": (environ.get("REMOTE_ADDR", "127.0.0.1"), 0),
        "server": (environ["SERVER_NAME"], int(environ["SERVER_PORT"])),
        "flaskctx.test_client": True,
    }


def _redirected(request: BaseRequest, response: TestResponse) -> BaseRequest:
    """Return the request that a redirect asks for (RFC 9110, section 15.4)."""
    parts = urlsplit(urljoin(request.url, response.location or ""))
    builder = EnvironBuilder.from_environ(request.environ, query_string=parts.query)
    builder.path = parts.path or "/"
    builder.base_url = f"{parts.scheme}://{parts.netloc}/"
    if response.status_code not in (307, 308) and builder.method != "HEAD":
        builder.method = "GET"
        builder.input_stream = None
        builder.content_type = None
        builder.content_length = None
    for name in ("Authorization", "Cookie"):
        if name == "Cookie" or parts.netloc != request.host:
            builder.headers.pop(name, None)
    return builder.get_request()
