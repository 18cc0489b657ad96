"""A test's view of the session: opened as a request would open it, saved as a response would save it."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any, cast

from ..bridge import call_here, drive
from ..ctx import Borrowed
from ..lifecycle import overridden

if TYPE_CHECKING:
    from ..bridge import Call
    from ..sessions import SessionMixin
    from .base import ApplicationClient

_ADVICE = "async with client.session_transaction() as session: ..."


class SessionTransaction:
    """What `client.session_transaction()` returns: enter it with `with` or `async with`, once.

    The contexts of a made-up request are current while the session is opened and saved, not within the block.
    No hook and no teardown function runs. A block that is left by an exception saves nothing.
    """

    def __init__(self, client: ApplicationClient, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if client._cookies is None:
            raise TypeError("Cookies are disabled: a client with use_cookies=False has no sessions.")
        self._client = client
        self._app = client.application
        self._context = self._app.test_request_context(*args, **kwargs)
        self._session: Any = None
        client._add_cookies_to_wsgi(self._context.request.environ)

    def __enter__(self) -> SessionMixin:
        drive(self.open(call_here(_ADVICE)))
        return cast("SessionMixin", self._session)

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: TracebackType | None
    ) -> None:
        if exc_value is None:
            drive(self.save(call_here(_ADVICE)))

    async def __aenter__(self) -> SessionMixin:
        await self._app._awaitable(self.open)
        return cast("SessionMixin", self._session)

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_value: BaseException | None, tb: TracebackType | None
    ) -> None:
        if exc_value is None:
            await self._app._awaitable(self.save)

    async def open(self, call: Call) -> None:
        """Open the session."""
        app, request = self._app, self._context.request
        with Borrowed(app.app_context(), self._context):
            if overridden(app, "open_session"):
                self._session = await call(app.open_session, request)
            else:
                self._session = await call(app.session_interface.open_session, app, request)
        if self._session is None:
            raise RuntimeError("The session interface opened no session. Is SECRET_KEY set?")

    async def save(self, call: Call) -> None:
        """Save the session, and keep its cookie for the requests to come."""
        app, session = self._app, self._session
        if app.session_interface.is_null_session(session):
            return
        response = app.response_class()
        with Borrowed(app.app_context(), self._context):
            if overridden(app, "save_session"):
                await call(app.save_session, session, response)
            else:
                await call(app.session_interface.save_session, app, session, response)
        self._client._take_cookies(self._context.request, response.headers.getlist("Set-Cookie"))
