"""Steps that users may override, and how the lifecycle honours that.

Each step is a method of the application with Flask's name, and has one native implementation here in the
lifecycle. "Overridden" means that the method found on the application is not the one saved when its class was
made: a subclass, an attribute of the instance, or a tool that patched the class all count. An override is one
more user function, `def` or `async def`, and is called like any other.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from ..app import Flask
    from ..bridge import Call

Step = Callable[..., Coroutine[Any, Any, Any]]
S = TypeVar("S", bound=Step)

NATIVE: dict[str, Step] = {}
"""The native implementation of each asynchronous step: `native(call, context, *args)`."""

_originals: set[Any] = set()
_classes: set[type] = set()


def native(function: S) -> S:
    """Register a coroutine function as the native implementation of the step that has its name."""
    NATIVE[function.__name__] = function
    return function


def save_originals(*classes: type) -> None:
    """Remember the methods of these classes, as they are now, as the ones that are not overrides."""
    _classes.update(classes)
    for cls in classes:
        _originals.update(filter(callable, (getattr(cls, name) for name in dir(cls))))


def overridden(owner: Any, name: str) -> bool:
    """Tell whether `owner`'s method `name` is another than the one saved when its class was made."""
    return getattr(type(owner), name) not in _originals or name in owner.__dict__


def is_saved_class(cls: type) -> bool:
    """Tell whether the methods of this class were saved: whether it is one of flaskctx's own."""
    return cls in _classes


def step(call: Call, context: Any, name: str, *args: Any) -> Awaitable[Any]:
    """Return, to be awaited, a step of the context's application: the user's override, else the native one."""
    app: Flask = context.app
    if overridden(app, name):
        return call(getattr(app, name), *args)
    return NATIVE[name](call, context, *args)


def context_step(call: Call, context: Any, method: str, name: str, *args: Any) -> Awaitable[Any]:
    """Return, to be awaited, a step that is a method of the context itself (`push`, `pop`, `auto_pop`)."""
    if overridden(context, method):
        return call(getattr(context, method), *args)
    return NATIVE[name](call, context, *args)
