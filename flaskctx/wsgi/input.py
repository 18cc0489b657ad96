"""The request's body under WSGI, taken whole for a view that runs on the background loop."""

from __future__ import annotations

import shutil
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING

from ..wrappers.input import InputStream

if TYPE_CHECKING:
    from ..wrappers import Request

RECEIVE_BODY = "flaskctx.receive_body"
"""The environ key of the function that takes the whole body of a request."""

MEMORY_LIMIT = 512 * 1024
"""Bytes of a body that are kept in memory; a larger one goes to a temporary file."""


class KeptBody(SpooledTemporaryFile[bytes]):
    """A temporary file that is closed with its last reference: the request's, or that of a stream which reads it."""

    def __init__(self) -> None:
        super().__init__(MEMORY_LIMIT)

    def __del__(self) -> None:
        self.close()


def receive_input(request: Request) -> None:
    """Read the body to its end, on the thread that serves the request, and keep it.

    An `async def` function can't do that by itself: a slow client would stop the loop that all of them share, and
    under gevent only the thread of the connection may read from it.

    :raises RequestEntityTooLarge: (413) the body is larger than `request.max_content_length`.
    :raises ClientDisconnected: (400) the client left before its end.
    """
    body = KeptBody()
    shutil.copyfileobj(request.stream, body)
    body.seek(0)
    request.environ["wsgi.input"] = body
    request.stream = InputStream(body)
    del request.environ[RECEIVE_BODY]
