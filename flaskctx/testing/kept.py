"""Contexts that outlive their request, so that a test can look at them: current until the next request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..bridge import InWorker, awaitable_call
from ..ctx import State
from ..globals import _app_ctx_stack, _request_ctx_stack
from ..lifecycle.overrides import step

if TYPE_CHECKING:
    from ..bridge import Seat
    from ..ctx import RequestContext

_STACKS: tuple[Any, Any] = (_request_ctx_stack, _app_ctx_stack)


class Kept:
    """Takes the context of one request under ASGI, and its thread, from the lifecycle that has preserved it."""

    def __init__(self) -> None:
        self.context: RequestContext | None = None
        self._seat: Seat | None = None

    def append(self, context: RequestContext) -> None:
        """Called by the lifecycle, wherever it stands then."""
        call: Any = context._call
        self.context = context
        # its teardown functions close what its other functions have opened: they belong on the same thread
        self._seat = (call._on_loop if isinstance(call, InWorker) else call).seat.share()

    async def end(self) -> None:
        """Tear the context down, unless another request has done it."""
        context, seat = self.context, self._seat
        assert context is not None
        assert seat is not None
        try:
            if context.preserved:
                await awaitable_call(seat.share, step, context, "leave_request_context", context._preserved_exc)
        finally:
            seat.release()
            drop_ended()


def adopt(context: RequestContext) -> None:
    """Make a preserved context current here; its request was served by another thread, or in another Context."""
    if not context.preserved or _request_ctx_stack.top is context:
        return
    implicit = context._implicit_app_ctx_stack[-1]
    if implicit is not None:
        implicit._nodes[-1] = _app_ctx_stack.push_node(implicit)
    context._nodes[-1] = _request_ctx_stack.push_node(context)


def drop_ended() -> None:
    """Drop contexts from this chain that were ended on another thread, or in another Context."""
    for stack in _STACKS:
        while (node := stack.top_node) is not None and node.value._state is State.CLOSED:
            stack.set_node(node.below)


@contextmanager
def preserved_contexts_hidden() -> Iterator[None]:
    """Hide preserved contexts for the length of a request, which would otherwise end them.

    They belong to a block of another task, of which this one is a child, or of another client.
    """
    nodes = [stack.top_node for stack in _STACKS]
    while (top := _request_ctx_stack.top) is not None and top.preserved:
        implicit = top._implicit_app_ctx_stack[-1]
        _request_ctx_stack.pop()
        if implicit is not None and _app_ctx_stack.top is implicit:
            _app_ctx_stack.pop()
    try:
        yield
    finally:
        for stack, node in zip(_STACKS, nodes, strict=True):
            stack.set_node(node)
