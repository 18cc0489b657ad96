"""The background loop: the one event loop of a process on which coroutines run that have no loop of their own.

WSGI servers, the command line and plain threads have none. The loop lives on one native thread, is started by
the first coroutine, outlives the requests (connection pools and tasks made in one are alive in the next), and
starts anew in a forked child. On a normal exit, SIGTERM and SIGINT included where the server turns them into
one, its tasks are given `DRAIN_WAIT` seconds to finish, before executors are shut down.
"""

from __future__ import annotations

import _thread
import asyncio
import atexit
import concurrent.futures.thread  # noqa: F401  its own exit handler has to be registered before ours
import logging
import os
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import Context
from functools import partial
from queue import Empty
from typing import Any, ParamSpec, TypeVar

from .call import Outcome, Raised, Returned, close_unawaited
from .in_worker import await_it
from .mailbox import Mailbox, gevent_patches_threads, new_mailbox
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


class BackgroundLoop:
    """An event loop on a thread of its own, started when it is first needed."""

    def __init__(self) -> None:
        self._reset()
        os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = False

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
        _run_until_stopped(loop)
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()

    def drain(self, wait: float | None = None) -> None:
        """Give the tasks on the loop `wait` seconds to finish, and cancel the rest.

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
            running.append(loop.create_task(_finish_tasks(mailbox, wait)))

        running: list[asyncio.Task[None]] = []
        loop.call_soon_threadsafe(begin)
        try:
            mailbox.get(True, wait + CANCEL_WAIT)
        except Empty:
            logger.error("Tasks on the background loop ignored their cancellation; the process exits without them.")
            self._loop, self._ended = None, True


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


async def _finish_tasks(mailbox: Mailbox, wait: float) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait
    for task in asyncio.all_tasks():
        if task.get_name() == STREAM:
            task.cancel()
    while (tasks := asyncio.all_tasks() - {asyncio.current_task()}) and loop.time() < deadline:
        await asyncio.wait(tasks, timeout=deadline - loop.time())
    for task in tasks:
        logger.warning("%r had not finished after %s s and is cancelled.", task, wait)
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    mailbox.put("finished")


def new_loop() -> asyncio.AbstractEventLoop:
    """Return a new event loop for this thread, one that works beside gevent if need be."""
    if not gevent_patches_threads():
        return asyncio.new_event_loop()
    # The selector, replaced by gevent, belongs to the hub of the thread that makes it. No uvloop here.
    loop = asyncio.SelectorEventLoop()
    loop.set_default_executor(NativeThreadExecutor())
    return loop


def start_native_thread(target: Callable[[], None], name: str) -> None:
    """Start a daemon thread of the operating system, also where gevent has replaced threads by greenlets."""
    if gevent_patches_threads():
        native("start_new_thread")(_run_beside_gevent, (target,))
    else:
        threading.Thread(target=target, name=name, daemon=True).start()


def native(name: str) -> Any:
    """Return a function of the module `_thread`, the original one where gevent has replaced it.

    Looked up at each use: `gunicorn --preload` patches after this module was imported.
    """
    monkey = sys.modules.get("gevent.monkey")
    return getattr(_thread, name) if monkey is None else monkey.get_original("_thread", name)


def _run_beside_gevent(target: Callable[[], None]) -> None:
    try:
        target()
    finally:
        # a `target` that used anything of gevent's, a patched `time.sleep` say, has given this thread a hub
        hub = sys.modules["gevent._hub_local"].get_hub_if_exists()
        if hub is not None:
            hub.destroy(destroy_loop=True)


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
