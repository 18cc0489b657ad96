"""Contexts that a test leaves behind: found, named with the line that pushed them, and taken away."""

from __future__ import annotations

import functools
import gc
import sys
import sysconfig
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any
from weakref import WeakKeyDictionary

from ..ctx import AppContext, RequestContext, State
from ..globals import _app_ctx_stack, _request_ctx_stack
from ..local import LocalStack

GRACE = 1.0
"""Seconds that other threads are given to come to the end of a request which was left to them."""

_STACKS: tuple[LocalStack[Any], LocalStack[Any]] = (_request_ctx_stack, _app_ctx_stack)
_CONTEXTS = (AppContext, RequestContext)
"""The classes of contexts; a test may have put something else on a stack in the place of one."""

_LIBRARIES = sysconfig.get_path("purelib")
_IN_BETWEEN = (str(Path(__file__).parent.parent), sysconfig.get_path("stdlib"), _LIBRARIES, "<")
_TEST_RUNNERS = tuple(str(Path(_LIBRARIES, name)) for name in ("_pytest", "pluggy"))


class LeakWatch:
    """Knows the contexts that are pushed while its block lasts, in this thread and in others.

        with LeakWatch() as watch:
            ...
            assert not watch.leaks()

    The contexts that are current at its beginning don't count.
    """

    def __init__(self) -> None:
        self._before: list[Any] = []
        """All nodes that were on the stacks, which a test may have popped since."""
        self._places: WeakKeyDictionary[Any, str] = WeakKeyDictionary()
        self._left_by_tasks: list[Any] = []
        self._originals: tuple[Any, Any] = (LocalStack.push, LocalStack.push_node)

    def __enter__(self) -> LeakWatch:
        self._before = _nodes()
        # on the class, since a stack has no attributes of its own to hide a method with
        self._originals = (LocalStack.push, LocalStack.push_node)
        for method in self._originals:
            setattr(LocalStack, method.__name__, self._recording(method))
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: TracebackType | None
    ) -> None:
        for method in self._originals:
            setattr(LocalStack, method.__name__, method)
        for stack in _STACKS:
            stack.set_node(next((node for node in stack.nodes() if node in self._before), None))

    def wrap(self, function: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Coroutine[Any, Any, Any]]:
        """Return an `async def` function that notes what the original leaves on the stacks of its own task.

        Nobody else can see those: a task has a copy of the context in which it was made.
        """

        @functools.wraps(function)
        async def watched(*args: Any, **kwargs: Any) -> Any:
            before = _nodes()
            try:
                return await function(*args, **kwargs)
            finally:
                self._left_by_tasks += _pushed_since(before)

        return watched

    def leaks(self) -> list[str]:
        """Describe the contexts that were pushed in the block and have not ended, one text each."""
        left = self._left()
        if left:
            # an unread response may be garbage that holds its request; another thread may be about to end one
            gc.collect()
            end = time.monotonic() + GRACE
            while any(map(self._may_end, left := self._left())) and time.monotonic() < end:
                time.sleep(0.01)
        return [self._describe(context) for context in left]

    def _left(self) -> list[Any]:
        """Return the contexts that are left, without the application contexts that belong to a request's."""
        here = _pushed_since(self._before)
        in_tasks = [one for one in self._left_by_tasks if getattr(one, "_state", None) is not State.CLOSED]
        elsewhere = [
            one
            for one in list(self._places)
            if (one._nodes or one._state is State.STREAMING) and not getattr(one, "_lasts", False)
        ]
        left = list({id(context): context for context in (*here, *in_tasks, *elsewhere)}.values())
        implicit = [
            app_context
            for context in left
            if isinstance(context, RequestContext)
            for app_context in context._implicit_app_ctx_stack
        ]
        return [context for context in left if not any(context is one for one in implicit)]

    def _may_end(self, context: Any) -> bool:
        """Tell whether another thread may be about to end a context: one that isn't on the stacks here."""
        known = (*_pushed_since(self._before), *self._left_by_tasks)
        return not any(context is one for one in known) and context._state is not State.PRESERVED

    def _recording(self, push: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        @functools.wraps(push)
        def recording(stack: Any, context: Any) -> Any:
            if isinstance(context, _CONTEXTS):
                self._places.setdefault(context, _place(sys._getframe(1)))
            return push(stack, context)

        return recording

    def _describe(self, context: Any) -> str:
        place = self._places.get(context, "") if isinstance(context, _CONTEXTS) else ""
        return f"{context!r}{place} {_what_and_why(context)}"


def _nodes() -> list[Any]:
    return [node for stack in _STACKS for node in stack.nodes()]


def _pushed_since(before: list[Any]) -> list[Any]:
    return [node.value for node in _nodes() if node not in before]


def _place(frame: FrameType | None) -> str:
    """Say which line of a test, or of the application, pushed a context; nothing where that is not known."""
    while frame is not None:
        code = frame.f_code
        if code.co_filename.startswith(_TEST_RUNNERS):
            break
        if not code.co_filename.startswith(_IN_BETWEEN):
            return f", pushed at {code.co_filename}:{frame.f_lineno} in {code.co_name},"
        frame = frame.f_back
    return ""


def _what_and_why(context: Any) -> str:
    state = getattr(context, "_state", State.ACTIVE)
    if state is State.STREAMING:
        return (
            "waits for the end of its response's body. Read the response to its end, close it with "
            "response.close(), or ask for it with buffered=True."
        )
    if state is State.PRESERVED:
        if context.request.environ.get("flask._preserve_context"):
            return 'is kept by a test client. Leave the "with client:" block that it was requested in.'
        return (
            "is kept for the debugger, since its request has failed. Set app.testing, or "
            'app.config["PRESERVE_CONTEXT_ON_EXCEPTION"] = False.'
        )
    if getattr(context, "_served", False):
        return "is still being served. Wait for the thread or task that has sent the request."
    return 'was never popped. Push it with "with context:" (or "async with"), or pop it in the end.'
