"""Carrying the current contexts to another thread, task or greenlet: borrowed, never torn down there.

A borrower sees the same request, session and `g`. Any number of them may run at once, before and after the end
of the request; the teardown functions belong to its owner alone.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from ..bridge.kinds import check_callable, is_async
from ..globals import _app_ctx_err_msg, _app_ctx_stack, _request_ctx_err_msg, _request_ctx_stack

if TYPE_CHECKING:
    from .app_context import AppContext
    from .request_context import RequestContext

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])


class Borrowed:
    """A context manager that makes contexts current for a while without owning them.

    Each `with` needs its own instance; leaving it puts the stacks back to what they were.
    """

    __slots__ = ("_app_context", "_before", "_request_context")

    def __init__(self, app_context: AppContext | None, request_context: RequestContext | None) -> None:
        self._app_context = app_context
        self._request_context = request_context
        self._before: list[Any] = []

    def __enter__(self) -> None:
        self._before.append((_app_ctx_stack.top_node, _request_ctx_stack.top_node))
        if self._app_context is not None:
            _app_ctx_stack.push_node(self._app_context)
        if self._request_context is not None:
            _request_ctx_stack.push_node(self._request_context)

    def __exit__(self, exc_type: type[BaseException] | None, *_: object) -> None:
        app_node, request_node = self._before.pop()
        _app_ctx_stack.set_node(app_node)
        _request_ctx_stack.set_node(request_node)


class BorrowedByTask(Borrowed):
    """`Borrowed` for a coroutine: one that its loop has dropped ends in a Context that is somebody else's."""

    __slots__ = ()

    def __exit__(self, exc_type: type[BaseException] | None, *_: object) -> None:
        if exc_type is not GeneratorExit:
            super().__exit__(exc_type)


def carry(function: F) -> F:
    """Return `function` wrapped so that it runs in the contexts that are current now, wherever it is called.

    Works for `def`, `async def` and generator-free callables alike, in threads, executors, tasks, task groups
    and greenlets. Where only an application context is current, that is what is carried.

    :param function: it may be called any number of times, also at once and after the request.
    :returns: a function of the same kind.
    :raises RuntimeError: where no application context is current.
    :raises TypeError: `function` is not callable.
    """
    check_callable("carry", function)
    app_context, request_context = _app_ctx_stack.top, _request_ctx_stack.top
    if app_context is None:
        raise RuntimeError(_app_ctx_err_msg)
    return _carrying(function, app_context, request_context)


def copy_current_request_context(f: F) -> F:
    """Return `f` wrapped so that it runs in the request that is current now, wherever it is called.

    Like :func:`carry`, but insists on a request.

    :param f: as for `carry`.
    :returns: a function of the same kind.
    :raises RuntimeError: where no request context is current.
    :raises TypeError: `f` is not callable.
    """
    check_callable("copy_current_request_context", f)
    request_context = _request_ctx_stack.top
    if request_context is None:
        raise RuntimeError(_request_ctx_err_msg)
    return _carrying(f, _app_ctx_stack.top, request_context)


def _carrying(function: F, app_context: AppContext | None, request_context: RequestContext | None) -> F:
    from_async = is_async(function)

    @functools.wraps(function)
    async def carried_async(*args: Any, **kwargs: Any) -> Any:
        with BorrowedByTask(app_context, request_context):
            return await function(*args, **kwargs)

    @functools.wraps(function)
    def carried(*args: Any, **kwargs: Any) -> Any:
        with Borrowed(app_context, request_context):
            return function(*args, **kwargs)

    return cast("F", carried_async if from_async else carried)


class CarryingExecutor(ThreadPoolExecutor):
    """A `concurrent.futures.ThreadPoolExecutor` whose calls see the contexts of the code that submits them.

    Where no context is current at `submit`, the call runs without one, as in the plain executor.
    """

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        if _app_ctx_stack.top is not None:
            fn = carry(fn)
        return super().submit(fn, *args, **kwargs)
