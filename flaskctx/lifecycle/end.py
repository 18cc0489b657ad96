"""The end of a request: the lifecycle's own pop, which leaves nothing on the stacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..bridge import HouseIsFull
from ..ctx import Borrowed, State
from ..ctx.states import after
from ..globals import _app_ctx_stack, _request_ctx_stack
from ..signals import appcontext_popped, appcontext_tearing_down, request_tearing_down
from ..wrappers import Request
from .failures import worst
from .nodes import unlink
from .overrides import step
from .request_context import close_request, close_session, leave

if TYPE_CHECKING:
    from ..bridge import Call
    from ..ctx import AppContext, RequestContext
    from ..local import LocalStack

_CLOSED = State.CLOSED
_CLOSE_REQUEST = Request.close
_peek_app, _put_app = _app_ctx_stack.peek, _app_ctx_stack.put
_peek_request, _put_request = _request_ctx_stack.peek, _request_ctx_stack.put


async def end_request(call: Call, context: RequestContext, error: BaseException | None) -> None:
    """Pop the request's contexts, and whatever the request has pushed above them and left there."""
    if type(error) is HouseIsFull:
        context._served, context._call = False, None
        _forget(context)
        return
    failure: BaseException | None = None
    implicit = context._implicit_app_ctx_stack[-1] if context._nodes else None
    node = _peek_request(None)
    uppermost = node in context._nodes and (implicit is None or _peek_app(None) in implicit._nodes)
    if not uppermost:
        failure = await _pop_what_lies_above(call, context, implicit)
    context._served = False
    environ = context.request.environ
    try:
        if context._streams and not environ.get("flask._preserve_context"):
            _detach(context, error)
        elif not uppermost or error is not None or not context._plain or "flask._preserve_context" in environ:
            await step(call, context, "auto_pop", error)
        else:
            # what auto_pop and pop come to, where nobody has overridden them
            await leave(call, context, node, None)
    except BaseException as raised:
        failure = worst(context.app, failure, raised)
    if context._state is not State.STREAMING:
        # the call holds a Context in which this request is current: together they would outlive the request
        context._call = None
    if failure is not None:
        raise failure


def _leaving_calls_nothing(context: RequestContext) -> bool:
    """Tell whether the contexts of a plain request, pushed once and on top, can be left without calling anything."""
    nodes = context._nodes
    if len(nodes) != 1 or _peek_request(None) is not nodes[0]:
        return False
    app, request, implicit = context.app, context.request, context._implicit_app_ctx_stack[0]
    environ = request.environ
    return not (
        (implicit is not None and _peek_app(None) is not implicit._nodes[-1])
        or app.teardown_request_funcs
        or app.teardown_appcontext_funcs
        or request_tearing_down.receivers
        or appcontext_tearing_down.receivers
        or appcontext_popped.receivers
        or context._streams
        or "flask._preserve_context" in environ
        # a look into the request's __dict__ would make it one, and every attribute slower from then on
        or ("CONTENT_TYPE" in environ and "files" in request.__dict__)
        or getattr(request.close, "__func__", None) is not _CLOSE_REQUEST
    )


def leave_quietly(context: RequestContext) -> bool:
    """Do what `end_request` comes to, where nothing is called and nothing lies above; else do nothing.

    :returns: whether it was done.
    """
    if not _leaving_calls_nothing(context):
        return False
    close_session(context)
    context._served, context._call, context._state = False, None, _CLOSED
    _put_request(context._nodes.pop().below)
    implicit = context._implicit_app_ctx_stack.pop()
    if implicit is not None:
        implicit._state = _CLOSED
        _put_app(implicit._nodes.pop().below)
    return True


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
    unlink(_request_ctx_stack, context, _request_ctx_stack.top_node)
    if implicit is not None:
        _app_ctx_stack.pop()


def _forget(context: RequestContext) -> None:
    """Undo a push whose request was refused before any function of the user ran."""
    while context._nodes:
        unlink(_request_ctx_stack, context, context._nodes[-1])
        implicit = context._implicit_app_ctx_stack.pop()
        if implicit is not None:
            unlink(_app_ctx_stack, implicit, implicit._nodes[-1])
