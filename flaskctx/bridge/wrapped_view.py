"""An `async def` view behind a `def` wrapper: it has the view's time all the same, and ends with its client.

The wrapper runs on a thread, and no thread can be stopped. But the coroutine that it returns, or waits for by
`ensure_sync`, is awaited on a loop, where it can be cancelled.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from typing import TYPE_CHECKING, Any

from ..globals import _request_ctx_stack
from .kinds import Chooser
from .loops import cut_after
from .standing import bound

if TYPE_CHECKING:
    from ..ctx import RequestContext


def as_the_view(function: Callable[..., Any], awaitable: Awaitable[Any]) -> Awaitable[Any]:
    """Return what to await for the result of a function, if that is the current request's view or is wrapped in it.

    For any other function that is `awaitable` itself.
    """
    context = _request_ctx_stack.top
    if context is not None and _belongs_to_view(function, context):
        return WrappedView(awaitable, context)
    return awaitable


def _belongs_to_view(function: Callable[..., Any], context: RequestContext) -> bool:
    rule = context.request.url_rule
    view: Any = None if rule is None else context.app.view_functions.get(rule.endpoint)
    while view is not None:
        if view is function:
            return True
        view_class = getattr(view, "view_class", None)
        if view_class is not None and isinstance(getattr(function, "__self__", None), view_class):
            # the method of a class-based view: its `dispatch_request` may be the wrapper
            return True
        # functools.wraps leaves word of what is wrapped
        view = view.chosen() if isinstance(view, Chooser) else getattr(view, "__wrapped__", None)
    return False


class WrappedView:
    """Awaits a view's coroutine for as long as the view may take; its request ends with its client meanwhile."""

    __slots__ = ("_awaitable", "_context")

    def __init__(self, awaitable: Awaitable[Any], context: RequestContext) -> None:
        self._awaitable = awaitable
        self._context = context

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._bounded().__await__()

    async def _bounded(self) -> Any:
        context = self._context
        left = context.request.time_left
        # the request's, where it is its own loop that runs here: there the client's leaving is noticed
        exchange = getattr(bound(), "exchange", None)
        try:
            if exchange is not None:
                context._awaits_view = True
                exchange.awaits_view()
            return await (
                self._awaitable if left is None else cut_after(left, self._awaitable, context.request.time_is_up)
            )
        finally:
            context._awaits_view = False

    def close(self) -> None:
        """Close the coroutine: it won't be awaited."""
        close: Callable[[], object] | None = getattr(self._awaitable, "close", None)
        if close is not None:
            close()

    def __repr__(self) -> str:
        return getattr(self._awaitable, "__qualname__", None) or repr(self._awaitable)
