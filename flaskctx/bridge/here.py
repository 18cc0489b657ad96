"""Which bridge belongs to the code that is running here and now."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .in_worker import InWorker
from .inline import Inline, Refusing
from .loops import loop_is_running, task_starts_eagerly
from .mirror import Mirror
from .on_loop import OnLoop
from .standing import bound

if TYPE_CHECKING:
    from .call import Call
    from .threads import Seat


def call_here(advice: str) -> Call:
    """Return the bridge for a sync name that was called here.

    :param advice: the awaitable form to recommend where an event loop runs on this thread.
    """
    if loop_is_running():
        return Refusing(advice)
    call = bound()
    return call if type(call) is InWorker else Inline()


async def awaitable_call(take_seat: Callable[[], Seat], steps: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Await `steps(call, *args)` with the bridge that belongs to the running task.

    Within a request's own task that is the request's bridge. Another task gets one of its own.

    :param take_seat: returns a place for `def` functions, which is given back at the end.
    """
    call = bound()
    if isinstance(call, OnLoop) and not task_starts_eagerly():
        try:
            return await steps(call, *args, **kwargs)
        finally:
            # the coroutine that awaits this is the user's: it belongs on the loop
            await call.return_to_loop()
    own = OnLoop(take_seat, begun=True)
    try:
        result = await own.run(steps(own, *args, **kwargs))
    finally:
        own.release()
        Mirror(own.context).copy_out()
    own.check()
    return result
