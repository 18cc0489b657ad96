"""One run of an application's lifespan on one loop: begun once, whoever asks first, and ended by whoever is to."""

from __future__ import annotations

from contextvars import Context, ContextVar
from types import TracebackType
from typing import TYPE_CHECKING, Any

import anyio

from ..bridge import Shelter, call_here, drive, portal
from ..bridge.loops import start_task
from ..bridge.portal import lasting
from ..bridge.running_loop import loop_here
from .lifespan import Serving, lifespan

if TYPE_CHECKING:
    from ..app import Flask

starting_app: ContextVar[Flask | None] = ContextVar("flaskctx.starting_app", default=None)
"""The application within whose lifespan this code runs: there it can't wait for the start."""


class StartFailed(RuntimeError):
    """The application could not be started: its cause says why. The next request tries again."""


class Run:
    """A task in which the lifespan is entered and left, for as long as somebody uses it.

    Its own task, with a Context of its own: the same for a server's lifespan, the first request of a WSGI process
    and a test.
    """

    def __init__(self, app: Flask, serving: Serving) -> None:
        self._app = app
        self._serving = serving
        self._loop = loop_here()
        self._begun = anyio.Event()
        self._to_end = anyio.Event()
        self.over = anyio.Event()
        self.is_serving = False
        self.users = 0
        self.error: BaseException | None = None
        serving.runs[self._loop] = self
        context = Context()
        context.run(lasting.set, True)
        context.run(starting_app.set, app)
        self._task = start_task(self._run, "flaskctx-serving", context)

    @property
    def is_ending(self) -> bool:
        """Whether it serves no more, or never did."""
        return self._begun.is_set() and not self.is_serving

    @property
    def wait(self) -> float:
        """Seconds that its end may take, with the background tasks before it and those that it starts."""
        config = self._app.config
        return float(2 * config["BACKGROUND_TASK_SHUTDOWN_TIMEOUT"] + config["SHUTDOWN_TIMEOUT"])

    async def begun(self) -> None:
        """Wait until the application is started.

        :raises StartFailed: it could not be.
        """
        await self._begun.wait()
        if self.error is not None:
            raise StartFailed(f"{self._app.name!r} could not be started: {self.error!r}") from self.error

    async def end(self) -> None:
        """End the application, and wait for that; raises what failed first."""
        self._to_end.set()
        await self.over.wait()
        if self.error is not None:
            raise self.error

    async def end_with_process(self) -> None:
        """End it for good: the process exits. What fails was logged."""
        self._serving.ended_with_process = True
        self._to_end.set()
        await self.over.wait()
        self._app.close_worker_pool()

    async def _run(self) -> None:
        at_end = portal.at_end if self._loop is portal.running_loop else {}
        at_end[self] = self
        try:
            try:
                await self._live()
            finally:
                if self._to_end.is_set():
                    # for tasks that the end itself has started
                    await self._app._background_tasks.drain()
        except Exception as error:
            self.error = error
            if not self._begun.is_set():
                self._log_failed_start()
            elif not self._to_end.is_set():
                self._app.logger.exception("%r stopped serving; the next request starts it anew.", self._app.name)
        except BaseException as error:
            self.error = error
            if self._begun.is_set() or isinstance(error, (KeyboardInterrupt, GeneratorExit)):
                raise
            # by sys.exit, or a cancellation of its own making: a start that has failed like any other
            self._log_failed_start()
        finally:
            self.is_serving = False
            at_end.pop(self, None)
            del self._serving.runs[self._loop]
            self._begun.set()
            self.over.set()

    def _log_failed_start(self) -> None:
        self._app.logger.exception("%r could not be started.", self._app.name)

    async def _live(self) -> None:
        with Shelter(self._app.config["SHUTDOWN_TIMEOUT"]) as shelter:
            async with lifespan(self._app, self._serving):
                self.is_serving = True
                self._begun.set()
                try:
                    await self._to_end.wait()
                except anyio.get_cancelled_exc_class():
                    # the loop is ending, or a task group of the application's own: its end is run in order all the same
                    pass
                self.is_serving = False
                await self._app._background_tasks.drain()
                shelter.take()
        if shelter.was_too_short:
            late = f"The end of {self._app.name!r} took longer than SHUTDOWN_TIMEOUT and was cut off."
            self._app.logger.error(late)
            raise TimeoutError(late)


async def start_here(app: Flask) -> Run:
    """Start the application on the running loop, if it isn't; return the run.

    :raises StartFailed: it could not be started.
    """
    serving: Serving = app._serving_functions()
    while True:
        if serving.ended_with_process:
            raise StartFailed(f"{app.name!r} has ended: the process exits.")
        run = serving.runs.get(loop_here())
        if run is None or not run.is_ending:
            break
        await run.over.wait()
    run = run or Run(app, serving)
    await run.begun()
    return run


class Served:
    """What `app.serving()` returns: the application is started in its block. For `with` and `async with`.

    Blocks on the same loop may overlap; the last one ends the application, also where a request had started it.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._runs: list[Run] = []

    async def __aenter__(self) -> Flask:
        run = await start_here(self._app)
        run.users += 1
        self._runs.append(run)
        return self._app

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: TracebackType | None
    ) -> None:
        run = self._runs.pop()
        run.users -= 1
        if not run.users:
            await run.end()

    def __enter__(self) -> Flask:
        return _wait_for(self.__aenter__)  # type: ignore[no-any-return]

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: TracebackType | None
    ) -> None:
        _wait_for(self.__aexit__, exc_type, exc_value, tb)


def _wait_for(step: Any, *args: Any) -> Any:
    call = call_here("async with app.serving(): ...")

    async def wait() -> Any:
        return await call(step, *args)

    return drive(wait())
