"""The bridge of a request that an event loop serves: one coroutine that moves between loop and thread.

The lifecycle is one coroutine, and a coroutine may be resumed by any thread. It starts on the loop. Where a
`def` function comes up it yields `TO_WORKER` and is resumed on the request's worker thread; there it goes on,
calling one `def` function after the other, until an `async def` function comes up (or the body of a slow
client has to be awaited): then it yields `TO_LOOP` and is resumed on the loop. So neighbouring `def` functions
share one hop, a request without `async def` functions takes a single hop for all of its lifecycle, and one
without `def` functions takes none.

All of it runs in one private Context, entered around each resumption on whichever side, and never in the
task's own: a cancellation that arrives while the thread is inside could not enter that a second time.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping
from contextlib import suppress
from contextvars import Context, copy_context
from functools import partial
from types import coroutine as generator_based
from typing import Any, Protocol, TypeVar

import anyio
from werkzeug.exceptions import ServiceUnavailable

from .call import Call, CancellableCall, Outcome, Raised, Returned, close_unawaited, coroutine_of, suspended_here
from .dropped import cancellation, drop_task, end_steps, interrupt, refuse_asks
from .in_worker import Ask, InWorker, await_it
from .kinds import is_async, is_nonblocking
from .loops import Inbox, asyncio_is_running, droppable, new_inbox
from .mirror import Mirror
from .moves import TO_LOOP, TO_WORKER
from .running_loop import call_on_loop
from .standing import bind, here
from .threads import Seat, WorkerSeat, seat_of_its_own

logger = logging.getLogger("flaskctx.bridge")

T = TypeVar("T")


class Exchange(Protocol):
    """What a request is to the server's side."""

    inner: Any

    def waits(self) -> None: ...

    def awaits_view(self) -> None: ...

    def is_gone(self) -> bool: ...


DEFAULT_LIMITS: Mapping[str, Any] = {"WORKER_WAIT": 5.0, "TEARDOWN_WAIT": 30.0}


class HouseIsFull(BaseException):
    """No worker thread became free in time, and no function of the user has run yet: the request is refused."""


class OnLoop(CancellableCall):
    """Calls for one task of an event loop, with a worker thread beside it.

    :param take_seat: gives the request its place for `def` functions, when the first one comes up.
    :param limits: `WORKER_WAIT`, the seconds to wait for a thread before the first function of the user has been
        called, and `TEARDOWN_WAIT`, those that an `async def` teardown may take.
    :param begun: whether functions of the user have been called already.
    :param context: where everything runs; a copy of the task's own context by default.
    """

    __slots__ = (
        "_entered",
        "_inbox",
        "_limits",
        "_mirror",
        "_seat",
        "_take_seat",
        "_worker_call",
        "begun",
        "context",
        "dropped",
        "exchange",
        "in_worker",
    )

    moves = True

    def __init__(
        self,
        take_seat: Callable[[], Seat],
        limits: Mapping[str, Any] = DEFAULT_LIMITS,
        begun: bool = False,
        context: Context | None = None,
    ) -> None:
        self._take_seat = take_seat
        self._limits = limits
        self.begun = begun
        self.context: Context = copy_context() if context is None else context
        self.exchange: Exchange | None = None
        """The request on the server's side, where there is one."""
        self.in_worker = False
        self._in_teardown = False
        self.dropped = False
        """Whether the loop has dropped the task: its coroutine was closed, and nothing can be awaited any more."""
        self._entered = self.context
        # what only requests with `def` functions need is made by the first of them
        self._seat: Seat | None = None
        self._inbox: Inbox | None = None
        self._worker_call: InWorker | None = None
        self._mirror: Mirror | None = None

    @property
    def seat(self) -> Seat:
        """The request's place for `def` functions."""
        if self._seat is None:
            self._seat = self._take_seat()
        return self._seat

    @property
    def inbox(self) -> Inbox:
        """Where threads leave word for this task."""
        if self._inbox is None:
            self._inbox = new_inbox()
        return self._inbox

    @property
    def has_thread(self) -> bool:
        """Whether the request has its place on a thread of the pool."""
        return isinstance(self._seat, WorkerSeat) and self._seat.worker is not None

    # -- what the lifecycle asks for ------------------------------------------------------------------------

    def __call__(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Coroutine[Any, Any, Any]:  # pyright: ignore[reportIncompatibleMethodOverride]
        if not (self.in_worker or self._in_teardown or self.dropped) and is_async(function):
            # it belongs where this stands, so its own coroutine is all that has to be awaited
            self.begun = True
            return coroutine_of(function, args, kwargs)
        return Call.__call__(self, function, *args, **kwargs)

    def move_for(self, function: Callable[..., Any], asynchronous: int) -> Awaitable[None] | None:
        if self.in_worker:
            if not self._in_teardown:
                # the request may have been cancelled while the function before this one ran
                self.check()
            return TO_LOOP if asynchronous else None
        if asynchronous or (self.dropped and not self.has_thread):
            self.begun = True
            return None
        if is_nonblocking(function):
            self.begun = self.begun or not _is_ours(function)
            return None
        return TO_WORKER

    async def acquire(self, lock: threading.Lock) -> None:
        if lock.acquire(blocking=False):
            return
        await self.return_to_loop()
        while not lock.acquire(blocking=False):
            # taken a few times in the life of a process: asking again is simpler than being told
            await anyio.sleep(0.005)

    def finish(self, awaitable: Awaitable[T]) -> Awaitable[T]:
        if self._in_teardown:
            return self.sheltered(awaitable)
        return self._finish_on_loop(awaitable) if self.in_worker or self.dropped else awaitable

    async def _finish_on_loop(self, awaitable: Awaitable[T]) -> T:
        await self._go_to_loop(awaitable)
        return await awaitable

    async def _go_to_loop(self, awaitable: Awaitable[Any]) -> None:
        """Go where `awaitable` can be awaited; close it if that fails."""
        try:
            await self.return_to_loop()
            if self.dropped:
                raise RuntimeError(f"The event loop has dropped this task: {awaitable!r} can't be awaited any more.")
        except BaseException:
            close_unawaited(awaitable)
            raise

    def do_on_loop(self, work: Callable[[], None]) -> None:
        """Have `work()` called on the loop soon, from any thread; not where the request has never been on a thread."""
        if self._inbox is not None:
            with suppress(RuntimeError):  # the loop has ended
                call_on_loop(self._inbox.loop, work)

    async def return_to_loop(self) -> None:
        """Have whoever awaits this go on on the loop."""
        if self.in_worker:
            await TO_LOOP

    def lend_seat(self) -> Seat:
        if self._inbox is None or self._inbox.is_here():
            return self.seat.share()
        # another loop, run by a thread that this request's thread may be waiting for, or that thread itself
        return seat_of_its_own()

    # -- driving ----------------------------------------------------------------------------------------------

    @generator_based
    def run(self, steps: Coroutine[Any, Any, T], context: Context | None = None) -> Generator[Any, Any, T]:
        """Bring `steps` to its end: on this task's loop, and wherever it asks to be resumed.

        A cancellation that arrives while the thread runs is raised at the next call of a function, or, if none
        follows, by `check()`.
        """
        context = self.context if context is None else context
        if self.dropped:
            end_steps(self, steps, context, self.has_thread)
            return None  # type: ignore[return-value]
        # one bound method for all resumptions: it is kept while the request waits
        step: Callable[[Any], Any]
        step = send = steps.send
        value: Any = None
        while True:
            standing = here.standing
            previous, standing.call = standing.call, self
            self._entered = context
            try:
                signal = context.run(step, value)
            except StopIteration as stop:
                result: T = stop.value
                return result
            finally:
                standing.call = previous
                # an error's traceback refers to this frame: without the cycle, what it holds is freed at once
                value = None
            try:
                if signal is TO_WORKER:
                    outcome = yield from self._visit_worker(steps, context)
                    if outcome is not None:
                        return outcome.get()  # type: ignore[no-any-return]
                    self._check_outside_teardown()
                else:
                    if self.exchange is not None:
                        self.exchange.waits()
                    value = yield signal
                step = send
            except GeneratorExit:
                self.drop()
                end_steps(self, steps, context, signal is TO_WORKER and self.has_thread)
                raise
            except BaseException as error:
                if inspect.getcoroutinestate(steps) == inspect.CORO_CLOSED:
                    raise
                step, value = steps.throw, error

    def _check_outside_teardown(self) -> None:
        if not self._in_teardown:
            self.check()

    def check(self) -> None:
        """Raise the cancellation that arrived while a thread was running."""
        if self._inbox is not None and self._inbox.interruption is not None:
            self._inbox.check()

    def drop(self) -> None:
        """Note that the loop has dropped the task; what ends the request follows what its thread is doing."""
        if self._inbox is not None:
            if not self.dropped:
                # raised at the next call of a function on the thread
                self._inbox.interruption = interrupt
            self.dropped = True
            refuse_asks(self._inbox)
        self.dropped = True

    def copy_out(self) -> None:
        """Copy the ContextVars that were changed on the way to the task's own context; may be called again."""
        if self._mirror is None:
            self._mirror = Mirror(self.context)
        self._mirror.copy_out()

    def release(self) -> None:
        """Give the request's thread back; call it at the very end."""
        if self._seat is not None:
            if self.dropped and self.has_thread:
                self._seat.submit(self._give_seat_back)
            else:
                self._give_seat_back()

    def _give_seat_back(self) -> None:
        if self._seat is not None:
            self._seat.release()
        # the two refer to each other: without the cycle, what they hold is freed at once
        self._worker_call = None

    async def sit_down(self) -> None:
        """Wait for a worker thread, so that `submit` can be used."""
        if isinstance(self.seat, WorkerSeat) and self.seat.worker is None:
            await self._take_worker(self.seat)

    def submit(self, work: Callable[[], None], done: Callable[[], None]) -> None:
        """Run `work()` on the request's thread, in its context, and then `done()`; `work` must not raise."""
        self.seat.submit(partial(self._work, work, done))

    def _work(self, work: Callable[[], None], done: Callable[[], None]) -> Callable[[], None]:
        previous = self._bind_thread()
        try:
            self.context.run(work)
        finally:
            bind(previous)
        return done

    @generator_based
    def answer(self, ask: Ask) -> Generator[Any, Any, None]:
        """Await on this task what a `def` function on the worker thread waits for."""
        yield from self._answer(ask, in_worker=False)

    def _visit_worker(self, steps: Coroutine[Any, Any, Any], context: Context) -> Generator[Any, Any, Outcome | None]:
        """Resume `steps` on the worker thread; return its outcome, or None when it wants back to the loop."""
        # made here, on the loop: the thread may have something to put into it before this task looks
        seat, inbox = self.seat, self.inbox
        if isinstance(seat, WorkerSeat) and seat.worker is None:
            yield from self._take_worker(seat).__await__()
        self.begun = True
        self.in_worker = True
        seat.submit(partial(self._resume, steps, context), self._in_teardown)
        while True:
            message = yield from inbox.take()
            self.in_worker = False
            if type(message) is not Ask:
                return None if message is TO_LOOP else message
            yield from self._answer(message, in_worker=True)

    def _bind_thread(self) -> Call | None:
        """Note on whose behalf the thread runs; return what to note again afterwards."""
        if not isinstance(self.seat, WorkerSeat):
            return bind(None)
        if self._worker_call is None:
            self._worker_call = InWorker(self)
        return bind(self._worker_call)

    def _resume(self, steps: Coroutine[Any, Any, Any], context: Context) -> Callable[[], None]:
        """Run on the worker thread, up to where the coroutine ends or wants back to the loop."""
        previous = self._bind_thread()
        message: Any
        try:
            message = context.run(steps.send, None)
            if message is not TO_LOOP:
                message = Raised(context.run(suspended_here, steps, message))
        except StopIteration as stop:
            message = Returned(stop.value)
        except BaseException as error:
            message = Raised(error)
        finally:
            bind(previous)
        return partial(self.inbox.post, message)

    def _answer(self, ask: Ask, in_worker: bool) -> Generator[Any, Any, None]:
        outcome: Outcome
        try:
            steps: Any = self.run(ask.coroutine, ask.context)  # a generator, whatever its type says
            outcome = Returned((yield from steps))
        except GeneratorExit:
            outcome = Raised(cancellation())
        except BaseException as error:
            outcome = Raised(error)
        # before the thread goes on, which looks there
        self.in_worker = in_worker
        ask.mailbox.put(outcome)
        if self.dropped:
            raise GeneratorExit

    async def _take_worker(self, seat: WorkerSeat) -> None:
        """Wait for a thread: a bounded time for a request that has not begun, else as long as the pool allows."""
        pool, inbox = seat.pool, self.inbox
        worker = pool.take(inbox)
        if worker is None:
            if pool.is_time_to_warn():
                logger.warning(
                    "All %d worker threads are busy and a request waits for one. %s is their number.",
                    pool.limit,
                    pool.key,
                )
            try:
                if self._in_teardown:
                    # it has to run: neither a cancellation nor a full house takes its place in the line
                    worker = await inbox.patient_arrival()
                else:
                    patience = None if self.begun and pool.patient else self._limits["WORKER_WAIT"]
                    with droppable(anyio.move_on_after(patience)):
                        worker = await inbox.arrival()
            finally:
                if worker is None and not pool.leave_line(inbox):
                    worker = inbox.collect()
                if worker is not None:
                    seat.settle(worker)
        else:
            seat.settle(worker)
        if worker is None:
            raise ServiceUnavailable("All worker threads are busy. Please try again.") if self.begun else HouseIsFull

    # -- teardowns that a cancellation must not cut ----------------------------------------------------------

    async def sheltered(self, awaitable: Awaitable[Any]) -> Any:
        """Await a teardown function's coroutine out of reach of the request's cancellation, for a bounded time."""
        await self._go_to_loop(awaitable)
        if asyncio_is_running():
            return await self._in_own_task(awaitable)
        with anyio.move_on_after(self._limits["TEARDOWN_WAIT"], shield=True) as scope:
            return await awaitable
        if scope.cancelled_caught:
            self._log_cut(awaitable)

    async def _in_own_task(self, awaitable: Awaitable[Any]) -> Any:
        # asyncio has no shield within a task: whatever cancels the request's task would cancel this too
        loop = asyncio.get_running_loop()
        task = loop.create_task(await_it(awaitable), context=self._entered)
        task.add_done_callback(self.inbox.deliver)
        timer = loop.call_later(self._limits["TEARDOWN_WAIT"], task.cancel)
        try:
            await self.inbox.patient_arrival()
        finally:
            timer.cancel()
            if self.dropped:
                drop_task(task, awaitable)
        if task.cancelled():
            self._log_cut(awaitable)
            return None
        return task.result()

    def _log_cut(self, awaitable: Awaitable[Any]) -> None:
        logger.error(
            "The teardown function %s took longer than TEARDOWN_WAIT (%s s) and was cut off.",
            getattr(awaitable, "__qualname__", awaitable),
            self._limits["TEARDOWN_WAIT"],
        )


def _is_ours(function: Callable[..., Any]) -> bool:
    return str(getattr(function, "__module__", "")).startswith("flaskctx.")
