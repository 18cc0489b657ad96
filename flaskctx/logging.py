"""The application's logger, and the handler it gets where logging is not configured."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, TextIO, cast

from .globals import request
from .local import LocalProxy

if TYPE_CHECKING:
    from .app import Flask


def _errors_stream() -> TextIO:
    if request:
        return cast(TextIO, request.environ.get("wsgi.errors", sys.stderr))
    return sys.stderr


#: Where errors go: the server's error stream during a request (PEP 3333, `wsgi.errors`), else
#: `sys.stderr`. Looked up at each use, so that a handler on it follows both.
wsgi_errors_stream = cast(TextIO, LocalProxy(_errors_stream))

#: Added to `app.logger` when no handler would show what it logs.
default_handler: logging.StreamHandler[TextIO] = logging.StreamHandler(wsgi_errors_stream)
default_handler.setFormatter(logging.Formatter("[%(asctime)s] %(levelname)s in %(module)s: %(message)s"))


def has_level_handler(logger: logging.Logger) -> bool:
    """Tell whether a handler, here or further up as far as records travel, shows the logger's level."""
    level = logger.getEffectiveLevel()
    current: logging.Logger | None = logger
    while current is not None:
        if any(handler.level <= level for handler in current.handlers):
            return True
        current = current.parent if current.propagate else None
    return False


def create_logger(app: Flask) -> logging.Logger:
    """Return the logger named as the application.

    In debug mode it logs from DEBUG on, unless it already has a level. It gets
    `default_handler` if no handler would show its level.
    """
    logger = logging.getLogger(app.name)
    if app.debug and logger.level == logging.NOTSET:
        logger.setLevel(logging.DEBUG)
    if not has_level_handler(logger):
        logger.addHandler(default_handler)
    return logger
