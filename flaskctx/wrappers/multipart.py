"""A multipart form, part by part while it arrives (RFC 7578); werkzeug's decoder tells the parts from each other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType
from werkzeug.formparser import MultiPartParser
from werkzeug.sansio.multipart import NEED_DATA, Data, Event, Field, File, MultipartDecoder, NeedData, Preamble

from .input import CHUNK

if TYPE_CHECKING:
    from werkzeug.datastructures import Headers

    from .request import Request


class CompleteField(Event):
    """A field of the form, with all of its data."""

    def __init__(self, field: Field, data: bytes) -> None:
        self.name = field.name
        self.headers = field.headers
        self.data = data

    @property
    def value(self) -> str:
        """The data as text."""
        return self.data.decode(MultiPartParser().get_part_charset(self.headers), "replace")


class FormDecoder:
    """werkzeug's decoder, with the limits of a request: fields come in one piece, files in pieces of 64 KiB at most.

    :param boundary: what separates the parts, of the Content-Type header.
    """

    def __init__(self, request: Request, boundary: str) -> None:
        self._limit = limit = request.max_form_memory_size
        # its own limit is for what it holds: what is left of earlier pieces (headers, say), and the next
        held = None if limit is None else limit + 2 * CHUNK
        self._decoder = MultipartDecoder(boundary.encode("ascii"), held, max_parts=request.max_form_parts)
        self._half_end = f"--{boundary}-".encode("ascii")
        self._fed = b""
        self._field: Field | None = None
        self._value = bytearray()

    def feed(self, data: bytes | None) -> None:
        """Take the next bytes of the body, None at its end; `next_event` has asked for them."""
        if data is None:
            self._decoder.receive_data(None)
        else:
            self._fed = data

    def next_event(self) -> Event:
        """Return a CompleteField, or werkzeug's File, Data (of that file), Epilogue or NeedData.

        :raises ValueError: this is not a multipart body, or not a whole one.
        :raises RequestEntityTooLarge: (413) it has too many parts, or a field or a part's headers are too large.
        """
        while True:
            event = NEED_DATA if self._ends_within_boundary() else self._decoder.next_event()
            if isinstance(event, NeedData):
                if not self._fed:
                    return event
                self._decoder.receive_data(self._fed[:CHUNK])
                self._fed = self._fed[CHUNK:]
            elif isinstance(event, Field):
                self._field = event
                self._value.clear()
            elif isinstance(event, Data) and self._field is not None:
                self._value += event.data
                if self._limit is not None and len(self._value) > self._limit:
                    raise RequestEntityTooLarge
                if not event.more_data:
                    field, self._field = self._field, None
                    return CompleteField(field, bytes(self._value))
            elif not isinstance(event, Preamble):
                return event

    def _ends_within_boundary(self) -> bool:
        # The decoder would take the line break before it for content, where a piece of the body ends between the two
        # hyphens of the last boundary: https://github.com/pallets/werkzeug/issues/3285
        return not self._decoder.complete and self._decoder.buffer.endswith(self._half_end)


class Part:
    """One part of a multipart form: a field, which is there as a whole, or a file, whose content arrives.

    Iterated, it gives its content in pieces of 64 KiB at most: with `for` in a `def` function, with `async for` in
    an `async def` one. What isn't read is skipped when the next part is asked for.

    :raises ClientDisconnected: (400) the client left before the end.
    :raises BadRequest: (400) the body ends within the part.
    :raises RequestEntityTooLarge: (413) the body is larger than `request.max_content_length`.
    """

    def __init__(self, form: Multipart, event: CompleteField | File) -> None:
        self._form = form
        self.name: str | None = event.name
        """The name of the form's field."""
        self.headers: Headers = event.headers
        """The headers of this part."""
        self.filename: str | None = None
        """What the client calls the file: not to be trusted, see `werkzeug.utils.secure_filename`. None: no file."""
        self.value: str | None = None
        """The text of a field. None: it's a file."""
        if isinstance(event, CompleteField):
            self.value = event.value
            self._rest: bytes | None = event.data
        else:
            self.filename = event.filename
            self._rest = None

    @property
    def content_type(self) -> str | None:
        """What the client says that this is."""
        return self.headers.get("Content-Type")

    def __repr__(self) -> str:
        return f"<Part {self.name!r}>" if self.filename is None else f"<Part {self.name!r}, file {self.filename!r}>"

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    def __next__(self) -> bytes:
        data = self._take() if self._rest is not None else self._form._wait(self)
        if not data:
            raise StopIteration
        return data

    async def __anext__(self) -> bytes:
        data = self._take() if self._rest is not None else await self._form._await(self)
        if not data:
            raise StopAsyncIteration
        return data

    def _take(self) -> bytes | None:
        data, self._rest = self._rest, b""
        return data


class Multipart:
    """The parts of a form as they arrive: `request.multipart()`. Iterate it with `for` or `async for`.

    The client is asked for no more than is used, and nothing is stored. It ends when the whole body was read.
    """

    def __init__(self, request: Request) -> None:
        rule: Any = request.url_rule
        if rule is not None and not getattr(rule, "stream", False):
            raise RuntimeError(
                f"The view {rule.endpoint!r} reads a form part by part, but the body is awaited, and its form is "
                'parsed, before the view is called. Register its route with stream=True: app.post("...", stream=True).'
            )
        if request.mimetype != "multipart/form-data":
            raise UnsupportedMediaType("This takes a multipart form (Content-Type: multipart/form-data).")
        boundary = request.mimetype_params.get("boundary", "")
        if not boundary or not boundary.isascii():
            raise BadRequest("The Content-Type header of the form names no boundary.")
        self._decoder = FormDecoder(request, boundary)
        self._stream = request.stream
        self._part: Part | None = None
        self._part_is_open = False
        self._ended = False

    def __iter__(self) -> Iterator[Part]:
        return self

    def __aiter__(self) -> AsyncIterator[Part]:
        return self

    def __next__(self) -> Part:
        part = self._wait(None)
        if part is None:
            raise StopIteration
        return part  # type: ignore[no-any-return]

    async def __anext__(self) -> Part:
        part = await self._await(None)
        if part is None:
            raise StopAsyncIteration
        return part  # type: ignore[no-any-return]

    def _wait(self, part: Part | None) -> Any:
        """Return the next piece of a part's content, or the next part."""
        while isinstance(found := self._find(part), NeedData):
            self._decoder.feed(self._stream.read(CHUNK) or None)
        return found

    async def _await(self, part: Part | None) -> Any:
        """Do what `_wait` does, on an event loop."""
        while isinstance(found := self._find(part), NeedData):
            self._decoder.feed(await anext(self._stream, None))
        return found

    def _find(self, part: Part | None) -> Part | bytes | NeedData | None:
        """Return what is wanted from what has arrived: None, or b"", where there is no more of it."""
        if part is not None and part is not self._part:
            raise RuntimeError(f"The form is beyond {part!r}. Read a part before you ask for the next one.")
        while not self._ended:
            if part is not None and not self._part_is_open:
                return b""
            try:
                event = self._decoder.next_event()
            except ValueError as error:
                raise BadRequest("The body is not a whole multipart form.") from error
            if isinstance(event, NeedData):
                return event
            if isinstance(event, (CompleteField, File)):
                self._part_is_open = isinstance(event, File)
                self._part = Part(self, event)
                return self._part
            if isinstance(event, Data):
                self._part_is_open = event.more_data
                if part is not None and event.data:
                    return event.data
            else:
                self._ended = True
        return None
