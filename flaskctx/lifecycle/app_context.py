"""Entering and leaving an application context: what its push and pop call."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ..ctx import AppContext, Borrowed, State, _sentinel
from ..ctx.states import after
from ..globals import _app_ctx_stack
from ..signals import appcontext_popped, appcontext_pushed
from .failures import worst
from .nodes import node_to_leave, undo, unlink
from .notify import send
from .overrides import native, step

if TYPE_CHECKING:
    from ..bridge import Call


@native
async def enter_app_context(call: Call, context: AppContext) -> None:
    """Push an application context."""
    context._state = after(context._state, "push", context)
    context._nodes.append(_app_ctx_stack.push_node(context))
    if appcontext_pushed.receivers:
        try:
            await send(call, appcontext_pushed, context.app)
        except BaseException as error:
            await undo(call, context, "leave_app_context", error)
            raise


@native
async def leave_app_context(call: Call, context: AppContext, exc: BaseException | None = _sentinel) -> None:
    """Undo a push of an application context; the last one tears it down."""
    node = node_to_leave(_app_ctx_stack, context)
    if node is not None and node not in context._nodes:
        _app_ctx_stack.set_node(node.below)
        return
    if exc is _sentinel:
        exc = sys.exc_info()[1]
    state = after(context._state, "close" if len(context._nodes) == 1 else "pop", context)
    failure: BaseException | None = None
    if state is State.CLOSED:
        try:
            if node is not None:
                await step(call, context, "do_teardown_appcontext", exc)
            else:
                with Borrowed(context, None):
                    await step(call, context, "do_teardown_appcontext", exc)
        except BaseException as error:
            failure = worst(context.app, failure, error)
    context._state = state
    unlink(_app_ctx_stack, context, node)
    if appcontext_popped.receivers:
        try:
            await send(call.shielded, appcontext_popped, context.app)
        except BaseException as error:
            failure = worst(context.app, failure, error)
    if failure is not None:
        raise failure
