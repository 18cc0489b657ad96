"""Serving an `app.wsgi_app` that the user has replaced, by ProxyFix and its like, through ASGI."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from ..lifecycle import overridden
from ..lifecycle.overrides import is_saved_class
from .answer import Answer
from .sending import send_answer

if TYPE_CHECKING:
    from ..app import Flask
    from ..bridge import OnLoop
    from .body import RequestBody
    from .types import Receive, Send

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


async def serve_override(
    app: Flask, call: OnLoop, environ: dict[str, Any], send: Send, receive: Receive, body: RequestBody | None
) -> None:
    """Call the middleware in the worker thread; the application inside it finds this request's bridge there."""
    start = _Start()
    iterable = await call.run(call(app.wsgi_app, environ, start))
    answer = Answer(0, [])
    answer.iterator = iterable
    try:
        call.check()
        answer.iterator = _Started(iterable, start, answer)
        await send_answer(call, answer, send, receive if body is None or body.complete else None)
    finally:
        answer.iterator = iterable
        await call.run(answer.close(call))


class _Start:
    """The `start_response` of PEP 3333: may be called again, with `exc_info`, until the first chunk."""

    def __init__(self) -> None:
        self.code = 0
        self.headers: list[tuple[str, str]] = []
        self.written: list[bytes] = []
        self.sent = False

    def __call__(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        if exc_info is not None and self.sent:
            raise exc_info[1].with_traceback(exc_info[2])
        if exc_info is None and self.code:
            raise AssertionError("start_response was called a second time without exc_info (PEP 3333).")
        self.code, self.headers = int(status[:3]), list(headers)
        return self.written.append


class _Started:
    """A WSGI iterable whose status and headers are settled by its first chunk that isn't empty."""

    def __init__(self, iterable: Any, start: _Start, answer: Answer) -> None:
        self._iterator = iter(iterable)
        self._start = start
        self._answer = answer

    def __iter__(self) -> _Started:
        return self

    def __next__(self) -> bytes:
        start = self._start
        try:
            data: bytes = next(self._iterator)
        except StopIteration:
            self._settle()
            if start.written:
                return start.written.pop(0)
            raise
        if start.written:
            start.written.append(data)
            data = start.written.pop(0)
        if data:
            self._settle()
        return data

    def _settle(self) -> None:
        start = self._start
        if not start.code:
            raise AssertionError("The WSGI application sent its body without calling start_response (PEP 3333).")
        start.sent = True
        self._answer.code, self._answer.headers = start.code, start.headers
