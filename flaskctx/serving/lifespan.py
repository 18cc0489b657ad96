"""What an application does before it serves and after it, in order and back: `before_serving` and its kin."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

from ..bridge import is_async
from ..concurrency import run_in_thread

if TYPE_CHECKING:
    from ..app import Flask
    from ..typing import Manager
    from .run import Run


class Serving:
    """The functions that an application has registered for its start and end, and where it is started."""

    def __init__(self) -> None:
        self.before: list[Callable[[], Any]] = []
        self.after: list[Callable[[], Any]] = []
        self.around: list[Callable[[], Manager]] = []
        """The generator functions of `while_serving`, as what makes a context manager."""
        self.lifespan: Callable[[Flask], Manager] | None = None
        self.runs: dict[Any, Run] = {}
        """The loops on which the application is started."""
        self.ended_with_process = False

    def add_around(self, function: Callable[[], Any]) -> None:
        """Register a generator function.

        :raises TypeError: it is none.
        """
        if inspect.isasyncgenfunction(function):
            self.around.append(asynccontextmanager(function))
        elif inspect.isgeneratorfunction(function):
            self.around.append(contextmanager(function))
        else:
            raise TypeError(
                f"while_serving takes a generator function, def or async def, with one yield; {function!r} is none."
            )

    def managers(self, app: Flask) -> Generator[Manager, None, None]:
        """Make the context managers, one after the other, as they are to be entered."""
        for make in self.around:
            yield make()
        if self.lifespan is not None:
            yield self.lifespan(app)


@asynccontextmanager
async def lifespan(app: Flask, serving: Serving) -> AsyncIterator[None]:
    """Start the application, and end it when the block is left: all of it in this task and one application context.

    `def` functions run in a thread. Whatever fails at the end is logged and the rest is done all the same; then
    the first failure is raised. If the start fails, what was entered is left again; the functions of
    `after_serving` are for a start that succeeded.
    """
    context = app.app_context()
    context._lasts = True
    async with context:
        ending = _Ending(app)
        try:
            for before in serving.before:
                await _call(before)
            for manager in serving.managers(app):
                await _enter(manager)
                ending.entered.append(manager)
        except BaseException as error:
            await ending.leave_managers(error)
            raise
        yield
        await ending.leave_managers(None)
        for after in reversed(serving.after):
            await ending.attempt(_call, after)
        if ending.failure is not None:
            raise ending.failure


class _Ending:
    """What has to be left, and what failed first when it was."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self.entered: list[Manager] = []
        self.failure: Exception | None = None

    async def leave_managers(self, error: BaseException | None) -> None:
        while self.entered:
            await self.attempt(_leave, self.entered.pop(), error)

    async def attempt(self, end: Callable[..., Any], one: Any, *args: Any) -> None:
        try:
            await end(one, *args)
        except Exception as failure:
            if failure not in args:
                self._app.logger.exception("The end of %r failed on %r.", self._app.name, one)
                self.failure = self.failure or failure


async def _call(function: Callable[..., Any], *args: Any) -> None:
    await (function(*args) if is_async(function) else run_in_thread(function, *args))


async def _enter(manager: Any) -> None:
    if hasattr(manager, "__aenter__"):
        await manager.__aenter__()
    elif hasattr(manager, "__enter__"):
        await run_in_thread(manager.__enter__)
    else:
        raise TypeError(
            "lifespan= takes a function of the application that returns a context manager: one with "
            f"@contextmanager or @asynccontextmanager. It has returned {manager!r}."
        )


async def _leave(manager: Any, error: BaseException | None) -> None:
    details = (None, None, None) if error is None else (type(error), error, error.__traceback__)
    if hasattr(manager, "__aenter__"):
        await manager.__aexit__(*details)
    else:
        await run_in_thread(manager.__exit__, *details)
