"""Inboxes: how a task on an asyncio or trio loop waits for word from a thread.

An inbox belongs to one task. Threads `post` messages; the task `take`s them. A cancellation that arrives in
between doesn't end the wait, since the thread at the other end can't be cancelled: it is kept in
`interruption` and raised by whoever looks there. This file alone knows how asyncio and trio differ.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Coroutine, Generator
from contextvars import Context
from functools import partial
from types import coroutine
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import anyio

if TYPE_CHECKING:
    from .running_loop import LoopKey

T = TypeVar("T")

_get_running_loop = asyncio._get_running_loop  # the documented form that doesn't raise


class Inbox:
    """Messages from threads for one task."""

    __slots__ = ("_messages", "interruption")

    def __init__(self) -> None:
        self._messages: deque[Any] = deque()
        self.interruption: Callable[[], NoReturn] | None = None

    def post(self, message: Any) -> None:
        """Hand over a message, from any thread."""
        self._messages.append(message)
        try:
            self._wake_from_thread()
        except RuntimeError:
            # The loop is gone, and the waiting task with it: nobody is left to be told.
            pass

    def deliver(self, message: Any) -> None:
        """Hand over a message, from the loop's own thread."""
        self._messages.append(message)
        self._wake()

    def deliver_later(self, message: Any, seconds: float) -> Callable[[], object]:
        """Hand over a message after a time; return what prevents that."""
        raise NotImplementedError

    def take(self) -> Generator[Any, Any, Any]:
        """Wait for the next message and return it; a cancellation meanwhile is kept, not raised."""
        while not self._messages:
            yield from self._wait(patient=True)
        return self._messages.popleft()

    @coroutine
    def arrival(self) -> Generator[Any, Any, Any]:
        """Await the next message and return it; a cancellation ends the wait as usual."""
        while not self._messages:
            yield from self._wait(patient=False)
        return self._messages.popleft()

    @coroutine
    def patient_arrival(self) -> Generator[Any, Any, Any]:
        """`take` for a coroutine."""
        return (yield from self.take())

    def check(self) -> None:
        """Raise the cancellation that arrived during a wait, once."""
        interruption = self.interruption
        if interruption is not None:
            self.interruption = None
            interruption()

    def collect(self) -> Any:
        """Return a message that is known to be there."""
        return self._messages.popleft()

    def drain(self) -> list[Any]:
        """Take all messages that are there; may be called by several threads."""
        messages = []
        while self._messages:
            try:
                messages.append(self._messages.popleft())
            except IndexError:
                break
        return messages

    def is_here(self) -> bool:
        """Tell whether the loop that is running here is the one of this inbox's task."""
        raise NotImplementedError

    @property
    def loop(self) -> LoopKey:
        """The loop of this inbox's task."""
        raise NotImplementedError

    def _wait(self, patient: bool) -> Generator[Any, Any, None]:
        raise NotImplementedError

    def _wake_from_thread(self) -> None:
        raise NotImplementedError

    def _wake(self) -> None:
        raise NotImplementedError


def _raise(error: BaseException) -> NoReturn:
    raise error


class _PatientFuture(asyncio.Future[None]):
    """A future that refuses to be cancelled: asyncio then delivers the cancellation when it is done."""

    inbox: AsyncioInbox

    def cancel(self, msg: Any | None = None) -> bool:
        self.inbox.interruption = partial(_raise, asyncio.CancelledError(*([] if msg is None else [msg])))
        return False


class AsyncioInbox(Inbox):
    """The inbox of an asyncio task."""

    __slots__ = ("_loop", "_waiter")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._loop = loop
        self._waiter: asyncio.Future[None] | None = None

    @property
    def loop(self) -> LoopKey:
        return self._loop

    def is_here(self) -> bool:
        return _get_running_loop() is self._loop

    def deliver_later(self, message: Any, seconds: float) -> Callable[[], object]:
        return self._loop.call_later(seconds, self.deliver, message).cancel

    def _wait(self, patient: bool) -> Generator[Any, Any, None]:
        waiter: asyncio.Future[None]
        if patient:
            waiter = _PatientFuture(loop=self._loop)
            waiter.inbox = self
        else:
            waiter = self._loop.create_future()
        self._waiter = waiter
        try:
            yield from waiter
        except asyncio.CancelledError as error:
            if not patient:
                raise
            # the very one: anyio knows the cancellations of its scopes by their message
            self.interruption = partial(_raise, error)
        finally:
            self._waiter = None

    def _wake_from_thread(self) -> None:
        self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class TrioInbox(Inbox):
    """The inbox of a trio task."""

    __slots__ = ("_lowlevel", "_task", "_token")

    def __init__(self, lowlevel: Any) -> None:
        super().__init__()
        self._lowlevel = lowlevel
        self._token = lowlevel.current_trio_token()
        self._task: Any = None

    @property
    def loop(self) -> LoopKey:
        return self._token

    def deliver_later(self, message: Any, seconds: float) -> Callable[[], object]:
        trio = sys.modules["trio"]
        waiting = trio.CancelScope()

        async def deliver() -> None:
            with waiting:
                await trio.sleep(seconds)
                self.deliver(message)

        self._lowlevel.spawn_system_task(deliver)
        return waiting.cancel  # type: ignore[no-any-return]

    def is_here(self) -> bool:
        return bool(self._lowlevel.in_trio_run()) and self._lowlevel.current_trio_token() is self._token

    def _wait(self, patient: bool) -> Generator[Any, Any, None]:
        def abort(raise_cancel: Callable[[], NoReturn]) -> Any:
            if not patient:
                self._task = None
                return self._lowlevel.Abort.SUCCEEDED
            self.interruption = raise_cancel
            return self._lowlevel.Abort.FAILED

        self._task = self._lowlevel.current_task()
        yield from self._lowlevel.wait_task_rescheduled(abort).__await__()

    def _wake_from_thread(self) -> None:
        self._token.run_sync_soon(self._wake)

    def _wake(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            self._lowlevel.reschedule(task)


def loop_is_running() -> bool:
    """Tell whether an event loop runs on this thread and is calling this code."""
    if _get_running_loop() is not None:
        return True
    trio = sys.modules.get("trio")
    return trio is not None and bool(trio.lowlevel.in_trio_run())


def new_inbox() -> Inbox:
    """Return an inbox for the running task. Raises RuntimeError where no event loop runs."""
    trio = sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_task():
        return TrioInbox(trio.lowlevel)
    return AsyncioInbox(asyncio.get_running_loop())


def start_task(work: Callable[[], Coroutine[Any, Any, None]], name: str, context: Context) -> object:
    """Start a task for `work()` that no other task has to wait for; it must not raise.

    Returns the task; asyncio wants it to be kept, or it may be collected before its end.
    """
    if asyncio_is_running():
        return asyncio.get_running_loop().create_task(work(), name=name, context=context)
    started: object = sys.modules["trio"].lowlevel.spawn_system_task(work, name=name, context=context)
    return started


async def cut_after(seconds: float, awaitable: Awaitable[T], late: Callable[[], Exception]) -> T:
    """Await something for so many seconds; when they are over it is cancelled, and `late()` is raised instead.

    On asyncio it isn't anyio that does this: its scopes cancel again at each turn of the loop, which would be kept busy
    for as long as the cancelled task waits for a thread.
    """
    if not asyncio_is_running():
        with droppable(anyio.move_on_after(seconds)):
            return await awaitable
        raise late()
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            return await awaitable
    except TimeoutError:
        if not limit.expired():
            raise
    raise late()


class droppable:
    """A cancel scope or task group for a coroutine that may be dropped: no task is left then that could leave it."""

    __slots__ = ("_scope",)

    def __init__(self, scope: Any) -> None:
        self._scope = scope

    def __enter__(self) -> Any:
        return self._scope.__enter__()

    def __exit__(self, exc_type: type[BaseException] | None, *exc: Any) -> bool:
        return exc_type is not GeneratorExit and bool(self._scope.__exit__(exc_type, *exc))

    async def __aenter__(self) -> Any:
        return await self._scope.__aenter__()

    async def __aexit__(self, exc_type: type[BaseException] | None, *exc: Any) -> bool:
        return exc_type is not GeneratorExit and bool(await self._scope.__aexit__(exc_type, *exc))


def is_being_cancelled() -> bool:
    """Tell whether the running asyncio task is to end, though a cancellation that was raised in it was caught.

    A timeout or task group takes back what it has asked for itself. On trio always False: there a cancellation that
    was caught is raised again.
    """
    task = asyncio.current_task() if asyncio_is_running() else None
    return task is not None and task.cancelling() > 0


# Since Python 3.12: tasks that run already within the `create_task` that makes them.
_eager_tasks: Collection[Any] = getattr(asyncio.tasks, "_eager_tasks", ())


def task_starts_eagerly() -> bool:
    """Tell whether the running task is still within the `create_task` that makes it, and so within another task."""
    return bool(_eager_tasks) and _get_running_loop() is not None and asyncio.current_task() in _eager_tasks


def asyncio_is_running() -> bool:
    """Tell whether the running task is asyncio's (and not trio's)."""
    trio = sys.modules.get("trio")
    return (trio is None or not trio.lowlevel.in_trio_task()) and asyncio._get_running_loop() is not None
