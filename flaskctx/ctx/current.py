"""Questions about what is current, and wishes for the current response."""

from __future__ import annotations

from typing import Any, TypeVar

from ..globals import _app_ctx_stack, _request_ctx_stack

F = TypeVar("F", bound=Any)


def has_app_context() -> bool:
    """Tell whether an application context is current, so that `current_app` and `g` can be used.

    It may be called anywhere, and raises nothing.
    """
    return _app_ctx_stack.top is not None


def has_request_context() -> bool:
    """Tell whether a request context is current, so that `request` and `session` can be used.

    It may be called anywhere, and raises nothing.
    """
    return _request_ctx_stack.top is not None


def has_websocket_context() -> bool:
    """Tell whether the current request is the handshake of a websocket, so that `websocket` can be used.

    It may be called anywhere, and raises nothing.
    """
    top = _request_ctx_stack.top
    return top is not None and "flaskctx.websocket" in top.request.environ


def after_this_request(f: F) -> F:
    """Have `f(response)` called after the current request's view; it returns the response to use.

    `f` may be `def` or `async def`, and is called before the functions of `after_request`.

    :param f: takes the response, and returns it or another one.
    :returns: `f`, so that it may be a decorator.
    :raises RuntimeError: where no request is current.
    """
    top = _request_ctx_stack.top
    if top is None:
        raise RuntimeError(
            "after_this_request needs a current request: call it from a view or from a hook of the request, "
            "not at import time. For every request use app.after_request."
        )
    top._after_request_functions.append(f)
    return f
