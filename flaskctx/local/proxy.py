"""LocalProxy: stands for whatever object is current where it is used.

Each proxy is given a class of its own when it is made. What the proxy is bound to is then part of
that class's ``__getattribute__``, and reading ``request.method`` is one look at a ContextVar and one
``getattr``, with nothing to be looked up on the proxy first.
"""

from __future__ import annotations

import copy
import math
import operator
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, overload

from .binding import ReadAttribute, bind, own_class

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextvars import ContextVar

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class HasTop(Protocol[T_co]):
    """What a LocalStack is to a type checker, which would take it for a function that returns proxies."""

    @property
    def top(self) -> T_co | None: ...


# How the operations are forwarded ------------------------------------------------------------------
# A proxy's class knows how to find its object: each proxy has a class of its own.


def one(operation: Callable[[Any], Any]) -> Callable[[LocalProxy[Any]], Any]:
    """Forward an operation on the object alone."""

    def forward(self: LocalProxy[Any]) -> Any:
        return operation(type(self)._current_object())

    return forward


def two(operation: Callable[[Any, Any], Any]) -> Callable[[LocalProxy[Any], Any], Any]:
    """Forward an operation on the object and one more."""

    def forward(self: LocalProxy[Any], other: Any) -> Any:
        return operation(type(self)._current_object(), other)

    return forward


def swapped(operation: Callable[[Any, Any], Any]) -> Callable[[LocalProxy[Any], Any], Any]:
    """Forward an operation that has the object on its right side."""

    def forward(self: LocalProxy[Any], other: Any) -> Any:
        return operation(other, type(self)._current_object())

    return forward


def in_place(operation: Callable[[Any, Any], Any]) -> Callable[[LocalProxy[Any], Any], Any]:
    """Forward ``proxy += other``: the name stays a proxy if the object changed itself, as a list does."""

    def forward(self: LocalProxy[Any], other: Any) -> Any:
        target = type(self)._current_object()
        result = operation(target, other)
        return self if result is target else result

    return forward


def several(operation: Callable[..., Any]) -> Callable[..., Any]:
    """Forward an operation that takes a varying number of arguments after the object."""

    def forward(self: LocalProxy[Any], *arguments: Any) -> Any:
        return operation(type(self)._current_object(), *arguments)

    return forward


def method(name: str) -> Callable[..., Any]:
    """Forward a special method that no function of Python calls; found on the type, as Python does."""

    def forward(self: LocalProxy[Any], *arguments: Any) -> Any:
        target = type(self)._current_object()
        function = getattr(type(target), name, None)
        if function is None:
            raise TypeError(f"the object behind this proxy, a {type(target).__name__!r}, has no {name}")
        return function(target, *arguments)

    return forward


class LocalProxy(Generic[T]):
    """Forwards every operation to the object that is current in this thread, task or greenlet.

    Args:
        local: Where the object comes from: a :class:`~flaskctx.local.Local` (with *name*), a
            :class:`~flaskctx.local.LocalStack` (its top), a :class:`~contextvars.ContextVar`, or a
            function without arguments that returns it.
        name: Stands for this attribute of the object instead (dots lead further down). For a Local:
            which of its attributes.
        unbound_message: Text of the RuntimeError that any use raises while there is no object.

    Raises:
        TypeError: *local* is nothing of that, or a Local without *name*.

    An unbound proxy is false, has an empty ``dir``, is equal to itself only and shows itself as
    ``<LocalProxy unbound>``; a function given as *local* says that nothing is bound by raising
    RuntimeError. A subclass may add methods and attributes: its names win over the object's.
    """

    __slots__ = ()

    @overload
    def __init__(self, local: ContextVar[T], *, unbound_message: str | None = None) -> None: ...
    @overload
    def __init__(self, local: HasTop[T], *, unbound_message: str | None = None) -> None: ...
    @overload
    def __init__(self, local: Callable[[], T], *, unbound_message: str | None = None) -> None: ...
    @overload
    def __init__(
        self: LocalProxy[Any], local: Any, name: str | None = None, *, unbound_message: str | None = None
    ) -> None: ...

    def __init__(
        self,
        local: Any,
        name: str | None = None,
        *,
        unbound_message: str | None = None,
    ) -> None:
        cls = type(self)
        resolve, reader = bind(local, name, unbound_message)
        own: dict[str, Any] = {
            "_get_current_object": resolve,
            "_LocalProxy__local": local,
            "__deepcopy__": lambda memo: copy.deepcopy(resolve(), memo),  # the copy module asks the instance
        }
        if name is not None:
            own["__name__"] = name
        if callable(local) and not hasattr(type(local), "__release_local__"):
            own["__wrapped__"] = local
        read_attribute = reader(own)
        added = added_names(cls)
        if added:
            read_attribute = with_added(added, read_attribute)
        methods: dict[str, Any]
        methods = {"_current_object": staticmethod(resolve), "__getattribute__": read_attribute}
        object.__setattr__(self, "__class__", own_class(cls, methods))

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    @staticmethod
    def _current_object() -> Any:
        """Return the object; replaced in the class that each proxy is given."""
        raise RuntimeError("this proxy stands for nothing yet: its __init__ has to call LocalProxy.__init__")

    def _get_current_object(self) -> T:
        """Return the object itself, to store it or to hand it to code that checks types.

        Raises:
            RuntimeError: Nothing is bound here.
        """
        return type(self)._current_object()  # type: ignore[no-any-return]

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "__orig_class__":  # set by LocalProxy[int](...), which expects that it may fail
            raise AttributeError(name)
        setattr(type(self)._current_object(), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(type(self)._current_object(), name)

    # What an unbound proxy answers too

    def __bool__(self) -> bool:
        try:
            target = type(self)._current_object()
        except RuntimeError:
            return False
        return bool(target)

    def __repr__(self) -> str:
        try:
            target = type(self)._current_object()
        except RuntimeError:
            return f"<{type(self).__name__} unbound>"
        return repr(target)

    def __dir__(self) -> Iterable[str]:
        try:
            target = type(self)._current_object()
        except RuntimeError:
            return []
        return dir(target)

    def __eq__(self, other: object) -> Any:
        try:
            target = type(self)._current_object()
        except RuntimeError:
            return NotImplemented
        return target == other

    def __ne__(self, other: object) -> Any:
        try:
            target = type(self)._current_object()
        except RuntimeError:
            return NotImplemented
        return target != other

    # What needs the object

    def __hash__(self) -> int:
        return hash(type(self)._current_object())

    def __str__(self) -> str:
        return str(type(self)._current_object())

    def __format__(self, specification: str) -> str:
        return format(type(self)._current_object(), specification)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return type(self)._current_object()(*arguments, **named)

    __copy__ = one(copy.copy)
    __bytes__ = one(bytes)

    __lt__ = two(operator.lt)
    __le__ = two(operator.le)
    __gt__ = two(operator.gt)
    __ge__ = two(operator.ge)

    __len__ = one(len)
    __length_hint__ = one(operator.length_hint)
    __getitem__ = two(operator.getitem)
    __setitem__ = several(operator.setitem)
    __delitem__ = two(operator.delitem)
    __contains__ = two(operator.contains)
    __iter__ = one(iter)
    __next__ = one(next)
    __reversed__ = one(reversed)

    __instancecheck__ = two(lambda target, instance: isinstance(instance, target))
    __subclasscheck__ = two(lambda target, subclass: issubclass(subclass, target))

    __enter__ = method("__enter__")
    __exit__ = method("__exit__")
    __await__ = method("__await__")
    __aiter__ = one(aiter)
    __anext__ = method("__anext__")
    __aenter__ = method("__aenter__")
    __aexit__ = method("__aexit__")

    __neg__ = one(operator.neg)
    __pos__ = one(operator.pos)
    __abs__ = one(operator.abs)
    __invert__ = one(operator.invert)
    __int__ = one(int)
    __float__ = one(float)
    __complex__ = one(complex)
    __index__ = one(operator.index)
    __round__ = several(round)
    __trunc__ = one(math.trunc)
    __floor__ = one(math.floor)
    __ceil__ = one(math.ceil)

    __add__, __radd__, __iadd__ = two(operator.add), swapped(operator.add), in_place(operator.iadd)
    __sub__, __rsub__, __isub__ = two(operator.sub), swapped(operator.sub), in_place(operator.isub)
    __mul__, __rmul__, __imul__ = two(operator.mul), swapped(operator.mul), in_place(operator.imul)
    __mod__, __rmod__, __imod__ = two(operator.mod), swapped(operator.mod), in_place(operator.imod)
    __pow__, __rpow__, __ipow__ = several(pow), swapped(pow), in_place(operator.ipow)
    __and__, __rand__, __iand__ = two(operator.and_), swapped(operator.and_), in_place(operator.iand)
    __or__, __ror__, __ior__ = two(operator.or_), swapped(operator.or_), in_place(operator.ior)
    __xor__, __rxor__, __ixor__ = two(operator.xor), swapped(operator.xor), in_place(operator.ixor)
    __lshift__, __rlshift__ = two(operator.lshift), swapped(operator.lshift)
    __ilshift__ = in_place(operator.ilshift)
    __rshift__, __rrshift__ = two(operator.rshift), swapped(operator.rshift)
    __irshift__ = in_place(operator.irshift)
    __matmul__, __rmatmul__ = two(operator.matmul), swapped(operator.matmul)
    __imatmul__ = in_place(operator.imatmul)
    __truediv__, __rtruediv__ = two(operator.truediv), swapped(operator.truediv)
    __itruediv__ = in_place(operator.itruediv)
    __floordiv__, __rfloordiv__ = two(operator.floordiv), swapped(operator.floordiv)
    __ifloordiv__ = in_place(operator.ifloordiv)
    __divmod__, __rdivmod__ = two(divmod), swapped(divmod)

    # Left out on purpose:
    #   __new__ __init__ __init_subclass__ __class_getitem__ __mro_entries__ __prepare__
    #       make objects and classes; a proxy is the one that is made here.
    #   __del__ __sizeof__ __weakref__
    #       concern the proxy's own memory.
    #   __get__ __set__ __delete__ __set_name__
    #       a proxy that is stored in a class would be taken for a descriptor.
    #   __fspath__ __buffer__
    #       every proxy would pass for a path, or for bytes; hand on _get_current_object().
    #   __reduce__ __reduce_ex__ __getstate__ __dict__ __class__ __doc__ __module__ ...
    #       are read as attributes, so they are the object's already: pickling a proxy pickles its object.


def added_names(cls: type[LocalProxy[Any]]) -> frozenset[str]:
    """Return the names that subclasses of LocalProxy add."""
    names: set[str] = set()
    for parent in cls.__mro__:
        if parent is LocalProxy:
            break
        names.update(vars(parent))
    return frozenset(names - HOUSEKEEPING)


HOUSEKEEPING = {*vars(type("", (LocalProxy,), {})), "__annotations__", "__orig_bases__", "__slots__"}
"""The names that a class statement leaves behind by itself."""


def with_added(added: frozenset[str], read_attribute: ReadAttribute) -> ReadAttribute:
    """Return a ``__getattribute__`` to which the names that a subclass added come first."""

    def __getattribute__(self: LocalProxy[Any], attribute: str) -> Any:
        if attribute in added:
            return object.__getattribute__(self, attribute)
        return read_attribute(self, attribute)

    return __getattribute__
