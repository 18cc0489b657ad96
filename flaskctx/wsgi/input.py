"""The request's body under WSGI, taken whole for a view that runs on the background loop."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

from ..wrappers.arriving_form import ArrivingForm, can_be_parsed
from ..wrappers.input import CHUNK, MEMORY_LIMIT, InputStream, KeptFile

if TYPE_CHECKING:
    from ..wrappers import Request

RECEIVE_BODY = "flaskctx.receive_body"
"""The environ key of the function that takes the whole body of a request."""


def receive_input(request: Request) -> None:
    """Read the body to its end, on the thread that serves the request, and keep it: a large form parsed, else as it is.

    An `async def` function can't do that by itself: a slow client would stop the loop that all of them share, and
    under gevent only the thread of the connection may read from it.

    :raises RequestEntityTooLarge: (413) the body is larger than `request.max_content_length`.
    :raises ClientDisconnected: (400) the client left before its end.
    """
    body, stream = KeptFile(), request.stream
    while chunk := stream.read(CHUNK):
        body.write(chunk)
        if body.tell() > MEMORY_LIMIT and can_be_parsed(request):
            body.seek(0)
            with ArrivingForm(request) as form:
                for part in chain(_chunks(body), _chunks(stream)):
                    form.feed(part)
            break
    else:
        body.seek(0)
        request.environ["wsgi.input"] = body
        request.stream = InputStream(body)
    del request.environ[RECEIVE_BODY]


def _chunks(stream: Any) -> Iterator[bytes]:
    return iter(partial(stream.read, CHUNK), b"")
