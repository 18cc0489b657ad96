"""Sessions: what a request remembers of its client."""

from __future__ import annotations

from ..json.tag import TaggedJSONSerializer
from .cookie import SecureCookieSessionInterface, session_json_serializer
from .cookie_session import NullSession, SecureCookieSession
from .interface import SessionInterface
from .mixin import SessionMixin

__all__ = [
    "NullSession",
    "SecureCookieSession",
    "SecureCookieSessionInterface",
    "SessionInterface",
    "SessionMixin",
    "TaggedJSONSerializer",
    "session_json_serializer",
]
