"""The end of a request that its loop has dropped: its coroutine was closed while it was suspended.

Nothing can be awaited any more, but the request has to be ended all the same: on its thread, if it has one, after the
function that runs there; else where the coroutine is closed.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from contextvars import Context
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

from .call import Raised
from .in_worker import Ask
from .moves import TO_LOOP, TO_WORKER
from .standing import bind

if TYPE_CHECKING:
    from .loops import Inbox
    from .on_loop import OnLoop

logger = logging.getLogger("flaskctx.bridge")

Steps = Coroutine[Any, Any, Any]


def end_steps(call: OnLoop, steps: Steps, context: Context, on_thread: bool) -> None:
    """Bring `steps` to their end: those that are under way by a cancellation.

    :param on_thread: whether they are on the request's thread, or begin there.
    """
    if on_thread:
        _end_on_thread(call, steps, context)
        return
    previous = bind(call)
    try:
        if inspect.getcoroutinestate(steps) == inspect.CORO_CREATED:
            _drive(call, steps, context, steps.send, None)
        else:
            if call._inbox is not None:
                call._inbox.interruption = None
            _drive(call, steps, context, steps.throw, cancellation())
    finally:
        bind(previous)


def _end_on_thread(call: OnLoop, steps: Steps, context: Context) -> None:
    call.seat.submit(partial(_end_here, call, steps, context))


def _end_here(call: OnLoop, steps: Steps, context: Context) -> None:
    """Go on on the request's thread, where what it was doing has come to its end, or to where it wants to the loop."""
    previous = call._bind_thread()
    call.in_worker = True
    state, inbox = inspect.getcoroutinestate(steps), call.inbox
    try:
        if state == inspect.CORO_SUSPENDED and inbox.interruption is interrupt and not call._in_teardown:
            inbox.interruption = None
            _drive(call, steps, context, steps.throw, cancellation())
        elif state != inspect.CORO_CLOSED:
            _drive(call, steps, context, steps.send, None)
    finally:
        bind(previous)


def _drive(call: OnLoop, steps: Steps, context: Context, step: Callable[[Any], Any], value: Any) -> None:
    insists = False
    try:
        while True:
            signal = context.run(step, value)
            if signal is TO_WORKER and not call.in_worker:
                _end_on_thread(call, steps, context)
                return
            if signal is TO_WORKER or signal is TO_LOOP:
                step, value = steps.send, None
            else:
                # it waits for the loop, and maybe with a patience that no cancellation ends
                step, value = steps.throw, Dropped() if insists else cancellation()
                insists = True
    except (StopIteration, asyncio.CancelledError, Dropped):
        pass
    except BaseException as failure:
        logger.error("The end of a request that its event loop has dropped failed:", exc_info=failure)


class Dropped(BaseException):
    """Ends what no cancellation ends. (A GeneratorExit would have everything closed that is awaited.)"""


def cancellation() -> asyncio.CancelledError:
    """Return what ends the functions of a dropped request; a GeneratorExit doesn't get into an async generator."""
    return asyncio.CancelledError("The event loop has dropped this request.")


def interrupt() -> NoReturn:
    """Be the `interruption` of an inbox."""
    raise cancellation()


def refuse_asks(inbox: Inbox) -> None:
    """Release a thread that waits for the loop; called, by both sides, when the loop has dropped the request."""
    for message in inbox.drain():
        if type(message) is Ask:
            message.coroutine.close()
            message.mailbox.put(Raised(cancellation()))


def drop_task(task: asyncio.Task[Any], awaitable: Awaitable[Any]) -> None:
    """Have a task of a dropped request end that awaits `awaitable`; it may not have begun."""
    with suppress(RuntimeError):  # the loop is closed
        task.cancel()
    if inspect.iscoroutine(awaitable) and inspect.getcoroutinestate(awaitable) == inspect.CORO_CREATED:
        awaitable.close()
