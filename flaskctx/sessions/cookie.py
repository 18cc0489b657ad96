"""Sessions in a signed cookie: SecureCookieSessionInterface.

What the client holds can be read by it, and not be changed without the application's secret key.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Request as WerkzeugRequest

from ..bridge.kinds import nonblocking
from ..json.tag import TaggedJSONSerializer
from ..unchanged import unchanged_object
from .cookie_session import SealedCookie, SecureCookieSession
from .interface import SessionInterface
from .set_cookie import CookieSetter, is_plain_text
from .signing import KeptSerializer

if TYPE_CHECKING:
    from itsdangerous import URLSafeTimedSerializer

    from ..app import Flask
    from ..wrappers import Request, Response
    from .mixin import SessionMixin

#: Writes and reads the data of the cookie, for every interface that has no serializer of its own.
session_json_serializer = TaggedJSONSerializer()

_setter = CookieSetter()

# As it is when this is imported: one that a tool patches in later is asked.
_cookies = WerkzeugRequest.cookies

# One interface usually serves one application; this many secrets are served without thrashing.
_SERIALIZERS_KEPT = 8


def _lazy_sha1(string: bytes = b"") -> Any:
    """Return a SHA-1 hash object. Looked up at the call: a FIPS build of Python may not have it."""
    return hashlib.sha1(string)


class SecureCookieSessionInterface(SessionInterface):
    """Opens and saves sessions in a signed cookie. The attributes are read at each use."""

    #: Goes into the derived key, so that a session is not taken for something else signed with the secret.
    salt = "cookie-session"

    #: The hash function of the signature.
    digest_method = staticmethod(_lazy_sha1)

    #: How itsdangerous derives the signing key: `"hmac"`, `"concat"`, `"django-concat"` or `"none"`.
    key_derivation = "hmac"

    #: What turns the data into text and back: an object with `dumps` and `loads`.
    serializer: Any = session_json_serializer

    #: What sessions are made of. Only `SecureCookieSession` itself waits with decoding until it is
    #: used; another class is given the decoded data at once.
    session_class: type[SecureCookieSession] = SecureCookieSession

    # Newest first: what a serializer was made from, and the serializer. Replaced, never changed in place.
    _kept: tuple[tuple[tuple[Any, ...], KeptSerializer], ...] = ()

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """Return what signs and verifies this application's cookies; None if it has no secret key.

        The newest key, `app.secret_key`, signs; those in `SECRET_KEY_FALLBACKS` verify as well.
        """
        secret_key = app.secret_key
        if not secret_key:
            return None
        fallbacks = app.config["SECRET_KEY_FALLBACKS"]
        secret_keys = (*fallbacks, secret_key) if fallbacks else (secret_key,)
        made_from = (secret_keys, self.salt, self.key_derivation, self.digest_method, self.serializer)
        for known, serializer in self._kept:
            if known == made_from:
                return serializer
        return self._new_serializer(made_from)

    def _new_serializer(self, made_from: tuple[Any, ...]) -> KeptSerializer:
        secret_keys, salt, key_derivation, digest_method, serializer = made_from
        made = KeptSerializer(
            list(secret_keys),
            salt=salt,
            serializer=serializer,
            signer_kwargs={"key_derivation": key_derivation, "digest_method": digest_method},
        )
        self._kept = ((made_from, made), *self._kept[: _SERIALIZERS_KEPT - 1])
        return made

    @nonblocking
    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Return the session, with its cookie still sealed; None if there is no secret key."""
        serializer = self.get_signing_serializer(app)
        if serializer is None:
            return None
        session_class = self.session_class
        text = _cookie_text(request, self.get_cookie_name(app))
        if not text:
            return session_class()
        sealed = SealedCookie(app, serializer, text)
        if session_class is not SecureCookieSession:
            return session_class(sealed.open())
        session = SecureCookieSession()
        session._seal(sealed)
        return session

    @nonblocking
    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Set the cookie if the session was changed or is to be refreshed; delete it if it was emptied."""
        accessed = session.accessed  # as of now: looking whether there is something to save is reading
        emptied = session.modified and not session
        saved = not emptied and self.should_set_cookie(app, session) and session
        if accessed or emptied or saved:
            _vary_by_cookie(response)
        if emptied:
            self._delete_cookie(app, response)
        elif saved:
            self._set_cookie(app, session, response)

    def _delete_cookie(self, app: Flask, response: Response) -> None:
        response.delete_cookie(self.get_cookie_name(app), **self._cookie_attributes(app))

    def _set_cookie(self, app: Flask, session: SessionMixin, response: Response) -> None:
        serializer = self.get_signing_serializer(app)
        if serializer is None:
            raise RuntimeError(
                "The session can't be saved: the application's secret key was removed during the request."
                " Set app.secret_key once, before the first request."
            )
        data = session.copy() if isinstance(session, SecureCookieSession) else dict(session)
        _setter.set(
            response,
            self.get_cookie_name(app),
            serializer.dumps(data),
            self.get_expiration_time(app, session),
            self._cookie_attributes(app),
        )

    def _cookie_attributes(self, app: Flask) -> dict[str, Any]:
        """Return what the cookie has beside its name, value and expiry."""
        return {
            "path": self.get_cookie_path(app),
            "domain": self.get_cookie_domain(app),
            "secure": self.get_cookie_secure(app),
            "httponly": self.get_cookie_httponly(app),
            "samesite": self.get_cookie_samesite(app),
            "partitioned": self.get_cookie_partitioned(app),
        }


# Whether an interface has what decides how it opens a session, and whether one that was never used is saved.
_opens_as_known = unchanged_object(
    SecureCookieSessionInterface,
    (
        "open_session", "save_session", "make_null_session", "get_signing_serializer", "session_class",
        "null_session_class",
    ),
)  # fmt: skip


def opens_on_demand(interface: SessionInterface) -> bool:
    """Tell whether a session may be opened at its first use instead of at push, as nobody can tell the difference.

    So it is with the signed cookie, unless a subclass, the interface itself or a tool has something to add.
    """
    return isinstance(interface, SecureCookieSessionInterface) and _opens_as_known(interface)


def _cookie_text(request: Request, name: str) -> str | None:
    """Return `request.cookies.get(name)`, where possible without building that mapping."""
    header: str = request.environ.get("HTTP_COOKIE", "")
    if type(request).cookies is _cookies and '"' not in header and name.isascii():
        for pair in header.split(";"):
            key, _, value = pair.partition("=")
            if key.strip(" \t") == name:
                text = value.strip(" \t")
                if is_plain_text(text):
                    return text
                break  # nothing that was signed here, or a syntax of which the parser has to judge
        else:
            return None
    return request.cookies.get(name)


def _vary_by_cookie(response: Response) -> None:
    """Tell caches that the response depends on the cookies (RFC 9110, 12.5.5)."""
    headers = response.headers
    if headers.getlist("Vary"):
        response.vary.add("Cookie")
    else:
        headers.add("Vary", "Cookie")
