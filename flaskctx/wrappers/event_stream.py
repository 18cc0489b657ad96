"""EventStream: a response of server-sent events, from a `def` or `async def` generator."""

from __future__ import annotations

import re
from collections.abc import AsyncIterable, Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from .. import json
from ..globals import current_app
from .async_body import EncodedChunks, is_async_body
from .response import Response

if TYPE_CHECKING:
    from collections.abc import Mapping
    from http import HTTPStatus

HEARTBEAT = b":\n\n"
"""An empty comment: the client ignores it, and what stands in between sees that the connection is used."""

# what ends a line in an event stream; `str.splitlines` knows more ends, which would break a text apart
_LINE_ENDS = re.compile("\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    r"""One event for an `EventStream`.

    Source: WHATWG HTML, "Server-sent events" (https://html.spec.whatwg.org/multipage/server-sent-events.html).

    :param data: str is sent as it is, in several lines if need be (a `\r` arrives as `\n`); everything else as JSON,
        by `app.json`. None is no data.
    :param event: the name for which the page listens; a browser calls those with none `message`. It drops an event
        without data, so a name alone is sent with empty data.
    :param id: with what the browser comes back when the connection breaks, see `Request.last_event_id`.
    :param retry: milliseconds that the browser waits before it connects again.
    :param comment: a text that the browser ignores.
    :raises ValueError: a name or id of several lines, an id with a NUL, or a negative `retry`.
    """

    data: Any = None
    event: str | None = None
    id: str | int | None = None
    retry: int | None = None
    comment: str | None = None

    def __post_init__(self) -> None:
        for name in ("event", "id"):
            value = str(getattr(self, name) or "")
            if "\n" in value or "\r" in value or (name == "id" and "\0" in value):
                raise ValueError(
                    f"The {name} of a server-sent event is one line of text without NUL, not {value!r}: a browser "
                    "would take the rest for something else. Put what may have several lines into `data`."
                )
        if self.retry is not None:
            _check_retry(self.retry)

    def encode(self, dumps: Callable[[Any], str] = json.dumps) -> bytes:
        """Return the event as it is sent.

        :param dumps: makes JSON of data that is no str.
        """
        lines = []
        if self.comment is not None:
            lines += [f": {line}" for line in _LINE_ENDS.split(self.comment)]
        if self.retry is not None:
            lines.append(f"retry: {self.retry}")
        if self.id is not None:
            lines.append(f"id: {self.id}")
        if self.event is not None:
            lines.append(f"event: {self.event}")
        if self.data is not None:
            text = self.data if isinstance(self.data, str) else dumps(self.data)
            lines += [f"data: {line}" for line in _LINE_ENDS.split(text)]
        elif self.event is not None:
            lines.append("data:")
        return "\n".join([*(lines or ":"), "", ""]).encode()


class EventStream(Response):
    """A response of server-sent events, for `EventSource` in browsers.

        @app.get("/ticks")
        async def ticks():
            async def count():
                for number in itertools.count(int(request.last_event_id or 0) + 1):
                    yield ServerSentEvent({"number": number}, id=number)
                    await asyncio.sleep(1)

            return EventStream(count())

    It starts at once, and lasts until the events end or the client leaves; then the generator is closed, wherever it
    waits if it is an `async def` one. A `def` generator is closed at its next `yield`, as no thread can be stopped: one
    that waits for news should do so for a second, say, and yield None when there is none. Use `stream_with_context` if
    it needs the request.

    A `def` generator holds a worker thread for as long as it lasts (`MAX_WORKER_THREADS`); thousands of streams want an
    ASGI server and `async def` ones. Under WSGI each stream holds one of the server's threads or greenlets. There, a
    `def` generator with heartbeats runs on a thread (or greenlet) of its own: with `heartbeat=None`, on the server's.

    :param events: an iterable or async iterable, a generator in most cases. Each item is a `ServerSentEvent`, or the
        data of one: a str, or what `app.json` can write. None is no news: nothing is sent.
    :param heartbeat: the seconds without an event after which a comment is sent, so that proxies keep the connection
        and the server learns of a client that has gone; None: never.
    :param retry: milliseconds that the browser waits before it connects again.
    :param status: as in `Response`. A 204 tells a browser not to come back.
    :param headers: more headers. `Cache-Control` and `X-Accel-Buffering` are set unless they are among these.
    :raises TypeError: `events` can't be iterated.
    :raises ValueError: a `heartbeat` that isn't positive, a negative `retry`.
    """

    default_mimetype = "text/event-stream"
    timeout = None  # it may last as long as its client stays

    def __init__(
        self,
        events: Iterable[Any] | AsyncIterable[Any],
        *,
        heartbeat: float | None = 15.0,
        retry: int | None = None,
        status: int | str | HTTPStatus | None = None,
        headers: Mapping[str, str | Iterable[str]] | Iterable[tuple[str, str]] | None = None,
    ) -> None:
        if isinstance(events, str | bytes | dict) or not isinstance(events, Iterable | AsyncIterable):
            hint = " Call the function: EventStream(events())." if callable(events) else ""
            raise TypeError(f"EventStream needs a generator of events or another iterable, not {events!r}.{hint}")
        if heartbeat is not None and heartbeat <= 0:
            raise ValueError(f"heartbeat is a number of seconds above 0, or None, not {heartbeat!r}.")
        if retry is not None:
            _check_retry(retry)
        # the generator may outlive the application context
        encode = partial(_encode, current_app.json.dumps if current_app else json.dumps)
        opening = HEARTBEAT if retry is None else f"retry: {retry}\n\n".encode()
        kind: Any = AsyncEvents if is_async_body(events) else Events
        super().__init__(kind(events, encode, opening, heartbeat), status, headers)
        self.headers.setdefault("Cache-Control", "no-cache")
        # nginx would collect events until its buffer is full
        self.headers.setdefault("X-Accel-Buffering", "no")


class Events(Iterator[bytes]):
    """The body of an event stream whose events come from a `def` generator; b"" where that has no news."""

    def __init__(
        self, events: Iterable[Any], encode: Callable[[Any], bytes], opening: bytes, heartbeat: float | None
    ) -> None:
        self.heartbeat = heartbeat
        """The seconds of silence after which the server's side sends `HEARTBEAT`."""
        self._events = events
        self._encode = encode
        # sent at once: many servers keep the headers back until there is something of the body
        self._opening = opening
        self._iterator: Iterator[Any] | None = None

    def __next__(self) -> bytes:
        if self._iterator is None:
            self._iterator = iter(self._events)
            return self._opening
        return self._encode(next(self._iterator))

    def close(self) -> None:
        """Close the generator."""
        close = getattr(self._iterator or self._events, "close", None)
        if close is not None:
            close()


class AsyncEvents(EncodedChunks):
    """The same, from an async generator."""

    __slots__ = ("_opening", "heartbeat")

    def __init__(
        self, events: AsyncIterable[Any], encode: Callable[[Any], bytes], opening: bytes, heartbeat: float | None
    ) -> None:
        super().__init__(events, encode)
        self.heartbeat = heartbeat
        self._opening = opening

    async def __anext__(self) -> bytes:
        chunk, self._opening = self._opening, b""
        while not chunk:
            chunk = await super().__anext__()
        return chunk


def is_event_stream(response: Any) -> bool:
    """Tell whether a response's body is that of an `EventStream`, whatever class the response has become."""
    return isinstance(response.response, Events | AsyncEvents)


def heartbeat_of(response: Any) -> float | None:
    """Return the seconds between the heartbeats of a response's body; None where it has none."""
    return getattr(response.response, "heartbeat", None)


def _encode(dumps: Callable[[Any], str], event: Any) -> bytes:
    if event is None:
        return b""
    return (event if isinstance(event, ServerSentEvent) else ServerSentEvent(event)).encode(dumps)


def _check_retry(retry: object) -> None:
    if not isinstance(retry, int) or isinstance(retry, bool) or retry < 0:
        raise ValueError(f"retry is a whole number of milliseconds, 0 or more, not {retry!r}.")
