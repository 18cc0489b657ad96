"""The async test client: the same requests, awaited, through ASGI."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
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
    from werkzeug.datastructures import Headers
    from werkzeug.wrappers import Request as BaseRequest

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

    if TYPE_CHECKING:
        # werkzeug's methods hand on what `open` gives: here, a coroutine
        async def delete(self, *args: Any, **kwargs: Any) -> TestResponse: ...  # type: ignore[override]
        async def get(self, *args: Any, **kwargs: Any) -> TestResponse: ...  # type: ignore[override]
        async def head(self, *args: Any, **kwargs: Any) -> TestResponse: ...  # type: ignore[override]
        async def options(self, *args: Any, **kwargs: Any) -> TestResponse: ...  # type: ignore[override]
        async def patch(self, *args: Any, **kwargs: Any) -> TestResponse: ...  # type: ignore[override]
        async def post(self, *args: Any, **kwargs: Any) -> TestResponse: ...  # type: ignore[override]
        async def put(self, *args: Any, **kwargs: Any) -> TestResponse: ...  # type: ignore[override]
        async def trace(self, *args: Any, **kwargs: Any) -> TestResponse: ...  # type: ignore[override]
        async def resolve_redirect(  # type: ignore[override]
            self, response: TestResponse, buffered: bool = False
        ) -> TestResponse: ...

    async def open(  # type: ignore[override]
        self, *args: Any, buffered: bool = False, follow_redirects: bool = False, **kwargs: Any
    ) -> TestResponse:
        """Send a request and return its response, whose body is complete; `FlaskClient.open` has the arguments.

        :param buffered: there for the sake of tests that were written for the sync client.
        """
        response = await self._send(self._request(args, kwargs))
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

    def request(self, *args: Any, **kwargs: Any) -> Connection:
        """Return a connection for a request that is sent, and a response that is read, bit by bit.

        Takes the arguments of `open`; the body may be given there, or sent on the connection.
        """
        return Connection(self, self._request(args, kwargs))

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

    def _response(self, request: BaseRequest, status: int, headers: Headers, body: bytes) -> TestResponse:
        response = self.response_wrapper([body], f"{status}", headers, request=request)
        response.json_module = self.application.json  # type: ignore[assignment]
        return response
