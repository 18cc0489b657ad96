"""The session in a signed cookie as a view sees it: a dict that is decoded at its first use.

How it works. Opening a session only notes the cookie's text (`SealedCookie`). The dict meanwhile
holds one item, a placeholder, so that C code which asks a dict for its size before it iterates (json's
encoder does) finds it not empty and goes on to the overridden methods. Each of these calls `_read` or
`_change` first; that verifies the text and puts its data in the placeholder's place.

C code that walks a dict's memory without its methods (orjson) meets the placeholder and fails:
pass it `dict(session)`.
"""

from __future__ import annotations

import zlib
from threading import Lock
from typing import TYPE_CHECKING, Any, NoReturn

from itsdangerous import BadData, BadSignature, base64_decode

from ..json.tag import TaggedJSONSerializer
from .mixin import SessionMixin
from .signing import KeptSerializer

if TYPE_CHECKING:
    from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView

    from itsdangerous import URLSafeTimedSerializer

    from ..app import Flask

# The key is no string, so that no user's key equals it and no JSON writer takes it for one.
_PLACEHOLDER: dict[Any, Any] = {object(): "This session is not decoded yet; use dict(session)."}

# Stands for a default that was not given.
_REQUIRED: Any = object()

# Bytes of a compressed session that are looked at before it is verified.
_INFLATED_MOST = 8192

# Held while decoded data is put in place, never while user code runs.
_placing = Lock()


class SealedCookie:
    """The text of a session cookie, and what it takes to verify it.

    :param app: tells the lifetime, after which a cookie counts no more.
    :param serializer: verifies and decodes.
    :param text: the cookie's value, as the client sent it.
    """

    __slots__ = ("app", "serializer", "text")

    def __init__(self, app: Flask, serializer: URLSafeTimedSerializer, text: str) -> None:
        self.app = app
        self.serializer = serializer
        self.text = text

    def open(self) -> dict[str, Any]:
        """Return the data; none if the signature is wrong or too old."""
        lifetime = self.app.permanent_session_lifetime
        try:
            return dict(self.serializer.loads(self.text, max_age=int(lifetime.total_seconds())))
        except BadSignature:
            return {}

    def mentions(self, key: bytes) -> bool:
        """Tell, without the cost of verifying, whether *key* may be in the data. False is certain."""
        if not self._is_plain_json:
            return True
        compressed = self.text.startswith(".")
        try:
            data = base64_decode(self.text.split(".", 2)[compressed])
            if compressed:
                inflate = zlib.decompressobj()
                # Bounded, as anybody may have sent this.
                data = inflate.decompress(data, _INFLATED_MOST)
                if not inflate.eof:
                    return True
        except (BadData, zlib.error):
            return True
        return key in data

    @property
    def _is_plain_json(self) -> bool:
        """The payload is JSON, in which a key stands as it is; not so if it is encrypted, for example."""
        inner = self.serializer.serializer
        return type(self.serializer) is KeptSerializer and type(inner).dumps is TaggedJSONSerializer.dumps


class SecureCookieSession(dict[str, Any], SessionMixin):
    """A dict that knows whether it was read and changed.

    It sees its own methods only: after a change inside a value (`session["cart"].append(...)`) set
    `session.modified = True`.

    :param initial: what it holds at first; this does not count as a change.
    """

    accessed = False
    _modified = False
    _closed = False
    _sealed: SealedCookie | None = None

    def __init__(self, initial: Mapping[str, Any] | None = None) -> None:
        super().__init__(initial or ())

    @property
    def modified(self) -> bool:
        """Whether the session was changed. To be set by hand after a change inside a value."""
        return self._modified

    @modified.setter
    def modified(self, value: bool) -> None:  # pyright: ignore[reportIncompatibleVariableOverride]
        if value and self._closed:
            self._refuse()
        self._modified = value

    @property
    def permanent(self) -> bool:
        """The cookie outlives the browser, by `PERMANENT_SESSION_LIFETIME`."""
        sealed = self._sealed
        if sealed is not None and not sealed.mentions(b"_permanent"):
            self.accessed = True
            return False
        return bool(self.get("_permanent", False))

    @permanent.setter
    def permanent(self, value: bool) -> None:
        self["_permanent"] = bool(value)

    # The machinery

    def _seal(self, sealed: SealedCookie) -> None:
        """Hold this cookie's data from the first use on. Called once, on an empty session."""
        dict.update(self, _PLACEHOLDER)
        self._sealed = sealed

    def _unseal(self, sealed: SealedCookie) -> None:
        data = sealed.open()
        with _placing:
            # Two threads may come here at once; the one that is late must not undo the other's changes.
            if self._sealed is sealed:
                dict.clear(self)
                dict.update(self, data)
                self._sealed = None

    def _close(self) -> None:
        self._closed = True

    def _read(self) -> None:
        self.accessed = True
        if self._sealed is not None:
            self._unseal(self._sealed)

    def _change(self) -> None:
        if self._closed:
            self._refuse()
        self._read()

    def _refuse(self) -> NoReturn:
        raise RuntimeError(
            "The session can't be changed any more: its request has ended, or its websocket was accepted, and the"
            " cookie was sent. What comes later may read the session; change it before, or keep what changes later"
            " in a store of your own."
        )

    # Reading

    def __getitem__(self, key: str) -> Any:
        self._read()
        return dict.__getitem__(self, key)

    def get(self, key: str, default: Any = None) -> Any:
        self._read()
        return dict.get(self, key, default)

    def __contains__(self, key: object) -> bool:
        self._read()
        return dict.__contains__(self, key)

    def __len__(self) -> int:
        self._read()
        return dict.__len__(self)

    def __iter__(self) -> Iterator[str]:
        self._read()
        return dict.__iter__(self)

    def __reversed__(self) -> Iterator[str]:
        self._read()
        return dict.__reversed__(self)

    def keys(self) -> KeysView[str]:  # type: ignore[override]
        self._read()
        return dict.keys(self)

    def values(self) -> ValuesView[Any]:  # type: ignore[override]
        self._read()
        return dict.values(self)

    def items(self) -> ItemsView[str, Any]:  # type: ignore[override]
        self._read()
        return dict.items(self)

    def copy(self) -> dict[str, Any]:
        """Return the data as a plain dict."""
        self._read()
        # dict.copy() would ask this class's methods for each key.
        return dict(dict.items(self))

    def __eq__(self, other: object) -> bool:
        self._read()
        if isinstance(other, SecureCookieSession):
            other._read()
        return dict.__eq__(self, other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None  # type: ignore[assignment]

    def __or__(self, other: Any) -> Any:
        return self.copy().__or__(other)

    def __ror__(self, other: Any) -> Any:
        return self.copy().__ror__(other)

    def __repr__(self) -> str:
        self._read()
        return f"<{type(self).__name__} {dict.__repr__(self)}>"

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        """Copies and pickles hold the data, not the cookie, and can be changed."""
        data = self.copy()
        state = {name: value for name, value in vars(self).items() if name not in ("_sealed", "_closed")}
        return type(self), (data,), state

    # Changing

    def __setitem__(self, key: str, value: Any) -> None:
        self._change()
        dict.__setitem__(self, key, value)
        self._modified = True

    def __delitem__(self, key: str) -> None:
        self._change()
        dict.__delitem__(self, key)
        self._modified = True

    def clear(self) -> None:
        self._change()
        dict.clear(self)
        self._modified = True

    def pop(self, key: str, default: Any = _REQUIRED) -> Any:
        self._change()
        found = dict.__contains__(self, key)
        value = dict.pop(self, key) if default is _REQUIRED else dict.pop(self, key, default)
        if found:
            self._modified = True
        return value

    def popitem(self) -> tuple[str, Any]:
        self._change()
        item = dict.popitem(self)
        self._modified = True
        return item

    def setdefault(self, key: str, default: Any = None) -> Any:
        self._change()
        if not dict.__contains__(self, key):
            self._modified = True
        return dict.setdefault(self, key, default)

    def update(self, arg: Any = None, **kwargs: Any) -> None:  # type: ignore[override]
        self._change()
        dict.update(self, () if arg is None else arg, **kwargs)
        self._modified = True

    def __ior__(self, other: Any) -> Any:
        self.update(other)
        return self


class NullSession(SecureCookieSession):
    """The session where there is no secret key: empty, and a change is an error."""

    def _change(self) -> NoReturn:
        raise RuntimeError(
            "The session is unavailable for changes: the application has no secret key to sign it with."
            " Set app.secret_key (SECRET_KEY in the configuration) to a long, random, secret value."
        )
