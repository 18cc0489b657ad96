"""LocalStack: a stack of its own for each context, held as a chain of nodes by one ContextVar.

Nodes never change their place: push and pop only *set* the variable to another node. Whoever holds
a copy of the context (a child task, a thread that was handed one) keeps the chain as it was at that
moment. The one thing that changes in a node is `closed`: its owner is done with it, and every chain
that contains it skips it from then on.
"""

from __future__ import annotations

from contextvars import ContextVar
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .binding import Binding, ReadAttribute, Resolve, plain, through, unbound_attribute
from .identity import IdentFunction, Storage, get_ident, identity_view
from .inheritance import Holder, uninherited
from .proxy import LocalProxy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")


class Node(Generic[T]):
    """One pushed value. Made by :meth:`LocalStack.push_node` only.

    Attributes:
        value: What was pushed.
        below: The node that was on top before, None for the lowest.
        closed: Whether the value is done with. No chain shows it any more then.
    """

    # Filled in by the push that makes it: a call of an __init__ would cost a third of a push.
    __slots__ = ("below", "closed", "value")

    value: T
    below: Node[T] | None
    closed: bool


class LocalStack(Generic[T]):
    """A stack whose content belongs to the current context.

    Args:
        context_var: Holds the uppermost node; one is made if none is given.

    Attributes:
        peek: ``peek(None)`` returns the uppermost node, which may be closed; None if there is none.
        put: ``put(node)`` does what :meth:`set_node` does. Both are for who keeps the function itself and
            can't wait.
    """

    __slots__ = ("_holder", "_ident", "_var", "peek", "put")

    def __init__(self, context_var: ContextVar[Any] | None = None) -> None:
        self._var: ContextVar[Node[T] | None]
        self._var = ContextVar("flaskctx.local.stack") if context_var is None else context_var
        self._holder: Holder[Node[T] | None] = uninherited(self._var)
        self._ident: IdentFunction = get_ident
        self.peek: Callable[[None], Node[T] | None] = self._holder.get
        self.put: Callable[[Node[T] | None], object] = self._holder.set

    def push(self, obj: T) -> list[T]:
        """Put *obj* on top.

        Returns:
            All values, bottom first; a list of its own, to change it changes nothing.
        """
        holder = self._holder
        below = holder.get(None)
        node: Node[T] = Node()  # written out, since a call of push_node would cost a tenth of push and pop
        node.value = obj
        node.closed = False
        if below is None:
            node.below = None
            holder.set(node)
            return [obj]
        node.below = below = below if not below.closed else self.top_node
        holder.set(node)
        values = [obj]
        while below is not None:
            if not below.closed:
                values.append(below.value)
            below = below.below
        values.reverse()
        return values

    def push_node(self, obj: T) -> Node[T]:
        """Put *obj* on top and return its node; takes the same time at any depth."""
        holder = self._holder
        below = holder.get(None)
        if below is not None and below.closed:
            below = self.top_node
        node: Node[T] = Node()
        node.value = obj
        node.below = below
        node.closed = False
        holder.set(node)
        return node

    def pop(self) -> T | None:
        """Take the top off and return it, None if the stack is empty."""
        holder = self._holder
        node = holder.get(None)
        if node is not None and node.closed:
            node = self.top_node
        if node is None:
            return None
        holder.set(node.below)
        return node.value

    @property
    def top(self) -> T | None:
        """The value on top, None if the stack is empty."""
        node = self._holder.get(None)
        while node is not None and node.closed:
            node = node.below
        return None if node is None else node.value

    @property
    def top_node(self) -> Node[T] | None:
        """The node of the value on top, None if the stack is empty."""
        node = self._holder.get(None)
        while node is not None and node.closed:
            node = node.below
        return node

    def set_node(self, node: Node[T] | None) -> None:
        """Make *node*, and with it what is below it, the content of the stack in this context."""
        self._holder.set(node)

    def nodes(self) -> Iterator[Node[T]]:
        """Iterate over the nodes that are not closed, from the top down."""
        node = self._holder.get(None)
        while node is not None:
            if not node.closed:
                yield node
            node = node.below

    def __call__(self, name: str | None = None, unbound_message: str | None = None) -> LocalProxy[Any]:
        """Return a proxy to the top.

        Args:
            name: To this attribute of the top instead.
            unbound_message: Text of the RuntimeError for uses while the stack is empty.
        """
        return LocalProxy(self, name, unbound_message=unbound_message)

    def __release_local__(self) -> None:
        self._holder.set(None)

    @property
    def _local(self) -> StackLocal:
        return StackLocal(self)

    @property
    def __ident_func__(self) -> IdentFunction:
        """The function that gives the key of ``_local.__storage__``; may be assigned."""
        return self._ident

    @__ident_func__.setter
    def __ident_func__(self, function: IdentFunction) -> None:
        self._ident = function

    def _bind_proxy(self, name: str | None, message: str) -> Binding:
        if type(self).top is not LocalStack.top:  # a subclass has its own idea of the top
            return plain(through(name, read_top(self, message)))
        if name is None:
            return plain(read_top_node(self._holder, message))
        return through_top_node(self._holder, name, message)


class StackLocal:
    """The ``_local`` of a stack: its values as the attribute `stack` of a Local, as old code reads them."""

    __slots__ = ("_owner",)

    def __init__(self, owner: LocalStack[Any]) -> None:
        self._owner = owner

    @property
    def stack(self) -> list[Any]:
        """A fresh list of the values, bottom first.

        Raises:
            AttributeError: The stack is empty.
        """
        values = [node.value for node in self._owner.nodes()]
        if not values:
            raise AttributeError("stack: nothing is pushed in this context")
        values.reverse()
        return values

    @property
    def __storage__(self) -> Storage:
        """What is here, below the identity that it belongs to; empty when nothing is pushed."""
        owner = self._owner
        return identity_view(owner.__ident_func__, {"stack": self.stack} if owner.top_node else {})

    @property
    def __ident_func__(self) -> IdentFunction:
        """The function that gives the key of ``__storage__``; may be assigned."""
        return self._owner.__ident_func__

    @__ident_func__.setter
    def __ident_func__(self, function: IdentFunction) -> None:
        self._owner.__ident_func__ = function

    def __release_local__(self) -> None:
        self._owner.__release_local__()


def read_top(stack: LocalStack[Any], message: str) -> Resolve:
    """Return a function that asks *stack* for its top."""

    def resolve() -> Any:
        top = stack.top
        if top is None:
            raise RuntimeError(message)
        return top

    return resolve


def read_top_node(holder: Holder[Node[Any] | None], message: str) -> Resolve:
    """Return a function that finds the value on top of the chain that *holder* shows."""
    get = holder.get

    def resolve() -> Any:
        node = get(None)
        while node is not None:
            if not node.closed:
                if node.value is None:
                    break
                return node.value
            node = node.below
        raise RuntimeError(message)

    return resolve


def through_top_node(holder: Holder[Node[Any] | None], name: str, message: str) -> Binding:
    """Return the binding to the attribute *name* of the value on top.

    `request` and its like are bound this way, so their ``__getattribute__`` does the common case by
    itself, without a call of the function that all other cases share.
    """
    get = holder.get
    pick = attrgetter(name)
    resolve = through(name, read_top_node(holder, message))

    def reader(own: dict[str, Any]) -> ReadAttribute:
        def __getattribute__(self: LocalProxy[Any], attribute: str) -> Any:
            if attribute in own:
                return own[attribute]
            node = get(None)
            if node is not None and not node.closed and node.value is not None:
                return getattr(pick(node.value), attribute)
            try:
                target = resolve()
            except RuntimeError as error:
                return unbound_attribute(self, attribute, error)
            return getattr(target, attribute)

        return __getattribute__

    return Binding(resolve, reader)
