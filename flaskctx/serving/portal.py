"""`app.portal`: from sync code to the loop on which `async def` views run."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future, InvalidStateError
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import anyio

from ..bridge import Inline, call_here, check_callable, drive, portal
from ..bridge.loops import start_task
from ..bridge.mailbox import way_back
from ..bridge.running_loop import call_on_loop
from .background import loop_beside, loop_for

if TYPE_CHECKING:
    from ..app import Flask

P = ParamSpec("P")
T = TypeVar("T")


class Portal:
    """Runs `async def` functions for sync code, on the loop on which the application's `async def` views run.

    That is the server's loop in the worker threads of ASGI requests, and the background loop of the process under
    WSGI, in commands and in scripts.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._tasks: dict[Future[Any], object] = {}

    def run(self, f: Callable[P, Coroutine[Any, Any, T]], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `f(*args, **kwargs)` and wait for what it returns or raises. For sync code.

        :raises RuntimeError: an event loop runs on this thread. Waiting here would stop it: use `await` there.
        :raises TypeError: `f` is no function; a coroutine, say.
        """
        check_callable("app.portal.run", f)
        call = call_here(f"await {getattr(f, '__qualname__', repr(f))}(...)")
        if isinstance(call, Inline) and loop_beside(self._app) not in (None, portal.running_loop):
            # a thread beside an event loop, as `run_in_thread` has them, or of somebody's own beside an ASGI server
            return self.start(f, *args, **kwargs).result()

        async def wait() -> T:
            return await call(f, *args, **kwargs)  # type: ignore[no-any-return]

        return drive(wait())

    def start(self, f: Callable[P, Coroutine[Any, Any, T]], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Start `f(*args, **kwargs)` in a task of its own and return its future, from sync and async code.

        The task sees a copy of the caller's context. Cancelling the future cancels the task. Don't wait for
        `result()` on a thread whose event loop runs; there is `run_in_thread` and `await`.

        :raises TypeError: `f` is no function; a coroutine, say. The future raises it where `f` returns nothing that can
            be awaited: a `def` function would block the loop. `add_background_task` takes both kinds.
        """
        check_callable("app.portal.start", f)
        future: Future[T] = Future()
        tell = way_back()
        context = copy_context()
        loop = loop_for(self._app)

        async def run() -> None:
            with anyio.CancelScope() as scope:
                future.add_done_callback(lambda done: call_on_loop(loop, scope.cancel) if done.cancelled() else None)
                try:
                    result = await _awaitable(f, f(*args, **kwargs))
                except BaseException as error:
                    tell(partial(_settle, future.set_exception, error))
                    if not isinstance(error, (Exception, SystemExit)):
                        raise
                else:
                    tell(partial(_settle, future.set_result, result))
                finally:
                    self._tasks.pop(future, None)

        def start() -> None:
            # kept, as asyncio itself keeps tasks by weak references only
            task = start_task(run, "flaskctx-portal", context)
            if not future.done():
                self._tasks[future] = task

        call_on_loop(loop, start)
        return future


def _awaitable(f: Callable[..., Any], result: Any) -> Awaitable[Any]:
    if inspect.isawaitable(result):
        return result
    raise TypeError(
        f"app.portal.start runs `async def` functions, and {f!r} has returned {result!r}, which can't be awaited. Use "
        "app.add_background_task or an executor for a `def` function: here it would block the event loop."
    )


def _settle(outcome: Callable[[Any], None], value: Any) -> None:
    try:
        outcome(value)
    except InvalidStateError:
        # it was cancelled meanwhile
        pass
