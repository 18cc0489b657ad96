"""Steps that users may override, and how the lifecycle honours that.

Each step is a method of the application with Flask's name, and has one native implementation here in the
lifecycle. "Overridden" means that the method found on the application is not the one saved when its class was
made: a subclass, an attribute of the instance, or a tool that patched the class all count. An override is one
more user function, `def` or `async def`, and is called like any other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from ..bridge import Call
    from ..ctx import RequestContext

Step = Callable[..., Coroutine[Any, Any, Any]]
S = TypeVar("S", bound=Step)

NATIVE: dict[str, Step] = {}
"""The native implementation of each asynchronous step: `native(call, context, *args)`."""

_originals: set[Any] = set()
_classes: list[type] = []

_app_steps = attrgetter(
    "full_dispatch_request", "try_trigger_before_first_request_functions", "preprocess_request", "dispatch_request",
    "make_default_options_response", "make_response", "finalize_request", "process_response", "open_session",
    "save_session", "make_null_session", "do_teardown_request", "do_teardown_appcontext", "handle_user_exception",
    "handle_http_exception", "handle_exception", "log_exception", "should_ignore_error",
)  # fmt: skip
_context_steps = attrgetter("push", "pop", "auto_pop", "match_request")
_app_step_names: frozenset[str] = frozenset(_app_steps.__reduce__()[1])  # type: ignore[arg-type]
_saved: list[Any] = []


def native(function: S) -> S:
    """Register a coroutine function as the native implementation of the step that has its name."""
    NATIVE[function.__name__] = function
    return function


def save_originals(app_class: type, context_class: type, *others: type) -> None:
    """Remember the methods of these classes, as they are now, as the ones that are not overrides."""
    _classes[:] = [app_class, context_class, *others]
    for cls in _classes:
        _originals.update(filter(callable, (getattr(cls, name) for name in dir(cls))))
    _saved[:] = [_app_steps(app_class), _context_steps(context_class)]


def overridden(owner: Any, name: str) -> bool:
    """Tell whether `owner`'s method `name` is another than the one saved when its class was made."""
    return getattr(type(owner), name) not in _originals or name in owner.__dict__


def is_plain(context: RequestContext) -> bool:
    """Tell whether none of a request's steps is overridden, at a fraction of the price of asking for each."""
    app = context.app
    return (
        _app_steps(type(app)) == _saved[0]
        and _context_steps(type(context)) == _saved[1]
        and _app_step_names.isdisjoint(app.__dict__)
    )


def is_saved_class(cls: type) -> bool:
    """Tell whether the methods of this class were saved: whether it is one of flaskctx's own."""
    return cls in _classes


def step(call: Call, context: Any, name: str, *args: Any) -> Awaitable[Any]:
    """Return, to be awaited, a step of the context's application: the user's override, else the native one."""
    if context._plain or not overridden(context.app, name):
        return NATIVE[name](call, context, *args)
    return call(getattr(context.app, name), *args)


def context_step(call: Call, context: Any, method: str, name: str, *args: Any) -> Awaitable[Any]:
    """Return, to be awaited, a step that is a method of the context itself (`push`, `pop`, `auto_pop`)."""
    if context._plain or not overridden(context, method):
        return NATIVE[name](call, context, *args)
    return call(getattr(context, method), *args)
