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
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, Future
from contextvars import Context
from queue import Empty
from typing import Any, TypeVar

from .call import Outcome, Raised, Returned
from .in_worker import await_it
from .mailbox import Mailbox, gevent_patches_threads, new_mailbox
from .on_loop import OnLoop
from .threads import WaitingSeat, attend

logger = logging.getLogger("flaskctx.portal")

T = TypeVar("T")

DRAIN_WAIT = 10.0
"""Seconds that tasks on the background loop are given to finish when the process exits."""

CANCEL_WAIT = 5.0
"""Seconds that a cancelled coroutine is given to end."""


class BackgroundLoop:
    """An event loop on a thread of its own, started when it is first needed."""

    def __init__(self) -> None:
        self._reset()
        os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The running loop; the first use in a process starts it."""
        loop = self._loop
        if loop is None:
            with self._lock:
                loop = self._loop
                if loop is None:
                    loop = self._loop = self._start()
        return loop

    def wait_for(self, awaitable: Awaitable[T], context: Context) -> T:
        """Run `awaitable` in a task on the loop, in `context`, and wait for what it returns or raises.

        `def` functions that it calls through the application run on the waiting thread. An exception raised in
        that thread meanwhile (KeyboardInterrupt, a gevent timeout) cancels the task and is raised when it ended.
        """
        errand = Errand(awaitable, context)
        self.loop.call_soon_threadsafe(errand.start)
        try:
            outcome = attend(errand.mailbox)
        except BaseException:
            self.loop.call_soon_threadsafe(errand.cancel)
            _attend_end(errand.mailbox)
            raise
        return outcome.get()  # type: ignore[no-any-return]

    def _start(self) -> asyncio.AbstractEventLoop:
        mailbox = new_mailbox()
        start_native_thread(lambda: self._run(mailbox), "flaskctx-loop")
        loop: asyncio.AbstractEventLoop = mailbox.get()
        _before_executors_close(self.drain)
        return loop

    def _run(self, mailbox: Mailbox) -> None:
        # Made on its own thread: under gevent the selector belongs to the hub of the thread that makes it.
        loop = asyncio.SelectorEventLoop() if gevent_patches_threads() else asyncio.new_event_loop()
        if gevent_patches_threads():
            loop.set_default_executor(NativeThreadExecutor(thread_name_prefix="flaskctx-native"))
        asyncio.set_event_loop(loop)
        mailbox.put(loop)
        loop.run_forever()
        loop.close()

    def drain(self, wait: float | None = None) -> None:
        """Give the tasks on the loop `wait` seconds to finish, cancel the rest, and end the loop."""
        loop, self._loop = self._loop, None
        if loop is None:
            return
        wait = DRAIN_WAIT if wait is None else wait
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
        on_loop = OnLoop(WaitingSeat(self.mailbox), begun=True, context=self._context)
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
            job()
    except Empty:
        logger.error("A coroutine on the background loop ignored its cancellation for %s s.", CANCEL_WAIT)


async def _finish_tasks(mailbox: Mailbox, wait: float) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait
    while (tasks := asyncio.all_tasks() - {asyncio.current_task()}) and loop.time() < deadline:
        await asyncio.wait(tasks, timeout=deadline - loop.time())
    for task in tasks:
        logger.warning("%r had not finished after %s s and is cancelled.", task, wait)
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await loop.shutdown_asyncgens()
    mailbox.put("drained")
    loop.stop()


def start_native_thread(target: Callable[[], None], name: str) -> None:
    """Start a daemon thread of the operating system, also where gevent has replaced threads by greenlets.

    gevent's original is looked up at each use: `gunicorn --preload` patches after this module was imported.
    """
    if gevent_patches_threads():
        sys.modules["gevent.monkey"].get_original("_thread", "start_new_thread")(target, ())
    else:
        threading.Thread(target=target, name=name, daemon=True).start()


class NativeThreadExecutor(Executor):
    """A small executor whose threads are the operating system's under gevent too, one for each running call."""

    def __init__(self, thread_name_prefix: str = "") -> None:
        self._name = thread_name_prefix

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
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

        start_native_thread(work, self._name)
        return future


def _before_executors_close(function: Callable[[], None]) -> None:
    """Have `function` called at exit while executors still take work (`atexit` comes after they are closed)."""
    register = getattr(threading, "_register_atexit", None) or atexit.register
    register(function)


portal = BackgroundLoop()
