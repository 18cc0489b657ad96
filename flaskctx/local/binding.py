"""Binding: how a proxy reaches the object that it stands for."""

from __future__ import annotations

import operator
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

if TYPE_CHECKING:
    from .proxy import LocalProxy

Class = TypeVar("Class", bound=type)

Resolve = Callable[[], Any]
"""Returns the current object, raises RuntimeError when there is none."""

ReadAttribute = Callable[[Any, str], Any]
"""A ``__getattribute__``."""


class Binding(NamedTuple):
    """How a proxy reaches its object."""

    resolve: Resolve
    reader: Callable[[dict[str, Any]], ReadAttribute]
    """Makes the ``__getattribute__`` of a proxy, given the few attributes that are the proxy's own."""


def bind(local: Any, name: str | None, unbound_message: str | None) -> Binding:
    """Choose how a proxy for *local* reaches its object.

    Our own classes say so themselves, by ``_bind_proxy(name, unbound_message)``.
    """
    message = unbound_message or unbound_text(name)
    if isinstance(local, ContextVar):
        return plain(through(name, read_variable(local, message)))
    bind_proxy = getattr(type(local), "_bind_proxy", None)
    if bind_proxy is not None:
        binding: Binding = bind_proxy(local, name, message)
        return binding
    if hasattr(type(local), "__release_local__"):  # not ours, but it offers what a Local offers
        return plain(read_named(local, name, message))
    if callable(local):
        return plain(through(name, local))
    raise TypeError(
        f"a LocalProxy can't be bound to a {type(local).__name__!r} object;"
        " give it a Local, a LocalStack, a ContextVar or a function"
    )


def plain(resolve: Resolve) -> Binding:
    """Return the binding that asks *resolve* for everything."""

    def reader(own: dict[str, Any]) -> ReadAttribute:
        def __getattribute__(self: LocalProxy[Any], attribute: str) -> Any:
            if attribute in own:
                return own[attribute]
            try:
                target = resolve()
            except RuntimeError as error:
                return unbound_attribute(self, attribute, error)
            return getattr(target, attribute)

        return __getattribute__

    return Binding(resolve, reader)


def through(name: str | None, resolve: Resolve) -> Resolve:
    """Return *resolve*, followed by the attribute *name* if there is one."""
    if name is None:
        return resolve
    pick = operator.attrgetter(name)
    return lambda: pick(resolve())


def read_variable(var: ContextVar[Any], message: str) -> Resolve:
    """Return a function that reads a ContextVar."""
    get = var.get

    def resolve() -> Any:
        try:
            return get()
        except LookupError:
            raise RuntimeError(message) from None

    return resolve


def read_named(local: Any, name: str | None, message: str) -> Resolve:
    """Return a function that reads an attribute of a Local, or of an object that acts like one."""
    if name is None:
        raise TypeError(f"name is missing: which attribute of the {type(local).__name__} is meant?")
    wanted: str = name

    def resolve() -> Any:
        try:
            return getattr(local, wanted)
        except AttributeError:
            raise RuntimeError(message) from None

    return resolve


def unbound_text(name: str | None) -> str:
    """Return the message of a proxy that was given none."""
    what = "this proxy" if name is None else f"the proxy for {name!r}"
    return (
        f"{what} is not bound to an object here: nothing was set or pushed in this thread, task or greenlet."
        " Use it where its object is current, or hand on proxy._get_current_object() from there."
    )


def unbound_attribute(proxy: LocalProxy[Any], attribute: str, error: RuntimeError) -> Any:
    """Answer for a proxy that has no object, or raise *error*.

    ``isinstance`` and the collectors of test tools and documentation look at a few attributes of
    every global name; an error would keep them from importing a module.
    """
    if attribute == "__class__":
        return type(proxy).__base__
    if attribute in ("__doc__", "__module__"):
        return getattr(type(proxy), attribute)
    if attribute == "__wrapped__":
        raise AttributeError(attribute)
    raise error


def own_class(cls: Class, methods: dict[str, Any]) -> Class:
    """Return a subclass of *cls* for one single instance, which looks like *cls* to whoever prints it."""
    return type(  # type: ignore[return-value]
        cls.__name__,
        (cls,),
        {
            "__slots__": (),
            "__module__": cls.__module__,
            "__qualname__": cls.__qualname__,
            "__doc__": cls.__doc__,
            **methods,
        },
    )
