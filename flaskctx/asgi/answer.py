"""An answer that is ready to be sent: status, headers, and a body of one of three kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..ctx import State
from ..wrappers import has_no_body, overrides_call, response_start

if TYPE_CHECKING:
    from ..bridge import OnLoop
    from ..ctx import RequestContext


_raw_names = {
    name: name.lower().encode("latin-1")
    for name in (
        "Content-Type", "Content-Length", "Set-Cookie", "Vary", "Cache-Control", "Date", "ETag", "Last-Modified",
        "Location",
    )
}  # fmt: skip


class Answer:
    """What the lifecycle has decided to send.

    Its body is in `chunks` (all of it, in memory), or in `iterator` (a WSGI iterable, run in the worker
    thread), or in `stream` (async, run on the loop).
    """

    __slots__ = ("_on_close", "chunks", "code", "headers", "iterator", "replaced", "stream")

    def __init__(self, code: int, headers: list[tuple[str, str]]) -> None:
        self.code = code
        self.headers = headers
        self.chunks: Any = None
        self.iterator: Any = None
        self.stream: Any = None
        self._on_close: Any = None
        self.replaced: Answer | None = None

    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        """The headers as ASGI wants them: bytes, names in lower case."""
        known = _raw_names
        return [
            (known.get(name) or name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in self.headers
        ]

    @property
    def starts_at_once(self) -> bool:
        """Whether the client is told of the response before its first chunk is there (event streams)."""
        return any(
            name.lower() == "content-type" and value.startswith("text/event-stream") for name, value in self.headers
        )

    def replaces(self, other: Answer) -> None:
        """Take the place of an answer that was not sent; it is closed together with this one."""
        self.replaced = other

    def has_to_be_closed(self, context: RequestContext) -> bool:
        """Whether something is left to do when the body has been sent, or won't be."""
        return (
            self.iterator is not None
            or self.stream is not None
            or self.replaced is not None
            or context._state is State.STREAMING
        )

    async def close(self, call: OnLoop) -> None:
        """Close the body once, in the place where it runs, and then the response."""
        if self.replaced is not None:
            replaced, self.replaced = self.replaced, None
            await replaced.close(call)
        iterator, self.iterator = self.iterator, None
        stream, self.stream = self.stream, None
        try:
            if iterator is not None and hasattr(iterator, "close"):
                await call.shielded(iterator.close)
            if stream is not None:
                await call.shielded(stream.aclose)
        finally:
            if self._on_close is not None:
                close, self._on_close = self._on_close, None
                await call.shielded(close)


def answer_of(response: Any, environ: dict[str, Any]) -> Answer:
    """Settle status and headers of a response."""
    if overrides_call(response):
        return _answer_of_callable(response, environ)
    _, code, headers, body = response_start(response, environ)
    answer = Answer(code, headers)
    if body is None:
        answer.stream = response.aiter_encoded()
        if response._on_close:
            answer._on_close = response.close
        if has_no_body(environ, code):
            answer.chunks = ()
    elif type(body) is list or type(body) is tuple:
        answer.chunks = body
    else:
        answer.iterator = body
        if has_no_body(environ, code):
            answer.chunks = ()
    return answer


def _answer_of_callable(response: Any, environ: dict[str, Any]) -> Answer:
    """Treat a response whose class has its own `__call__` as the WSGI application that it is."""
    started: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        started[:] = [int(status[:3]), headers]
        return written.append

    written: list[bytes] = []
    body = response(environ, start_response)
    answer = Answer(*started)
    answer.iterator = body
    return answer
