"""How sessions are opened and saved, for whatever stores them: SessionInterface."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from .cookie_session import NullSession

if TYPE_CHECKING:
    from ..app import Flask
    from ..wrappers import Request, Response
    from .mixin import SessionMixin


class SessionInterface:
    """Subclass it, write `open_session` and `save_session`, and set `app.session_interface`.

    Both may be `async def`. What `open_session` returns must be a mapping with the attributes
    of `SessionMixin`. One object serves all requests, also at the same time.
    """

    #: What `make_null_session` makes.
    null_session_class: type[NullSession] = NullSession

    #: The sessions are stored with pickle. A fact that tools may ask for; nothing here depends on it.
    pickle_based: bool = False

    def make_null_session(self, app: Flask) -> NullSession:
        """Return the session for a request whose session could not be opened.

        It can be read, so that templates and hooks work, and says why when it is written to.
        """
        return self.null_session_class()

    def is_null_session(self, obj: object) -> bool:
        """Tell whether *obj* stands for a session that could not be opened. Such a one is not saved."""
        return isinstance(obj, self.null_session_class)

    def get_cookie_name(self, app: Flask) -> str:
        """The name of the cookie: `SESSION_COOKIE_NAME`."""
        name: str = app.config["SESSION_COOKIE_NAME"]
        return name

    def get_cookie_domain(self, app: Flask) -> str | None:
        """The domain whose hosts are sent the cookie: `SESSION_COOKIE_DOMAIN`. None: only this host."""
        domain: str | None = app.config["SESSION_COOKIE_DOMAIN"]
        return domain

    def get_cookie_path(self, app: Flask) -> str:
        """The path below which the cookie is sent: `SESSION_COOKIE_PATH`, else `APPLICATION_ROOT`."""
        path: str = app.config["SESSION_COOKIE_PATH"] or app.config["APPLICATION_ROOT"]
        return path

    def get_cookie_httponly(self, app: Flask) -> bool:
        """The cookie is hidden from scripts: `SESSION_COOKIE_HTTPONLY`."""
        httponly: bool = app.config["SESSION_COOKIE_HTTPONLY"]
        return httponly

    def get_cookie_secure(self, app: Flask) -> bool:
        """The cookie is sent over HTTPS only: `SESSION_COOKIE_SECURE`."""
        secure: bool = app.config["SESSION_COOKIE_SECURE"]
        return secure

    def get_cookie_samesite(self, app: Flask) -> str | None:
        """`"Strict"`, `"Lax"` or None, for requests from other sites: `SESSION_COOKIE_SAMESITE`."""
        samesite: str | None = app.config["SESSION_COOKIE_SAMESITE"]
        return samesite

    def get_cookie_partitioned(self, app: Flask) -> bool:
        """The cookie is kept per top-level site: `SESSION_COOKIE_PARTITIONED`."""
        partitioned: bool = app.config["SESSION_COOKIE_PARTITIONED"]
        return partitioned

    def get_expiration_time(self, app: Flask, session: SessionMixin) -> datetime | None:
        """When the browser is to drop the cookie, in UTC; None for when it is closed."""
        if not session.permanent:
            return None
        return datetime.now(UTC) + app.permanent_session_lifetime

    def should_set_cookie(self, app: Flask, session: SessionMixin) -> bool:
        """Tell whether the response needs the cookie.

        It does after a change, and for a permanent session also without one, so that its time starts
        again, unless `SESSION_REFRESH_EACH_REQUEST` is off.
        """
        if session.modified:
            return True
        # In this order, because the second question may have to decode the cookie.
        refresh: bool = app.config["SESSION_REFRESH_EACH_REQUEST"]
        return refresh and session.permanent

    def open_session(self, app: Flask, request: Request) -> SessionMixin | None:
        """Return the session of a request. Called when its context is pushed, before the URL is matched.

        :returns: the session, also when it is new and empty; None if there can't be one, which gives
            the request a null session.
        """
        raise NotImplementedError(f"{type(self).__name__} must define open_session()")

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Save the session of a request, after its view and hooks. Not called for null sessions."""
        raise NotImplementedError(f"{type(self).__name__} must define save_session()")
