"""The async test client: the same requests, awaited, through ASGI."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any

from werkzeug.test import ClientRedirectError, TestResponse

from ..local.identity import current_task
from .base import ApplicationClient
from .connection import Connection
from .exchange import Exchange, build_scope
from .kept import Kept, adopt, preserved_contexts_hidden
from .lifespan import started

if TYPE_CHECKING:
    from werkzeug.wrappers import Request as BaseRequest

    from .websocket import ClientWebsocket

Sending = Callable[..., Coroutine[Any, Any, TestResponse]]

REDIRECTS = (301, 302, 303, 305, 307, 308)


class FlaskAsyncClient(ApplicationClient):
    """Sends requests to `app.asgi` on the running loop, asyncio's or trio's.

        async with app.async_test_client() as client:
            response = await client.get("/")

    Requests take what those of `FlaskClient` take and give the same responses; cookies and `session_transaction`
    work alike. `async with` does two things around its block. It runs the application's lifespan, startup and
    shutdown. And the context of the last request stays current for the task that has entered the block, so that
    `request`, `session` and `g` can be looked at; its teardown functions run before the task's next request, or at
    the block's end. Requests of other tasks, which may run at once, end with their response.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._blocks: list[tuple[object, AbstractAsyncContextManager[FlaskAsyncClient]]] = []
        """The tasks that have entered this client, and their share in the lifespan."""
        self._kept: list[Kept] = []

    async def open(  # type: ignore[override]
        self, *args: Any, buffered: bool = False, follow_redirects: bool = False, **kwargs: Any
    ) -> TestResponse:
        """Send a request and return its response, whose body is complete; `FlaskClient.open` has the arguments.

        :param buffered: there for the sake of tests that were written for the sync client.
        """
        response = await self._send(self._request_from_builder_args(args, kwargs))
        history: list[TestResponse] = []
        redirects: set[tuple[str | None, int]] = set()
        while follow_redirects and response.status_code in REDIRECTS:
            redirect = (response.location, response.status_code)
            if redirect in redirects:
                raise ClientRedirectError(f"A loop: {redirect[0]!r} has redirected here before ({redirect[1]}).")
            redirects.add(redirect)
            history.append(response)
            response = await self.resolve_redirect(response)
            response.history = tuple(history)
        return response

    # werkzeug's methods hand on what `open` gives: here, a coroutine
    get: Sending  # type: ignore[assignment]
    head: Sending  # type: ignore[assignment]
    post: Sending  # type: ignore[assignment]
    put: Sending  # type: ignore[assignment]
    patch: Sending  # type: ignore[assignment]
    delete: Sending  # type: ignore[assignment]
    options: Sending  # type: ignore[assignment]
    trace: Sending  # type: ignore[assignment]
    resolve_redirect: Sending  # type: ignore[assignment]

    def request(self, *args: Any, **kwargs: Any) -> Connection:
        """Return a connection for a request that is sent, and a response that is read, bit by bit.

        Takes the arguments of `open`; the body may be given there, or sent on the connection.
        """
        return Connection(self, self._request_from_builder_args(args, kwargs))

    def websocket(self, path: str, *, subprotocols: Sequence[str] = (), **kwargs: Any) -> ClientWebsocket:
        """Return a websocket to the application, connected by `async with`.

        :param path: the URL or its path.
        :param subprotocols: those that this client offers, its favourite first.
        :param kwargs: the rest of what `open` takes, such as `headers` and `query_string`.
        """
        return self._websocket(path, subprotocols, kwargs)

    @asynccontextmanager
    async def lifespan(self) -> AsyncIterator[FlaskAsyncClient]:
        """Run the application's startup, and at the end of the block its shutdown; keeps no contexts.

            async with app.async_test_client().lifespan() as client:
                ...

        Blocks that overlap, also those of other clients, share one lifespan: an application is started once.

        :raises RuntimeError: the startup, or the shutdown, has failed.
        """
        async with started(self.application):
            yield self

    async def __aenter__(self) -> FlaskAsyncClient:
        block = self.lifespan()
        await block.__aenter__()
        self._blocks.append((current_task(), block))
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: TracebackType | None
    ) -> None:
        _, block = self._blocks.pop()
        try:
            await self._end_kept()
        finally:
            await block.__aexit__(exc_type, exc_value, tb)

    async def _send(self, request: BaseRequest) -> TestResponse:
        kept = await self._begin(request)
        stream = request.environ["wsgi.input"]
        body = stream.read()
        # a redirect may ask for it once more
        request.environ["wsgi.input"] = io.BytesIO(body)
        exchange = Exchange(body)
        try:
            with preserved_contexts_hidden():
                await self.application.asgi(build_scope(request), exchange.receive, exchange.send)
        finally:
            self._end(kept)
        exchange.check()
        self._take_cookies(request, exchange.headers.getlist("Set-Cookie"))
        response = self._response(request, exchange.status, exchange.headers, exchange.body)
        response.call_on_close(stream.close)
        return response

    async def _begin(self, request: BaseRequest) -> Kept | None:
        """Prepare a request for being sent; return what takes its context, where that is to be kept."""
        self._add_cookies_to_wsgi(request.environ)
        if current_task() not in [task for task, _ in self._blocks]:
            return None
        await self._end_kept()
        kept = Kept()
        request.environ |= {"flask._preserve_context": True, "flaskctx.preserved": kept}
        return kept

    def _end(self, kept: Kept | None) -> None:
        """Make the context of the request that has ended current here, where it was kept."""
        if kept is not None and kept.context is not None:
            self._kept.append(kept)
            adopt(kept.context)

    async def _end_kept(self) -> None:
        while self._kept:
            await self._kept.pop().end()
