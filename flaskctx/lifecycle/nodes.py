"""Contexts and the nodes by which they are on the stacks: which node may be left, and taking one off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..ctx.states import after
from .failures import worst
from .overrides import NATIVE

if TYPE_CHECKING:
    from ..bridge import Call
    from ..local import LocalStack, Node


def node_to_leave(stack: LocalStack[Any], context: Any) -> Node[Any] | None:
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


def take_off_what_has_ended(stack: LocalStack[Any]) -> None:
    """Take off the top what was popped in a copy of this chain."""
    while (node := stack.top_node) is not None and node not in node.value._nodes:
        stack.set_node(node.below)


def unlink(stack: LocalStack[Any], context: Any, node: Node[Any] | None) -> None:
    """Take the context's node off this chain, or mark it closed for the chain that has it."""
    if node is None:
        context._nodes.pop().closed = True
    else:
        # not closed: a child task that outlives the request has it in its own chain, and may still read
        context._nodes.remove(node)
        stack.set_node(node.below)


async def undo(call: Call, context: Any, name: str, error: BaseException) -> None:
    """Leave a context whose push failed half-way; what fails on the way is logged, the push's error counts."""
    try:
        await NATIVE[name](call, context, error)
    except BaseException as failure:
        worst(context.app, error, failure)
