"""The background loop: the one event loop of a process on which coroutines run that have no loop of their own.

WSGI servers, the command line and plain threads have none. The loop lives on one native thread, is started by
the first coroutine, outlives the requests (connection pools and tasks made in one are alive in the next), and
starts anew in a forked child. On a normal exit, SIGTERM and SIGINT included where the server turns them into
one, its tasks are given `DRAIN_WAIT` seconds to finish, before executors are shut down.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures.thread  # noqa: F401  its own exit handler has to be registered before ours
import logging
import os
import threading
import time
from collections.abc import Awaitable, Callable, Collection, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import Context, ContextVar
from functools import partial
from queue import Empty
from typing import Any, ParamSpec, Protocol, TypeVar
from weakref import WeakSet

from .call import Outcome, Raised, Returned, close_unawaited
from .in_worker import await_it
from .mailbox import Mailbox, gevent_patches_threads, new_mailbox
from .native import native, start_native_thread
from .on_loop import OnLoop
from .threads import WaitingSeat, attend, run_job

logger = logging.getLogger("flaskctx.portal")

T = TypeVar("T")
P = ParamSpec("P")

DRAIN_WAIT = 10.0
"""Seconds that tasks on the background loop are given to finish when the process exits."""

CANCEL_WAIT = 5.0
"""Seconds that a cancelled coroutine is given to end."""


STREAM = "flaskctx-stream"
"""The name of tasks that make a response's chunks. They may be endless, so they are not waited for at the exit."""

lasting: ContextVar[bool] = ContextVar("flaskctx.lasting", default=False)
"""True in tasks, and all that they start, which somebody else ends when the process exits: see `AtEnd`."""


class AtEnd(Protocol):
    """Something on the background loop that is to be ended in order when the process exits, after the requests."""

    @property
    def wait(self) -> float:
        """Seconds that the end may take."""
        raise NotImplementedError

    async def end_with_process(self) -> None:
        """End it; called on the loop."""


class BackgroundLoop:
    """An event loop on a thread of its own, started when it is first needed."""

    def __init__(self) -> None:
        self._reset()
        os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = False
        self.at_end: dict[Hashable, AtEnd] = {}
        """What is to be ended when the process exits, the latest first; changed on the loop only."""
        self._lasting: WeakSet[asyncio.Task[Any]] = WeakSet()

    @property
    def running_loop(self) -> asyncio.AbstractEventLoop | None:
        """The loop, if it was started already."""
        return self._loop

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The running loop; the first use in a process starts it."""
        loop = self._loop
        if loop is None:
            with self._lock:
                loop = self._loop
                if loop is None:
                    loop = self._start()
        return loop

    def wait_for(self, awaitable: Awaitable[T], context: Context) -> T:
        """Run `awaitable` in a task on the loop, in `context`, and wait for what it returns or raises.

        `def` functions that it calls through the application run on the waiting thread. An exception raised in
        that thread meanwhile (KeyboardInterrupt, a gevent timeout) cancels the task and is raised when it ended.
        """
        errand = Errand(awaitable, context)
        try:
            loop = self.loop
        except RuntimeError:
            close_unawaited(awaitable)
            raise
        if self.is_here():
            close_unawaited(awaitable)
            raise RuntimeError(f"{awaitable!r} can't be waited for on the background loop that would have to run it.")
        loop.call_soon_threadsafe(errand.start)
        try:
            outcome = attend(errand.mailbox)
        except BaseException:
            loop.call_soon_threadsafe(errand.cancel)
            _attend_end(errand.mailbox)
            raise
        return outcome.get()  # type: ignore[no-any-return]

    def is_here(self) -> bool:
        """Tell whether this code runs on the loop: waiting for it here would never end."""
        return self._loop is not None and asyncio._get_running_loop() is self._loop

    def _start(self) -> asyncio.AbstractEventLoop:
        if self._ended:
            raise RuntimeError("The process is ending: no coroutine can be run any more.")
        atexit.register(self._end)
        _before_executors_close(self.drain)
        # A native lock: under gevent no other greenlet gets to ask for the loop before it is there.
        started = native("allocate_lock")()
        started.acquire()
        start_native_thread(lambda: self._run(started), "flaskctx-loop")
        started.acquire()
        if self._loop is None:
            raise RuntimeError("The background event loop could not be started; its thread printed the reason.")
        return self._loop

    def _run(self, started: Any) -> None:
        try:
            self._loop = loop = new_loop()
        finally:
            started.release()
        asyncio.set_event_loop(loop)
        loop.set_task_factory(self._new_task)
        _run_until_stopped(loop)
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()

    def _new_task(self, loop: asyncio.AbstractEventLoop, coro: Any, **options: Any) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(coro, loop=loop, **options)
        context: Context | None = options.get("context")
        if lasting.get() if context is None else context.get(lasting):
            self._lasting.add(task)
        return task

    def drain(self, wait: float | None = None) -> None:
        """Give the tasks on the loop `wait` seconds to finish, cancel the rest, and end what is `at_end`.

        The loop goes on: threads that a server is still waiting for may have something left to run on it.
        """
        if self._loop is not None:
            self._let_tasks_finish(self._loop, DRAIN_WAIT if wait is None else wait)

    def _end(self) -> None:
        loop = self._loop
        if loop is not None:
            self._let_tasks_finish(loop, DRAIN_WAIT)
            loop.call_soon_threadsafe(loop.stop)
            self._loop, self._ended = None, True

    def _let_tasks_finish(self, loop: asyncio.AbstractEventLoop, wait: float) -> None:
        mailbox = new_mailbox()

        def begin() -> None:
            # kept in the list so that the task isn't collected while it waits
            running.append(loop.create_task(self._finish(mailbox, wait)))

        running: list[asyncio.Task[None]] = []
        loop.call_soon_threadsafe(begin)
        longest = wait + CANCEL_WAIT + sum(one.wait + CANCEL_WAIT for one in list(self.at_end.values()))
        try:
            mailbox.get(True, longest)
        except Empty:
            logger.error("Tasks on the background loop ignored their cancellation; the process exits without them.")
            self._loop, self._ended = None, True

    async def _finish(self, mailbox: Mailbox, wait: float) -> None:
        await _finish_tasks(wait, self._lasting)
        while self.at_end:
            _, one = self.at_end.popitem()
            try:
                async with asyncio.timeout(one.wait + CANCEL_WAIT):
                    await one.end_with_process()
            except Exception:
                logger.exception("%r could not be ended with the process.", one)
        await _finish_tasks(0, ())
        mailbox.put("finished")


def _run_until_stopped(loop: asyncio.AbstractEventLoop) -> None:
    while True:
        try:
            loop.run_forever()
        except BaseException:
            # SystemExit or KeyboardInterrupt: asyncio stops the loop for them, and every request would wait for ever
            logger.exception("A task on the background loop wanted to end the process. The loop goes on.")
        else:
            return


class Errand:
    """A coroutine on its way to the background loop, and the mailbox of the thread that waits for it."""

    def __init__(self, awaitable: Awaitable[Any], context: Context) -> None:
        self.mailbox = new_mailbox()
        self._awaitable = awaitable
        self._context = context
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        on_loop = OnLoop(partial(WaitingSeat, self.mailbox), begun=True, context=self._context)
        outcome: Outcome
        try:
            outcome = Returned(await on_loop.run(await_it(self._awaitable)))
        except BaseException as error:
            outcome = Raised(error)
        self.mailbox.put(outcome)


def _attend_end(mailbox: Mailbox) -> None:
    deadline = time.monotonic() + CANCEL_WAIT
    try:
        while callable(job := mailbox.get(True, max(0.0, deadline - time.monotonic()))):
            run_job(job)
    except Empty:
        logger.error("A coroutine on the background loop ignored its cancellation for %s s.", CANCEL_WAIT)


async def _finish_tasks(wait: float, lasting_tasks: Collection[asyncio.Task[Any]]) -> None:
    """Give the tasks of this loop, without the lasting ones, `wait` seconds to finish, and cancel the rest."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait
    for task in asyncio.all_tasks():
        if task.get_name() == STREAM:
            task.cancel()
    while (tasks := asyncio.all_tasks() - {asyncio.current_task(), *lasting_tasks}) and loop.time() < deadline:
        await asyncio.wait(tasks, timeout=deadline - loop.time())
    for task in tasks:
        logger.warning("%r had not finished after %s s and is cancelled.", task, wait)
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def new_loop() -> asyncio.AbstractEventLoop:
    """Return a new event loop for this thread, one that works beside gevent if need be."""
    if not gevent_patches_threads():
        return asyncio.new_event_loop()
    # The selector, replaced by gevent, belongs to the hub of the thread that makes it. No uvloop here.
    loop = asyncio.SelectorEventLoop()
    loop.set_default_executor(NativeThreadExecutor())
    return loop


class NativeThreadExecutor(ThreadPoolExecutor):
    """An executor whose threads are the operating system's under gevent too, one for each running call.

    A loop accepts none but a `ThreadPoolExecutor` as its default; that class would start greenlets.
    """

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = fn(*args, **kwargs)
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)

        start_native_thread(work, "flaskctx-native")
        return future


def _before_executors_close(function: Callable[[], None]) -> None:
    """Have `function` called at exit while executors still take work (`atexit` comes after they are closed)."""
    register = getattr(threading, "_register_atexit", None) or atexit.register
    try:
        register(function)
    except RuntimeError:
        # too late: the process is ending already, and executors are closed
        pass


portal = BackgroundLoop()
