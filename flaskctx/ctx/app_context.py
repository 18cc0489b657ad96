"""The application context: which application is current, and its `g`.

State and node operations only. What entering and leaving call is in the lifecycle, reached through `app`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..globals import _app_ctx_stack
from .states import State

if TYPE_CHECKING:
    from types import TracebackType

    from werkzeug.routing import MapAdapter

    from ..app import Flask
    from ..local import Node

_sentinel: Any = object()
"""Stands for "the exception that is being handled, if any"."""


class _AppCtxGlobals:
    """A plain namespace: the class of `g`. Attributes may be set at will; a missing one is an AttributeError."""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"g has no attribute {name!r}: nothing has set it in this context.")

    def __setattr__(self, name: str, value: Any) -> None:
        self.__dict__[name] = value

    def __delattr__(self, name: str) -> None:
        try:
            del self.__dict__[name]
        except KeyError:
            raise AttributeError(name) from None

    def get(self, name: str, default: Any = None) -> Any:
        """Return the attribute `name`, or `default` where it isn't set."""
        return self.__dict__.get(name, default)

    def pop(self, name: str, default: Any = _sentinel) -> Any:
        """Remove the attribute `name` and return it. Without a default, raises KeyError where it isn't set."""
        if default is _sentinel:
            return self.__dict__.pop(name)
        return self.__dict__.pop(name, default)

    def setdefault(self, name: str, default: Any = None) -> Any:
        """Return the attribute `name`, set to `default` first where it isn't set."""
        return self.__dict__.setdefault(name, default)

    def __contains__(self, item: str) -> bool:
        return item in self.__dict__

    def __iter__(self) -> Iterator[str]:
        return iter(self.__dict__)

    def __repr__(self) -> str:
        top = _app_ctx_stack.top
        return f"<flaskctx.g of {top.app.name!r}>" if top is not None else object.__repr__(self)


class _GlobalsOnDemand:
    """`AppContext.g`: made when it is read first, as nobody can tell the difference."""

    def __get__(self, context: Any, owner: type) -> Any:
        if context is None:
            return self
        # in one step, as another thread may carry this context
        return context.__dict__.setdefault("g", _AppCtxGlobals())


class AppContext:
    """Makes an application current, by hand or on behalf of a request.

    Use `with app.app_context():` in sync code and `async with app.app_context():` in coroutines. Each
    activation, from the outermost push to the pop that balances it, runs the teardown functions once.
    """

    if TYPE_CHECKING:
        g: _AppCtxGlobals
    else:
        g = _GlobalsOnDemand()
    _lasts = False
    """Whether it is the one of the application's lifespan, which may go on for as long as the process."""
    _url_adapter: MapAdapter | None = _sentinel

    def __init__(self, app: Flask) -> None:
        self.app = app
        self._state: str = State.NEW
        if app.app_ctx_globals_class is not _AppCtxGlobals:
            self.g = app.app_ctx_globals_class()
        self._nodes: list[Node[AppContext]] = []

    @property
    def url_adapter(self) -> MapAdapter | None:
        """The URL map bound to `SERVER_NAME`, when it is first read; None where that isn't set."""
        if self._url_adapter is _sentinel:
            self._url_adapter = self.app.create_url_adapter(None)
        return self._url_adapter

    @url_adapter.setter
    def url_adapter(self, value: MapAdapter | None) -> None:
        self._url_adapter = value

    @property
    def _refcnt(self) -> int:
        """How many times it is pushed."""
        return len(self._nodes)

    def push(self) -> None:
        """Make the application current here: in this thread, task or greenlet."""
        self.app._sync_step("enter_app_context", self)

    def pop(self, exc: BaseException | None = _sentinel) -> None:
        """Undo a push; the last one runs the teardown functions.

        :param exc: what the teardown functions are told; the exception being handled when it isn't given.
        """
        self.app._sync_step("leave_app_context", self, exc)

    def __enter__(self) -> AppContext:
        self.push()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.pop(exc_value)

    async def __aenter__(self) -> AppContext:
        await self.app._async_enter("app_context", self)
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.app._async_step("leave_app_context", self, exc_value)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.app.name}>"
