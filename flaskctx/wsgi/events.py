"""Event streams under WSGI: heartbeats while the generator is silent, and an end when the client has gone."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from queue import Empty
from typing import Any

from ..bridge.call import Outcome, Raised, Returned
from ..bridge.mailbox import Mailbox, new_mailbox
from ..bridge.mirror import Mirror
from ..bridge.threads import attend
from ..wrappers import HEARTBEAT
from ..wrappers.client import has_hung_up

logger = logging.getLogger("flaskctx.wsgi")

LOOK = 0.5
"""Seconds between two looks whether the client of a silent stream is still there."""

_occupation_is_reported = False


def report_occupation(environ: dict[str, Any]) -> None:
    """Say once that a stream keeps this process from serving anything else, where it does."""
    global _occupation_is_reported
    if not (environ.get("wsgi.multithread") or _occupation_is_reported):
        _occupation_is_reported = True
        logger.warning(
            "An event stream occupies this worker process: it serves nothing else until the client leaves, and "
            "gunicorn ends a sync worker that takes longer than --timeout. Use threads (-k gthread --threads 100), "
            "greenlets (-k gevent), or an ASGI server."
        )


class QuietBody:
    """The chunks of an event stream without heartbeats; what has no news is left out."""

    def __init__(self, body: Any, environ: dict[str, Any]) -> None:
        self._body = body
        self._chunks = iter(body)
        self._environ = environ

    def __iter__(self) -> QuietBody:
        return self

    def __next__(self) -> bytes:
        while not (chunk := next(self._chunks)):
            if has_hung_up(self._environ):
                raise StopIteration
        return chunk  # type: ignore[no-any-return]

    def close(self) -> None:
        """Close the body."""
        self._body.close()


class BeatingBody(QuietBody):
    """The chunks of an event stream with heartbeats.

    A `def` generator can't be interrupted, so it runs on a thread of its own (under gevent: a greenlet), and the
    server's thread waits for its chunks no longer than for the next heartbeat.

    :param seconds: those of silence after which a heartbeat is sent.
    """

    def __init__(self, body: Any, environ: dict[str, Any], seconds: float) -> None:
        super().__init__(body, environ)
        self._seconds = seconds
        self._mirror = Mirror()
        self._orders: Mailbox | None = None
        self._news: Mailbox = new_mailbox()
        self._is_making_chunk = False
        self._has_left = False

    def __next__(self) -> bytes:
        if not self._is_making_chunk:
            self._order(self._make_chunk)
            self._is_making_chunk = True
        began = time.monotonic()
        while True:
            left = began + self._seconds - time.monotonic()
            try:
                outcome: Outcome = self._news.get(True, max(0, min(LOOK, left)))
            except Empty:
                if has_hung_up(self._environ):
                    raise StopIteration from None
                if left <= 0:
                    return HEARTBEAT
            else:
                self._is_making_chunk = False
                self._mirror.copy_out()
                return outcome.get()  # type: ignore[no-any-return]

    def close(self) -> None:
        """Close the body, when it has made the chunk that it is making."""
        if self._orders is None:
            super().close()
            return
        self._has_left = True
        if self._is_making_chunk:
            self._news.get()
        self._order(super().close)
        outcome: Outcome = self._news.get()
        self._orders.put(None)
        self._mirror.copy_out()
        outcome.get()

    def _order(self, step: Callable[[], Any]) -> None:
        if self._orders is None:
            self._orders = new_mailbox()
            threading.Thread(target=attend, args=[self._orders], name="flaskctx-events", daemon=True).start()
        self._mirror.copy_in()
        self._orders.put(partial(self._run, step))

    # -- on the thread of its own --------------------------------------------------------------------------------

    def _run(self, step: Callable[[], Any]) -> Callable[[], None]:
        outcome: Outcome
        try:
            outcome = Returned(self._mirror.context.run(step))
        except BaseException as error:
            outcome = Raised(error)
        return partial(self._news.put, outcome)

    def _make_chunk(self) -> bytes:
        chunk: bytes = b""
        while not (chunk or self._has_left):
            chunk = next(self._chunks)
        return chunk
