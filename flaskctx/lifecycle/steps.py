"""The lifecycle of a request, from push to teardown, written once for every server and every kind of function.

Read it from top to bottom. The steps await nothing but one another and `call(function, ...)` for functions
that users wrote; where those run is the bridge's business. So WSGI drives the whole of it without an event
loop, and under ASGI the same coroutine moves between the loop and a worker thread.

    serve
      enter_request_context        request_context.py: push, open the session, match the URL
      full_dispatch_request
        try_trigger_before_first_request_functions
        preprocess_request         URL value preprocessors, before hooks
        receive the body
        dispatch_request           the view
        handle_user_exception      errors.py
        finalize_request           make_response, after hooks, save the session
      handle_exception             errors.py: what nothing else has handled becomes a 500
      respond                      the protocol's own: status and headers are settled
      end_request                  end.py: auto_pop, and with it the teardown functions
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from werkzeug.exceptions import RequestTimeout

from ..bridge import HouseIsFull, is_async, limited, original
from ..config import check_settings
from ..debughelpers import warn_of_flask_itself
from ..json.provider import sends_text
from ..signals import request_finished, request_started
from ..websockets import WebsocketDisconnect
from ..wrappers import TimeLimitExceeded, make_response, needs_calling, starts_from_text, text_start
from . import app_context, errors, teardown  # noqa: F401  they register their steps
from .end import end_request, leave_quietly, lend_to_debugger
from .errors import last_resort, propagates
from .failures import worst
from .notify import send
from .overrides import JUDGED_STEPS, NATIVE_STEPS, native, overridden, step

if TYPE_CHECKING:
    from ..app import Flask
    from ..bridge import Call
    from ..ctx import RequestContext
    from ..typing import ResponseReturnValue
    from ..wrappers import Response
    from ..wrappers.start import Start

A = TypeVar("A", covariant=True)


class Responder(Protocol[A]):
    """Who settles the answer to a request, as the protocol wants it."""

    def respond(self, response: Any, may_block: bool = ..., *, failure: BaseException | None = ...) -> A | None:
        """Settle the answer; a second one takes the place of the first.

        :param response: a response, or what `text_start` returned.
        :param may_block: whether functions of the user's may be called. Returns None where that is needed, and is then
            called once more where they may.
        :param failure: what a response of last resort stands for.
        """
        ...


async def serve(call: Call, context: RequestContext, responder: Responder[A], plain: bool) -> A | None:
    """Serve one request; return what `responder.respond(response)` returned.

    Whatever fails, the contexts are left and the teardown functions have run when this returns or raises.

    :param responder: the protocol's.
    :param plain: whether the application's steps are `untouched`.
    """
    context._call = call
    context._served = True
    context._plain = plain
    error: BaseException | None = None
    try:
        try:
            await (NATIVE_STEPS if plain else JUDGED_STEPS).enter_request_context(call, context)
            if plain:
                # full_dispatch_request, but for a text that need not become a response
                rv = await _get_result(call, context)
                response: Any = _start_of(context, rv) or await finalize_request(call, context, rv)
                rv = None
            else:
                response = await step(call, context, "full_dispatch_request")
            answer = responder.respond(response)
            if answer is None:
                answer = await call(responder.respond, response, True)
        except Exception as raised:
            error = original(raised)
            answer = await _answer_error(call, context, responder, error)
    except BaseException as raised:
        # no body will be sent that could end the context later
        context._streams = 0
        await _end_before_raising(call, context, raised, error)
        raise
    try:
        if error is None:
            if not (plain and leave_quietly(context)):
                await end_request(call, context, None)
        else:
            await _end_after_error(call, context, error)
            # its traceback refers to this frame: without the cycle, what they hold is freed at once
            error = None
    except Exception as failure:
        if propagates(context.app):
            raise
        answer = responder.respond(await last_resort(call, context, original(failure)), failure=original(failure))
    return answer


async def _answer_error(call: Call, context: RequestContext, responder: Responder[A], error: BaseException) -> A | None:
    """Respond with the 500 for an exception that nothing has handled; raise it where exceptions propagate."""
    try:
        if not context._nodes:
            # the push failed before anything was current that handlers and hooks could use
            raise error
        response = await step(call, context, "handle_exception", error)
        answer = responder.respond(response)
        return await call(responder.respond, response, True) if answer is None else answer
    except Exception as failure:
        if propagates(context.app):
            raise
        return responder.respond(await last_resort(call, context, original(failure)), failure=original(failure))


async def _end_before_raising(
    call: Call, context: RequestContext, raised: BaseException, error: BaseException | None
) -> None:
    """End a request whose lifecycle raises, because of an earlier `error` perhaps."""
    try:
        await _end_after_error(call, context, original(raised) if error is None else error)
    except Exception as failure:
        if isinstance(raised, Exception):
            raise
        # whoever has cancelled the request, or wants to end the process, waits for its own exception
        worst(context.app, raised, original(failure))


async def _end_after_error(call: Call, context: RequestContext, error: BaseException | None) -> None:
    """Leave the contexts; the teardown functions are told of the error unless it's to be ignored."""
    app = context.app
    try:
        may_be_ignored = type(error) is not HouseIsFull and overridden(app, "should_ignore_error")
        if may_be_ignored and await call(app.should_ignore_error, error):
            error = None
    finally:
        lend_to_debugger(context)
        await end_request(call, context, error)


def _start_of(context: RequestContext, rv: Any) -> Start | None:
    """Return the start of a text or JSON that no function of the user's will see as a response; None: make that."""
    kind = type(rv)
    if (kind is not str and kind is not dict and kind is not list) or _is_processed(context):
        return None
    app, mimetype = context.app, "text/html"
    provider: Any = app.json
    if kind is not str:
        if not sends_text(provider):
            return None
        mimetype = provider.mimetype
    if request_finished.receivers or not starts_from_text(app.response_class, mimetype):
        return None
    return text_start(rv if kind is str else provider._response_text(rv), mimetype, context.request.environ)


@native
async def full_dispatch_request(call: Call, context: RequestContext) -> Response:
    """Everything between push and pop, errors of the user's functions included."""
    rv = await _get_result(call, context)
    response: Response = await _steps_of(context).finalize_request(call, context, rv)
    # an HTTPException maybe, whose traceback refers to this frame: without the cycle, what they hold is freed at once
    rv = None
    return response


async def _get_result(call: Call, context: RequestContext) -> ResponseReturnValue | None:
    """Return what the view returns, or a hook or error handler in its place."""
    app, plain = context.app, context._plain
    steps = NATIVE_STEPS if plain else JUDGED_STEPS
    if not (app._got_first_request and plain):
        await steps.try_trigger_before_first_request_functions(call, context)
    # nothing but `return`: a result may be an HTTPException, whose traceback refers to this frame
    try:
        if request_started.receivers:
            await send(call, request_started, app)
        if app.before_request_funcs or app.url_value_preprocessors or not plain:
            rv: ResponseReturnValue | None = await steps.preprocess_request(call, context)
            if rv is not None:
                return rv
        if "flaskctx.receive_body" in context.request.environ:
            await receive_body(call, context)
        return await steps.dispatch_request(call, context)  # type: ignore[no-any-return]
    except WebsocketDisconnect:
        return None
    except Exception as error:
        try:
            return await step(call, context, "handle_user_exception", original(error))  # type: ignore[no-any-return]
        finally:
            if error is context.request.routing_exception:
                # the request has it, and its traceback has the request: without the cycle, both are freed at once
                error.__traceback__ = None
    finally:
        context._has_result = True


@native
async def try_trigger_before_first_request_functions(call: Call, context: RequestContext) -> None:
    """Call the `before_first_request` functions once; if one raises, all of them run again at the next request."""
    app = context.app
    if app._got_first_request:
        return
    await call.acquire(app._before_request_lock)
    try:
        if not app._got_first_request:
            check_settings(app.config, app.logger.warning)
            warn_of_flask_itself(app)
            for function in app.before_first_request_funcs:
                await call(function)
            app._got_first_request = True
    finally:
        app._before_request_lock.release()


@native
async def preprocess_request(call: Call, context: RequestContext) -> ResponseReturnValue | None:
    """Call the URL value preprocessors and the before hooks; the first value that a hook returns is the response."""
    app, request = context.app, context.request
    if app.url_value_preprocessors:
        for name in _outermost_first(request.blueprints):
            for preprocess in app.url_value_preprocessors.get(name, ()):
                await call(preprocess, request.endpoint, request.view_args)
    if app.before_request_funcs:
        for name in _outermost_first(request.blueprints):
            for hook in app.before_request_funcs.get(name, ()):
                rv: ResponseReturnValue | None = await call(hook)
                if rv is not None:
                    return rv
    return None


async def receive_body(call: Call, context: RequestContext) -> None:
    """Wait until the request's body is there, unless the view has no use for it or reads it as it comes.

    That is what the view of a route with `stream=True` does, and under WSGI any `def` view.
    """
    request = context.request
    rule = request.url_rule
    if rule is not None and not getattr(rule, "stream", False):
        receive = request.environ["flaskctx.receive_body"]
        if is_async(receive) or is_async(context.app.view_functions[rule.endpoint]):
            timeout: float | None = context.app.config["BODY_TIMEOUT"]
            await call(receive if timeout is None else limited(receive, timeout, RequestTimeout), request)


@native
def dispatch_request(call: Call, context: RequestContext) -> Coroutine[Any, Any, ResponseReturnValue]:
    """Call the view that belongs to the URL, or raise what matching the URL has raised."""
    app, request = context.app, context.request
    if request.routing_exception is not None:
        app.raise_routing_exception(request)
    rule: Any = request.url_rule
    if request.method == "OPTIONS" and getattr(rule, "provide_automatic_options", False):
        return call(app.make_default_options_response)
    view, view_args = app.view_functions[rule.endpoint], request.view_args or {}
    timeout: float | None = request.timeout or app.config["REQUEST_TIMEOUT"]
    # what is configured for requests is no limit for websockets: those last as long as both sides want
    if timeout is not None and (request.timeout or not rule.websocket):
        request.set_deadline(timeout)
        view = limited(view, timeout, TimeLimitExceeded)
    return call(view, **view_args)


@native
async def finalize_request(call: Call, context: RequestContext, rv: Any, from_error_handler: bool = False) -> Response:
    """Make a response of what the view or a handler returned, and run the after hooks on it.

    :param from_error_handler: log errors of the after hooks instead of raising them.
    """
    app, plain = context.app, context._plain
    response: Response
    if rv is None:
        # the view of a websocket that was accepted has nothing to return: its response was the handshake's
        rv = context._handshake
    if (plain or not overridden(app, "make_response")) and (type(rv) is str or not needs_calling(rv)):
        response = app.response_class(rv) if type(rv) is str else make_response(app, rv)
    else:
        response = await call(app.make_response, rv)
    if not plain and context._handshake is not None:
        # for that one the after hooks were called; this one only tells how the websocket ends
        return response
    try:
        if not plain or _is_processed(context):
            response = await _steps_of(context).process_response(call, context, response)
        if request_finished.receivers:
            await send(call, request_finished, app, response=response)
    except BaseException as error:
        if not (from_error_handler and isinstance(error, Exception)):
            await _close_unsent(call, app, response)
            raise
        app.logger.exception("The response of an error handler could not be finished; it is sent as it is.")
    return response


async def _close_unsent(call: Call, app: Flask, response: Response) -> None:
    """Close a response that will not be sent: it may hold a file."""
    try:
        await call.shielded(response.close)
    except Exception:
        app.logger.exception("A response that is not sent could not be closed.")


@native
async def process_response(call: Call, context: RequestContext, response: Response) -> Response:
    """Call the after hooks, innermost first, and save the session."""
    app, request = context.app, context.request
    if context._after_functions is not None:
        # a function may ask for another one while these run
        for function in context._after_functions:
            response = await call(function, response)
    if app.after_request_funcs:
        for name in (*request.blueprints, None):
            for hook in reversed(app.after_request_funcs.get(name, ())):
                response = await call(hook, response)
    session = context.session if context.uses_session() else None
    if session is None:
        # nobody has used it, or it could not be opened, and this is the response to that
        return response
    if not context._plain and overridden(app, "save_session"):
        await call(app.save_session, session, response)
    elif not app.session_interface.is_null_session(session):
        await call(app.session_interface.save_session, app, session, response)
    return response


def _is_processed(context: RequestContext) -> bool:
    """Tell whether there are after hooks, or maybe a session to be saved."""
    if context.app.after_request_funcs or context._after_functions:
        return True
    return context.uses_session()


def _steps_of(context: RequestContext) -> Any:
    return NATIVE_STEPS if context._plain else JUDGED_STEPS


def _outermost_first(blueprints: list[str]) -> tuple[str | None, ...]:
    return (None, *reversed(blueprints)) if blueprints else (None,)
