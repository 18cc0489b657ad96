"""Errors of functions that must not keep the next one from running."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..bridge import original

if TYPE_CHECKING:
    from ..app import Flask


def worst(app: Flask, first: BaseException | None, error: BaseException) -> BaseException:
    """Return the one of two failures to raise when everything has run, and log the other.

    That is the first, unless the later one is a KeyboardInterrupt, a cancellation or the like.
    """
    error = original(error)
    if first is None or first is error:
        return error
    if isinstance(first, Exception) and not isinstance(error, Exception):
        first, error = error, first
    app.logger.error("A teardown failed beside another one:", exc_info=error)
    return first
