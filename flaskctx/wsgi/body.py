"""Bodies of WSGI responses that are streamed: where they run, and what ends with them."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from contextvars import Context
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio

from ..bridge import Pump, drive
from ..ctx import BodyContext, State
from ..globals import _app_ctx_stack, _request_ctx_stack
from ..lifecycle import end_stream, log_of_left_request, propagates
from ..wrappers import HEARTBEAT, has_no_body, heartbeat_of, take_close_functions
from ..wrappers.client import has_hung_up
from .events import LOOK
from .foreign import EmptyStacks

if TYPE_CHECKING:
    from ..app import Flask
    from ..bridge import Call
    from ..ctx import RequestContext
    from ..wrappers import Response


_NO_CHUNK: Any = object()


class StreamedBody:
    """A body that runs with the ContextVars of its request, also after that has ended.

    Closing it closes the iterable, calls the functions of `call_on_close`, and ends a request context that was kept
    for it; once, also when the server abandons it without closing it.

    :param functions: those of `call_on_close`.
    """

    _app: Flask
    _next: Callable[[], bytes] | None = None
    _kept: RequestContext | None = None
    _error: BaseException | None = None
    _stands_alone = False
    """Whether the request has found nothing on the stacks. The thread that closes its body may have something there."""
    _closed = _abandoned = False

    def __init__(self, call: Call, body: Any, functions: list[Callable[[], object]]) -> None:
        self._call = call
        self._variables = BodyContext()
        self._body = body
        self._functions = functions

    def outlive(self, context: RequestContext) -> None:
        """Go on after the lifecycle of this request, which has come to its end."""
        self._app = context.app
        self._variables.outlive_request()
        self._stands_alone = _app_ctx_stack.top_node is None and _request_ctx_stack.top_node is None
        self._functions.extend(context._after_response)
        if context._state is State.STREAMING:
            self._kept = context

    def __iter__(self) -> Iterator[bytes]:
        # without a request to be ended nothing has to be done at the end, so nothing stands between the chunks
        return iter(self._begun(), _NO_CHUNK) if self._kept is None else self

    def __next__(self) -> bytes:
        try:
            return self._begun()()
        except StopIteration:
            pass
        except BaseException as error:
            self._error = error
            self._end_with_request()
            raise
        self._end_with_request()
        raise StopIteration

    def close(self) -> None:
        """Close the body, then its request; all of it, whatever fails on the way."""
        if self._closed:
            return
        self._closed = True
        with EmptyStacks() if self._stands_alone else nullcontext():
            self._close()

    def _close(self) -> None:
        failure: BaseException | None = None
        for function in self._closing():
            try:
                drive(self._call.shielded(function))
            except BaseException as error:
                failure = failure or error
        self._error = self._error or failure
        try:
            self._end()
        finally:
            if failure is not None:
                raise failure

    def _closing(self) -> Iterator[Callable[[], object]]:
        yield self._close_body
        if self._kept is not None and not self._abandoned:
            # for the teardown functions; who collects an abandoned body is somewhere else
            self._variables.copy_out()
        yield from self._functions

    def _end_with_request(self) -> None:
        if self._kept is not None:
            self.close()

    def _begun(self) -> Callable[[], bytes]:
        """Return what makes the next chunk, or raises StopIteration."""
        if self._next is None:
            run = self._variables.context.run
            self._next = partial(run, run(iter, self._body).__next__)
        return self._next

    def _close_body(self) -> None:
        self._variables.context.run(close_body, self._body)

    def _end(self) -> None:
        context, self._kept = self._kept, None
        if context is None:
            return
        try:
            drive(end_stream(self._call, context, self._error))
        except Exception as failure:
            if self._error is None and propagates(context.app):
                raise
            log_of_left_request(context, failure)

    def __del__(self) -> None:
        if not sys.is_finalizing():
            self._abandoned = True
            # In a Context of its own. The collector may have come in the midst of a ContextVar.set, and up to Python
            # 3.11 that reads freed memory where somebody else sets a variable of the same Context meanwhile.
            Context().run(self.close)


class AsyncBody(StreamedBody):
    """An async body, iterated on a loop by a task of its own, while this thread waits for each chunk."""

    def __init__(self, call: Call, response: Response, environ: dict[str, Any], status_code: int) -> None:
        super().__init__(call, response.aiter_encoded(), take_close_functions(response))
        self._environ = environ
        self._heartbeat = heartbeat_of(response)
        self._sends_body = not has_no_body(environ, status_code)
        self._pump: Pump | None = None

    def _begun(self) -> Callable[[], bytes]:
        return self._next_chunk

    def _next_chunk(self) -> bytes:
        if not self._sends_body:
            raise StopIteration
        if self._pump is None:
            self._pump = Pump(self._body, self._variables.context, self._app.config["TEARDOWN_WAIT"])
        chunk: bytes | None = drive(self._call(self._make_chunk, self._pump))
        if chunk is None:
            raise StopIteration
        return chunk

    async def _make_chunk(self, pump: Pump) -> bytes | None:
        """Return the next chunk, a heartbeat if it takes too long, None at the end or when the client has gone."""
        beat = math.inf if self._heartbeat is None else anyio.current_time() + self._heartbeat
        while not (chunk := await pump.next_chunk(min(LOOK, max(0, beat - anyio.current_time())))):
            if chunk is None or has_hung_up(self._environ):
                return None
            if anyio.current_time() >= beat:
                return HEARTBEAT
        return chunk

    async def _close_body(self) -> None:  # type: ignore[override]
        await (self._pump or self._body).aclose()


def close_body(body: Any) -> None:
    """Close a body if it can be closed."""
    close = getattr(body, "close", None)
    if close is not None:
        close()
