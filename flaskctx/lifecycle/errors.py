"""Errors of the user's functions: which handler takes one, and what becomes of those that none takes."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, NoReturn

from werkzeug.exceptions import BadRequest, BadRequestKeyError, HTTPException, InternalServerError
from werkzeug.routing import RequestRedirect, RoutingException

from ..ctx import AppContext, Borrowed
from ..debughelpers import FormDataRoutingRedirect, explain
from ..globals import _request_ctx_stack
from ..signals import got_request_exception
from .notify import send
from .overrides import native, overridden, step

if TYPE_CHECKING:
    from ..app import Flask
    from ..bridge import Call
    from ..ctx import RequestContext
    from ..typing import ErrorHandlerCallable
    from ..wrappers import Request, Response


@native
async def handle_user_exception(call: Call, context: RequestContext, error: Exception) -> Any:
    """Give an exception to its handler; return what the handler returns, raise it where there is none."""
    app = context.app
    if isinstance(error, BadRequestKeyError) and (app.debug or app.config["TRAP_BAD_REQUEST_ERRORS"]):
        # the response then names the missing key
        error.show_exception = True
    if isinstance(error, HTTPException) and not app.trap_http_exception(error):
        return await step(call, context, "handle_http_exception", error)
    handler = app._find_error_handler(error, context.request.blueprints)
    if handler is None:
        try:
            raise error
        finally:
            # its traceback refers to this frame: without the cycle, what they hold is freed at once
            del error
    return await call(handler, error)


@native
async def handle_http_exception(call: Call, context: RequestContext, error: HTTPException) -> Any:
    """Give an HTTP exception to its handler; without one it is the response itself."""
    # Redirects of the router and responses given to abort() have no code or are no errors.
    if error.code is None or isinstance(error, RoutingException):
        return error
    handler = context.app._find_error_handler(error, context.request.blueprints)
    if handler is None:
        return error
    return await call(handler, error)


@native
async def handle_exception(call: Call, context: RequestContext, error: Exception) -> Response:
    """Turn an exception that nothing has handled into a 500, or raise it where exceptions propagate."""
    app = context.app
    explain(error)  # here too, as it may be raised and not logged
    if got_request_exception.receivers:
        await send(call, got_request_exception, app, exception=error)
    if propagates(app):
        raise error
    await _log(call, context, error)
    response: Any = InternalServerError(original_exception=error)
    handler = app._find_error_handler(response, context.request.blueprints)
    if handler is not None:
        response = await call(handler, response)
    finished: Response = await step(call, context, "finalize_request", response, from_error_handler=True)
    return finished


async def last_resort(call: Call, context: RequestContext, error: BaseException) -> Response:
    """Answer with a plain 500 when the error handling itself, or a teardown function, has failed."""
    try:
        with seen_again(context):
            await _log(call, context, error)
    except Exception:
        context.app.logger.exception("log_exception failed while it logged %r.", error)
    response: Any = InternalServerError(original_exception=error).get_response()
    return response  # type: ignore[no-any-return]


def propagates(app: Flask) -> bool:
    """Tell whether an unhandled exception is raised to the server instead of becoming a 500."""
    wanted: bool | None = app.config["PROPAGATE_EXCEPTIONS"]
    return wanted if wanted is not None else app.testing or app.debug


async def _log(call: Call, context: RequestContext, error: BaseException) -> None:
    app = context.app
    explain(error)
    exc_info = (type(error), error, error.__traceback__)
    if overridden(app, "log_exception"):
        await call(app.log_exception, exc_info)
    else:
        app.log_exception(exc_info)


def seen_again(context: RequestContext) -> AbstractContextManager[None]:
    """Return what makes a request current for who logs its error, where it has been left already."""
    if _request_ctx_stack.top is context:
        return nullcontext()
    return Borrowed(AppContext(context.app), context)


def log_of_left_request(context: RequestContext, error: BaseException) -> None:
    """Log an error that has come up at the end of a request, when it was current no more."""
    explain(error)
    with seen_again(context):
        context.app.log_exception((type(error), error, error.__traceback__))


def find_error_handler(app: Flask, error: Exception, blueprints: list[str]) -> ErrorHandlerCallable | None:
    """Return the handler registered for this exception, most specific first.

    A handler for the status code wins over one for a class alone, one of the blueprint over one of the
    application, and of two classes the one that is nearer to the exception's own.
    """
    spec = app.error_handler_spec
    if not spec:
        return None
    error_class = type(error)
    code = getattr(error_class, "code", None) if isinstance(error, HTTPException) else None
    owners = (*blueprints, None)
    for wanted in (code, None) if code is not None else (None,):
        for owner in owners:
            handlers = spec.get(owner, {}).get(wanted)
            if not handlers:
                continue
            for cls in error_class.__mro__:
                handler = handlers.get(cls)
                if handler is not None:
                    return handler
    return None


def traps(app: Flask, error: Exception) -> bool:
    """Tell whether an HTTP exception is treated as an error of the program instead of an answer."""
    if app.config["TRAP_HTTP_EXCEPTIONS"]:
        return True
    trap: bool | None = app.config["TRAP_BAD_REQUEST_ERRORS"]
    if trap is None and app.debug and isinstance(error, BadRequestKeyError):
        return True
    return bool(trap) and isinstance(error, BadRequest)


def raise_routing_exception(app: Flask, request: Request) -> NoReturn:
    """Raise what matching the URL has raised.

    In debug mode a redirect that makes browsers drop a form's data (301, 302) is explained instead.
    """
    error = request.routing_exception
    assert error is not None
    if (
        app.debug
        and isinstance(error, RequestRedirect)
        and error.code not in (307, 308)
        and request.method not in ("GET", "HEAD", "OPTIONS")
    ):
        raise FormDataRoutingRedirect(request)
    raise error
