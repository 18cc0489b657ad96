"""Contexts that a server's thread carries around when a request arrives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from ..globals import _app_ctx_stack, _request_ctx_stack

if TYPE_CHECKING:
    from ..app import Flask

_reported: WeakValueDictionary[int, Any] = WeakValueDictionary()
"""The contexts that were reported, for as long as they live, by their id."""


@contextmanager
def hide_foreign_contexts(app: Flask, environ: Mapping[str, Any]) -> Iterator[None]:
    """Hide contexts that don't belong to the request which is about to start, and report them once.

    They are hidden, not torn down: whoever pushed them has them still. A request of a test client, and one that
    is nested in a running request (a mounted application), sees what is there, as in the classic design; a
    preserved context stays visible, so that the push of the new one ends it.
    """
    request_context = _request_ctx_stack.top
    if environ.get("flaskctx.test_client") or (
        request_context is not None and (request_context._served or request_context.preserved)
    ):
        yield
        return
    _report(app, _app_ctx_stack.top_node, _request_ctx_stack.top_node)
    with EmptyStacks():
        yield


class EmptyStacks:
    """Hides whatever is current here, for a block."""

    def __enter__(self) -> None:
        self._nodes = _app_ctx_stack.top_node, _request_ctx_stack.top_node
        _app_ctx_stack.set_node(None)
        _request_ctx_stack.set_node(None)

    def __exit__(self, exc_type: type[BaseException] | None, *_: object) -> None:
        # a coroutine that its loop has dropped ends where the collector comes upon it: in somebody else's Context
        if exc_type is not GeneratorExit:
            app_node, request_node = self._nodes
            _app_ctx_stack.set_node(app_node)
            _request_ctx_stack.set_node(request_node)


def _report(app: Flask, *nodes: Any) -> None:
    for node in nodes:
        # one that has ended is here in a copy: uvicorn starts requests in one that it made during an earlier request
        if node is not None and getattr(node.value, "_nodes", True) and id(node.value) not in _reported:
            with suppress(TypeError):  # tools may push what can't be referred to weakly
                _reported[id(node.value)] = node.value
            app.logger.warning(
                "%r was pushed on this thread and never popped. It is hidden from the requests that the thread "
                'serves. Push contexts in a "with" block.',
                node.value,
            )
