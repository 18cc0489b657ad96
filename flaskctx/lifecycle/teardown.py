"""The teardown functions: each of them runs, once, whatever became of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..signals import appcontext_tearing_down, request_tearing_down
from .failures import worst
from .notify import send
from .overrides import native

if TYPE_CHECKING:
    from collections.abc import Iterable

    from blinker import Signal

    from ..app import Flask
    from ..bridge import Call
    from ..ctx import AppContext, RequestContext
    from ..typing import TeardownCallable


@native
async def do_teardown_request(call: Call, context: RequestContext, exc: BaseException | None) -> None:
    """Call the `teardown_request` functions, last registered first, innermost blueprint first.

    The first error is raised when all of them have run.
    """
    registry = context.app.teardown_request_funcs
    if registry:
        names = (*context.request.blueprints, None)
        functions = [function for name in names for function in reversed(registry.get(name, ()))]
        await _tear_down(call, context.app, functions, request_tearing_down, exc)
    elif request_tearing_down.receivers:
        await send(call.shielded, request_tearing_down, context.app, exc=exc)


@native
async def do_teardown_appcontext(call: Call, context: AppContext, exc: BaseException | None) -> None:
    """Call the `teardown_appcontext` functions, last registered first.

    The first error is raised when all of them have run.
    """
    app = context.app
    if app.teardown_appcontext_funcs:
        await _tear_down(call, app, reversed(app.teardown_appcontext_funcs), appcontext_tearing_down, exc)
    elif appcontext_tearing_down.receivers:
        await send(call.shielded, appcontext_tearing_down, app, exc=exc)


async def _tear_down(
    call: Call, app: Flask, functions: Iterable[TeardownCallable], signal: Signal, exc: BaseException | None
) -> None:
    failure: BaseException | None = None
    for function in functions:
        try:
            await call.shielded(function, exc)
        except BaseException as error:
            failure = worst(app, failure, error)
    if signal.receivers:
        try:
            await send(call.shielded, signal, app, exc=exc)
        except BaseException as error:
            failure = worst(app, failure, error)
    if failure is not None:
        raise failure
