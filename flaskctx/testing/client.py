"""The test client: requests through WSGI, in this process, on this thread."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from ..bridge import portal
from ..bridge.loops import loop_is_running
from .base import ApplicationClient
from .kept import adopt, drop_ended
from .websocket import BlockingClientWebsocket

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from ..ctx import RequestContext

T = TypeVar("T")


class FlaskClient(ApplicationClient):
    """werkzeug's test client for an application: its defaults, sessions, and contexts that outlive the request.

    Used as a context manager (`with client:`), it keeps the context of the last request current, so that
    `request`, `session` and `g` can be looked at after it. Works on a thread whose event loop runs as well: the
    request is then served by another thread while the loop stands still.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.preserve_context = False
        self._kept: list[RequestContext] = []
        self._thread: ThreadPoolExecutor | None = None

    def open(self, *args: Any, buffered: bool = False, follow_redirects: bool = False, **kwargs: Any) -> TestResponse:
        """Send a request and return its response.

        :param args: a path and other arguments of `EnvironBuilder`; or a builder, an environ or a request, which is
            sent as it is, whatever else is given.
        :param buffered: read the body to its end and close it before this returns.
        :param follow_redirects: send the requests that redirects ask for as well; `response.history` has the
            responses before the last one.
        """
        request = self._request_from_builder_args(args, kwargs)
        response = super().open(request, buffered=buffered, follow_redirects=follow_redirects)
        response.json_module = self.application.json  # type: ignore[assignment]
        return response

    def websocket(self, path: str, *, subprotocols: Sequence[str] = (), **kwargs: Any) -> BlockingClientWebsocket:
        """Return a websocket to the application, connected by `with`; the application serves it through ASGI.

        :param path: the URL or its path.
        :param subprotocols: those that this client offers, its favourite first.
        :param kwargs: the rest of what `open` takes, such as `headers` and `query_string`.
        """
        return BlockingClientWebsocket(lambda: self._websocket(path, subprotocols, kwargs))

    def _with_base(self, environ: Mapping[str, Any]) -> dict[str, Any]:
        return {**super()._with_base(environ), "flask._preserve_context": self.preserve_context}

    def run_wsgi_app(self, environ: dict[str, Any], buffered: bool = False) -> tuple[Iterable[bytes], str, Any]:
        """Call the application; where an event loop runs on this thread, on another one."""
        if portal.is_here():
            raise RuntimeError(
                "This coroutine runs on the background loop, which stands still while it waits for the test client, "
                "and may be needed for the request. Use app.async_test_client() here, and await its requests."
            )
        kept: list[RequestContext] = []
        environ["flaskctx.preserved"] = kept
        run = super().run_wsgi_app
        try:
            if not loop_is_running():
                return run(environ, buffered)
            # the response is complete when the thread is done, since the body may belong to that thread
            return self._in_thread(lambda: run(environ, buffered=True))
        finally:
            drop_ended()
            for context in kept:
                adopt(context)
            self._kept += kept

    def resolve_redirect(self, response: TestResponse, buffered: bool = False) -> TestResponse:
        """Send the request that a redirect asks for; with the body, as it was, where the redirect keeps the method."""
        body = response.request.environ["wsgi.input"]
        if body.seekable():
            body.seek(0)
        return super().resolve_redirect(response, buffered)

    def __enter__(self) -> FlaskClient:
        if self.preserve_context:
            raise RuntimeError('A client can\'t be entered twice: leave the first "with client:" block, or use two.')
        self.preserve_context = True
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: TracebackType | None
    ) -> None:
        try:
            if self._thread is not None or loop_is_running():
                # the teardown functions belong on the thread that has served the request
                self._in_thread(self._end_kept)
                drop_ended()
            else:
                self._end_kept()
        finally:
            self.preserve_context = False
            thread, self._thread = self._thread, None
            if thread is not None:
                thread.shutdown()

    def _end_kept(self) -> None:
        # not what is current: that belongs to the test's task, and this may be the end of a fixture
        while self._kept:
            context = self._kept.pop()
            if context.preserved:
                context.pop(context._preserved_exc)

    def _in_thread(self, function: Callable[[], T]) -> T:
        """Call a function on another thread, in a copy of this one's context, and wait; one thread for a block."""
        context = copy_context()
        sniffio = sys.modules.get("sniffio")
        if sniffio is not None:
            # where anyio notes which kind of loop runs: none on that thread
            context.run(sniffio.current_async_library_cvar.set, None)
        if not self.preserve_context:
            with ThreadPoolExecutor(1, "flaskctx-test-client") as thread:
                return thread.submit(context.run, function).result()
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "flaskctx-test-client")
        return self._thread.submit(context.run, function).result()
