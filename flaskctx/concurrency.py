"""Blocking calls from coroutines: a function run in a thread while the event loop goes on."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar, cast

import anyio.to_thread

from .bridge.call import Outcome, Raised, Returned
from .bridge.kinds import check_callable, is_async
from .bridge.loops import new_inbox
from .bridge.mailbox import gevent_patches_threads
from .bridge.native import start_native_thread
from .bridge.running_loop import LoopKey, loop_here
from .bridge.standing import on_behalf_of

P = ParamSpec("P")
T = TypeVar("T")


async def run_in_thread(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Call `function(*args, **kwargs)` in a thread of the operating system and await what it returns.

    For calls that block and have no awaitable form, in `async def` functions:

        image = await run_in_thread(render, request.args["name"])

    The function runs in a copy of the caller's context: it sees the same `request`, `session` and `g`, and what
    it sets in a ContextVar stays its own. Works on asyncio and trio, and under gevent, where the threads of anyio
    are greenlets, and a blocking call stops them all. At most 40 calls run at once on a loop, those of
    `anyio.to_thread.run_sync` included; the others wait in line.

    A thread can't be stopped. Where the caller is cancelled the function goes on to its end: a cancel scope of
    anyio or trio waits for that, asyncio's `Task.cancel()` and `asyncio.timeout` don't.

    :param function: a `def` function.
    :returns: what the function returned.
    :raises TypeError: it is no function, or an `async def` one: `await` that itself.
    :raises BaseException: what the function raised. StopIteration can't leave a coroutine and becomes the cause
        of a RuntimeError (PEP 479); an `errorhandler` gets the StopIteration itself.
    """
    check_callable("run_in_thread", function)
    if is_async(function):
        raise TypeError(
            f"{function!r} is an async def function: await it itself. run_in_thread is for `def` functions."
        )
    work = partial(_outcome_of, loop_here(), partial(function, *args, **kwargs))
    outcome = await (_run_natively(work) if gevent_patches_threads() else anyio.to_thread.run_sync(work))
    return outcome.get()  # type: ignore[no-any-return]


def _outcome_of(loop: LoopKey, function: Callable[[], object]) -> Outcome:
    try:
        with on_behalf_of(loop):
            return Returned(function())
    except BaseException as error:
        return Raised(error)


async def _run_natively(work: Callable[[], Outcome]) -> Outcome:
    inbox = new_inbox()
    async with anyio.to_thread.current_default_thread_limiter():
        context = copy_context()
        start_native_thread(lambda: inbox.post(context.run(work)), "flaskctx-thread")
        with anyio.CancelScope(shield=True):
            return cast("Outcome", await inbox.arrival())
    raise AssertionError("a shielded wait is not cancelled")
