"""Which functions of the user a step will call: to refuse in time, and to show.

Read from the live registries each time; nothing is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from ..bridge import is_async
from ..bridge.inline import refusal
from ..signals import appcontext_popped, appcontext_pushed

if TYPE_CHECKING:
    from ..app import Flask
    from ..bridge import Refusing

ADVICE = {
    "enter_app_context": "async with app.app_context(): ...",
    "enter_request_context": "async with app.test_request_context(...): ... (or app.request_context(environ))",
}
"""The awaitable form of steps that are more than one call."""


def refuse_async(call: Refusing, name: str, context: Any) -> None:
    """Raise RuntimeError if a sync name, called where a loop runs, would meet an `async def` function.

    The check is made on entry: a context that could not be left again is not entered.
    """
    for function in functions_of(name, context):
        if is_async(function):
            raise RuntimeError(refusal(function, call.advice))


def functions_of(name: str, context: Any) -> Iterator[Callable[..., Any]]:
    """Iterate the functions of the user that a step, or what necessarily follows it, can call."""
    app: Flask = context.app
    if name == "enter_app_context":
        yield from _around_app_context(app)
    elif name == "enter_request_context":
        yield app.session_interface.open_session
        yield from _hooks(app.teardown_request_funcs, context)
        yield from _around_app_context(app)
    elif name == "full_dispatch_request":
        for part in ("preprocess_request", "dispatch_request", "process_response"):
            yield from functions_of(part, context)
    elif name == "preprocess_request":
        yield from _hooks(app.url_value_preprocessors, context)
        yield from _hooks(app.before_request_funcs, context)
    elif name == "dispatch_request":
        view = app.view_functions.get(context.request.endpoint)
        if view is not None:
            yield view
    elif name in ("process_response", "finalize_request"):
        yield from _hooks(app.after_request_funcs, context)
        yield app.session_interface.save_session


def _around_app_context(app: Flask) -> Iterator[Callable[..., Any]]:
    yield from app.teardown_appcontext_funcs
    for signal in (appcontext_pushed, appcontext_popped):
        if signal.receivers:
            yield from signal.receivers_for(app)


def _hooks(registry: dict[Any, list[Any]], context: Any) -> Iterator[Callable[..., Any]]:
    for name in (None, *context.request.blueprints):
        yield from registry.get(name, ())
