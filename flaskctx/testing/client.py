"""The test client: requests through WSGI, in this process, on this thread."""

from __future__ import annotations

import importlib.metadata
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import copy_context
from copy import copy
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any

import werkzeug.test
from werkzeug.wrappers import Request as BaseRequest

from ..bridge import portal
from ..bridge.loops import loop_is_running
from ..ctx import Borrowed, RequestContext, State
from ..globals import _app_ctx_stack, _request_ctx_stack
from .builder import EnvironBuilder

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from ..app import Flask
    from ..sessions import SessionMixin


class FlaskClient(werkzeug.test.Client):
    """werkzeug's test client for an application: its defaults, sessions, and contexts that outlive the request.

    Used as a context manager (`with client:`), it keeps the context of the last request current, so that
    `request`, `session` and `g` can be looked at after it. Works on a thread whose event loop runs as well: the
    request is then served by another thread while the loop stands still.
    """

    application: Flask

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.preserve_context = False
        self.environ_base = {
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_USER_AGENT": f"Werkzeug/{importlib.metadata.version('werkzeug')}",
        }

    def open(self, *args: Any, buffered: bool = False, follow_redirects: bool = False, **kwargs: Any) -> TestResponse:
        """Send a request; takes a path and the arguments of `EnvironBuilder`, a builder, an environ, or a request."""
        request = self._request(args, kwargs)
        return super().open(request, buffered=buffered, follow_redirects=follow_redirects)

    def _request(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> BaseRequest:
        """Make the request that `open` was asked for."""
        if len(args) == 1 and not kwargs:
            source = args[0]
            if isinstance(source, werkzeug.test.EnvironBuilder):
                builder = copy(source)
                builder.environ_base = self._with_base(builder.environ_base or {})
                return builder.get_request()
            if isinstance(source, dict):
                base = self._with_base({})
                return EnvironBuilder.from_environ(source, app=self.application, environ_base=base).get_request()
            if isinstance(source, BaseRequest):
                request = copy(source)
                request.environ = self._with_base(request.environ)
                return request
        kwargs["environ_base"] = self._with_base(kwargs.get("environ_base", {}))
        builder = EnvironBuilder(self.application, *args, **kwargs)
        try:
            return builder.get_request()
        finally:
            builder.close()

    def _with_base(self, environ: Mapping[str, Any]) -> dict[str, Any]:
        return {
            **self.environ_base,
            **environ,
            "flaskctx.test_client": True,
            "flask._preserve_context": self.preserve_context,
        }

    def run_wsgi_app(self, environ: dict[str, Any], buffered: bool = False) -> tuple[Iterable[bytes], str, Any]:
        """Call the application; where an event loop runs on this thread, on another one."""
        kept: list[RequestContext] = []
        environ["flaskctx.preserved"] = kept
        if portal.is_here():
            raise RuntimeError(
                "This coroutine runs on the background loop, which stands still while it waits for the test client, "
                "and may be needed for the request. Use app.async_test_client() here, and await its requests."
            )
        if loop_is_running():
            # the response is complete when the thread is done, since the body may belong to that thread
            parts = _in_thread(lambda: super(FlaskClient, self).run_wsgi_app(environ, buffered=True))
        else:
            parts = super().run_wsgi_app(environ, buffered)
        _drop_ended()
        for context in kept:
            if _request_ctx_stack.top is not context:
                _adopt(context)
        return parts  # type: ignore[no-any-return]

    def __enter__(self) -> FlaskClient:
        if self.preserve_context:
            raise RuntimeError('A client can\'t be entered twice: leave the first "with client:" block, or use two.')
        self.preserve_context = True
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.preserve_context = False
        while (top := _request_ctx_stack.top) is not None and top.preserved:
            if loop_is_running():
                # its teardown functions may be `async def`: they run where the request was served
                _in_thread(partial(top.pop, None))
                _drop_ended()
            else:
                top.pop(None)

    @contextmanager
    def session_transaction(self, *args: Any, **kwargs: Any) -> Iterator[SessionMixin]:
        """Open the session that the next request will have, to read and change it; it is saved at the block's end.

            with client.session_transaction() as session:
                session["user"] = 1

        Takes the arguments of `EnvironBuilder`, for what depends on the URL.
        """
        if self._cookies is None:
            raise TypeError("A client with use_cookies=False has no sessions.")
        app = self.application
        context = app.test_request_context(*args, **kwargs)
        self._add_cookies_to_wsgi(context.request.environ)
        interface = app.session_interface
        with Borrowed(app.app_context(), context):
            session = interface.open_session(app, context.request)
        if session is None:
            raise RuntimeError("The session interface opened no session. Is SECRET_KEY set?")
        yield session
        if interface.is_null_session(session):
            return
        response = app.response_class()
        with Borrowed(app.app_context(), context):
            interface.save_session(app, session, response)
        self._take_cookies(context.request, response.headers.getlist("Set-Cookie"))

    def _take_cookies(self, request: BaseRequest, cookies: list[str]) -> None:
        self._update_cookies_from_response(request.host.partition(":")[0], request.path, cookies)


def _in_thread(function: Any) -> Any:
    """Call a function on another thread, in a copy of this one's context, and wait for it."""
    outcome: list[Any] = []
    context = copy_context()
    sniffio = sys.modules.get("sniffio")
    if sniffio is not None:
        # where anyio notes which kind of loop runs: none on that thread
        context.run(sniffio.current_async_library_cvar.set, None)

    def work() -> None:
        try:
            outcome.append((context.run(function), None))
        except BaseException as error:
            outcome.append((None, error))

    thread = threading.Thread(target=work, name="flaskctx-test-client")
    thread.start()
    thread.join()
    result, error = outcome[0]
    if error is not None:
        raise error
    return result


def _drop_ended() -> None:
    """Drop contexts from this chain that were ended on another thread."""
    stacks: list[Any] = [_request_ctx_stack, _app_ctx_stack]
    for stack in stacks:
        while (node := stack.top_node) is not None and node.value._state is State.CLOSED:
            stack.set_node(node.below)


def _adopt(context: RequestContext) -> None:
    """Make a preserved context, which another thread has served, current here."""
    implicit = context._implicit_app_ctx_stack[-1]
    if implicit is not None:
        implicit._nodes[-1] = _app_ctx_stack.push_node(implicit)
    context._nodes[-1] = _request_ctx_stack.push_node(context)
