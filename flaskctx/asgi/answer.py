"""An answer that is ready to be sent: status, headers, and a body of one of three kinds."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ..ctx import BodyContext
from ..wrappers import has_no_body, heartbeat_of, overrides_call, response_start, take_close_functions
from ..wrappers.quick import CONTENT_TYPES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ..bridge import OnLoop


_raw_names = {
    name: name.lower().encode("latin-1")
    for name in (
        "Content-Type", "Content-Length", "Set-Cookie", "Vary", "Cache-Control", "Date", "ETag", "Last-Modified",
        "Location",
    )
}  # fmt: skip


def _raw_header(header: tuple[str, str]) -> tuple[bytes, bytes]:
    name, value = header
    raw_name = _raw_names.get(name) or name.lower().encode("latin-1")
    return raw_name, value.encode("latin-1").strip(b" \t")


_raw_types = {pair: _raw_header(pair) for pair in CONTENT_TYPES.values()}


class Answer:
    """What the lifecycle has decided to send.

    Its body is in `chunks` (all of it, in memory), or in `iterator` (a WSGI iterable, run in the worker
    thread), or in `stream` (async, run on the loop).
    """

    chunks: Any = None
    iterator: Any = None
    stream: Any = None
    timeout: Any = ...
    """The seconds that sending it may take, None for no limit, `...` for the configured ones."""
    heartbeat: float | None = None
    """The seconds of silence after which a comment is sent (event streams)."""
    variables: BodyContext | None = None
    """Where a body that is not in memory runs; None: where the request's functions do."""
    replaced: Answer | None = None
    _on_close: Iterable[Callable[[], object]] = ()
    has_to_be_closed = False
    """Whether something is left to do when the body has been sent, or won't be."""

    def __init__(self, code: int, headers: list[tuple[str, str]]) -> None:
        self.code = code
        self.headers = headers

    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        """The headers as ASGI wants them: bytes, names in lower case.

        White space around a value is no part of it (RFC 9110, section 5.5). Servers on h11 refuse it there.
        """
        raw = []
        for pair in self.headers:
            raw.append(_raw_types.get(pair) or _raw_header(pair))  # noqa: PERF401  a comprehension is a call more
        return raw

    @property
    def starts_at_once(self) -> bool:
        """Whether the client is told of the response before its first chunk is there (event streams)."""
        return any(
            name.lower() == "content-type" and value.startswith("text/event-stream") for name, value in self.headers
        )

    def replaces(self, other: Answer) -> None:
        """Take the place of an answer that was not sent; it is closed together with this one."""
        self.replaced = other
        self.has_to_be_closed = True

    async def close(self, call: OnLoop) -> None:
        """Close the body once, in the place where it runs, and call the functions of `call_on_close`.

        All of that happens whatever fails; the first error is raised at the end.
        """
        failure: BaseException | None = None
        for function in self._closing():
            try:
                await call.shielded(function)
            except BaseException as error:
                failure = failure or error
        if failure is not None:
            raise failure

    def _closing(self) -> Iterator[Callable[[], object]]:
        replaced, self.replaced = self.replaced, None
        if replaced is not None:
            yield from replaced._closing()
        variables, self.variables = self.variables, None
        close, self.iterator = getattr(self.iterator, "close", None), None
        if close is not None:
            yield close if variables is None else partial(variables.context.run, close)
        if self.stream is not None and not self.stream.closed:
            yield self.stream.aclose
        if variables is not None:
            variables.copy_out()
        functions, self._on_close = self._on_close, ()
        yield from functions


def answer_of(response: Any, environ: dict[str, Any]) -> Answer:
    """Settle status and headers of a response, or take those of a text."""
    if type(response) is tuple:
        _, code, headers, chunks = response
        answer = Answer(code, headers)
        answer.chunks = chunks
        return answer
    if overrides_call(response):
        # its class has its own `__call__`: it is the WSGI application that it says it is
        start = StartResponse()
        answer = answer_of_wsgi(response(environ, start), start)
        answer.variables, answer._on_close = BodyContext(), take_close_functions(response)
        return answer
    _, code, headers, body = response_start(response, environ)
    answer = Answer(code, headers)
    answer.timeout = getattr(response, "timeout", ...)
    if type(body) is list or type(body) is tuple:
        answer.chunks = body
        return answer
    answer.has_to_be_closed = True
    answer.heartbeat = heartbeat_of(response)
    answer.variables = BodyContext()
    answer._on_close = take_close_functions(response)
    if has_no_body(environ, code):
        answer.chunks = ()
    if body is not None:
        answer.iterator = body
    else:
        answer.stream = response.aiter_encoded()
    return answer


class StartResponse:
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
        self.code, self.headers = int(status[:3]), [(name, value) for name, value in headers]
        return self.written.append


def answer_of_wsgi(iterable: Any, start: StartResponse) -> Answer:
    """Return the answer of a WSGI callable that was given `start` and has returned `iterable`."""
    answer = Answer(0, [])
    answer.has_to_be_closed = True
    answer.iterator = _WSGIBody(iterable, start, answer)
    return answer


class _WSGIBody:
    """A WSGI iterable whose status and headers are settled by its first chunk that isn't empty."""

    def __init__(self, iterable: Any, start: StartResponse, answer: Answer) -> None:
        self._iterable = iterable
        self._iterator: Any = None
        self._start = start
        self._answer = answer

    def __iter__(self) -> _WSGIBody:
        self._iterator = iter(self._iterable)
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

    def close(self) -> None:
        close = getattr(self._iterable, "close", None)
        if close is not None:
            close()
