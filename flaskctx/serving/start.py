"""A start that no server asks for: before the first request of a WSGI process, or of a loop without lifespan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..bridge import Inline, InWorker, portal
from ..bridge.running_loop import loop_here
from ..lifecycle import propagates
from .run import StartFailed, start_here, starting_app

if TYPE_CHECKING:
    from ..app import Flask
    from ..bridge import Call
    from .lifespan import Serving

REFUSAL = b"The application is not available at the moment. Please try again later."
"""What a client is told while the application can't be started; the log says why."""

RETRY_AFTER = "5"


def start_for_wsgi(app: Flask, call: Call, serving: Serving) -> bool:
    """See to it that the application is started where this request's `async def` functions run.

    Threads and greenlets that come meanwhile wait for the same start.

    :returns: False where it could not be started, which is logged.
    :raises RuntimeError: an event loop runs on this thread, and the application isn't started there.
    :raises StartFailed: it could not be started, and exceptions propagate to the server or test client.
    """
    if isinstance(call, InWorker):
        loop = call.loop
    else:
        loop = portal.running_loop if isinstance(call, Inline) else loop_here()
    run = serving.runs.get(loop)
    if (run is not None and run.is_serving) or starting_app.get() is app:
        return True
    if not isinstance(call, (Inline, InWorker)):
        raise RuntimeError(
            f"{app.name!r} can't be started by a WSGI request on a thread whose event loop is running. Start it on "
            "that loop, with 'async with app.serving():', or send the request through app.asgi."
        )
    try:
        call.wait_for(start_here(app))
    except StartFailed:
        return _refused(app)
    return True


async def start_for_asgi(app: Flask, serving: Serving) -> bool:
    """See to it that the application is started on this loop; returns and raises what `start_for_wsgi` does."""
    run = serving.runs.get(loop_here())
    if (run is not None and run.is_serving) or starting_app.get() is app:
        return True
    if app._server_loop is not loop_here() and run is None:
        app.logger.warning(
            "The server runs no lifespan: %r is started by its first request. Whether the functions of after_serving "
            "run depends on the server: they do where it lets its event loop end in order. (In tests, "
            "'async with app.async_test_client() as client:' starts and ends it.)",
            app.name,
        )
    try:
        await start_here(app)
    except StartFailed:
        return _refused(app)
    return True


def _refused(app: Flask) -> bool:
    if propagates(app):
        raise
    return False
