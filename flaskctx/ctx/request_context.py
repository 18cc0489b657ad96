"""The request context: the current request, its session, flashes and URL matching.

State and node operations only. What entering and leaving call is in the lifecycle, reached through `app`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException
from werkzeug.routing import WebsocketMismatch

from ..websockets import UpgradeRequired, Websocket
from .app_context import _sentinel
from .states import State

if TYPE_CHECKING:
    from types import TracebackType

    from _typeshed.wsgi import WSGIEnvironment
    from werkzeug.routing import MapAdapter, Rule

    from ..app import Flask
    from ..bridge import Call
    from ..local import Node
    from ..sessions import SessionInterface, SessionMixin
    from ..typing import AfterRequestCallable
    from ..wrappers import Request, Response
    from .app_context import AppContext


class _SessionOnDemand:
    """`RequestContext.session`: None where no session was opened yet, or opened now if that is still to be done."""

    def __get__(self, context: Any, owner: type) -> Any:
        if context is None:
            return self
        session = context._session
        interface = context._session_to_open
        if session is not None or interface is None:
            return session
        app = context.app
        session = interface.open_session(app, context.request)
        if session is None:
            session = interface.make_null_session(app)
        # in one step, as another thread may carry this context
        session = context.__dict__.setdefault("_session", session)
        if context._state is State.CLOSED:
            session._close()
        return session

    def __set__(self, context: Any, session: Any) -> None:
        context._session = session


class RequestContext:
    """One request, made current by `push` and given up by `pop`.

    :param app: the application that handles the request.
    :param environ: the WSGI environ of the request.
    :param request: use this request object instead of making one from the environ.
    :param session: use this session instead of opening one at push.
    """

    if TYPE_CHECKING:
        session: SessionMixin | None
    else:
        session = _SessionOnDemand()
    _session: SessionMixin | None = None
    flashes: list[tuple[str, str]] | None = None
    _after_functions: list[AfterRequestCallable[Any]] | None = None
    """What `after_this_request` was given; None where it wasn't called."""
    _after_response: Sequence[Callable[[], object]] = ()
    """What `after_response` was given."""
    _handshake: Response | None = None
    """The response that a websocket's handshake was answered with."""
    _url_adapter: MapAdapter | None = None
    _rule: Rule | None
    """The rule that matches, where that is known without an adapter; the adapter is then made when it's read."""
    _preserved_exc: BaseException | None = None
    _call: Call | None = None
    """The bridge of the lifecycle that serves this request."""
    _plain = False
    """Whether it is known that no step of this request is overridden."""
    _served = False
    """Whether a lifecycle is serving this request right now."""
    _has_result = False
    """Whether the view has ended, or a hook has answered in its place."""
    _awaits_view = False
    """Whether an `async def` view behind a `def` wrapper is awaited right now, on the loop that serves this request."""
    _client_has_left = False
    """Whether the client was seen to have left: to be asked when the request has ended, too."""

    def __init__(
        self,
        app: Flask,
        environ: WSGIEnvironment,
        request: Request | None = None,
        session: SessionMixin | None = None,
    ) -> None:
        self.app = app
        if request is None:
            request = app.request_class(environ)
            request.json_module = app.json
        self.request: Request = request
        self._rule = app._quick_rule(request)
        if self._rule is None:
            try:
                self._url_adapter = app.create_url_adapter(request)
            except HTTPException as error:
                request.routing_exception = error
        if session is not None:
            self.session = session
        # not on the class: what each request reads is found sooner on the object
        self._state = State.NEW
        self._session_to_open: SessionInterface | None = None
        """Opens the session when it is read first; None where it was opened at push, and before that."""
        self._streams = 0
        """How many `stream_with_context` bodies need this context after the lifecycle's end."""
        self._implicit_app_ctx_stack: list[AppContext | None] = []
        self._nodes: list[Node[RequestContext]] = []

    @property
    def _after_request_functions(self) -> list[AfterRequestCallable[Any]]:
        """Flask's name for what `after_this_request` adds to."""
        # in one step, as another thread may carry this context
        functions: list[AfterRequestCallable[Any]] = self.__dict__.setdefault("_after_functions", [])
        return functions

    def uses_session(self) -> bool:
        """Tell whether there may be a session to save: it was opened, or the client has sent cookies."""
        return self._session_to_open is None or self._session is not None or "HTTP_COOKIE" in self.request.environ

    def _close_session(self) -> None:
        """Refuse changes to the session from now on: nobody would save them."""
        close = getattr(self._session, "_close", None)
        if close is not None:
            close()

    @property
    def url_adapter(self) -> MapAdapter | None:
        """The URL map bound to this request; None where the host was refused."""
        if self._url_adapter is None and self._rule is not None:
            self._url_adapter = self.app.create_url_adapter(self.request)
        return self._url_adapter

    @url_adapter.setter
    def url_adapter(self, value: MapAdapter | None) -> None:
        self._url_adapter = value
        self._rule = None

    @property
    def websocket(self) -> Websocket:
        """The request's websocket. Raises RuntimeError where the request isn't one."""
        try:
            connection = self.request.environ["flaskctx.websocket"]
        except KeyError:
            raise RuntimeError(
                f"{self!r} is no websocket: `websocket` is for the views of @app.websocket rules, and for hooks while "
                "request.url_rule.websocket is true."
            ) from None
        websocket: Websocket = self.__dict__.setdefault("_websocket", Websocket(self, connection))
        return websocket

    @property
    def preserved(self) -> bool:
        """Whether the request has ended and the context is kept for a test client or a debugger."""
        return self._state is State.PRESERVED

    @preserved.setter
    def preserved(self, value: bool) -> None:
        if value is not self.preserved:
            self._state = State.PRESERVED if value else State.ACTIVE

    def copy(self) -> RequestContext:
        """Return a new context for the same request and session, with its own push, pop and teardown.

        To share the request with a thread or task, `carry` and `copy_current_request_context` are better: they
        share `g` too and run no teardown functions.
        """
        return type(self)(self.app, self.request.environ, self.request, self.session)

    def match_request(self) -> None:
        """Match the URL; the result is `request.url_rule` and `view_args`, or `routing_exception`."""
        request, rule = self.request, self._rule
        if rule is not None:
            request.url_rule, request.view_args = rule, {}
        elif self._url_adapter is not None:
            try:
                matched: Any = self._url_adapter.match(return_rule=True)
                request.url_rule, request.view_args = matched
            except HTTPException as error:
                # its traceback refers to this frame, which has the request: without the cycle, both are freed at once
                error.__context__ = None
                request.routing_exception = error.with_traceback(None)
            if "flaskctx.websocket" not in request.environ:
                self._refuse_websocket()
        limits: dict[str, Any] | None = getattr(request.url_rule, "for_request", None)
        if limits:
            for name, value in limits.items():
                setattr(request, name, value)

    def _refuse_websocket(self) -> None:
        """Let a plain HTTP request to a websocket's URL be answered with 426, wherever it came through."""
        request = self.request
        if request.url_rule is not None and request.url_rule.websocket:
            self.app.logger.error(
                "A client asked for the websocket %s, which this server can't give: it speaks WSGI, or has no library "
                "for websockets. Serve the application through app.asgi (uvicorn[standard], hypercorn, granian).",
                request.path,
            )
        elif not isinstance(request.routing_exception, WebsocketMismatch) or "HTTP_UPGRADE" in request.environ:
            return
        request.routing_exception = UpgradeRequired()

    def push(self) -> None:
        """Make the request current here; opens the session and matches the URL.

        Makes the application current too where it isn't. A push that fails undoes itself.
        """
        self.app._sync_step("enter_request_context", self)

    def pop(self, exc: BaseException | None = _sentinel) -> None:
        """Undo a push; the last one runs the teardown functions.

        :param exc: what the teardown functions are told; the exception being handled when it isn't given.
        """
        self.app._sync_step("leave_request_context", self, exc)

    def auto_pop(self, exc: BaseException | None) -> None:
        """Pop at the end of the request, unless a test client or a debugger wants the context kept."""
        self.app._sync_step("auto_pop", self, exc)

    def __enter__(self) -> RequestContext:
        self.push()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.auto_pop(exc_value)

    async def __aenter__(self) -> RequestContext:
        await self.app._async_enter("request_context", self)
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.app._async_step("auto_pop", self, exc_value)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.request.url!r} [{self.request.method}] of {self.app.name}>"
