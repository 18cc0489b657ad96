"""LocalManager: clears Locals and LocalStacks at the end of a request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from typing import Any, Protocol

from .identity import IdentFunction, get_ident

WSGIApplication = Callable[..., Iterable[bytes]]


class Releasable(Protocol):
    """A Local, a LocalStack, or anything else that can forget the values of this context."""

    def __release_local__(self) -> Any: ...


def release_local(local: Releasable) -> None:
    """Forget all that *local* holds in this context; what other contexts hold stays.

    >>> local = Local()
    >>> local.user = "Ada"
    >>> release_local(local)
    >>> hasattr(local, "user")
    False
    """
    local.__release_local__()


class LocalManager:
    """Releases a group of locals together.

    Args:
        locals: One Local or LocalStack, or several.
        ident_func: Assigned to each of them as ``__ident_func__``, where one is given.

    The attribute `locals` is a list; locals may be added to it later.
    """

    def __init__(
        self, locals: Releasable | Iterable[Releasable] | None = None, ident_func: IdentFunction | None = None
    ) -> None:
        self.locals: list[Any]
        if locals is None:
            self.locals = []
        elif hasattr(type(locals), "__release_local__"):
            self.locals = [locals]
        else:
            self.locals = list(locals)  # type: ignore[arg-type]
        self.ident_func: IdentFunction = get_ident
        if ident_func is not None:
            self.ident_func = ident_func
            for local in self.locals:
                local.__ident_func__ = ident_func

    def get_ident(self) -> Any:
        """Return the identity of the running code, by this manager's function."""
        return self.ident_func()

    def cleanup(self) -> None:
        """Release every local in this context."""
        for local in self.locals:
            release_local(local)

    def make_middleware(self, app: WSGIApplication) -> WSGIApplication:
        """Return a WSGI application that runs *app*, and cleans up when the body is closed or it raises."""

        def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            try:
                body = app(environ, start_response)
            except BaseException:
                self.cleanup()
                raise
            return CleaningBody(body, self.cleanup)

        return application

    def middleware(self, func: WSGIApplication) -> WSGIApplication:
        """Do the same as :meth:`make_middleware`, as a decorator: the result keeps the name of *func*."""
        return wraps(func)(self.make_middleware(func))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} locals: {len(self.locals)}>"


class CleaningBody:
    """The body of a response; calls *cleanup* once when it is closed."""

    def __init__(self, body: Iterable[bytes], cleanup: Callable[[], None]) -> None:
        self._body = body
        self._chunks = iter(body)
        self._cleanup: Callable[[], None] | None = cleanup

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._chunks)

    def close(self) -> None:
        """Close the body and clean up, also when closing fails."""
        cleanup, self._cleanup = self._cleanup, None
        if cleanup is None:
            return
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            cleanup()
