"""Serving an `app.wsgi_app` that the user has replaced, by ProxyFix and its like, through ASGI."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from ..lifecycle import overridden
from ..lifecycle.overrides import is_saved_class
from .answer import StartResponse, answer_of_wsgi

if TYPE_CHECKING:
    from ..app import Flask
    from ..bridge import OnLoop
    from .exchange import Exchange

logger = logging.getLogger("flaskctx.asgi")

_patch_is_reported = False


def wsgi_override(app: Flask) -> bool:
    """Tell whether the application has a `wsgi_app` of its own: on the instance, or in a subclass."""
    if not overridden(app, "wsgi_app"):
        return False
    if "wsgi_app" in app.__dict__:
        return True
    owner = next(cls for cls in type(app).__mro__ if "wsgi_app" in vars(cls))
    if is_saved_class(owner):
        _report_patch()
        return False
    return True


def _report_patch() -> None:
    global _patch_is_reported
    if not _patch_is_reported:
        _patch_is_reported = True
        logger.warning(
            "Flask.wsgi_app was replaced on the class itself, by a tool probably. It is not used under ASGI; wrap "
            "app.asgi, or the wsgi_app of the application object."
        )


async def serve_override(app: Flask, call: OnLoop, exchange: Exchange, environ: dict[str, Any]) -> None:
    """Call the middleware in the worker thread; the application inside it finds this request's bridge there."""
    start = StartResponse()
    exchange.answer = answer_of_wsgi(await call(app.wsgi_app, environ, start), start)
