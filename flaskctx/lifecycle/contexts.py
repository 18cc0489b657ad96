"""Entering and leaving contexts: what push and pop call, and how the stacks stay balanced."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from ..bridge import HouseIsFull
from ..ctx import AppContext, Borrowed, State, _sentinel
from ..ctx.states import NEXT, after, refuse
from ..globals import _app_ctx_stack, _request_ctx_stack
from ..sessions.cookie import opens_on_demand
from ..signals import appcontext_popped, appcontext_pushed, appcontext_tearing_down, request_tearing_down
from .failures import worst
from .notify import send
from .overrides import JUDGED_STEPS, NATIVE, NATIVE_STEPS, native, overridden, step

if TYPE_CHECKING:
    from ..app import Flask
    from ..bridge import Call
    from ..ctx import RequestContext
    from ..local import LocalStack, Node


_ACTIVE, _CLOSED = State.ACTIVE, State.CLOSED
_peek_app, _put_app = _app_ctx_stack.peek, _app_ctx_stack.put
_peek_request, _put_request = _request_ctx_stack.peek, _request_ctx_stack.put


# -- the application context -----------------------------------------------------------------------------------


@native
async def enter_app_context(call: Call, context: AppContext) -> None:
    """Push an application context."""
    context._state = after(context._state, "push", context)
    context._nodes.append(_app_ctx_stack.push_node(context))
    if appcontext_pushed.receivers:
        try:
            await send(call, appcontext_pushed, context.app)
        except BaseException as error:
            await _undo(call, context, "leave_app_context", error)
            raise


@native
async def leave_app_context(call: Call, context: AppContext, exc: BaseException | None = _sentinel) -> None:
    """Undo a push of an application context; the last one tears it down."""
    node = _node_to_leave(_app_ctx_stack, context)
    if node is not None and node not in context._nodes:
        _app_ctx_stack.set_node(node.below)
        return
    if exc is _sentinel:
        exc = sys.exc_info()[1]
    state = after(context._state, "close" if len(context._nodes) == 1 else "pop", context)
    failure: BaseException | None = None
    if state is _CLOSED:
        try:
            if node is not None:
                await step(call, context, "do_teardown_appcontext", exc)
            else:
                with Borrowed(context, None):
                    await step(call, context, "do_teardown_appcontext", exc)
        except BaseException as error:
            failure = worst(context.app, failure, error)
    context._state = state
    _unlink(_app_ctx_stack, context, node)
    if appcontext_popped.receivers:
        try:
            await send(call.shielded, appcontext_popped, context.app)
        except BaseException as error:
            failure = worst(context.app, failure, error)
    if failure is not None:
        raise failure


# -- the request context ---------------------------------------------------------------------------------------


@native
async def enter_request_context(call: Call, context: RequestContext) -> None:
    """Push a request context: an application context if need be, the session, the URL matched."""
    state = NEXT.get((context._state, "push")) or refuse(context._state, "push", context)
    if _peek_request(None) is not None:
        await _pop_preserved(call, context)
    app = context.app
    implicit: AppContext | None = None
    if _peek_app(None) is None or not _is_current(app):
        implicit = app.app_context()
        if context._plain and not appcontext_pushed.receivers:
            implicit._state = _ACTIVE
            implicit._nodes.append(_app_ctx_stack.push_node(implicit))
        else:
            await step(call, implicit, "enter_app_context")
    context._state = state
    context._implicit_app_ctx_stack.append(implicit)
    context._nodes.append(_request_ctx_stack.push_node(context))
    try:
        if context._session_to_open is None and context.session is None:
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
            await _undo(call, context, "leave_request_context", error)
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
    node = _node_to_leave(_request_ctx_stack, context)
    if node is None:
        await _leave(call, context, None, exc)
    elif node not in context._nodes:
        _request_ctx_stack.set_node(node.below)
        _take_off_what_has_ended(_app_ctx_stack)
    else:
        implicit = context._implicit_app_ctx_stack[context._nodes.index(node)]
        if implicit is not None:
            # raises, before anything has changed, where another application context lies above it
            _node_to_leave(_app_ctx_stack, implicit)
        await _leave(call, context, node, exc)


async def _leave(
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
    _unlink(_request_ctx_stack, context, node)
    del context._implicit_app_ctx_stack[index]
    if implicit is not None:
        try:
            steps = NATIVE_STEPS if context._plain else JUDGED_STEPS
            await steps.leave_app_context(call, implicit, exc)
        except BaseException as error:
            failure = worst(context.app, failure, error)
    if failure is not None:
        raise failure


def _leaving_calls_functions(context: RequestContext) -> bool:
    """Tell whether anything is called when a request context and its application context are left."""
    app, own = context.app, context.request.__dict__
    return bool(
        app.teardown_request_funcs
        or app.teardown_appcontext_funcs
        or request_tearing_down.receivers
        or appcontext_tearing_down.receivers
        or appcontext_popped.receivers
        or "files" in own
        or "close" in own
        or not context._plain
    )


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
    _close_session(context)
    if failure is not None:
        raise failure


def _close_session(context: RequestContext) -> None:
    context.request.environ["werkzeug.request"] = None
    context._preserved_exc = None
    if context._session_to_open is None or "session" in context.__dict__:
        close_session = getattr(context.session, "_close", None)
        if close_session is not None:
            close_session()


# -- the end of a request --------------------------------------------------------------------------------------


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


async def end_request(call: Call, context: RequestContext, error: BaseException | None) -> None:
    """The lifecycle's own pop: leaves nothing on the stacks, whatever the request has pushed there."""
    if error is not None and type(error) is HouseIsFull:
        context._served, context._call = False, None
        _forget(context)
        return
    failure: BaseException | None = None
    implicit = context._implicit_app_ctx_stack[-1] if context._nodes else None
    node, app_node = _peek_request(None), _peek_app(None)
    uppermost = node in context._nodes and (implicit is None or app_node in implicit._nodes)
    if not uppermost:
        failure = await _pop_what_lies_above(call, context, implicit)
    context._served = False
    environ = context.request.environ
    try:
        if context._streams and not environ.get("flask._preserve_context"):
            _detach(context, error)
        elif not uppermost or error is not None or not context._plain or "flask._preserve_context" in environ:
            await step(call, context, "auto_pop", error)
        elif len(context._nodes) > 1 or _leaving_calls_functions(context):
            # what auto_pop and pop come to, where nobody has overridden them
            await _leave(call, context, node, None)
        else:
            # and what that comes to, where nothing is called
            _close_session(context)
            _put_request(_take_node(context).below)
            context._implicit_app_ctx_stack.pop()
            if implicit is not None:
                _put_app(_take_node(implicit).below)
    except BaseException as raised:
        failure = worst(context.app, failure, raised)
    if context._state is not State.STREAMING:
        # the call holds a Context in which this request is current: together they would outlive the request
        context._call = None
    if failure is not None:
        raise failure


def lend_to_debugger(context: RequestContext) -> None:
    """Give werkzeug's debugger the contexts of a failed request, to be current in its console.

    They are borrowed: entering and leaving them there tears nothing down.
    """
    keep = context.request.environ.get("werkzeug.debug.preserve_context")
    if keep is not None:
        implicit = context._implicit_app_ctx_stack[-1] if context._nodes else None
        keep(Borrowed(implicit or _app_ctx_stack.top, context))


async def end_stream(call: Call, context: RequestContext, error: BaseException | None) -> None:
    """Tear down a context that was kept for the body of its response, now that the body is closed."""
    if context._state is not State.STREAMING:
        return
    context._state = after(context._state, "close", context)
    error = error or context._preserved_exc
    implicit = context._implicit_app_ctx_stack.pop()
    if implicit is not None:
        implicit._nodes[-1] = _app_ctx_stack.push_node(implicit)
    node = _request_ctx_stack.push_node(context)
    failure: BaseException | None = None
    try:
        await close_request(call, context, error)
    except BaseException as raised:
        failure = worst(context.app, failure, raised)
    _request_ctx_stack.set_node(node.below)
    if implicit is not None:
        try:
            await step(call, implicit, "leave_app_context", error)
        except BaseException as raised:
            failure = worst(context.app, failure, raised)
    context._call = None
    if failure is not None:
        raise failure


async def _pop_what_lies_above(
    call: Call, context: RequestContext, implicit: AppContext | None
) -> BaseException | None:
    """Pop contexts that the request's functions pushed and left there; return what that raised first."""
    failure: BaseException | None = None
    stack: LocalStack[Any]
    for stack, own, name in (
        (_request_ctx_stack, context, "leave_request_context"),
        (_app_ctx_stack, implicit, "leave_app_context"),
    ):
        while own is not None and (node := stack.top_node) is not None and node.value is not own:
            if not any(below.value is own for below in stack.nodes()):
                break
            left: Any = node.value
            context.app.logger.error("%r was pushed during %r and never popped; it is popped now.", left, context)
            try:
                await step(call, left, name, None)
            except BaseException as error:
                failure = worst(context.app, failure, error)
            if stack.top_node is node:
                stack.pop()
    return failure


def _detach(context: RequestContext, error: BaseException | None) -> None:
    """Take a context and its application context off the stacks without ending them."""
    context._state = after(context._state, "stream", context)
    context._preserved_exc = error
    implicit = context._implicit_app_ctx_stack[-1]
    _unlink(_request_ctx_stack, context, _request_ctx_stack.top_node)
    if implicit is not None:
        _app_ctx_stack.pop()


def _forget(context: RequestContext) -> None:
    """Undo a push whose request was refused before any function of the user ran."""
    while context._nodes:
        _unlink(_request_ctx_stack, context, context._nodes[-1])
        implicit = context._implicit_app_ctx_stack.pop()
        if implicit is not None:
            _unlink(_app_ctx_stack, implicit, implicit._nodes[-1])


# -- nodes -----------------------------------------------------------------------------------------------------


def _node_to_leave(stack: LocalStack[Any], context: Any) -> Node[Any] | None:
    """Return the top node of this chain if it is the context's, None if the context isn't in this chain.

    Raises RuntimeError where the context lies under another, or was never pushed.
    """
    top = stack.peek(None)
    if top is not None and top.closed:
        top = stack.top_node
    if top is not None and top.value is context:
        return top
    if not context._nodes:
        after(context._state, "pop", context)
    if top is not None and any(node.value is context for node in stack.nodes()):
        raise RuntimeError(
            f"{context!r} can't be popped: {top.value!r} was pushed above it and has to be popped first."
        )
    return None


def _take_off_what_has_ended(stack: LocalStack[Any]) -> None:
    """Take off the top what was popped in a copy of this chain."""
    while (node := stack.top_node) is not None and node not in node.value._nodes:
        stack.set_node(node.below)


def _unlink(stack: LocalStack[Any], context: Any, node: Node[Any] | None) -> None:
    """Take the context's node off this chain, or mark it closed for the chain that has it."""
    if node is None:
        context._nodes.pop().closed = True
    else:
        # not closed: a child task that outlives the request has it in its own chain, and may still read
        context._nodes.remove(node)
        stack.set_node(node.below)


def _take_node(context: Any) -> Node[Any]:
    """Close a context that is pushed once; return its node."""
    context._state = _CLOSED
    node: Node[Any] = context._nodes.pop()
    return node


async def _undo(call: Call, context: Any, name: str, error: BaseException) -> None:
    """Leave a context whose push failed half-way; what fails on the way is logged, the push's error counts."""
    try:
        await NATIVE[name](call, context, error)
    except BaseException as failure:
        worst(context.app, error, failure)
