"""Bodies of WSGI responses that end more than an iterator: a kept context, a generator on the loop."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..bridge import InWorker, drive
from ..bridge.portal import STREAM
from ..lifecycle import end_stream
from ..wrappers import has_no_body

if TYPE_CHECKING:
    from ..bridge import Call
    from ..ctx import RequestContext
    from ..wrappers import Response
    from ..wrappers.async_body import EncodedChunks


class StreamedBody:
    """A body whose request context was kept for it: closing the body tears the context down, once.

    Also when the server abandons it without closing it.
    """

    def __init__(self, call: Call, context: RequestContext, body: Any) -> None:
        self._call = call
        self._context: RequestContext | None = context
        self._body = body
        self._iterator = iter(body)
        self._error: BaseException | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._iterator)  # type: ignore[no-any-return]
        except BaseException as error:
            if type(error) is not StopIteration:
                self._error = error
            self.close()
            raise

    def close(self) -> None:
        """Close the body, then its request."""
        context, self._context = self._context, None
        if context is None:
            return
        try:
            close_body(self._call, self._body)
        except BaseException as error:
            self._error = self._error or error
            raise
        finally:
            self._end(context)

    def _end(self, context: RequestContext) -> None:
        try:
            drive(end_stream(self._call, context, self._error))
        except Exception as failure:
            context.app.log_exception((type(failure), failure, failure.__traceback__))

    def __del__(self) -> None:
        if not sys.is_finalizing():
            self.close()


class AsyncBody:
    """An async body, iterated on a loop by one task while this thread waits for each chunk.

    One task, because an async generator may hold what belongs to its task (a timeout, a task group) across
    its yields. In the worker thread of an ASGI request, whatever the thread waits for is awaited by the
    request's own task anyway; the background loop makes a task for each wait, so there a `Pump` is needed.
    """

    def __init__(self, call: Call, response: Response, environ: dict[str, Any], status_code: int) -> None:
        self._call = call
        self._response = response
        self._chunks: EncodedChunks | None = response.aiter_encoded()
        self._sends_body = not has_no_body(environ, status_code)
        self._pump: Pump | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if not self._sends_body or self._chunks is None:
            raise StopIteration
        if isinstance(self._call, InWorker):
            chunk = drive(self._call(_next_chunk, self._chunks))
        else:
            if self._pump is None:
                self._pump = Pump(self._chunks)
            chunk = drive(self._call(self._pump.next_chunk))
        if chunk is None:
            raise StopIteration
        return chunk  # type: ignore[no-any-return]

    def close(self) -> None:
        """Close the generator, where it runs, and the response."""
        chunks, self._chunks = self._chunks, None
        if chunks is None:
            return
        try:
            drive(self._call.shielded(chunks.aclose if self._pump is None else self._pump.close))
        finally:
            self._response.close()

    def __del__(self) -> None:
        if not sys.is_finalizing():
            self.close()


async def _next_chunk(chunks: EncodedChunks) -> bytes | None:
    return await anext(chunks, None)


class Pump:
    """One asyncio task that iterates, a chunk at a time, for whoever asks from other tasks."""

    def __init__(self, chunks: Any) -> None:
        self._chunks = chunks
        self._wanted: asyncio.Queue[bool] = asyncio.Queue()
        self._ready: asyncio.Queue[tuple[bytes | None, BaseException | None]] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def next_chunk(self) -> bytes | None:
        """Return the next chunk, None at the end; raises what the generator raises."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=STREAM)
        elif self._task.done():
            return None
        self._wanted.put_nowait(True)
        chunk, error = await self._ready.get()
        if error is not None:
            raise error
        return chunk

    async def close(self) -> None:
        """End the task; the generator is closed by it."""
        if self._task is not None and not self._task.done():
            self._wanted.put_nowait(False)
            await self._task

    async def _run(self) -> None:
        try:
            while await self._wanted.get():
                chunk = await anext(self._chunks, None)
                if chunk is None:
                    break
                self._ready.put_nowait((chunk, None))
        except asyncio.CancelledError:
            # to the server this is a connection that breaks off: nothing to log, and no regular end
            self._ready.put_nowait((None, ConnectionAbortedError("The process is ending, and the stream with it.")))
        except BaseException as error:
            self._ready.put_nowait((None, error))
        else:
            self._ready.put_nowait((None, None))
        finally:
            await self._chunks.aclose()


def close_body(call: Call, body: Any) -> None:
    """Close a body if it can be closed."""
    close = getattr(body, "close", None)
    if close is not None:
        close()
