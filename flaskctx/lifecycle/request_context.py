"""Entering and leaving a request context: what its push, pop and auto_pop call."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from ..ctx import AppContext, Borrowed, State, _sentinel
from ..ctx.states import NEXT, after, refuse
from ..globals import _app_ctx_stack, _request_ctx_stack
from ..sessions.cookie import opens_on_demand
from ..signals import appcontext_pushed, request_tearing_down
from .failures import worst
from .nodes import node_to_leave, take_off_what_has_ended, undo, unlink
from .overrides import JUDGED_STEPS, NATIVE_STEPS, native, overridden, step

if TYPE_CHECKING:
    from ..app import Flask
    from ..bridge import Call
    from ..ctx import RequestContext
    from ..local import Node

_NEW, _ACTIVE, _CLOSED = State.NEW, State.ACTIVE, State.CLOSED
_FIRST = NEXT[_NEW, "push"]
_peek_app, _peek_request = _app_ctx_stack.peek, _request_ctx_stack.peek


@native
async def enter_request_context(call: Call, context: RequestContext) -> None:
    """Push a request context: an application context if need be, the session, the URL matched."""
    state = _FIRST if context._state is _NEW else after(context._state, "push", context)
    if _peek_request(None) is not None:
        await _pop_preserved(call, context)
    app = context.app
    implicit: AppContext | None = None
    if _peek_app(None) is None or not _is_current(app):
        plain = context._plain
        implicit = AppContext(app) if plain else app.app_context()
        if plain and not appcontext_pushed.receivers:
            implicit._state = _ACTIVE
            implicit._nodes.append(_app_ctx_stack.push_node(implicit))
        else:
            await step(call, implicit, "enter_app_context")
    context._state = state
    context._implicit_app_ctx_stack.append(implicit)
    context._nodes.append(_request_ctx_stack.push_node(context))
    try:
        if context._session_to_open is None and context._session is None:
            if context._plain and opens_on_demand(app.session_interface):
                context._session_to_open = app.session_interface
            else:
                await _open_session(call, context)
        if context._plain and (context._rule is not None or not call.moves):
            context.match_request()
        else:
            await _match(call, context)
    except BaseException as error:
        if not context._served:
            await undo(call, context, "leave_request_context", error)
        raise


async def _pop_preserved(call: Call, context: RequestContext) -> None:
    """End the context that was preserved after the request before this one."""
    top = _request_ctx_stack.top
    if top is not None and top.preserved and top is not context:
        await step(call, top, "leave_request_context", top._preserved_exc)


def _is_current(app: Flask) -> bool:
    current = _app_ctx_stack.top
    return current is not None and current.app is app


async def _open_session(call: Call, context: RequestContext) -> None:
    app = context.app
    if context._plain or not overridden(app, "open_session"):
        session = await call(app.session_interface.open_session, app, context.request)
    else:
        session = await call(app.open_session, context.request)
    if session is None:
        if context._plain or not overridden(app, "make_null_session"):
            session = app.session_interface.make_null_session(app)
        else:
            session = await call(app.make_null_session)
    context.session = session


async def _match(call: Call, context: RequestContext) -> None:
    # a URL converter of the user may ask a database: it has no place on an event loop
    if context.app._has_blocking_converter() or overridden(context, "match_request"):
        await call(context.match_request)
    else:
        context.match_request()


@native
async def leave_request_context(call: Call, context: RequestContext, exc: BaseException | None = _sentinel) -> None:
    """Undo a push of a request context; the last one tears it down and pops its application context."""
    if exc is _sentinel:
        exc = sys.exc_info()[1]
    node = node_to_leave(_request_ctx_stack, context)
    if node is None:
        await leave(call, context, None, exc)
    elif node not in context._nodes:
        _request_ctx_stack.set_node(node.below)
        take_off_what_has_ended(_app_ctx_stack)
    else:
        implicit = context._implicit_app_ctx_stack[context._nodes.index(node)]
        if implicit is not None:
            # raises, before anything has changed, where another application context lies above it
            node_to_leave(_app_ctx_stack, implicit)
        await leave(call, context, node, exc)


async def leave(
    call: Call, context: RequestContext, node: Node[RequestContext] | None, exc: BaseException | None
) -> None:
    """Undo the push that made this node, which is on top, or, with None, a push in another chain."""
    nodes = context._nodes
    event = "close" if len(nodes) == 1 else "pop"
    state = NEXT.get((context._state, event)) or refuse(context._state, event, context)
    index = -1 if node is None else nodes.index(node)
    implicit = context._implicit_app_ctx_stack[index]
    failure: BaseException | None = None
    if state is _CLOSED:
        try:
            if node is not None:
                await close_request(call, context, exc)
            else:
                with Borrowed(implicit, context):
                    await close_request(call, context, exc)
        except BaseException as error:
            failure = worst(context.app, failure, error)
    context._state = state
    unlink(_request_ctx_stack, context, node)
    del context._implicit_app_ctx_stack[index]
    if implicit is not None:
        try:
            steps = NATIVE_STEPS if context._plain else JUDGED_STEPS
            await steps.leave_app_context(call, implicit, exc)
        except BaseException as error:
            failure = worst(context.app, failure, error)
    if failure is not None:
        raise failure


@native
async def auto_pop(call: Call, context: RequestContext, exc: BaseException | None = None) -> None:
    """Pop a request context at its end, or keep it for a test client or a debugger."""
    if not context._nodes:
        if _request_ctx_stack.top is context:
            # it was popped in a copy of this chain, by a child task
            await step(call, context, "leave_request_context", exc)
        return
    if _is_to_be_preserved(context, exc):
        _preserve(context, exc)
    else:
        await step(call, context, "leave_request_context", exc)


def _preserve(context: RequestContext, exc: BaseException | None) -> None:
    context._state = after(context._state, "preserve", context)
    context._preserved_exc = exc
    kept: list[Any] | None = context.request.environ.get("flaskctx.preserved")
    if kept is not None:
        kept.append(context)


def _is_to_be_preserved(context: RequestContext, exc: BaseException | None) -> bool:
    environ = context.request.environ
    if environ.get("flask._preserve_context"):
        return True
    if exc is None or not context.app.preserve_context_on_exception:
        return False
    # kept only where the same thread serves the next request, whose push is what pops it
    return not environ.get("wsgi.multithread")


async def close_request(call: Call, context: RequestContext, exc: BaseException | None) -> None:
    """End an activation: the teardown functions, the request's files, the session."""
    app, request = context.app, context.request
    failure: BaseException | None = None
    if app.teardown_request_funcs or request_tearing_down.receivers or not context._plain:
        try:
            steps = NATIVE_STEPS if context._plain else JUDGED_STEPS
            await steps.do_teardown_request(call, context, exc)
        except BaseException as error:
            failure = worst(context.app, failure, error)
    own = request.__dict__
    if "files" in own or "close" in own or (not context._plain and overridden(request, "close")):
        try:
            await call.shielded(request.close)
        except BaseException as error:
            failure = worst(context.app, failure, error)
    close_session(context)
    if failure is not None:
        raise failure


def close_session(context: RequestContext) -> None:
    """Let go of the request, and refuse changes to the session from now on: nobody would save them."""
    context.request.environ["werkzeug.request"] = None
    context._preserved_exc = None
    if context._session is not None:
        context._close_session()
