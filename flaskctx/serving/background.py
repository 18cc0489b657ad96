"""Background tasks: work that a request leaves behind, with an application context of its own."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from contextvars import Context, copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec

import anyio
import anyio.lowlevel

from ..bridge import Inline, InWorker, OnLoop, bound, check_callable, original, portal
from ..bridge.loops import start_task
from ..bridge.portal import lasting
from ..bridge.running_loop import LoopKey, call_on_loop, loop_here
from ..bridge.standing import served_loop
from ..globals import _app_ctx_stack, _request_ctx_stack
from ..lifecycle.notify import send
from ..lifecycle.overrides import step
from ..signals import got_background_exception

if TYPE_CHECKING:
    from ..app import Flask
    from ..bridge import Call

P = ParamSpec("P")

CANCEL_WAIT = 5.0
"""Seconds that a cancelled task is given to end."""


def loop_for(app: Flask) -> LoopKey:
    """Return the loop on which `async def` views run, as seen from here.

    That is the loop of this thread, the one for which this thread works, that of the server that has started the
    application, or else the background loop.
    """
    loop = loop_here() or loop_beside(app)
    return portal.loop if loop is None else loop


def loop_beside(app: Flask) -> LoopKey | None:
    """Return the loop for which this thread works, for a request or otherwise; else the server's, if there is one."""
    call = bound()
    if isinstance(call, InWorker):
        return call.loop
    top = _request_ctx_stack.top
    is_wsgi_request = top is not None and isinstance(top._call, Inline)
    return (None if is_wsgi_request else served_loop()) or app._server_loop


class BackgroundTasks:
    """The background tasks of one application in one process."""

    def __init__(self, app: Flask) -> None:
        # no cycle: an application is freed as soon as nobody has it any more; a job has it until it ends
        self._app_reference = weakref.ref(app)
        self._jobs: dict[LoopKey, set[Job]] = {}

    @property
    def _app(self) -> Flask:
        app = self._app_reference()
        assert app is not None
        return app

    @property
    def wait(self) -> float:
        """Seconds that they are given to finish at the end."""
        return float(self._app.config["BACKGROUND_TASK_SHUTDOWN_TIMEOUT"])

    def add(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Start a task, from anywhere, on the loop that belongs to this place."""
        check_callable("add_background_task", function)
        context = copy_context()
        context.run(_leave_contexts)
        loop = loop_for(self._app)
        call_on_loop(loop, partial(self._start, loop, Job(self._app, partial(function, *args, **kwargs), context)))

    def _start(self, loop: LoopKey, job: Job) -> None:
        jobs = self._jobs.setdefault(loop, set())
        jobs.add(job)
        if loop is portal.running_loop:
            portal.at_end.setdefault(self, self)

        async def run() -> None:
            try:
                await job.run()
            finally:
                jobs.discard(job)
                if not jobs and self._jobs.get(loop) is jobs:
                    del self._jobs[loop]
                    if loop is portal.running_loop:
                        portal.at_end.pop(self, None)

        job.task = start_task(run, "flaskctx-background", job.context)

    async def drain(self) -> None:
        """Wait until the tasks of this loop have finished; cancel and log those that take too long."""
        loop = loop_here()
        if loop not in self._jobs:
            return
        with anyio.move_on_after(self.wait, shield=True):
            await self._all_ended(loop)
        late = list(self._jobs.get(loop, ()))
        for job in late:
            self._app.logger.error("%r had not finished after %s s and is cancelled.", job, self.wait)
            if job.scope is not None:
                job.scope.cancel()
        with anyio.move_on_after(CANCEL_WAIT, shield=True):
            await self._all_ended(loop)

    async def end_with_process(self) -> None:
        """`drain`, for an application that has nothing else to end."""
        app = self._app
        await self.drain()
        app.close_worker_pool()

    async def _all_ended(self, loop: LoopKey) -> None:
        while loop in self._jobs:
            # the jobs that are there may start others: there is no one thing to wait for
            ended = next(iter(self._jobs[loop])).ended
            if ended is not None:
                await ended.wait()
            await anyio.lowlevel.checkpoint()


class Job:
    """One background task."""

    task: object = None
    scope: anyio.CancelScope | None = None
    ended: anyio.Event | None = None
    """None as long as it hasn't begun."""

    def __init__(self, app: Flask, function: partial[Any], context: Context) -> None:
        self._app = app
        self._function = function
        self.context = context

    def __repr__(self) -> str:
        return f"<background task {getattr(self._function.func, '__qualname__', self._function.func)}>"

    async def run(self) -> None:
        """Run to the end; failures are logged and signalled."""
        self.scope = scope = anyio.CancelScope()
        self.ended = ended = anyio.Event()
        call = OnLoop(self._app._background_threads, self._app.config, begun=True)
        try:
            with scope:
                await call.run(self._work(call))
        except Exception:
            self._app.logger.exception("The end of %r failed.", self)
        finally:
            call.release()
            ended.set()

    async def _work(self, call: Call) -> None:
        app, context = self._app, self._app.app_context()
        error: BaseException | None = None
        await step(call, context, "enter_app_context")
        try:
            await call(self._function)
        except (Exception, SystemExit) as raised:
            # sys.exit too, as a command's function calls it: the process is the server's to end
            error = original(raised)
            app.logger.error("Exception in %r", self, exc_info=error)
            if got_background_exception.receivers:
                await send(call, got_background_exception, app, exception=error, task=self._function.func)
        except BaseException as raised:
            error = raised
            if not (isinstance(raised, GeneratorExit) or (self.scope is not None and self.scope.cancel_called)):
                # as by a task of its own that it awaited: nobody else would tell
                app.logger.error("%r was cut off by %r.", self, raised)
            raise
        finally:
            await step(call, context, "leave_app_context", error)


def _leave_contexts() -> None:
    """Have no request and no application current in this Context: a task has its own."""
    lasting.set(True)
    _app_ctx_stack.set_node(None)
    _request_ctx_stack.set_node(None)


def after_response(f: Callable[P, Any], /, *args: P.args, **kwargs: P.kwargs) -> None:
    """Call `f(*args, **kwargs)` as a background task when the current request's response has been sent.

    Also when the client has gone before its end. `f` is `def` or `async def`; see `Flask.add_background_task`. To
    use `request`, `session` or `g` there, hand over `carry(f)`.

    :raises RuntimeError: where no request is current.
    :raises TypeError: `f` is no function; a coroutine, say.
    """
    check_callable("after_response", f)
    top = _request_ctx_stack.top
    if top is None:
        raise RuntimeError(
            "after_response needs a current request: call it from a view or from a hook of the request. Elsewhere "
            "app.add_background_task starts a function at once."
        )
    top._after_response = [*top._after_response, partial(top.app.add_background_task, f, *args, **kwargs)]
