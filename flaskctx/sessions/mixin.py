"""What every session has beyond a mapping: SessionMixin."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any


class SessionMixin(MutableMapping[str, Any]):
    """The attributes of a session, for whatever stores it."""

    #: The session was made in this request. Stores that can't tell leave it False.
    new: bool = False

    #: The session has to be saved. A store that can't tell leaves it True.
    modified: bool = True

    #: The session was used, so that the response depends on the cookie and says so (`Vary: Cookie`).
    accessed: bool = False

    @property
    def permanent(self) -> bool:
        """The cookie outlives the browser, by `PERMANENT_SESSION_LIFETIME`.

        Kept in the session itself, as `"_permanent"`.
        """
        return bool(self.get("_permanent", False))

    @permanent.setter
    def permanent(self, value: bool) -> None:
        self["_permanent"] = bool(value)

    def _close(self) -> None:
        """The request has ended and the session is saved: called by the context, once.

        A store that can tell when something is changed too late overrides this.
        """
