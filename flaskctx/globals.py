"""The two context stacks, and the proxies to what lies on top of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .local import LocalProxy, LocalStack

T = TypeVar("T")

if TYPE_CHECKING:
    from typing import Protocol

    from .app import Flask
    from .ctx import AppContext, RequestContext, _AppCtxGlobals
    from .local import Node
    from .sessions import SessionMixin
    from .websockets import Websocket
    from .wrappers import Request

    T_co = TypeVar("T_co", covariant=True)

    class ProxyMixin(Protocol[T_co]):
        """What a proxy has beside everything that its object has."""

        def _get_current_object(self) -> T_co: ...

    # For type checkers a proxy is the object and the proxy's own method, so both of `request.method` and
    # `current_app._get_current_object()` are known.
    class FlaskProxy(ProxyMixin[Flask], Flask): ...

    class AppContextProxy(ProxyMixin[AppContext], AppContext): ...

    class RequestContextProxy(ProxyMixin[RequestContext], RequestContext): ...

    class GlobalsProxy(ProxyMixin[_AppCtxGlobals], _AppCtxGlobals): ...

    class RequestProxy(ProxyMixin[Request], Request): ...

    class WebsocketProxy(ProxyMixin[Websocket], Websocket): ...

    class SessionProxy(ProxyMixin[SessionMixin], SessionMixin): ...


_app_ctx_err_msg = """\
Working outside of application context.

This needs the current application, and none is active in this thread, task or greenlet. Inside a request there is \
always one; elsewhere push one with "with app.app_context():" (or "async with"), and hand one to a thread or task \
that you start with flaskctx.carry(function).\
"""

_request_ctx_err_msg = """\
Working outside of request context.

This needs a current request, and none is active in this thread, task or greenlet. Use it in functions that a \
request calls, in a test inside "with app.test_request_context():", and hand the request to a thread or task that \
you start with flaskctx.copy_current_request_context(function). A generator that a response sends runs after the \
request: wrap it in flaskctx.stream_with_context(generator).\
"""

_app_ctx_stack: LocalStack[AppContext] = LocalStack()
_request_ctx_stack: LocalStack[RequestContext] = LocalStack()


class TopVariable(Generic[T]):
    """The top of a stack, to be used as Flask's own variables of the same names are, like a `ContextVar`."""

    def __init__(self, name: str, stack: LocalStack[T]) -> None:
        self.name = name
        self._stack = stack

    def get(self, *default: Any) -> T:
        """Return what is current; where nothing is, the default. Raises LookupError where none is given."""
        top = self._stack.top
        if top is not None:
            return top
        if not default:
            raise LookupError(self)
        return default[0]  # type: ignore[no-any-return]

    def set(self, value: T | None) -> Node[T] | None:
        """Make a context current without pushing it, or with None nothing; return what `reset` wants."""
        before = self._stack.top_node
        if value is None:
            self._stack.set_node(None)
        else:
            self._stack.push_node(value)
        return before

    def reset(self, token: Node[T] | None) -> None:
        """Undo a `set`."""
        self._stack.set_node(token)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"


_cv_app: TopVariable[AppContext] = TopVariable("flask.app_ctx", _app_ctx_stack)
_cv_request: TopVariable[RequestContext] = TopVariable("flask.request_ctx", _request_ctx_stack)


def _proxy(stack: LocalStack[Any], name: str | None, unbound_message: str) -> Any:
    return LocalProxy(stack, name, unbound_message=unbound_message)


app_ctx: AppContextProxy = _proxy(_app_ctx_stack, None, _app_ctx_err_msg)
request_ctx: RequestContextProxy = _proxy(_request_ctx_stack, None, _request_ctx_err_msg)

current_app: FlaskProxy = _proxy(_app_ctx_stack, "app", _app_ctx_err_msg)
"""The application that is handling the current request or command."""

g: GlobalsProxy = _proxy(_app_ctx_stack, "g", _app_ctx_err_msg)
"""A namespace for one application context; a new one for each request."""

request: RequestProxy = _proxy(_request_ctx_stack, "request", _request_ctx_err_msg)
"""The request that is being handled."""

websocket: WebsocketProxy = _proxy(_request_ctx_stack, "websocket", _request_ctx_err_msg)
"""The websocket of the request that is being handled."""

session: SessionProxy = _proxy(_request_ctx_stack, "session", _request_ctx_err_msg)
"""The session of the request that is being handled."""


def _find_app() -> Flask:
    """Return the current application. Raises RuntimeError where there is none."""
    top = _app_ctx_stack.top
    if top is None:
        raise RuntimeError(_app_ctx_err_msg)
    return top.app


def _lookup_app_object(name: str) -> Any:
    """Return an attribute of the current application context. Raises RuntimeError where there is none."""
    top = _app_ctx_stack.top
    if top is None:
        raise RuntimeError(_app_ctx_err_msg)
    return getattr(top, name)


def _lookup_req_object(name: str) -> Any:
    """Return an attribute of the current request context. Raises RuntimeError where there is none."""
    top = _request_ctx_stack.top
    if top is None:
        raise RuntimeError(_request_ctx_err_msg)
    return getattr(top, name)
