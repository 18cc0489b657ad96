"""Steps that users may override, and how the lifecycle honours that.

Each step is a method of the application with Flask's name, and has one native implementation here in the
lifecycle. "Overridden" means that the method found on the application is not the one saved when its class was
made: a subclass, an attribute of the instance, or a tool that patched the class all count. An override is one
more user function, `def` or `async def`, and is called like any other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from ..unchanged import Unchanged, unchanged_object

if TYPE_CHECKING:
    from ..app import Flask
    from ..bridge import Call

Step = Callable[..., Coroutine[Any, Any, Any]]
S = TypeVar("S", bound=Step)

NATIVE: dict[str, Step] = {}
"""The native implementation of each asynchronous step: `native(call, context, *args)`."""

NATIVE_STEPS: Any = type("NATIVE_STEPS", (), {})
"""The same as attributes: `await NATIVE_STEPS.dispatch_request(call, context)`."""

JUDGED_STEPS: Any = type("JUDGED_STEPS", (), {})
"""The steps of requests that may have overrides: each looks for its override whenever it is called."""

# By id, as a tool's wrapper may say that it is equal to what it wraps.
_originals: dict[int, Any] = {}
_classes: list[type] = []

# What every request goes through. (Those that only errors meet are judged where they are met.)
_APP_STEPS = (
    "create_url_adapter", "request_context", "app_context", "full_dispatch_request",
    "try_trigger_before_first_request_functions", "preprocess_request", "dispatch_request", "make_response",
    "finalize_request", "process_response", "open_session", "save_session", "make_null_session",
    "do_teardown_request", "do_teardown_appcontext",
)  # fmt: skip
_REQUEST_CONTEXT_STEPS = ("push", "pop", "auto_pop", "match_request")
_APP_CONTEXT_STEPS = ("push", "pop")
_REQUEST_STEPS = ("close",)

# Steps that are methods of the contexts, under the names that these have.
_METHODS = {
    "enter_app_context": "push",
    "leave_app_context": "pop",
    "enter_request_context": "push",
    "leave_request_context": "pop",
    "auto_pop": "auto_pop",
}

# The places where servers' requests go through middleware.
_MIDDLEWARE = ("asgi_app", "wsgi_app")


class _Untouched:
    """Quick tests of an application; `save_originals` makes them."""

    __slots__ = ("middleware", "steps")

    steps: Callable[[Flask], bool]
    """Whether no step of its requests is overridden; told sooner than by asking for each of them."""
    middleware: Callable[[Flask], bool]
    """Whether neither `asgi_app` nor `wsgi_app` was replaced."""


untouched = _Untouched()


def native(function: S) -> S:
    """Register a coroutine function as the native implementation of the step that has its name."""
    name = function.__name__

    def judged(call: Call, context: Any, *args: Any) -> Awaitable[Any]:
        return step(call, context, name, *args)

    NATIVE[name] = function
    setattr(NATIVE_STEPS, name, function)
    setattr(JUDGED_STEPS, name, judged)
    return function


def save_originals(app_class: type, request_context: type, app_context: type, request: type) -> None:
    """Remember the methods of these classes, as they are now, as the ones that are not overrides."""
    _classes[:] = [app_class, request_context, app_context, request]
    for cls in _classes:
        _originals.update((id(found), found) for name in dir(cls) if callable(found := getattr(cls, name)))
    unchanged = Unchanged().of_object(app_class, _APP_STEPS)
    unchanged.of_class("RequestContext", request_context, _REQUEST_CONTEXT_STEPS)
    unchanged.of_class("AppContext", app_context, _APP_CONTEXT_STEPS)
    unchanged.of_class("it.request_class", request, _REQUEST_STEPS)
    untouched.steps = unchanged.test()
    untouched.middleware = unchanged_object(app_class, _MIDDLEWARE)


def overridden(owner: Any, name: str) -> bool:
    """Tell whether `owner`'s method `name` is another than the one saved when its class was made."""
    return id(getattr(type(owner), name)) not in _originals or name in owner.__dict__


def is_saved_class(cls: type) -> bool:
    """Tell whether the methods of this class were saved: whether it is one of flaskctx's own."""
    return cls in _classes


def override_of(context: Any, name: str) -> Callable[..., Any] | None:
    """Return what takes the place of a step of the context or its application; None: the native one counts."""
    method = _METHODS.get(name)
    owner = context.app if method is None else context
    method = method or name
    return getattr(owner, method) if overridden(owner, method) else None


def step(call: Call, context: Any, name: str, *args: Any, **kwargs: Any) -> Awaitable[Any]:
    """Return, to be awaited, a step of the context or its application: the user's override, else the native one."""
    override = override_of(context, name)
    return NATIVE[name](call, context, *args, **kwargs) if override is None else call(override, *args, **kwargs)
