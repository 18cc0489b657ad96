"""Faults to put into flaskctx on purpose: a comparison that stays green with one of them would prove nothing."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any


def replace(module: str, owner: str, method: str, replacement: Callable[..., Any]) -> Callable[[], None]:
    """Return a function that replaces a method of one of flaskctx's classes."""
    return lambda: setattr(getattr(importlib.import_module(module), owner), method, replacement)


FAULTS: dict[str, Callable[[], None]] = {
    "sessions are not saved": replace(
        "flaskctx.sessions", "SecureCookieSessionInterface", "save_session", lambda self, app, session, response: None
    ),
    "teardown functions are not called": replace(
        "flaskctx", "Flask", "teardown_appcontext", lambda self, function: function
    ),
    "after hooks are not called": replace("flaskctx", "Flask", "after_request", lambda self, function: function),
}
