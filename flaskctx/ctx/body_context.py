"""Where a streamed body runs: with the ContextVars as they were when its response was ready."""

from __future__ import annotations

from contextvars import copy_context
from typing import Any

from ..bridge.mirror import Mirror
from ..globals import _app_ctx_stack, _request_ctx_stack


class BodyContext(Mirror):
    """A Context for one streamed body. It holds what is set where it is made: before the teardown functions run.

    `copy_out()` copies back what the body has set.
    """

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(copy_context())

    def outlive_request(self) -> None:
        """Make current in it the contexts that are current here: none, when the request has been left."""
        self.context.run(_set_top_nodes, _app_ctx_stack.top_node, _request_ctx_stack.top_node)
        self._agreed = self.context.copy()


def _set_top_nodes(app_node: Any, request_node: Any) -> None:
    _app_ctx_stack.set_node(app_node)
    _request_ctx_stack.set_node(request_node)
