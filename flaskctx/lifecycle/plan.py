"""Which functions of the user a step will call: to refuse in time, and to show.

Read from the live registries each time; nothing is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from ..bridge import is_async
from ..bridge.inline import refusal
from ..signals import appcontext_popped, appcontext_pushed, appcontext_tearing_down, request_tearing_down
from .overrides import overridden

if TYPE_CHECKING:
    from ..app import Flask
    from ..bridge import Refusing

_LEAVING = 'await context.__aexit__(None, None, None), or enter it with "async with" in the first place'

ADVICE = {
    "enter_app_context": "async with app.app_context(): ...",
    "enter_request_context": "async with app.test_request_context(...): ... (or app.request_context(environ))",
    "leave_app_context": _LEAVING,
    "leave_request_context": _LEAVING,
    "auto_pop": _LEAVING,
}
"""The awaitable form of steps that are more than one call."""

_PARTS = {
    "enter_app_context": ("leave_app_context",),
    "leave_app_context": ("do_teardown_appcontext",),
    "enter_request_context": ("open_session", "leave_request_context"),
    "leave_request_context": ("do_teardown_request", "leave_app_context"),
    "auto_pop": ("leave_request_context",),
    "full_dispatch_request": (
        "try_trigger_before_first_request_functions",
        "preprocess_request",
        "dispatch_request",
        "finalize_request",
    ),
    "finalize_request": ("process_response",),
    "process_response": ("save_session",),
}
"""The steps that a step leads to: what it calls, and for what is entered, what leaving it will call."""


def refuse_async(call: Refusing, name: str, context: Any) -> None:
    """Raise RuntimeError if a sync name, called where a loop runs, would meet an `async def` function.

    The check is made on entry: a context that could not be left again is not entered.
    """
    for function in functions_of(name, context):
        if is_async(function):
            raise RuntimeError(refusal(function, call.advice))


def functions_of(name: str, context: Any) -> Iterator[Callable[..., Any]]:  # noqa: C901  one branch a step
    """Iterate the functions of the user that a step, or what necessarily follows it, can call."""
    app: Flask = context.app
    for part in _PARTS.get(name, ()):
        if hasattr(app, part) and overridden(app, part):
            yield getattr(app, part)
        else:
            yield from functions_of(part, context)
    if name == "enter_app_context":
        yield from appcontext_pushed.receivers_for(app)
    elif name == "leave_app_context":
        yield from appcontext_popped.receivers_for(app)
    elif name == "do_teardown_appcontext":
        yield from app.teardown_appcontext_funcs
        yield from appcontext_tearing_down.receivers_for(app)
    elif name == "do_teardown_request":
        yield from _hooks(app.teardown_request_funcs, context)
        yield from request_tearing_down.receivers_for(app)
    elif name == "open_session":
        yield app.session_interface.open_session
    elif name == "save_session":
        yield app.session_interface.save_session
    elif name == "try_trigger_before_first_request_functions" and not app._got_first_request:
        yield from app.before_first_request_funcs
    elif name == "preprocess_request":
        yield from _hooks(app.url_value_preprocessors, context)
        yield from _hooks(app.before_request_funcs, context)
    elif name == "dispatch_request":
        view = app.view_functions.get(context.request.endpoint)
        if view is not None:
            yield view
    elif name == "process_response":
        yield from context._after_request_functions
        yield from _hooks(app.after_request_funcs, context)


def _hooks(registry: dict[Any, list[Any]], context: Any) -> Iterator[Callable[..., Any]]:
    for name in (None, *context.request.blueprints):
        yield from registry.get(name, ())
