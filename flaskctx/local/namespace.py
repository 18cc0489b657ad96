"""Local: a namespace whose attributes belong to the current context."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from .binding import Binding, own_class, plain, read_named
from .identity import IdentFunction, Storage, get_ident, identity_view
from .inheritance import Holder, uninherited
from .proxy import LocalProxy

if TYPE_CHECKING:
    from collections.abc import Iterator


class Local:
    """Keeps attributes apart by context: each thread, task or greenlet sees what was set in its own.

    The values are one dict, replaced by a changed copy whenever an attribute is set or deleted, so
    that a child task goes on with what it started with.

    Args:
        context_var: Holds the dict; one is made if none is given.

    Iteration gives (name, value) pairs. A call with a name gives a proxy to that attribute.
    """

    __slots__ = ("__holder", "__ident")

    __holder: Holder[dict[str, Any]]
    __ident: IdentFunction

    def __init__(self, context_var: ContextVar[dict[str, Any]] | None = None) -> None:
        var: ContextVar[dict[str, Any]]
        var = ContextVar("flaskctx.local.namespace") if context_var is None else context_var
        holder = uninherited(var)
        object.__setattr__(self, "_Local__holder", holder)
        object.__setattr__(self, "_Local__ident", get_ident)
        object.__setattr__(self, "__class__", class_over(type(self), holder))

    def __call__(self, name: str, *, unbound_message: str | None = None) -> LocalProxy[Any]:
        """Return a proxy to the attribute *name*.

        Args:
            name: Which attribute. It need not be set yet.
            unbound_message: Text of the RuntimeError for uses while it is not set.
        """
        return LocalProxy(self, name, unbound_message=unbound_message)

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        return iter(self.__values().items())

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

        def __setattr__(self, name: str, value: Any) -> None: ...

    def __delattr__(self, name: str) -> None:
        values = self.__values().copy()
        if name not in values:
            raise AttributeError(f"{name!r} is not set in this context")
        del values[name]
        self.__holder.set(values)

    def __values(self) -> dict[str, Any]:
        values = self.__holder.get(None)
        return {} if values is None else values

    def __release_local__(self) -> None:
        self.__holder.set({})

    @property
    def __storage__(self) -> Storage:
        """The values set here, below the identity that they belong to; empty when nothing is set."""
        return identity_view(self.__ident, self.__values())

    @property
    def __ident_func__(self) -> IdentFunction:
        """The function that gives the key of ``__storage__``; may be assigned."""
        return self.__ident

    def _bind_proxy(self, name: str | None, message: str) -> Binding:
        return plain(read_named(self, name, message))


def class_over(cls: type[Local], holder: Holder[dict[str, Any]]) -> type[Local]:
    """Return the class of one Local: a subclass of *cls* that reads and sets attributes in *holder*.

    With a class of its own the Local need not be asked where its values are; that look-up would
    cost more than all the rest of reading an attribute.
    """
    get, put = holder.get, holder.set

    def __getattribute__(self: Local, name: str) -> Any:
        values = get(None)
        if values is not None and name in values:
            return values[name]
        return object.__getattribute__(self, name)

    def __setattr__(self: Local, name: str, value: Any) -> None:
        if name == "__ident_func__":
            object.__setattr__(self, "_Local__ident", value)
            return
        values = get(None)
        values = {} if values is None else values.copy()
        values[name] = value
        put(values)

    return own_class(cls, {"__getattribute__": __getattribute__, "__setattr__": __setattr__})
